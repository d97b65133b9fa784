/*
 * redis_link_io.c - one connection to Redis that keeps itself up. Of hiredis only its way to write a command and its
 * reader (redis_replies.c) are used: its connections end the process when a server says what it should not.
 */
#include "redis_link_io.h"
#include "clock.h"
#include "connect_socket.h"
#include "log.h"
#include "millis.h"
#include "redis_replies.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/util.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A peer that vanished without a word is noticed after about 25 s also where nothing is sent. */
#define KEEPALIVE_IDLE_S   10
#define KEEPALIVE_EVERY_S  5
#define KEEPALIVE_PROBES   3
#define SEND_UNHEARD_MS    25000U
#define BACKOFF_SPREAD_PCT 50U /* 75 to 125 percent of the back-off, so that nodes do not come in step */

#define CHUNK     16384
#define WHY_MAX   200
#define HELLO_MAX 3

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

/* A command of the hello and the one reply to it that is good. */
struct hello {
    const char *command, *status;
};

struct redis_link {
    struct event_base *base;
    const struct redis_login *login;
    const char *name;
    const struct redis_link_hooks *hooks;
    void *ctx;
    struct bufferevent *bev;       /* NULL: LINK_DOWN */
    struct redis_replies *replies; /* of bev */
    enum link_state state;
    struct event *timer; /* LINK_DOWN: connect; LINK_CONNECTING: it took too long */
    int backoff_ms;
    int64_t up_since_ms;
    struct hello hello[HELLO_MAX];
    size_t hello_sent, hello_heard;
    bool works;
    char told[WHY_MAX]; /* why it is down, as the log has it; "": it has worked since */
    bool reading;       /* on_read runs: the struct must stay */
    bool freed;
};

static int jittered(int ms)
{
    unsigned char r;

    evutil_secure_rng_get_bytes(&r, sizeof(r));
    return ms - ms / 4 + ms * (int)(BACKOFF_SPREAD_PCT * r / 255) / 100;
}

/* --- down --- */

static void link_close(struct redis_link *l)
{
    if (l->bev != NULL)
        bufferevent_free(l->bev);
    redis_replies_free(l->replies);
    l->bev = NULL;
    l->replies = NULL;
    l->state = LINK_DOWN;
    l->works = false;
}

/* Each new reason is logged once, so that a wrong password shows though the server was away before. */
static void tell_why(struct redis_link *l, const char *why)
{
    if (strncmp(l->told, why, sizeof(l->told) - 1) == 0)
        return;
    log_warning("redis-down", "link=%s address=%s error=%s", l->name, l->login->address.text, why);
    (void)snprintf(l->told, sizeof(l->told), "%s", why);
}

void redis_link_drop(struct redis_link *l, const char *why)
{
    bool was_up = l->state == LINK_UP;

    tell_why(l, why);
    if (was_up && now_ms() - l->up_since_ms > REDIS_BACKOFF_LAST_MS)
        l->backoff_ms = 0;
    l->backoff_ms = l->backoff_ms == 0 ? REDIS_BACKOFF_FIRST_MS : l->backoff_ms * 2;
    if (l->backoff_ms > REDIS_BACKOFF_LAST_MS)
        l->backoff_ms = REDIS_BACKOFF_LAST_MS;
    link_close(l);
    timer_start(l->timer, jittered(l->backoff_ms));
    if (was_up)
        l->hooks->down(l->ctx);
}

/* --- what comes --- */

static void link_up(struct redis_link *l)
{
    event_del(l->timer);
    l->state = LINK_UP;
    l->up_since_ms = now_ms();
    l->hooks->up(l->ctx);
}

void redis_link_works(struct redis_link *l)
{
    if (l->works)
        return;
    l->works = true;
    l->told[0] = '\0';
    log_info("redis-up", "link=%s address=%s", l->name, l->login->address.text);
}

static void hello_take(struct redis_link *l, const redisReply *reply)
{
    const struct hello *hello = &l->hello[l->hello_heard];
    bool worded = reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_STATUS;
    char why[WHY_MAX];

    if (reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, hello->status) == 0) {
        if (++l->hello_heard == l->hello_sent)
            link_up(l);
        return;
    }
    (void)snprintf(why, sizeof(why), "reply to %s: %s", hello->command,
                   worded ? reply->str : redis_reply_type_name(reply->type));
    redis_link_drop(l, why);
}

