/* dest_io.c - see dest_io.h. */
#include "dest_io.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF (DOMAIN_BUF + 128)

struct asked {
    dest_io_fn *fn;
    void *ctx;
    char domain[DOMAIN_BUF];
};

/* The record, or NULL with the reason in e when there is something else. */
static struct dest *read_reply(const redisReply *reply, const char *domain, struct err *e)
{
    struct dest *dest;

    if (reply == NULL || reply->type != REDIS_REPLY_STRING)
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

int dest_io_get(struct redis *redis, const char *domain, dest_io_fn *fn, void *ctx)
{
    struct asked *a = calloc(1, sizeof(*a));
    char key[KEY_BUF];

    if (a == NULL)
        log_oom();
    a->fn = fn;
    a->ctx = ctx;
    snprintf(a->domain, sizeof(a->domain), "%s", domain);
    if (redis_key(redis, key, sizeof(key), "dest", domain) != 0 &&
        redis_send(redis, on_reply, a, 2, (const char *[]){"GET", key}, NULL) == 0)
        return 0;
    free(a);
    return -1;
}
