/*
 * operator_lists_internal.h - the insides of operator_lists_io.h, shared by operator_lists_io.c (what is known, and its
 * file) and operator_lists_read_io.c (reading it from Redis).
 */
#ifndef POSTERN_OPERATOR_LISTS_INTERNAL_H
#define POSTERN_OPERATOR_LISTS_INTERNAL_H

#include "file_writer.h"
#include "list_read_io.h"
#include "list_trash_io.h"
#include "lists_kept_io.h"
#include "operator_lists_io.h"

struct operator_lists {
    struct event_base *base;
    struct operator_lists_options options;
    char *file; /* own: the configuration may go */
    uint8_t secret[16];

    struct lists lists;
    struct lists_stamp stamp;
    enum operator_lists_source source;
    enum lists_stamp_verdict verdict;
    int64_t since;
    size_t bad[LISTS];
    struct err problem[LISTS];

    bool awaited;
    struct event *patience;
    struct event *expiry; /* an entry expires, */
    int64_t expires;      /* at that time */

    /* reading: operator_lists_read_io.c */
    struct event *begin;
    bool reading;
    bool told;       /* of a change since the present reading began */
    unsigned wanted; /* lists that have changed, bits */
    unsigned left;   /* of the present reading */
    unsigned torn;   /* readings thrown away since the last one that was not */
    struct lists_stamp seen;
    struct err read_problem;
    struct list_read_result fresh[LISTS];
    bool was_read[LISTS];

    struct list_trash *trash;

    /* writing */
    struct file_writer *writer;
    bool write_again;
    struct event *write_later; /* it failed */
    struct err file_problem;
};

/* operator_lists_io.c: what is known has changed: tell the owner; write it to the file, now or after the present write.
 */
void operator_lists_changed(struct operator_lists *o);
void operator_lists_write(struct operator_lists *o);

/* operator_lists_read_io.c */
void lists_reading_init(struct operator_lists *o);
void lists_reading_free(struct operator_lists *o); /* what was read goes; before the trash */

#endif
