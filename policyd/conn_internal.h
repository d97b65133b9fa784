/* conn_internal.h - the insides of connections, shared by conn_io.c (the stream), conn_answer_io.c and conn_policy_io.c
 * (what each request gets). */
#ifndef POSTERN_CONN_INTERNAL_H
#define POSTERN_CONN_INTERNAL_H

#include "conn_io.h"

/* Count a request that is none, and log it, but not each one. */
void conns_bad_request(struct conns *s, const char *why);

/* conn_io.c: the look-up of c has ended; send its reply and go on with what came meanwhile. c may be closed then. */
void conn_reply_late(struct conn *c, const char *wire, size_t len);

#endif
