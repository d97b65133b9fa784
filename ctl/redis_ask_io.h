/* redis_ask_io.h - Redis for a command line: connect, ask, wait for the reply. */
#ifndef POSTERN_REDIS_ASK_IO_H
#define POSTERN_REDIS_ASK_IO_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "conf.h"
#include "err.h"
#include "redis_io.h"

/* A person waits, and a script over a long list takes longer than what a daemon asks. */
#define REDIS_ASK_TIMEOUT_MS 10000

struct redis_ask;

/*
 * Connect; the url of conf stays as long. One attempt: NULL with "Redis at URL: reason" in e. The deadline of a command
 * is the configuration's, or REDIS_ASK_TIMEOUT_MS where that is longer.
 */
struct redis_ask *redis_ask_open(const struct conf_redis *conf, struct err *e);
void redis_ask_close(struct redis_ask *a); /* NULL-safe */

/* For redis_key, and what sends by itself; see redis_ask_wait. */
struct redis *redis_ask_redis(const struct redis_ask *a);

/* Take a reply that is no error; it is valid during the call. Returns 0, or -1 with what is wrong with it in e. */
typedef int redis_take_fn(void *ctx, const redisReply *reply, struct err *e);

/*
 * Send a command, as redis_send does, and wait. take may be NULL. Returns what it returned; -1 with "Redis at URL:
 * reason" in e also when the reply is an error, or does not come.
 */
int redis_ask(struct redis_ask *a, redis_take_fn *take, void *ctx, size_t count, const char *const *words,
              const size_t *lengths, struct err *e);

/* Run until *done, which callbacks set. */
void redis_ask_wait(struct redis_ask *a, const bool *done);

#endif
