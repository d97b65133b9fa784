/*
 * list_read_io.h - one of the operator's lists out of Redis (the hash PREFIXlist:NAME, list.h), a short one at once,
 * others page by page, so that neither Redis nor this program is held up.
 */
#ifndef POSTERN_LIST_READ_IO_H
#define POSTERN_LIST_READ_IO_H

#include "list.h"
#include "redis_io.h"

enum list_read_end {
    LIST_READ,       /* list is there: the caller's from now on */
    LIST_READ_WRONG, /* the key holds no hash: the list cannot be read before somebody mends that */
    LIST_READ_FAILED /* Redis went away, or refused */
};

struct list_read_result {
    enum list_read_end end;
    struct list *list; /* NULL unless LIST_READ */
    size_t pages;      /* in 1 it was read at one moment; else edits meanwhile may be in it by half */
    size_t bad;        /* entries that were left out; the first ones are in the log */
    struct err why;    /* the first of them and the reason; for the other ends the reason */
};

/* Called once, never from within list_read. */
typedef void list_read_fn(void *ctx, enum list_id list, const struct list_read_result *result);

/* Returns 0, or -1 when Redis is away: fn is not called then. secret: see list_new. */
int list_read(struct redis *redis, enum list_id list, const uint8_t secret[16], list_read_fn *fn, void *ctx);

#endif
