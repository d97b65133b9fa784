/*
 * published.h - a domain of ours and the MTA-STS policy that it publishes: in Redis, hash PREFIXpublished:policies,
 * field the domain, value an object of JSON; how all of them are kept there says ctl/published_store_io.h. posternctl
 * writes it, stsd serves it (RFC 8461 3.3). Pure.
 */
#ifndef POSTERN_PUBLISHED_H
#define POSTERN_PUBLISHED_H

#include "buf.h"
#include "domain.h"
#include "err.h"
#include "sts_policy.h"
#include "sts_record.h"

#define PUBLISHED_KEY      "published" /* kind of the keys, and the name of the hash about all policies is "" */
#define PUBLISHED_POLICIES "policies"  /* name of the hash of the policies */
#define PUBLISHED_MAX      100000      /* domains */
#define PUBLISHED_JSON_MAX 65536       /* octets of one value */
#define PUBLISHED_RECENT   16          /* edits of which Redis knows the domain */

struct published {
    char domain[DOMAIN_BUF];
    struct sts_policy policy; /* owned */
    char id[STS_ID_MAX + 1];  /* of the TXT record that goes with it */
    int64_t changed;          /* when mode, mx or max_age last changed, seconds since the epoch */
    int64_t since;            /* since when it has been in this mode */
    int64_t held;             /* until when senders may hold what was served before the last change; 0: nothing was */
    char by[64];              /* who changed it, printable */
};

/* Returns 0, or -1 with the reason and *out empty. domain is the hash's field. */
int published_read(struct published *out, const char *domain, const char *json, size_t len, struct err *e);
void published_write(struct buf *out, const struct published *p);
void published_clear(struct published *p); /* NULL-safe, may be called twice */

/* The policy file, with CRLF: what is served, and what `posternctl check sts-policy` takes. */
void published_body(struct buf *out, const struct sts_policy *policy);

/* The id of a change at that time: "20261122T101500Z" in digits and letters; another one than before when that is the
 * same. */
void published_id(char out[STS_ID_MAX + 1], int64_t now, const char *before);

#endif
