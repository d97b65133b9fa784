/* resolve_internal.h - the machine's insides, shared by resolve.c (queue, end), resolve_mx.c (MX hosts and DANE) and
 * resolve_sts.c. */
#ifndef POSTERN_RESOLVE_INTERNAL_H
#define POSTERN_RESOLVE_INTERNAL_H

#include "resolve.h"

#define RESOLVE_LATE "no answer in time" /* why something counts as a temporary failure at an early end */

enum resolve_step { STEP_IDLE, STEP_WANTED, STEP_STARTED, STEP_DONE };

/* Every action has its slot from the start, so that each is done at most once and the machine must end. */
enum resolve_slot { SLOT_MX, SLOT_TXT, SLOT_TLSRPT, SLOT_STS_AAAA, SLOT_STS_A, SLOT_FETCH, SLOT_HOSTS };

/* The slots of host i: SLOT_HOSTS + i * HOST_STEPS and on. */
enum resolve_host_step { HOST_AAAA, HOST_A, HOST_CNAME, HOST_TLSA_END, HOST_TLSA_NAME, HOST_STEPS };

_Static_assert(RESOLVE_ACTIONS_MAX == SLOT_HOSTS + DEST_HOSTS_MAX * HOST_STEPS, "the bound that resolve.h states");

/* What the look-up of one family said; all zero but the status before it is there. */
struct resolve_family {
    enum dns_status status;
    bool unheard;
    bool secure;
    bool aliased;
    char end[DOMAIN_BUF]; /* of the CNAME chain */
    char address[DEST_ADDRESSES_MAX][ADDRESS_BUF];
    size_t count;
};

struct resolve_addresses {
    struct resolve_family v6;
    struct resolve_family v4;
};

/* What the machine keeps of an MX host beside the record. */
struct resolve_host {
    struct resolve_addresses found;
    char end[DOMAIN_BUF]; /* of the chain, when the addresses are behind an alias */
    bool gone;            /* has no address: no host (B-5) */
};

struct resolve {
    struct dest *d; /* grows; begins with what is carried on from before */
    struct resolve_options options;
    int64_t now;
    bool force;
    bool failed; /* no memory */

    unsigned char step[RESOLVE_ACTIONS_MAX];
    unsigned open; /* wanted or started */

    uint32_t ttl; /* the least of the answers that the record rests on */

    struct resolve_host *host; /* beside d->host, same indices */
    size_t tlsa_octets;        /* association data kept so far, of all hosts */

    bool dane_before;             /* DANE went for the domain when it was last known */
    bool mx_known;                /* its MX records, or their absence, were known at some time */
    int64_t temp_since;           /* since when the MTA-STS record cannot be looked up, from before; 0: it could */
    bool had_policy;              /* there was one before, live or not */
    char fetch_why[DEST_WHY_MAX]; /* the failure of the last fetch, from before */
    bool fetch_barred;            /* it is too soon after a failed one */
    struct resolve_addresses policy_host;
};

/* The action of this slot is to be done, unless it has been wanted before. */
void resolve_want(struct resolve *r, unsigned slot);

/* The record may live no longer than this answer. */
void resolve_rest_on(struct resolve *r, const struct dns_answer *answer);

/* Keep a sentence: cut, printable ASCII only. */
void resolve_say(char out[DEST_WHY_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Keep the addresses of an answer (v6 or v4). */
void resolve_family_set(struct resolve_family *out, const struct dns_answer *answer);

/* Both families in turn, so that neither crowds out the other. Returns how many. */
size_t resolve_addresses_merge(char out[DEST_ADDRESSES_MAX][ADDRESS_BUF], const struct resolve_addresses *from);

/* "_25._tcp.BASE". Returns 0, or -1 when that is too long to exist. */
int resolve_tlsa_name(char out[DOMAIN_BUF], const char *base);

/* The TXT records as the selectors want them: the texts stay the answer's, the list is the caller's. NULL without
 * memory. */
struct sts_txt *resolve_txt_list(const struct dns_answer *answer);

/* resolve_mx.c */
void resolve_mx(struct resolve *r, const struct dns_answer *answer);
void resolve_host_answer(struct resolve *r, size_t i, enum resolve_host_step step, const struct dns_answer *answer);
void resolve_hosts_drop_gone(struct resolve *r);

/* resolve_sts.c */
int resolve_sts_begin(struct resolve *r, const struct dest_sts *previous);
void resolve_sts_txt(struct resolve *r, const struct dns_answer *answer);
void resolve_sts_consider(struct resolve *r); /* fetch or not, once MX and TXT are known */
void resolve_sts_address(struct resolve *r, enum resolve_slot slot, const struct dns_answer *answer);
void resolve_sts_fetched(struct resolve *r, const struct resolve_fetch *fetch, int64_t now);
void resolve_sts_end(struct resolve *r, int64_t now);
int64_t resolve_sts_due(const struct resolve *r); /* when a fetch may be tried again; 0: it need not */

#endif
