/*
 * turns.h - fair turns: many want one of few places for a while, and none must keep the others out. Everybody belongs
 * to an owner. An owner has at most its share of the places, and at most twice as many joined in all; owners take
 * turns. Who has had a place for as long as patience gives it up when somebody waits for it, the longest-standing
 * first.
 *
 *     turns_join(t, &mine, owner)
 *     whenever something has changed, and at turns_look():
 *         do {
 *             while ((x = turns_next(t, now)) != NULL) begin x;
 *             x = turns_overdue(t, now), and if there is one, end it and turns_leave(t, x);
 *         } while (there was one)
 *     turns_leave(t, &mine)
 *
 * Times are milliseconds of any clock that does not go back.
 */
#ifndef POSTERN_TURNS_H
#define POSTERN_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct turns;
struct turns_owner;

/* The caller's, one for each that wants a place; who is for the caller's use. The rest belongs to turns.c. */
struct turn {
    void *who;
    int64_t since; /* when it got its place */
    bool placed;
    struct turns_owner *owner;
    TAILQ_ENTRY(turn) of_owner, of_all;
};

/* share: of one owner, 1 to places. secret: 16 random octets. NULL without memory. */
struct turns *turns_new(size_t places, size_t share, int64_t patience, const uint8_t secret[16]);
void turns_free(struct turns *t); /* NULL-safe; what has joined may not be used any more */

/*
 * Wait for a place. owner is text of at most CACHE_KEY_MAX octets. Returns 1, 0 when that owner has joined twice its
 * share already, or -1 without memory.
 */
int turns_join(struct turns *t, struct turn *turn, const char *owner);

/* Give the place, or the wait for one, up. */
void turns_leave(struct turns *t, struct turn *turn);

/* Whose turn it is: has a place from now on. NULL: nobody's. */
struct turn *turns_next(struct turns *t, int64_t now);

/* Who must give up its place now, for somebody who waits. NULL: nobody. */
struct turn *turns_overdue(const struct turns *t, int64_t now);

/* When turns_overdue will say something if nothing changes; -1: never. */
int64_t turns_look(const struct turns *t);

#endif
