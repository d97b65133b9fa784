/* redis_hash_io.h - a whole hash of Redis, of any size, in replies of bounded size. */
#ifndef POSTERN_REDIS_HASH_IO_H
#define POSTERN_REDIS_HASH_IO_H

#include "redis_ask_io.h"

/* A script that refuses a key that holds something else than a hash begins with both of these. */
#define REDIS_WRONG                                                                         \
    "local function wrong(key) "                                                            \
    "  local t = redis.call('TYPE', key).ok "                                               \
    "  if t ~= 'hash' and t ~= 'none' then "                                                \
    "    return redis.error_reply('WRONGTYPE ' .. key .. ' holds a ' .. t .. ', no hash') " \
    "  end "                                                                                \
    "end "
#define REDIS_CHECK(first) "local w = " first " if w then return w end "

struct redis_hash {
    const char *key;
    size_t field_max, value_max; /* octets that are told of each; what is longer is cut */
    const char *watched;         /* a hash with the field n that changes with each edit, so that all fields are told as
                                    they were at one time; NULL: none */
};

/* field NULL: all that was told before counts no more. A field may be told twice. */
typedef void redis_field_fn(void *ctx, const char *field, size_t field_len, const char *value, size_t value_len);

/* Read it all. A key that is not there is an empty hash. Returns 0, or -1 with the reason in e. */
int redis_hash_read(struct redis_ask *a, const struct redis_hash *hash, redis_field_fn *fn, void *ctx, struct err *e);

/* "a reply that cannot be"; returns -1. */
int redis_strange(struct err *e);

/* For redis_ask, of a script that replies whether it has done it: *(int *)ctx is 1 or 0. */
int redis_take_done(void *ctx, const redisReply *reply, struct err *e);

/* An array of strings. */
bool redis_is_strings(const redisReply *reply);

#endif
