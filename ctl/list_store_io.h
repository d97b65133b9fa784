/*
 * list_store_io.h - the operator's lists in Redis, as posternctl reads and edits them.
 *
 * PREFIXlist:NAME is a list: a hash, field the pattern, value the entry (list.h). PREFIXlist: is a hash about them all:
 * g, the generation, 16 hexadecimal digits at random by the first edit; n, the number of edits. Each edit is one
 * script, which counts in n too, so that nothing is lost or half seen, whoever else edits at the time.
 *
 * The Redis user needs PING, EVAL, HLEN, UNLINK, and in scripts TYPE, EXISTS, HGET, HGETALL, HLEN, HSCAN,
 * HSET, HSETNX, HDEL, HINCRBY, EXPIRE, PERSIST, RENAME and UNLINK, for keys PREFIXlist:* and PREFIXimport:*.
 */
#ifndef POSTERN_LIST_STORE_IO_H
#define POSTERN_LIST_STORE_IO_H

#include "list_rows.h"
#include "lists_stamp.h"
#include "redis_ask_io.h"

#define LIST_STAGE_SECONDS 600 /* what an import that was broken off leaves ends by itself */

/* The hash about all lists. */
struct list_head {
    char g[33], n[33];        /* as they are, cut; "": not there */
    struct lists_stamp stamp; /* all zero when they are none, */
    struct err why;           /* and why */
};

/* All of these: 0, or -1 with the reason in e. */

int list_store_head(struct redis_ask *a, struct list_head *out, struct err *e);

/* All entries, sorted, without doubles, at one time. What cannot be read is a row that says why. */
int list_store_read(struct redis_ask *a, enum list_id list, struct list_rows *out, struct err *e);

/* How many entries; -1: the key holds something else than a list. */
int list_store_count(struct redis_ask *a, enum list_id list, int64_t *out, struct err *e);

/* Put an entry. `was` gets the one of that pattern that was there before, if any. */
int list_store_put(struct redis_ask *a, enum list_id list, const struct list_entry *entry, struct list_rows *was,
                   struct err *e);

/* Take an entry out: that of the pattern, or else of the field that is called so. `was` gets it; it is empty when there
 * is none. */
int list_store_del(struct redis_ask *a, enum list_id list, const char *pattern, const char *field,
                   struct list_rows *was, struct err *e);

/* Take all out, also what is no list. *count: how many there were. */
int list_store_clear(struct redis_ask *a, enum list_id list, int64_t *count, struct err *e);

/* Put rows that all have entries, all at once; replace: and take all others out. */
int list_store_import(struct redis_ask *a, enum list_id list, const struct list_rows *rows, bool replace,
                      struct err *e);

/*
 * Begin anew with what Redis has: a new generation, so that whoever knows the old one takes what is there.
 */
int list_store_discard(struct redis_ask *a, struct err *e);

/*
 * Put back what Redis has lost, all at once: each list is what its rows say, with this stamp and one edit more. Not if
 * the hash about all lists says something else than `seen` by now.
 */
int list_store_restore(struct redis_ask *a, const struct list_rows rows[LISTS], const struct lists_stamp *stamp,
                       const struct list_head *seen, struct err *e);

#endif
