/*
 * redis_link_io.c - one connection to Redis that keeps itself up.
 *
 * hiredis calls back for every outstanding command when a context is freed, at times later than we free it. The
 * context's data points to the link as long as it is the link's own; without it all its callbacks come to nothing.
 */
#include "redis_link_io.h"
#include "log.h"
#include "millis.h"

#include <event2/util.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* A peer that vanished without a word is noticed after about 25 s also where nothing is sent. */
#define KEEPALIVE_IDLE_S   10
#define KEEPALIVE_EVERY_S  5
#define KEEPALIVE_PROBES   3
#define SEND_UNHEARD_MS    25000U
#define BACKOFF_SPREAD_PCT 50U /* 75 to 125 percent of the back-off, so that nodes do not come in step */

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

struct redis_link {
    struct event_base *base;
    const struct redis_login *login;
    const char *name;
    const struct redis_link_hooks *hooks;
    void *ctx;
    redisAsyncContext *ac;
    enum link_state state;
    struct event *timer; /* LINK_DOWN: connect; LINK_CONNECTING: it took too long */
    int backoff_ms;
    int64_t up_since_ms;
    int hello; /* replies to it that are still to come */
    bool told; /* that it is down */
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void timer_set(struct redis_link *l, int ms)
{
    const struct timeval tv = millis(ms);

    if (event_add(l->timer, &tv) != 0)
        log_oom();
}

static int jittered(int ms)
{
    unsigned char r;

    evutil_secure_rng_get_bytes(&r, sizeof(r));
    return ms - ms / 4 + ms * (int)(BACKOFF_SPREAD_PCT * r / 255) / 100;
}

/* The context is hiredis' again; make the next attempt later. */
static void link_lost(struct redis_link *l, const char *why)
{
    bool was_up = l->state == LINK_UP;

    if (was_up || !l->told) {
        log_warning("redis_down", "link=%s address=%s error=%s", l->name, l->login->address.text, why);
        l->told = true;
    }
    if (was_up && now_ms() - l->up_since_ms > REDIS_BACKOFF_LAST_MS)
        l->backoff_ms = 0;
    l->backoff_ms = l->backoff_ms == 0 ? REDIS_BACKOFF_FIRST_MS : l->backoff_ms * 2;
    if (l->backoff_ms > REDIS_BACKOFF_LAST_MS)
        l->backoff_ms = REDIS_BACKOFF_LAST_MS;
    l->ac = NULL;
    l->state = LINK_DOWN;
    timer_set(l, jittered(l->backoff_ms));
    if (was_up)
        l->hooks->down(l->ctx);
}

static void context_free(redisAsyncContext *ac)
{
    if (ac != NULL) {
        ac->data = NULL;
        redisAsyncFree(ac);
    }
}

void redis_link_drop(struct redis_link *l, const char *why)
{
    context_free(l->ac);
    link_lost(l, why);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    (void)status;
    if (ac->data != NULL)
        link_lost(ac->data, ac->err != 0 ? ac->errstr : "closed");
}

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct redis_link *l = ac->data;

    (void)privdata;
    if (l != NULL && reply != NULL)
        l->hooks->reply(l->ctx, reply);
}

static void on_hello(redisAsyncContext *ac, void *data, void *privdata)
{
    struct redis_link *l = ac->data;
    redisReply *reply = data;

    (void)privdata;
    if (l == NULL || reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        char why[200];

        (void)snprintf(why, sizeof(why), "%s", reply->str);
        redis_link_drop(l, why);
        return;
    }
    if (--l->hello > 0)
        return;
    event_del(l->timer);
    l->state = LINK_UP;
    l->up_since_ms = now_ms();
    l->told = false;
    log_info("redis_up", "link=%s address=%s", l->name, l->login->address.text);
    l->hooks->up(l->ctx);
}

static void send_words(struct redis_link *l, redisCallbackFn *fn, size_t count, const char *const *words,
                       const size_t *lengths)
{
    if (redisAsyncCommandArgv(l->ac, fn, NULL, (int)count, (const char **)words, lengths) != REDIS_OK)
        log_oom();
}

