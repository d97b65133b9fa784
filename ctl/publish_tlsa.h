/*
 * publish_tlsa.h - the TLSA records of a server of one's own: which there should be, the steps in which its key
 * changes, and what is wrong with those in DNS (RFC 7671 5, 8; RFC 7672 3). Pure.
 */
#ifndef POSTERN_PUBLISH_TLSA_H
#define POSTERN_PUBLISH_TLSA_H

#include "dns_msg.h"
#include "probe.h"
#include "publish_verdict.h"
#include "tlsa_rollover.h"

#define TLSA_LIVE_MAX 64 /* records of an RRset that are looked at */

/* A key, and its certificates when they are known. */
struct tlsa_key {
    bool there;
    char label[300];         /* "FILE", "mx (in the store)"; foreign */
    struct cert_chain chain; /* count 0: the key alone; owned */
    uint8_t digest[CERT_DIGEST_LEN];
};

void tlsa_key_clear(struct tlsa_key *key); /* NULL-safe, may be called twice */

/* What DNS has at _PORT._tcp.HOST. */
struct tlsa_live {
    enum dns_status status;
    bool secure;
    bool unheard;
    bool address_secure;   /* of the host's addresses, those that were told, too */
    char address_why[128]; /* why not all were told; "" when they were */
    uint32_t ttl;          /* of a negative answer: how long that is kept */
    struct dns_rr rr[TLSA_LIVE_MAX];
    size_t count;
    char why[128]; /* FAILED */
};

/* Returns 0, or -1 without memory. */
int tlsa_live_copy(struct tlsa_live *out, const struct dns_answer *answer);
void tlsa_live_clear(struct tlsa_live *live); /* may be called twice */

/* All that is known of a server. */
struct tlsa_view {
    const char *host;
    unsigned port;
    const struct tlsa_key *live, *next; /* never NULL */
    const char *next_name;              /* the store's name for the certificate of next; "" when it is none of it */
    const struct tlsa_live *dns;
    const struct probe *probe; /* NULL: it was not connected to */
    const char *probe_why;     /* then why not */
    int64_t tlsa_ttl, next_seen, now;
};

/* Which of the keys the server shows. */
enum tlsa_served { TLSA_SERVED_UNKNOWN, TLSA_SERVED_LIVE, TLSA_SERVED_NEXT, TLSA_SERVED_BOTH, TLSA_SERVED_OTHER };
enum tlsa_served tlsa_served(const struct tlsa_view *view);

#define TLSA_PLAN_MAX 5
struct tlsa_plan {
    struct {
        const char *state; /* "done", "now", "later" */
        char text[400];
    } step[TLSA_PLAN_MAX];
    size_t count;
    struct tlsa_rollover judged;
};

/* The steps from the state that DNS and the server are in now. */
void tlsa_plan(struct tlsa_plan *out, const struct tlsa_view *view);

/*
 * Would senders refuse the server if these records were published? BAD lines are reasons not to; the zone, what the
 * server shows, records that are there and fit nothing.
 */
void tlsa_before(struct verdicts *v, const struct tlsa_view *view);

/* Each live record, the given keys, and each address of the server against them. wanted: no records at all are BAD. */
void tlsa_check(struct verdicts *v, const struct tlsa_view *view, bool wanted);

#endif
