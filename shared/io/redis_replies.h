/*
 * redis_replies.h - replies of Redis (RESP2) out of octets that anybody may have sent: hiredis' reader, held to limits.
 * By itself it waits for a string of any length that is announced, and makes room for any number of elements before
 * they come. No sockets. Private to redis_*.c.
 */
#ifndef POSTERN_REDIS_REPLIES_H
#define POSTERN_REDIS_REPLIES_H

#include <hiredis/hiredis.h>

#include "dest.h"
#include "err.h"

#define REDIS_REPLY_OCTETS_MAX   (DEST_JSON_MAX + 65536) /* of one reply on its way */
#define REDIS_REPLY_ELEMENTS_MAX 65536 /* of all arrays of one reply together; hiredis allows 7 within each other */

struct redis_replies;

struct redis_replies *redis_replies_new(void);    /* never NULL */
void redis_replies_free(struct redis_replies *s); /* NULL-safe */

/* Add octets that have come. They are copied. */
void redis_replies_feed(struct redis_replies *s, const char *data, size_t len);

/*
 * Returns 1: *out is the next reply, the caller's (freeReplyObject); 0: more octets are needed; -1: this is no reply,
 * or one past the limits, with the reason in e. After -1 it is always -1.
 */
int redis_replies_next(struct redis_replies *s, redisReply **out, struct err *e);

/* "string", "array", "integer", "nil", "status", "error": REDIS_REPLY_... in words */
const char *redis_reply_type_name(int type);

#endif