static void hello_send(struct redis_link *l)
{
    const struct redis_login *login = l->login;
    const char *const auth[] = {"AUTH", login->username, login->password};
    const char *const auth_default[] = {"AUTH", login->password};
    const char *const ping[] = {"PING"};
    char database[24];
    const char *const select[] = {"SELECT", database};

    l->hello = 1;
    if (login->username[0] != '\0') {
        send_words(l, on_hello, 3, auth, NULL);
        l->hello++;
    } else if (login->password[0] != '\0') {
        send_words(l, on_hello, 2, auth_default, NULL);
        l->hello++;
    }
    if (login->database != 0) {
        (void)snprintf(database, sizeof(database), "%lld", (long long)login->database);
        send_words(l, on_hello, 2, select, NULL);
        l->hello++;
    }
    /* Last, and always: says NOAUTH, LOADING and the like before anything depends on it. */
    send_words(l, on_hello, 1, ping, NULL);
}

static void keepalive_set(int fd)
{
    const int on = 1;
    const int idle = KEEPALIVE_IDLE_S;
    const int every = KEEPALIVE_EVERY_S;
    const int probes = KEEPALIVE_PROBES;
    const unsigned unheard = SEND_UNHEARD_MS;

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard, sizeof(unheard));
}

/* hiredis frees the context itself after an error here, and cannot bear that we do. */
static void on_connect(const redisAsyncContext *ac, int status)
{
    struct redis_link *l = ac->data;

    if (l == NULL)
        return;
    if (status != REDIS_OK) {
        l->ac->data = NULL;
        link_lost(l, ac->errstr != NULL ? ac->errstr : "not connected");
        return;
    }
    if (l->login->address.sa.ss_family != AF_UNIX)
        keepalive_set(ac->c.fd);
    hello_send(l);
}

static redisAsyncContext *context_open(const struct address *a)
{
    char host[INET6_ADDRSTRLEN] = "";
    struct sockaddr_un un;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    switch (a->sa.ss_family) {
    case AF_UNIX:
        memcpy(&un, &a->sa, sizeof(un));
        return redisAsyncConnectUnix(un.sun_path);
    case AF_INET6:
        memcpy(&v6, &a->sa, sizeof(v6));
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
        return redisAsyncConnect(host, ntohs(v6.sin6_port));
    default:
        memcpy(&v4, &a->sa, sizeof(v4));
        (void)inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
        return redisAsyncConnect(host, ntohs(v4.sin_port));
    }
}

static void link_connect(struct redis_link *l)
{
    redisAsyncContext *ac = context_open(&l->login->address);

    if (ac == NULL)
        log_oom();
    if (ac->err != 0) {
        char why[200];

        (void)snprintf(why, sizeof(why), "%s", ac->errstr);
        context_free(ac);
        link_lost(l, why);
        return;
    }
    (void)fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
    ac->data = l;
    l->ac = ac;
    l->state = LINK_CONNECTING;
    if (redisLibeventAttach(ac, l->base) != REDIS_OK)
        log_oom();
    redisAsyncSetConnectCallback(ac, on_connect);
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    timer_set(l, l->login->timeout_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct redis_link *l = ctx;

    (void)fd;
    (void)what;
    if (l->state == LINK_DOWN)
        link_connect(l);
    else
        redis_link_drop(l, "time-out while connecting");
}

struct redis_link *redis_link_new(struct event_base *base, const struct redis_login *login, const char *name,
                                  const struct redis_link_hooks *hooks, void *ctx)
{
    struct redis_link *l = calloc(1, sizeof(*l));

    if (l == NULL)
        log_oom();
    l->base = base;
    l->login = login;
    l->name = name;
    l->hooks = hooks;
    l->ctx = ctx;
    l->timer = evtimer_new(base, on_timer, l);
    if (l->timer == NULL)
        log_oom();
    timer_set(l, 0);
    return l;
}

void redis_link_free(struct redis_link *l)
{
    if (l != NULL) {
        context_free(l->ac);
        event_free(l->timer);
        free(l);
    }
}

bool redis_link_up(const struct redis_link *l)
{
    return l != NULL && l->state == LINK_UP;
}

void redis_link_send(struct redis_link *l, size_t count, const char *const *words, const size_t *lengths)
{
    send_words(l, on_reply, count, words, lengths);
}
