/*
 * published_store_io.h - the MTA-STS policies of own domains in Redis, as posternctl reads and edits them
 * (published.h).
 *
 * PREFIXpublished:policies is a hash, field the domain, value its policy. PREFIXpublished: is a hash about them all: g
 * and n, their stamp (lists_stamp.h), and e0 to e15, the domains of the last edits, edit n in e(n % 16). Each edit is
 * one script.
 *
 * The Redis user needs EVAL, and in scripts TYPE, HGET, HLEN, HSCAN, HSET, HSETNX, HDEL and HINCRBY, for keys
 * PREFIXpublished:*.
 */
#ifndef POSTERN_PUBLISHED_STORE_IO_H
#define POSTERN_PUBLISHED_STORE_IO_H

#include "published.h"
#include "redis_ask_io.h"

/* What Redis has of a domain. */
struct published_stored {
    char domain[DOMAIN_BUF];
    bool there;
    struct published policy; /* empty when it is not there, or cannot be read: */
    struct err why;          /* why not; "" otherwise */
    struct buf json;         /* as it was read: an edit wants to find it so */
};

void published_stored_clear(struct published_stored *s); /* NULL-safe, may be called twice */

/* One domain, in its one form. Returns 0, also when it is not there, or -1 with the reason in e. Clear *out after 0. */
int published_store_read(struct redis_ask *a, const char *domain, struct published_stored *out, struct err *e);

struct published_all {
    struct published_stored *row; /* by domain; what cannot be read is there too */
    size_t count, room;
    bool failed; /* no memory */
};

/* All domains. Returns 0, or -1 with the reason in e. Clear *out after 0. */
int published_store_read_all(struct redis_ask *a, struct published_all *out, struct err *e);
void published_all_clear(struct published_all *all);

/*
 * Put the policy in the place of what was seen of that domain (nothing, a policy, or what cannot be read). Returns 1;
 * 0: somebody has edited the domain meanwhile, and nothing was written: read it anew; or -1 with the reason in e.
 */
int published_store_write(struct redis_ask *a, const struct published_stored *seen, const struct published *policy,
                          struct err *e);

/* Take the domain away. Returns as published_store_write. */
int published_store_remove(struct redis_ask *a, const struct published_stored *seen, struct err *e);

#endif
