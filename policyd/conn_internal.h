/* conn_internal.h - the insides of connections, shared by conn_io.c (the stream) and by what each request gets:
 * conn_answer_io.c, conn_policy_io.c, conn_exim_io.c and conn_sni_io.c. */
#ifndef POSTERN_CONN_INTERNAL_H
#define POSTERN_CONN_INTERNAL_H

#include "conn_io.h"

/* conn_answer_io.c: count a request that is none, and log it, but not each one. */
void conns_bad_request(struct conns *s, const char *why);

/* conn_answer_io.c: the answer in memory that may be given to a request for the policy, which is noted; or NULL. */
struct answer *conn_asked(const struct conn *c, const struct nexthop *hop, int64_t now);

/* conn_io.c: the look-up of c has ended; send its reply, which is in conns.out, and go on with what came meanwhile. c
 * may be closed then. */
void conn_reply_late(struct conn *c);

#endif
