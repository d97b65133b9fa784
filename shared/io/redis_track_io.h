/*
 * redis_track_io.h - invalidation messages: CLIENT TRACKING in broadcast mode, set on the connection for commands and
 * redirected to one of its own, as RESP2 wants it. Private to redis_*.c.
 *
 * When the connection for messages is lost, it is made again and tracking set anew; when the one for commands is lost,
 * both.
 */
#ifndef POSTERN_REDIS_TRACK_IO_H
#define POSTERN_REDIS_TRACK_IO_H

#include <event2/event.h>

#include "redis_io.h"
#include "redis_link_io.h"

#define REDIS_KINDS_MAX 16

struct redis_track;

/* r sends the commands; login and prefix outlive it. */
struct redis_track *redis_track_new(struct event_base *base, struct redis *r, const struct redis_login *login,
                                    const char *prefix, const char *const *kinds, redis_changed_fn *fn, void *ctx);
void redis_track_free(struct redis_track *t); /* NULL-safe */

/* What became of the connection for commands. Calls nothing back. */
void redis_track_up(struct redis_track *t);
void redis_track_down(struct redis_track *t);

bool redis_track_on(const struct redis_track *t); /* see redis_tracking; false for NULL */

#endif
