/*
 * records_io.h - destination records for whoever asks: from memory, from Redis, or by a resolution, of which there is
 * one a domain at a time on this node, and, through a lock in Redis, on all nodes. Everything is bounded: resolutions
 * at a time, domains that wait for their turn, records in memory.
 */
#ifndef POSTERN_RECORDS_IO_H
#define POSTERN_RECORDS_IO_H

#include <event2/event.h>

#include "conf.h"
#include "dest.h"
#include "known.h"
#include "need.h"
#include "redis_io.h"
#include "resolution_io.h"
#include "slowest.h"

struct records;

/* dest is valid during the callback; NULL: too many domains are waiting. May be called from within records_get. */
typedef void records_fn(void *ctx, const struct dest *dest);

struct records *records_new(const struct resolution_env *env, struct redis *redis, const struct conf_stsd *conf);
void records_configure(struct records *r, const struct conf_stsd *conf);

/* fn NULL: nobody waits, it is done for later. RECORDS_USE notes that the domain is in use. domain in its one form. */
void records_get(struct records *r, const char *domain, enum records_need need, records_fn *fn, void *ctx);

/*
 * For a node without Redis: up to limit domains in memory whose policy is due and which are in use (known_in_use).
 * Returns how many names were written; they are valid until the next call on r.
 */
size_t records_due(struct records *r, int64_t now, int64_t used_within, char (*names)[DOMAIN_BUF], size_t limit);

/* Redis is there (again), or was emptied: give it what memory knows and it does not. */
void records_give_back(struct records *r);

/* A domain that is being worked on. */
struct records_waiting {
    const char *domain;
    int64_t ms;            /* for so long */
    const char *waits_for; /* for people */
};

/* Those that have been worked on longest, the oldest last; valid until the loop goes on. Returns how many. */
size_t records_oldest(const struct records *r, struct records_waiting *out, size_t max);

/* The resolutions that took longest, of those that ended lately. */
const struct slowest *records_slowest(const struct records *r);

size_t records_wanted(const struct records *r);  /* domains being worked on or waiting */
size_t records_waiting(const struct records *r); /* of these, waiting for their turn */
size_t records_busy(const struct records *r);    /* all but those that only wait for a policy host or another node */
struct known_policies records_policies(const struct records *r, int64_t now, int64_t used_within); /* walks over all */
size_t records_in_memory(const struct records *r);

/* Redis must have been closed before. Nobody is called back. */
void records_free(struct records *r);

#endif
