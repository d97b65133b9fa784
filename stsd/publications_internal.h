/*
 * publications_internal.h - the insides of publications_io.h, shared by publications_io.c (what is known, and its
 * file), publications_read_io.c (reading Redis) and publications_back_io.c (giving back what Redis has lost).
 */
#ifndef POSTERN_PUBLICATIONS_INTERNAL_H
#define POSTERN_PUBLICATIONS_INTERNAL_H

#include "file_writer.h"
#include "publications_io.h"

#define PUBLICATIONS_KEY_BUF 256

/* In Lua: field i of what HMGET has replied of a stamp, up to a NUL, which would not come back to a script. */
#define PUBLICATIONS_SEEN(i) "string.sub(string.match(h[" #i "] or '', '^%Z*'), 1, 32)"

/* g and n of a data set, as they stand there. */
struct publications_seen {
    char g[33], n[33];
    struct lists_stamp stamp; /* all zero: none */
};

struct publications_keeper {
    struct event_base *base;
    struct redis *redis;
    char *file;
    char head[PUBLICATIONS_KEY_BUF], policies[PUBLICATIONS_KEY_BUF]; /* keys */

    struct publications known;
    struct lists_stamp stamp; /* of the data set that the known ones are of */
    bool is_known, current;
    int64_t since;
    size_t bad;

    /* reading */
    struct event *begin;
    bool reading, told;
    struct publications_seen seen;
    struct publications fresh;
    size_t fresh_bad;
    struct err problem;

    /* giving back: rows from `back` on are still to be looked at */
    size_t back;

    struct file_writer *writer;
    struct event *write_later;
    bool write_again, unwritten;
};

/* publications_io.c: they are those of Redis now, of this stamp; and to the file with them. */
void publications_current(struct publications_keeper *k, const struct lists_stamp *stamp);

/* publications_read_io.c */
void publications_reading_init(struct publications_keeper *k);
void publications_reading_free(struct publications_keeper *k);
void publications_reading_failed(struct publications_keeper *k, const char *why);
void publications_reading_again(struct publications_keeper *k); /* from the beginning */
void publications_reading_ends(struct publications_keeper *k);  /* well: on with what was told meanwhile */

/* publications_back_io.c: what is marked as lacking, and the stamp, into a Redis that is still as it was seen. */
void publications_give_back(struct publications_keeper *k);

#endif
