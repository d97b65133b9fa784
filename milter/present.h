/*
 * present.h - what holds at present, for all threads: the snapshot to begin a message with, and the operator's lists.
 * The main thread replaces both; sessions only read.
 */
#ifndef POSTERN_PRESENT_H
#define POSTERN_PRESENT_H

#include "operator_lists_io.h"
#include "snapshot.h"

struct present;

struct present *present_new(void);
void present_free(struct present *p); /* NULL-safe; no session may be left */

/* Main thread: go by this one from now on; the caller's use of it becomes present's. */
void present_set_snapshot(struct present *p, const struct snapshot *s);

/* Main thread: where the lists come from; and the hook `replacing` of operator_lists_options, whose ctx is present. */
void present_set_lists(struct present *p, const struct operator_lists *lists);
void present_replacing(void *present, bool begins);

/* The snapshot of now, which the caller releases. */
const struct snapshot *present_hold(struct present *p);

/*
 * Is it in the list? For inbound lists what is an address or a name of a client, for the others a domain as it is
 * written behind "@". 1 or 0; -1: the lists are not known. It is a rule_in_list, whose context is present.
 */
int present_in_list(void *present, enum list_id list, const char *what, size_t len);

/* The same for the list local, with what is not known as not local: then it is flagged rather than not. */
bool present_is_local(void *present, const char *domain, size_t len);

/* A list has entries that hold. */
bool present_list_holds(struct present *p, enum list_id list);

#endif
