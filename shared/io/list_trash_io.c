/* list_trash_io.c - see list_trash_io.h. */
#include "list_trash_io.h"

#include "log.h"

#include <stdlib.h>

#define PORTION 1000 /* entries */

struct list_trash {
    struct list *list[LISTS];
    struct event *cleaning;
};

static void on_cleaning(evutil_socket_t fd, short what, void *ctx)
{
    static const struct timeval at_once;
    struct list_trash *t = ctx;
    size_t i = 0;

    (void)fd;
    (void)what;
    while (i < LISTS && t->list[i] == NULL)
        i++;
    if (i == LISTS)
        return;
    list_shrink(t->list[i], PORTION);
    if (list_count(t->list[i]) == 0) {
        list_free(t->list[i]);
        t->list[i] = NULL;
    }
    evtimer_add(t->cleaning, &at_once);
}

struct list_trash *list_trash_new(struct event_base *base)
{
    struct list_trash *t = must_have(calloc(1, sizeof(*t)));

    t->cleaning = must_have(evtimer_new(base, on_cleaning, t));
    return t;
}

void list_trash_free(struct list_trash *t)
{
    event_free(t->cleaning);
    for (size_t i = 0; i < LISTS; i++)
        list_free(t->list[i]);
    free(t);
}

void list_trash_put(struct list_trash *t, size_t place, struct list *list)
{
    if (list == NULL)
        return;
    list_free(t->list[place]); /* seldom: two in so short a time */
    t->list[place] = list;
    event_active(t->cleaning, EV_TIMEOUT, 0);
}
