/*
 * turns.c - see turns.h. An owner of whom somebody waits is in one of two lists: ready, when it may have one more
 * place, or full, when it has its share. There are at most places / share full owners, so looking through them is
 * cheap; all the rest takes the same time however many wait.
 */
#include "turns.h"

#include "cache.h"

#include <stdlib.h>
#include <string.h>

TAILQ_HEAD(turn_list, turn);
TAILQ_HEAD(owner_list, turns_owner);

struct turns_owner {
    TAILQ_ENTRY(turns_owner) link;
    struct owner_list *list; /* ready, full, or NULL: nobody waits */
    struct turn_list waiting, placed;
    size_t waiting_count, placed_count;
    size_t name_len;
    char name[];
};

struct turns {
    size_t places, share;
    int64_t patience;
    struct cache *owners; /* a plain map */
    struct owner_list ready, full;
    struct turn_list placed; /* the longest-standing first */
    size_t placed_count;
};

struct turns *turns_new(size_t places, size_t share, int64_t patience, const uint8_t secret[16])
{
    struct turns *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->places = places;
    t->share = share;
    t->patience = patience;
    TAILQ_INIT(&t->ready);
    TAILQ_INIT(&t->full);
    TAILQ_INIT(&t->placed);
    t->owners = cache_new(0, free, secret);
    if (t->owners == NULL) {
        free(t);
        return NULL;
    }
    return t;
}

void turns_free(struct turns *t)
{
    if (t != NULL) {
        cache_free(t->owners);
        free(t);
    }
}

static struct turns_owner *owner_new(struct turns *t, const char *name, size_t len)
{
    struct turns_owner *o = calloc(1, sizeof(*o) + len + 1);

    if (o == NULL)
        return NULL;
    TAILQ_INIT(&o->waiting);
    TAILQ_INIT(&o->placed);
    o->name_len = len;
    memcpy(o->name, name, len);
    if (cache_put(t->owners, name, len, o) != 0) {
        free(o);
        return NULL;
    }
    return o;
}

/* Put an owner into the list where it belongs now: last, unless it is there already. One without turns is freed. */
static void owner_file(struct turns *t, struct turns_owner *o)
{
    struct owner_list *list = o->placed_count < t->share ? &t->ready : &t->full;

    if (o->waiting_count == 0)
        list = NULL;
    if (list != o->list) {
        if (o->list != NULL)
            TAILQ_REMOVE(o->list, o, link);
        if (list != NULL)
            TAILQ_INSERT_TAIL(list, o, link);
        o->list = list;
    }
    if (o->waiting_count + o->placed_count == 0)
        cache_remove(t->owners, o->name, o->name_len);
}

int turns_join(struct turns *t, struct turn *turn, const char *owner)
{
    size_t len = strlen(owner);
    struct turns_owner *o = cache_peek(t->owners, owner, len);

    if (o == NULL)
        o = owner_new(t, owner, len);
    if (o == NULL)
        return -1;
    if (o->waiting_count + o->placed_count >= 2 * t->share)
        return 0;
    turn->owner = o;
    turn->placed = false;
    TAILQ_INSERT_TAIL(&o->waiting, turn, of_owner);
    o->waiting_count++;
    owner_file(t, o);
    return 1;
}

static void leave_lists(struct turns *t, struct turn *turn)
{
    struct turns_owner *o = turn->owner;

    if (turn->placed) {
        TAILQ_REMOVE(&t->placed, turn, of_all);
        t->placed_count--;
        TAILQ_REMOVE(&o->placed, turn, of_owner);
        o->placed_count--;
    } else {
        TAILQ_REMOVE(&o->waiting, turn, of_owner);
        o->waiting_count--;
    }
}

void turns_leave(struct turns *t, struct turn *turn)
{
    leave_lists(t, turn);
    owner_file(t, turn->owner);
    turn->owner = NULL;
}

struct turn *turns_next(struct turns *t, int64_t now)
{
    struct turns_owner *o = TAILQ_FIRST(&t->ready);
    struct turn *turn;

    if (o == NULL || t->placed_count >= t->places)
        return NULL;
    turn = TAILQ_FIRST(&o->waiting);
    leave_lists(t, turn);
    turn->placed = true;
    turn->since = now;
    TAILQ_INSERT_TAIL(&t->placed, turn, of_all);
    t->placed_count++;
    TAILQ_INSERT_TAIL(&o->placed, turn, of_owner);
    o->placed_count++;
    TAILQ_REMOVE(&t->ready, o, link); /* the others' turn */
    o->list = NULL;
    owner_file(t, o);
    return turn;
}

/* The one that gives way first of those that stand in somebody's way; NULL: nobody does. */
static struct turn *first_in_the_way(const struct turns *t)
{
    struct turn *first = NULL;

    if (!TAILQ_EMPTY(&t->ready) && t->placed_count >= t->places)
        return TAILQ_FIRST(&t->placed);
    for (const struct turns_owner *o = TAILQ_FIRST(&t->full); o != NULL; o = TAILQ_NEXT(o, link))
        if (first == NULL || TAILQ_FIRST(&o->placed)->since < first->since)
            first = TAILQ_FIRST(&o->placed);
    return first;
}

struct turn *turns_overdue(const struct turns *t, int64_t now)
{
    struct turn *turn = first_in_the_way(t);

    return turn != NULL && now - turn->since >= t->patience ? turn : NULL;
}

int64_t turns_look(const struct turns *t)
{
    const struct turn *turn = first_in_the_way(t);

    return turn == NULL ? -1 : turn->since + t->patience;
}
