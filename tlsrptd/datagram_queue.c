/* datagram_queue.c - see datagram_queue.h. A segment is left for the next one when what comes does not fit into it. */
#include "datagram_queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MIN 4

struct entry {
    size_t len;
    int64_t at;
};

struct segment {
    struct segment *_Atomic next;
    atomic_size_t filled; /* octets; no more come when there is a next one */
    char data[];
};

struct datagram_queue {
    size_t segment_octets, segments_max;
    struct segment *last; /* of the thread that puts */
    /* Of the thread that takes: */
    struct segment *first;
    size_t taken;   /* octets of it */
    size_t popping; /* octets of the entry in front */
    /* Of both: */
    struct segment *_Atomic spare;
    atomic_size_t segments; /* that there are, the spare one among them */
    atomic_size_t waiting;  /* octets */
};

static size_t entry_octets(size_t len)
{
    return (sizeof(struct entry) + len + sizeof(struct entry) - 1) / sizeof(struct entry) * sizeof(struct entry);
}

/* The spare one, or a new one; NULL when there may be no more. */
static struct segment *segment_get(struct datagram_queue *q)
{
    struct segment *s = atomic_exchange(&q->spare, NULL);

    if (s == NULL && atomic_load(&q->segments) < q->segments_max) {
        s = malloc(sizeof(*s) + q->segment_octets);
        if (s != NULL)
            atomic_fetch_add(&q->segments, 1);
    }
    if (s != NULL) {
        atomic_init(&s->next, NULL);
        atomic_init(&s->filled, 0);
    }
    return s;
}

static void segment_put_back(struct datagram_queue *q, struct segment *s)
{
    s = atomic_exchange(&q->spare, s);
    if (s == NULL)
        return;
    free(s);
    atomic_fetch_sub(&q->segments, 1);
}

struct datagram_queue *datagram_queue_new(size_t octets, size_t longest)
{
    struct datagram_queue *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->segment_octets = 2 * entry_octets(longest);
    q->segments_max = octets / q->segment_octets;
    if (q->segments_max < SEGMENTS_MIN)
        q->segments_max = SEGMENTS_MIN;
    q->first = q->last = segment_get(q);
    if (q->first == NULL) {
        free(q);
        return NULL;
    }
    return q;
}

void datagram_queue_free(struct datagram_queue *q)
{
    struct segment *next;

    if (q == NULL)
        return;
    for (struct segment *s = q->first; s != NULL; s = next) {
        next = atomic_load(&s->next);
        free(s);
    }
    free(atomic_load(&q->spare));
    free(q);
}

bool datagram_queue_put(struct datagram_queue *q, int64_t at, const char *octets, size_t len)
{
    const struct entry entry = {len, at};
    size_t need = entry_octets(len), filled = atomic_load_explicit(&q->last->filled, memory_order_relaxed);
    struct segment *s = q->last;

    if (filled + need > q->segment_octets) {
        s = segment_get(q);
        if (s == NULL)
            return false;
        atomic_store_explicit(&q->last->next, s, memory_order_release);
        q->last = s;
        filled = 0;
    }
    memcpy(s->data + filled, &entry, sizeof(entry));
    memcpy(s->data + filled + sizeof(entry), octets, len);
    atomic_store_explicit(&s->filled, filled + need, memory_order_release);
    atomic_fetch_add(&q->waiting, need);
    return true;
}

bool datagram_queue_front(struct datagram_queue *q, struct datagram *out)
{
    struct entry entry;

    while (q->taken == atomic_load_explicit(&q->first->filled, memory_order_acquire)) {
        struct segment *s = q->first, *next = atomic_load_explicit(&s->next, memory_order_acquire);

        if (next == NULL)
            return false;
        if (q->taken != atomic_load_explicit(&s->filled, memory_order_acquire))
            continue; /* it was filled further before there was a next one */
        q->first = next;
        q->taken = 0;
        segment_put_back(q, s);
    }
    memcpy(&entry, q->first->data + q->taken, sizeof(entry));
    *out = (struct datagram){entry.at, q->first->data + q->taken + sizeof(entry), entry.len};
    q->popping = entry_octets(entry.len);
    return true;
}

void datagram_queue_pop(struct datagram_queue *q)
{
    q->taken += q->popping;
    atomic_fetch_sub(&q->waiting, q->popping);
    q->popping = 0;
}

size_t datagram_queue_octets(const struct datagram_queue *q)
{
    return atomic_load(&q->waiting);
}
