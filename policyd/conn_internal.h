/* conn_internal.h - the insides of connections, shared by conn_io.c (the stream), conn_answer_io.c, conn_policy_io.c
 * and conn_exim_io.c (what each request gets). */
#ifndef POSTERN_CONN_INTERNAL_H
#define POSTERN_CONN_INTERNAL_H

#include "conn_io.h"

/* Count a request that is none, and log it, but not each one. */
void conns_bad_request(struct conns *s, const char *why);

/* conn_answer_io.c: the answer in memory that may be given, or NULL. */
struct answer *conn_remembered(const struct conn *c, const struct nexthop *hop, int64_t now);

/* The same for a request for the policy, which is noted. */
struct answer *conn_asked(const struct conn *c, const struct nexthop *hop, int64_t now);

/* conn_io.c: the look-up of c has ended; send its reply, which is in conns.out, and go on with what came meanwhile. c
 * may be closed then. */
void conn_reply_late(struct conn *c);

#endif
