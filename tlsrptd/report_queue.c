/* report_queue.c - a sorted table of entries for each day, and one heap of those that wait. */
#include "report_queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "domain.h"
#include "report_schedule.h"

struct queue_day {
    SLIST_ENTRY(queue_day) link;
    int32_t day;
    struct report_entry **entry; /* sorted by domain, owned */
    size_t count;
};

SLIST_HEAD(queue_days, queue_day);

struct report_queue {
    struct queue_days days;
    struct report_entry **heap; /* the first is the earliest; has room for all entries there are */
    size_t waiting, room;
};

#define NOWHERE SIZE_MAX

struct report_queue *report_queue_new(void)
{
    return calloc(1, sizeof(struct report_queue));
}

static void day_free(struct queue_day *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->entry[i]);
    free(d->entry);
    free(d);
}

void report_queue_free(struct report_queue *q)
{
    struct queue_day *d;

    if (q == NULL)
        return;
    while ((d = SLIST_FIRST(&q->days)) != NULL) {
        SLIST_REMOVE_HEAD(&q->days, link);
        day_free(d);
    }
    free(q->heap);
    free(q);
}

static void heap_put(struct report_queue *q, size_t place, struct report_entry *entry)
{
    q->heap[place] = entry;
    entry->place = place;
}

static void heap_up(struct report_queue *q, size_t place, struct report_entry *entry)
{
    for (; place > 0 && q->heap[(place - 1) / 2]->at > entry->at; place = (place - 1) / 2)
        heap_put(q, place, q->heap[(place - 1) / 2]);
    heap_put(q, place, entry);
}

static void heap_down(struct report_queue *q, size_t place, struct report_entry *entry)
{
    size_t child;

    while ((child = 2 * place + 1) < q->waiting) {
        if (child + 1 < q->waiting && q->heap[child + 1]->at < q->heap[child]->at)
            child++;
        if (q->heap[child]->at >= entry->at)
            break;
        heap_put(q, place, q->heap[child]);
        place = child;
    }
    heap_put(q, place, entry);
}

static void heap_remove(struct report_queue *q, struct report_entry *entry)
{
    size_t place = entry->place;
    struct report_entry *last = q->heap[--q->waiting];

    entry->place = NOWHERE;
    if (last == entry)
        return;
    heap_down(q, place, last);
    heap_up(q, last->place, last);
}

static int make_room(struct report_queue *q, size_t more)
{
    size_t all = more;
    const struct queue_day *d;
    struct report_entry **heap;

    SLIST_FOREACH(d, &q->days, link)
    all += d->count;
    if (all <= q->room)
        return 0;
    heap = realloc(q->heap, all * sizeof(struct report_entry *));
    if (heap == NULL)
        return -1;
    q->heap = heap;
    q->room = all;
    return 0;
}

static struct queue_day *day_find(struct report_queue *q, int32_t day)
{
    struct queue_day *d;

    SLIST_FOREACH(d, &q->days, link)
    if (d->day == day)
        return d;
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->day = day;
    SLIST_INSERT_HEAD(&q->days, d, link);
    return d;
}

static struct report_entry *entry_new(int32_t day, const char *domain, const char *contact, int64_t delay)
{
    size_t len = strlen(domain);
    struct report_entry *entry = malloc(sizeof(*entry) + len + 1);

    if (entry == NULL)
        return NULL;
    entry->day = day;
    entry->at = report_due(day, domain, contact, delay);
    entry->tried = false;
    entry->place = NOWHERE;
    memcpy(entry->domain, domain, len + 1);
    return entry;
}

static bool is_name(const char *domain)
{
    return domain[0] != '\0' && strlen(domain) <= DOMAIN_MAX;
}

/* Both are sorted, so is what comes out. all has room for all. Returns how many, or 0 without memory. */
static size_t merge(struct report_queue *q, struct queue_day *d, struct report_entry **all, const char *const *domain,
                    size_t count, const char *contact, int64_t delay)
{
    size_t n = 0, known = 0;

    for (size_t i = 0; i < count; i++) {
        while (known < d->count && strcmp(d->entry[known]->domain, domain[i]) < 0)
            all[n++] = d->entry[known++];
        if (!is_name(domain[i]) || (known < d->count && strcmp(d->entry[known]->domain, domain[i]) == 0) ||
            (n > 0 && strcmp(all[n - 1]->domain, domain[i]) >= 0))
            continue;
        all[n] = entry_new(d->day, domain[i], contact, delay);
        if (all[n] == NULL)
            break; /* those that lack come the next time */
        heap_up(q, q->waiting++, all[n++]);
    }
    while (known < d->count)
        all[n++] = d->entry[known++];
    return n;
}

int report_queue_add(struct report_queue *q, int32_t day, const char *const *domain, size_t count, const char *contact,
                     int64_t delay)
{
    struct queue_day *d = day_find(q, day);
    struct report_entry **all;

    if (d == NULL || make_room(q, count) != 0)
        return -1;
    all = malloc((d->count + count + 1) * sizeof(struct report_entry *));
    if (all == NULL)
        return -1;
    d->count = merge(q, d, all, domain, count, contact, delay);
    free(d->entry);
    d->entry = all;
    return 0;
}

void report_queue_spread(struct report_queue *q, const char *contact, int64_t delay)
{
    for (size_t i = 0; i < q->waiting; i++) {
        struct report_entry *entry = q->heap[i];

        if (!entry->tried)
            entry->at = report_due(entry->day, entry->domain, contact, delay);
    }
    for (size_t i = q->waiting / 2; i-- > 0;)
        heap_down(q, i, q->heap[i]);
}

void report_queue_forget(struct report_queue *q, int32_t before)
{
    struct queue_day *d = SLIST_FIRST(&q->days), *next;

    for (; d != NULL; d = next) {
        next = SLIST_NEXT(d, link);
        if (d->day >= before)
            continue;
        for (size_t i = 0; i < d->count; i++)
            if (d->entry[i]->place != NOWHERE)
                heap_remove(q, d->entry[i]);
        SLIST_REMOVE(&q->days, d, queue_day, link);
        day_free(d);
    }
}

struct report_entry *report_queue_take(struct report_queue *q, int64_t now)
{
    struct report_entry *first = q->waiting > 0 ? q->heap[0] : NULL;

    if (first == NULL || first->at > now)
        return NULL;
    heap_remove(q, first);
    return first;
}

void report_queue_give_back(struct report_queue *q, struct report_entry *entry, int64_t at)
{
    entry->tried = true;
    entry->at = at;
    heap_up(q, q->waiting++, entry);
}

int64_t report_queue_when(const struct report_queue *q)
{
    return q->waiting > 0 ? q->heap[0]->at : -1;
}

size_t report_queue_waiting(const struct report_queue *q)
{
    return q->waiting;
}
