/*
 * call.h - the protocol between Postern's own programs, version 1: requests and replies as netstrings over a stream.
 *
 * request "1 ID VERB ARGUMENT"
 * - ID: decimal without leading zeros, chosen by the client, below 2^32
 * - VERB: [a-z-]+
 * - ARGUMENT: may be empty, the blank before it stays
 *
 * reply "1 ID STATUS TEXT"
 * - STATUS: OK, TEMP (try again) or PERM (never will)
 * - TEXT: one line, or JSON
 *
 * Replies may come in any order; the ID ties them to their requests. A request that cannot be read ends the connection.
 */
#ifndef POSTERN_CALL_H
#define POSTERN_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define CALL_REQUEST_MAX 41024              /* an event (tlsrpt_event.h) and the words before it */
#define CALL_REPLY_MAX   (1024 * 1024 + 64) /* a destination record as JSON (dest.h) and the words before it */
#define CALL_VERB_MAX    32

enum call_status { CALL_OK, CALL_TEMP, CALL_PERM };

/* "OK", "TEMP", "PERM" */
const char *call_status_name(enum call_status status);

struct call_request {
    uint32_t id;
    char verb[CALL_VERB_MAX + 1];
    const char *arg; /* within the caller's buffer, not terminated */
    size_t arg_len;
};

struct call_reply {
    uint32_t id;
    enum call_status status;
    const char *text; /* within the caller's buffer, not terminated */
    size_t text_len;
};

/* Read the contents of a netstring. Return 0, or -1 with the broken rule in e. Nothing is copied but the verb. */
int call_request_parse(struct call_request *out, const char *data, size_t len, struct err *e);
int call_reply_parse(struct call_reply *out, const char *data, size_t len, struct err *e);

/* Append a whole netstring, or nothing. Errors (too long, a verb that is none) stick in out. */
void call_request_write(struct buf *out, uint32_t id, const char *verb, const char *arg, size_t arg_len);
void call_reply_write(struct buf *out, uint32_t id, enum call_status status, const char *text, size_t text_len);

#endif