static void octets_take(struct redis_link *l, const char *data, size_t len)
{
    struct err e = {""};
    redisReply *reply;
    int found = 1;

    redis_replies_feed(l->replies, data, len);
    while (l->bev != NULL && (found = redis_replies_next(l->replies, &reply, &e)) > 0) {
        if (l->state == LINK_UP)
            l->hooks->reply(l->ctx, reply);
        else
            hello_take(l, reply);
        freeReplyObject(reply);
    }
    if (found < 0)
        redis_link_drop(l, e.text);
}

/* A hook may drop the connection, or free the link. */
static void on_read(struct bufferevent *bev, void *ctx)
{
    struct redis_link *l = ctx;
    char chunk[CHUNK];
    size_t len;

    (void)bev;
    l->reading = true;
    while (l->bev != NULL && (len = bufferevent_read(l->bev, chunk, sizeof(chunk))) > 0)
        octets_take(l, chunk, len);
    l->reading = false;
    if (l->freed)
        free(l);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    int why = EVUTIL_SOCKET_ERROR();

    (void)bev;
    redis_link_drop(ctx, (what & BEV_EVENT_ERROR) != 0 ? strerror(why) : "the server closed the connection");
}

/* --- what goes --- */

static int send_words(struct redis_link *l, size_t count, const char *const *words, const size_t *lengths)
{
    char *text;
    int len = redisFormatCommandArgv(&text, (int)count, (const char **)words, lengths);
    int sent = -1;

    if (len < 0)
        log_oom();
    if (evbuffer_get_length(bufferevent_get_output(l->bev)) + (size_t)len <= REDIS_OUTPUT_MAX) {
        sent = bufferevent_write(l->bev, text, (size_t)len);
        if (sent != 0)
            log_oom();
    }
    redisFreeCommand(text);
    return sent;
}

int redis_link_send(struct redis_link *l, size_t count, const char *const *words, const size_t *lengths)
{
    return send_words(l, count, words, lengths);
}

static void hello_say(struct redis_link *l, const char *status, size_t count, const char *const *words)
{
    l->hello[l->hello_sent++] = (struct hello){.command = words[0], .status = status};
    (void)send_words(l, count, words, NULL);
}

static void hello_send(struct redis_link *l)
{
    const struct redis_login *login = l->login;
    char database[24];

    l->hello_sent = 0;
    l->hello_heard = 0;
    (void)snprintf(database, sizeof(database), "%lld", (long long)login->database);
    if (login->username[0] != '\0')
        hello_say(l, "OK", 3, (const char *const[]){"AUTH", login->username, login->password});
    else if (login->password[0] != '\0')
        hello_say(l, "OK", 2, (const char *const[]){"AUTH", login->password});
    if (login->database != 0)
        hello_say(l, "OK", 2, (const char *const[]){"SELECT", database});
    /* Last, and always: says NOAUTH, LOADING and the like before anything depends on it. */
    hello_say(l, "PONG", 1, (const char *const[]){"PING"});
}

/* --- connecting --- */

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

static void link_connect(struct redis_link *l)
{
    int fd = connect_socket(&l->login->address);

    if (fd < 0) {
        redis_link_drop(l, strerror(errno));
        return;
    }
    if (l->login->address.sa.ss_family != AF_UNIX)
        keepalive_set(fd);
    l->bev = must_have(bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE));
    l->replies = redis_replies_new();
    l->state = LINK_CONNECTING;
    bufferevent_setcb(l->bev, on_read, NULL, on_event, l);
    bufferevent_enable(l->bev, EV_READ | EV_WRITE);
    hello_send(l);
    timer_start(l->timer, l->login->timeout_ms);
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
    struct redis_link *l = must_have(calloc(1, sizeof(*l)));

    l->base = base;
    l->login = login;
    l->name = name;
    l->hooks = hooks;
    l->ctx = ctx;
    l->timer = must_have(evtimer_new(base, on_timer, l));
    timer_start(l->timer, 0);
    return l;
}

void redis_link_free(struct redis_link *l)
{
    if (l == NULL)
        return;
    link_close(l);
    event_free(l->timer);
    l->freed = true;
    if (!l->reading)
        free(l);
}

bool redis_link_up(const struct redis_link *l)
{
    return l != NULL && l->state == LINK_UP;
}

const char *redis_link_why(const struct redis_link *l)
{
    return l->told;
}
