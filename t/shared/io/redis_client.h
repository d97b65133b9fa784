/* redis_client.h - a client of ours that notes what it is told. All static. */
#ifndef POSTERN_REDIS_CLIENT_H
#define POSTERN_REDIS_CLIENT_H

#include <event2/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs some of the above */

#include "redis_io.h"

#define GUARD_SECONDS 60

struct client {
    struct event_base *base;
    struct redis *redis;
    bool up;
    unsigned ups, downs; /* seen so far */
    int replies, nulls, freed;
    char log[256]; /* a word for each of the first replies */
};

/* Run the loop until the condition holds. */
#define WAIT(c, condition)                                         \
    do {                                                           \
        int wait_turns = 0;                                        \
        while (!(condition) && wait_turns++ < GUARD_SECONDS * 100) \
            client_run_ms(c, 10);                                  \
        assert_true(condition);                                    \
    } while (0)

/* Looks at the state often enough to see every change: the back-off is longer. */
static void client_run_ms(struct client *c, int ms)
{
    do {
        const struct timeval tv = {.tv_usec = (suseconds_t)(ms < 10 ? ms : 10) * 1000};

        event_base_loopexit(c->base, &tv);
        event_base_dispatch(c->base);
        if (c->redis != NULL && c->up != redis_up(c->redis)) {
            c->up = !c->up;
            c->ups += c->up ? 1 : 0;
            c->downs += c->up ? 0 : 1;
        }
        ms -= 10;
    } while (ms > 0);
}

static void client_init(struct client *c, const char *url, int timeout_ms, const char *username, const char *password,
                        int64_t database)
{
    char prefix[] = "p:";
    char url_copy[128], name_copy[32], pass_copy[32];
    const struct conf_redis conf = {.url = url_copy,
                                    .prefix = prefix,
                                    .username = name_copy,
                                    .password = pass_copy,
                                    .database = database,
                                    .timeout_ms = timeout_ms};
    struct err e = {.text = ""};

    memset(c, 0, sizeof(*c));
    (void)snprintf(url_copy, sizeof(url_copy), "%s", url);
    (void)snprintf(name_copy, sizeof(name_copy), "%s", username);
    (void)snprintf(pass_copy, sizeof(pass_copy), "%s", password);
    c->base = event_base_new();
    c->redis = redis_new(c->base, &conf, &e);
    assert_string_equal(e.text, "");
    assert_non_null(c->redis);
}

static void client_open(struct client *c, const char *url, int timeout_ms)
{
    client_init(c, url, timeout_ms, "", "", 0);
}

static void client_close(struct client *c)
{
    redis_free(c->redis);
    c->redis = NULL;
    client_run_ms(c, 1);
    event_base_free(c->base);
    c->base = NULL;
}

static void client_wait_up(struct client *c)
{
    WAIT(c, c->ups == 1);
    assert_true(redis_up(c->redis));
}

#endif
