/*
 * redis_link_io.h - one connection to Redis that keeps itself up: connects, says hello (AUTH, SELECT, PING), tries
 * again with back-off. redis_io.c has one for commands, redis_track_io.c one for invalidation messages. Private to
 * redis_*.c.
 *
 * Who is at the other end need not be Redis: what breaks the protocol, or passes the limits of redis_replies.h, is as a
 * connection that was lost.
 */
#ifndef POSTERN_REDIS_LINK_IO_H
#define POSTERN_REDIS_LINK_IO_H

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "address.h"

#define REDIS_BACKOFF_FIRST_MS 50
#define REDIS_BACKOFF_LAST_MS  5000     /* a connection that lived shorter than that does not start the back-off anew */
#define REDIS_OUTPUT_MAX       33554432 /* octets of commands that the server has not taken */

/* Where and as whom; strings are the owner's and outlive the link. */
struct redis_login {
    struct address address;
    const char *username;
    const char *password; /* "": none, as with username */
    int64_t database;
    int timeout_ms; /* of connecting and hello together */
};

/* Each may send, drop and free the link. */
struct redis_link_hooks {
    void (*up)(void *ctx);                       /* hello is over, commands may be sent */
    void (*down)(void *ctx);                     /* was up, and is no more; replies still wanted will not come */
    void (*reply)(void *ctx, redisReply *reply); /* to commands, in order, and what subscriptions bring */
};

struct redis_link;

/* name is for the log. Begins to connect in the event loop; hooks run from there only, but see redis_link_drop. */
struct redis_link *redis_link_new(struct event_base *base, const struct redis_login *login, const char *name,
                                  const struct redis_link_hooks *hooks, void *ctx);

/* Close it; no hook runs any more. NULL-safe. */
void redis_link_free(struct redis_link *l);

bool redis_link_up(const struct redis_link *l); /* hello is over */

/* Why it was last found down; "": it has been up since, or nothing was tried yet. */
const char *redis_link_why(const struct redis_link *l);

/* What the link is for works too: the log says so. A reason for which the link was lost before is told again only from
 * now on, so one that comes back at each new connection, such as a right that is missing, is told once. */
void redis_link_works(struct redis_link *l);

/* Close the connection and connect again after the back-off. Calls the hook down as its last thing if it was up. */
void redis_link_drop(struct redis_link *l, const char *why);

/* Put a command on the way. Only while the link is up. Returns 0, or -1 when REDIS_OUTPUT_MAX would be passed. */
int redis_link_send(struct redis_link *l, size_t count, const char *const *words, const size_t *lengths);

#endif
