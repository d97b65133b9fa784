/* busy.c - two windows: the one that is counted in, and the one before it. */
#include "busy.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t asked;
    uint64_t missed;
    uint64_t over; /* what it took over from the name whose place it has: this much of `asked` may not be its own */
    size_t len;
    char name[BUSY_NAME];
};

struct window {
    int64_t since;
    size_t count;
    uint32_t hash[BUSY_NAMES]; /* beside each other, so that a look through them is short */
    struct entry entry[BUSY_NAMES];
};

struct busy {
    struct window window[2];
    size_t current;
    int64_t second; /* the one that `left` is for */
    unsigned left;  /* requests of it that are still looked at one by one */
    unsigned step;
};

static void window_begin(struct window *w, int64_t now)
{
    w->since = now;
    w->count = 0;
}

struct busy *busy_new(void)
{
    return calloc(1, sizeof(struct busy));
}

void busy_free(struct busy *b)
{
    free(b);
}

/* A clock that was set back begins anew, too. */
static void turn(struct busy *b, int64_t now)
{
    int64_t age = now - b->window[b->current].since;

    if (age >= 0 && age < BUSY_WINDOW)
        return;
    b->current ^= 1;
    window_begin(&b->window[b->current], now);
    if (age < 0 || age / 2 >= BUSY_WINDOW)
        window_begin(&b->window[b->current ^ 1], now);
}

/* FNV-1a: names that collide cost a comparison each, and there are BUSY_NAMES at most. */
static uint32_t hash_name(const char *name, size_t len)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619U;
    return hash;
}

static struct entry *find(struct window *w, const char *name, size_t len, uint32_t hash)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->hash[i] == hash && w->entry[i].len == len && memcmp(w->entry[i].name, name, len) == 0)
            return &w->entry[i];
    return NULL;
}

/* A free place, or that of the smallest count, which goes on. */
static struct entry *place_for(struct window *w, const char *name, size_t len, uint32_t hash)
{
    size_t at = w->count;
    uint64_t over = 0;

    if (at < BUSY_NAMES) {
        w->count++;
    } else {
        at = 0;
        for (size_t i = 1; i < BUSY_NAMES; i++)
            if (w->entry[i].asked < w->entry[at].asked)
                at = i;
        over = w->entry[at].asked;
    }
    w->hash[at] = hash;
    w->entry[at].asked = over;
    w->entry[at].over = over;
    w->entry[at].missed = 0;
    w->entry[at].len = len;
    memcpy(w->entry[at].name, name, len);
    w->entry[at].name[len] = '\0';
    return &w->entry[at];
}

/* How many requests this one stands for; 0: it is passed over. */
static unsigned weight(struct busy *b, int64_t now)
{
    if (now != b->second) {
        b->second = now;
        b->left = BUSY_EXACT;
    }
    if (b->left > 0) {
        b->left--;
        return 1;
    }
    return ++b->step % BUSY_STEP == 0 ? BUSY_STEP : 0;
}

void busy_add(struct busy *b, const char *name, size_t len, bool missed, int64_t now)
{
    unsigned n = weight(b, now);
    struct entry *e;
    uint32_t hash;

    if (n == 0 || len >= BUSY_NAME)
        return;
    turn(b, now);
    hash = hash_name(name, len);
    e = find(&b->window[b->current], name, len, hash);
    if (e == NULL)
        e = place_for(&b->window[b->current], name, len, hash);
    e->asked += n;
    e->missed += missed ? n : 0;
}

static int by_asked(const void *a, const void *b)
{
    const struct busy_name *x = a, *y = b;

    if (x->asked != y->asked)
        return x->asked < y->asked ? 1 : -1;
    return strcmp(x->name, y->name);
}

static struct busy_name number_of(const struct entry *e)
{
    return (struct busy_name){.name = e->name, .asked = e->asked - e->over, .missed = e->missed};
}

size_t busy_top(struct busy *b, struct busy_name *out, size_t max, int64_t now, int64_t *seconds)
{
    struct busy_name all[2 * BUSY_NAMES];
    struct window *current, *before;
    size_t count = 0;

    turn(b, now);
    current = &b->window[b->current];
    before = &b->window[b->current ^ 1];
    *seconds = now > before->since ? now - before->since : 1;
    for (size_t i = 0; i < current->count; i++)
        all[count++] = number_of(&current->entry[i]);
    for (size_t i = 0; i < before->count; i++) {
        struct busy_name n = number_of(&before->entry[i]);
        const struct entry *e = find(current, n.name, before->entry[i].len, before->hash[i]);

        if (e == NULL) {
            all[count++] = n;
            continue;
        }
        all[e - current->entry].asked += n.asked;
        all[e - current->entry].missed += n.missed;
    }
    qsort(all, count, sizeof(all[0]), by_asked);
    count = count < max ? count : max;
    memcpy(out, all, count * sizeof(all[0]));
    return count;
}
