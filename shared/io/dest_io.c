/* dest_io.c - see dest_io.h. */
#include "dest_io.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF    (DOMAIN_BUF + 128)
#define NUMBER_BUF 24

struct asked {
    dest_io_fn *fn;
    void *ctx;
    char domain[DOMAIN_BUF];
};

/* The record, or NULL, with the reason in e when there is something else. */
static struct dest *read_reply(const redisReply *reply, const char *domain, struct err *e)
{
    struct dest *dest;

    if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len == 0)
        return NULL;
    dest = dest_from_json(reply->str, (size_t)reply->len, e);
    if (dest != NULL && strcmp(dest->domain, domain) != 0) {
        err_set(e, "it is about %s", dest->domain);
        dest_free(dest);
        return NULL;
    }
    return dest;
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct asked *a = ctx;
    struct err e = {""};
    struct dest *dest = read_reply(reply, a->domain, &e);

    if (e.text[0] != '\0')
        log_warning("bad-record", "key=dest:%s why=%s", a->domain, e.text);
    a->fn(a->ctx, dest, reply != NULL && reply->type != REDIS_REPLY_ERROR);
    free(a);
}

/* GETRANGE, as the value may be anybody's and of any length; no more of it comes than shows that it is too long. It
 * gives an empty string for a key that is not there. */
int dest_io_get(struct redis *redis, const char *domain, dest_io_fn *fn, void *ctx)
{
    struct asked *a = must_have(calloc(1, sizeof(*a)));
    char key[KEY_BUF], last[NUMBER_BUF];

    a->fn = fn;
    a->ctx = ctx;
    snprintf(a->domain, sizeof(a->domain), "%s", domain);
    snprintf(last, sizeof(last), "%d", DEST_JSON_MAX);
    if (redis_key(redis, key, sizeof(key), "dest", domain) != 0 &&
        redis_send(redis, on_reply, a, 4, (const char *[]){"GETRANGE", key, "0", last}, NULL) == 0)
        return 0;
    free(a);
    return -1;
}
