/* present.c - see present.h. */
#include "present.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "nexthop.h"

struct present {
    pthread_rwlock_t lock; /* for both: */
    const struct snapshot *snapshot;
    const struct operator_lists *lists;
};

struct present *present_new(void)
{
    struct present *p = must_have(calloc(1, sizeof(*p)));

    if (pthread_rwlock_init(&p->lock, NULL) != 0)
        log_oom();
    return p;
}

void present_free(struct present *p)
{
    if (p == NULL)
        return;
    snapshot_release(p->snapshot);
    pthread_rwlock_destroy(&p->lock);
    free(p);
}

void present_set_snapshot(struct present *p, const struct snapshot *s)
{
    const struct snapshot *before;

    pthread_rwlock_wrlock(&p->lock);
    before = p->snapshot;
    p->snapshot = s;
    pthread_rwlock_unlock(&p->lock);
    snapshot_release(before);
}

void present_set_lists(struct present *p, const struct operator_lists *lists)
{
    pthread_rwlock_wrlock(&p->lock);
    p->lists = lists;
    pthread_rwlock_unlock(&p->lock);
}

void present_replacing(void *present, bool begins)
{
    struct present *p = present;

    if (begins)
        pthread_rwlock_wrlock(&p->lock);
    else
        pthread_rwlock_unlock(&p->lock);
}

const struct snapshot *present_hold(struct present *p)
{
    const struct snapshot *s;

    pthread_rwlock_rdlock(&p->lock);
    s = snapshot_hold(p->snapshot);
    pthread_rwlock_unlock(&p->lock);
    return s;
}

int present_in_list(void *present, enum list_id list, const char *what, size_t len)
{
    struct present *p = present;
    const struct lists *lists;
    int rc = -1;

    pthread_rwlock_rdlock(&p->lock);
    lists = p->lists == NULL ? NULL : operator_lists_get(p->lists);
    if (lists != NULL)
        rc = lists_match_what(lists, list, what, len, now_seconds()) != NULL;
    pthread_rwlock_unlock(&p->lock);
    return rc;
}

bool present_is_local(void *present, const char *domain, size_t len)
{
    return present_in_list(present, LIST_LOCAL, domain, len) == 1;
}

bool present_list_holds(struct present *p, enum list_id list)
{
    const struct lists *lists;
    bool holds;

    pthread_rwlock_rdlock(&p->lock);
    lists = p->lists == NULL ? NULL : operator_lists_get(p->lists);
    holds = lists != NULL && list_holds(lists->list[list], now_seconds());
    pthread_rwlock_unlock(&p->lock);
    return holds;
}
