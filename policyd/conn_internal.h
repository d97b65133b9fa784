/* conn_internal.h - the insides of connections, shared by conn_io.c (the stream) and conn_answer_io.c (what each
 * request gets). */
#ifndef POSTERN_CONN_INTERNAL_H
#define POSTERN_CONN_INTERNAL_H

#include "conn_io.h"

/* conn_answer_io.c: add the reply to conns.out, or start a look-up (c->wait is set then). */
void conn_answer(struct conn *c, const struct netstring *ns);

/* Count a request that is none, and log it, but not each one. */
void conns_bad_request(struct conns *s, const char *why);

/* conn_io.c: the look-up of c has ended; send its reply and go on with what came meanwhile. c may be closed then. */
void conn_reply_late(struct conn *c, const char *wire, size_t len);

#endif
