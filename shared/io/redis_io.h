/*
 * redis_io.h - the one Redis connection layer (RESP2): connects, authenticates, selects, reconnects with back-off (50
 * ms doubling to 5 s, jittered), a deadline per command, pipelining, and invalidation messages (CLIENT TRACKING ...
 * BCAST over a redirect connection). The program must ignore SIGPIPE. Each callback may send commands and free the
 * struct redis. The Redis user needs PING, SELECT and what is sent, and for redis_track CLIENT ID, CLIENT TRACKING,
 * SUBSCRIBE and the channel __redis__:invalidate: contrib/redis/users.conf must say so for each program.
 *
 * Whatever comes from the other end, the worst it does is that Redis is away: a reply that breaks the protocol, that
 * cannot be one to its command, or that is too large (redis_replies.h) ends the connection.
 */
#ifndef POSTERN_REDIS_IO_H
#define POSTERN_REDIS_IO_H

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "conf.h"

struct redis;

/*
 * Never fails for a Redis that is away; NULL with the reason in e for a bad url. With url "" there is no Redis:
 * everything answers as if it were away.
 */
struct redis *redis_new(struct event_base *base, const struct conf_redis *conf, struct err *e);
void redis_free(struct redis *r); /* outstanding commands' callbacks are called first, with NULL */

/* Commands can be sent: it is connected and has taken the login. */
bool redis_up(const struct redis *r);

/* "up", "down", or "none" when the configuration names no Redis. */
const char *redis_state(const struct redis *r);

/* Why it is not up, as the log has it; "" while it is up, and before the first attempt to connect has ended. */
const char *redis_why(const struct redis *r);

/* Called exactly once. reply is NULL when the connection was lost or the deadline passed (then the connection is
 * dropped, as replies come in order), else valid during the callback; may be an error reply (REDIS_REPLY_ERROR), which
 * is logged already. */
typedef void redis_reply_fn(void *ctx, redisReply *reply);

/*
 * Send a command, words[0..count) with lengths (NULL: strlen). Returns 0, or -1 when Redis is away or too many commands
 * wait (10,000, or 32 MiB that it has not taken): fn is not called then. fn may be NULL. Never called from within. Keys
 * are given whole, see redis_key.
 */
int redis_send(struct redis *r, redis_reply_fn *fn, void *ctx, size_t count, const char *const *words,
               const size_t *lengths);

/* "PREFIX" + kind + ":" + name into out; returns its length, or 0 when it does not fit. */
size_t redis_key(const struct redis *r, char *out, size_t cap, const char *kind, const char *name);

/*
 * Ask to be told of every change of keys of these kinds ("dest", "list"): fn gets the key without the prefix
 * ("dest:example.com"), or NULL when anything may have changed (tracking was off for a while: connection lost, or Redis
 * flushed). fn(NULL) comes each time tracking is on, also the first time. Once per struct redis; at most 16 kinds,
 * NULL-terminated.
 */
typedef void redis_changed_fn(void *ctx, const char *key, size_t len);
void redis_track(struct redis *r, const char *const *kinds, redis_changed_fn *fn, void *ctx);

/* True while changes are really being told. */
bool redis_tracking(const struct redis *r);

#endif
