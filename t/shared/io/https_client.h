/* https_client.h - a client of ours that notes what it is told, for the tests of https_*.c. All static. */
#ifndef POSTERN_HTTPS_CLIENT_H
#define POSTERN_HTTPS_CLIENT_H

#include <event2/event.h>

#include "https_io.h"
#include "https_server.h"

#define PATH          "/.well-known/mta-sts.txt"
#define GUARD_SECONDS 60 /* a test that is still waiting then has failed */
#define SHORT_MS      1500
#define LONG_MS       150000 /* longer than the guard: nothing may wait for it */
#define MAX_OCTETS    1000

#define HEAD     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
#define OK_REPLY HEAD "Content-Length: 5\r\n\r\nhello"

static struct pki pki;

struct got {
    struct event_base *base;
    unsigned calls, wanted;
    enum https_outcome outcome;
    long status;
    char type[64], why[400], body[4096];
    size_t len;
};

static void on_done(void *ctx, const struct https_result *r)
{
    struct got *g = ctx;

    g->outcome = r->outcome;
    g->status = r->status;
    g->len = r->len;
    assert_int_equal(strlen(r->body), r->len);
    (void)snprintf(g->type, sizeof(g->type), "%s", r->content_type != NULL ? r->content_type : "-");
    (void)snprintf(g->why, sizeof(g->why), "%s", r->why != NULL ? r->why : "-");
    (void)snprintf(g->body, sizeof(g->body), "%s", r->body);
    if (++g->calls == g->wanted)
        event_base_loopbreak(g->base);
}

static void run(struct event_base *base)
{
    const struct timeval guard = {.tv_sec = GUARD_SECONDS};

    event_base_loopexit(base, &guard);
    event_base_dispatch(base);
}

static struct https *client_new(struct event_base *base, int port, int timeout_ms, size_t concurrency)
{
    const struct https_options o = {.ca_file = pki.ca_file,
                                    .user_agent = "postern-test",
                                    .port = port,
                                    .timeout_ms = timeout_ms,
                                    .max_octets = MAX_OCTETS,
                                    .concurrency = concurrency};
    struct err e;
    struct https *h = https_new(base, &o, &e);

    assert_non_null(h);
    return h;
}

static struct https_get *start(struct https *h, struct got *g)
{
    static const char *const loopback[] = {"127.0.0.1"};

    return https_start(h, HOST, PATH, loopback, 1, on_done, g);
}

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    /* A proxy of the environment must not be used: every test fails when it is. */
    setenv("https_proxy", "http://127.0.0.1:9", 1);
    setenv("all_proxy", "http://127.0.0.1:9", 1);
    pki_make(&pki);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_clear(&pki);
    return 0;
}

#endif
