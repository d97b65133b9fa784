/* list_trash_io.h - lists that are no longer wanted: freed in portions, from the loop, as a long one takes long. */
#ifndef POSTERN_LIST_TRASH_IO_H
#define POSTERN_LIST_TRASH_IO_H

#include <event2/event.h>

#include "list.h"

struct list_trash;

struct list_trash *list_trash_new(struct event_base *base);
void list_trash_free(struct list_trash *t); /* what is left in it, at once */

/* place: from 0 to LISTS - 1; what is still in that place is freed at once. list, which may be NULL, is t's. */
void list_trash_put(struct list_trash *t, size_t place, struct list *list);

#endif
