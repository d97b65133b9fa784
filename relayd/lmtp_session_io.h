/*
 * lmtp_session_io.h - the connections of the MTA: commands in the order in which they come, pipelined or not, replies
 * in the same order (RFC 2033, RFC 2920). RCPT commands that come together go to their next servers at once, so that
 * many domains take no longer than the slowest; everything else waits until they have been answered. While the message
 * comes it is fed to all next servers that have taken a recipient, and not read while one of them is full. A server
 * that keeps others waiting for half of patience_ms is given up: they would end the session, and again each time that
 * the MTA tries. Only lmtp_serve_io.c uses this; it decides how many connections there are.
 */
#ifndef POSTERN_LMTP_SESSION_IO_H
#define POSTERN_LMTP_SESSION_IO_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lmtp_command.h"
#include "upstream_io.h"

struct lmtp_session;

/* What they share. The fields above the line are set by the owner, at any time. */
struct lmtp_sessions {
    struct event_base *base;
    struct upstreams *upstreams;
    char name[LMTP_NAME_MAX + 1]; /* for the greeting and LHLO */
    uint64_t size_max;            /* octets of a message, dots that are doubled too; 0: no limit */
    int64_t patience_ms;          /* for the MTA's next command, or octets, or for it to take its replies */
    void (*changed)(void *ctx);   /* called after one was closed; may be NULL */
    void *changed_ctx;

    TAILQ_HEAD(lmtp_session_list, lmtp_session) list;
    size_t count;
    bool draining;
};

void lmtp_sessions_init(struct lmtp_sessions *all, struct event_base *base);
void lmtp_sessions_clear(struct lmtp_sessions *all); /* closes all, in the middle of a message too */

/* Take over a new connection. */
void lmtp_session_open(struct lmtp_sessions *all, int fd);

/* From now on a session ends with 421 as soon as it is between two messages. */
void lmtp_sessions_drain(struct lmtp_sessions *all);

#endif
