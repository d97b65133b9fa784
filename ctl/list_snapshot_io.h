/* list_snapshot_io.h - the lists that this node knows, out of policyd's file, and whether Redis has lost them. */
#ifndef POSTERN_LIST_SNAPSHOT_IO_H
#define POSTERN_LIST_SNAPSHOT_IO_H

#include "list_store_io.h"
#include "lists_snapshot.h"

struct list_snapshot {
    bool there; /* there is a file, and it is good */
    struct lists lists;
    struct lists_stamp stamp;
    struct lists_left_out left_out;
};

/* Read the file; path "" or no file: not there. Returns 0, or -1 with the reason in e. */
int list_snapshot_read(struct list_snapshot *out, const char *path, struct err *e);
void list_snapshot_clear(struct list_snapshot *s);

/*
 * May the lists in Redis be edited? Returns true, or false with the reason reported: they are lost, or older than those
 * that this node knows, or that cannot be told.
 */
bool list_snapshot_allows(struct redis_ask *a, const char *path);

/* Put the lists of the snapshot into Redis. Returns 0, or -1 with the reason in e. */
int list_snapshot_restore(struct redis_ask *a, const struct list_snapshot *s, const struct list_head *seen,
                          struct err *e);

#endif
