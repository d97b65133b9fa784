/*
 * dns_msg.h - DNS messages of the types we ask for: build a query, read a reply (RFC 1035, 4035, 6891; ldns reads the
 * records). Replies are untrusted octets.
 */
#ifndef POSTERN_DNS_MSG_H
#define POSTERN_DNS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain.h"
#include "err.h"
#include "tlsa.h"

#define DNS_QUERY_MAX  512
#define DNS_REPLY_MAX  65535
#define DNS_UDP_SIZE   1232 /* EDNS buffer size that we announce: no fragments (DNS flag day 2020) */
#define DNS_MX_MAX     128  /* MX records that we take of one answer: names cost time; more are left out */
#define DNS_CNAMES_MAX 16   /* length of a CNAME chain; longer is an error */
#define DNS_TTL_MAX    86400U

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_TLSA = 52 };
const char *dns_type_name(enum dns_type type); /* "A", "MX", … */

enum dns_status {
    DNS_FOUND,    /* the name has records of the type */
    DNS_NODATA,   /* the name exists without them */
    DNS_NXDOMAIN, /* no such name */
    DNS_FAILED    /* SERVFAIL (also: bogus), REFUSED, time-out, malformed, loop: temporary, see why */
};
const char *dns_status_name(enum dns_status status); /* "found", "nodata", "nxdomain", "failed" */

struct dns_rr {
    uint16_t preference;       /* MX */
    char name[DOMAIN_BUF];     /* MX exchange ("" for the null MX's root), CNAME target; in its one form */
    char address[ADDRESS_BUF]; /* A, AAAA */
    char *text;                /* TXT: character-strings joined; owned; may hold any octet */
    size_t text_len;
    struct tlsa tlsa; /* TLSA; owned */
};

struct dns_answer {
    enum dns_status status;
    bool secure;    /* AD was set and the resolver is trusted to say so; covers the whole chain, negative answers too */
    bool truncated; /* records were left out: at DNS_MX_MAX, or as they cannot be read or are no host names */
    uint32_t ttl;   /* seconds: the least of all records used, CNAMEs too; negative: least of SOA TTL and MINIMUM (RFC
                       2308), 0 without SOA; at   most DNS_TTL_MAX */
    char name[DOMAIN_BUF]; /* the name at the end of the CNAME chain, where the records stand; "": no host name */
    bool aliased;          /* there was a CNAME */
    struct dns_rr *rr;
    size_t count;
    char why[128]; /* for DNS_FAILED: "SERVFAIL", "time-out", ... */
    bool unheard;  /* for DNS_FAILED: no resolver said that of the name (SERVFAIL, a chain without end): none could be
                      asked, or none gave an answer. The fault is on our side, as far as anybody can tell */
};

/*
 * A query with RD, EDNS0 with DO and DNS_UDP_SIZE. AD is set too, so that the resolver says whether it validated (RFC
 * 6840 5.7). Returns the octets written, or -1.
 */
int dns_query_build(uint8_t *out, size_t cap, const char *name, enum dns_type type, uint16_t id, struct err *e);

enum dns_verdict {
    DNS_REPLY_TAKEN,     /* *out filled */
    DNS_REPLY_NOT_OURS,  /* wrong id or question, not a response: keep waiting for the real one */
    DNS_REPLY_TRUNCATED, /* TC: ask again over TCP */
    DNS_REPLY_BROKEN     /* ours, but malformed, or from a server that does not resolve: try the next one; e says why */
};

/*
 * Read a reply to the query (name, type, id). Records that do not belong to the chain from name are passed over; those
 * that cannot be read, and MX exchanges that are no host names, are left out of an otherwise good answer. An RRset of
 * which none is left is BROKEN, but for MX: then there are no hosts. trust_ad: AD of this resolver is believed.
 * SERVFAIL and other error codes are TAKEN with DNS_FAILED. On TAKEN *out must be emptied with dns_answer_clear.
 */
enum dns_verdict dns_reply_parse(struct dns_answer *out, const uint8_t *pkt, size_t len, const char *name,
                                 enum dns_type type, uint16_t id, bool trust_ad, struct err *e);

/* An answer that no server gave: DNS_FAILED, unheard, with the reason. */
void dns_answer_fail(struct dns_answer *out, const char *why);

/* Free what the answer holds and make it empty. NULL-safe. */
void dns_answer_clear(struct dns_answer *a);

#endif
