/* list_known_io.h - the lists that this node knows, out of policyd's file, and whether Redis has lost them. */
#ifndef POSTERN_LIST_KNOWN_IO_H
#define POSTERN_LIST_KNOWN_IO_H

#include "list_store_io.h"
#include "lists_kept.h"

struct list_known {
    bool there; /* there is a file, and it is good */
    struct lists lists;
    struct lists_stamp stamp;
    struct lists_left_out left_out;
};

/* Read the file; path "" or no file: not there. Returns 0, or -1 with the reason in e. */
int list_known_read(struct list_known *out, const char *path, struct err *e);
void list_known_clear(struct list_known *s);

/*
 * May the lists in Redis be edited? Returns true, or false with the reason reported: they are lost, or older than those
 * that this node knows, or that cannot be told.
 */
bool list_known_allows(struct redis_ask *a, const char *path);

/* Put the lists of the snapshot into Redis. Returns 0, or -1 with the reason in e. */
int list_known_restore(struct redis_ask *a, const struct list_known *s, const struct list_head *seen, struct err *e);

#endif
