/*
 * redis_fake.h - a server that speaks enough of Redis' protocol to be believed, until it says what no Redis says: for
 * faults that no real server can be made to show. It lives in its client's event loop. All static.
 */
#ifndef POSTERN_REDIS_FAKE_H
#define POSTERN_REDIS_FAKE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"
#include "redis_client.h"

#define FAKE_CHANNEL "$20\r\n__redis__:invalidate\r\n"

/* What is said in place of the usual reply to a command. */
struct fake_fault {
    const char *command; /* "PING", "CLIENT ID", ...; NULL: never */
    const char *says;
    char endless; /* this octet follows without end; 0: none */
    bool closes;  /* the connection, after that */
};

struct fake_conn {
    LIST_ENTRY(fake_conn) link;
    struct fake *fake;
    struct bufferevent *bev;
    redisReader *commands;
    bool subscribed;
    bool endless; /* says nothing else any more */
};

struct fake {
    struct event_base *base;
    struct listener *listener;
    LIST_HEAD(fake_conn_list, fake_conn) conns;
    struct fake_fault fault;
    int faults_left;
    size_t endless_sent;
    char dir[64], url[96];
};

static void fake_conn_free(struct fake_conn *k)
{
    LIST_REMOVE(k, link);
    bufferevent_free(k->bev);
    redisReaderFree(k->commands);
    free(k);
}

static void fake_say(struct fake_conn *k, const char *text)
{
    assert_int_equal(send(bufferevent_getfd(k->bev), text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const char *usual_reply(const char *command)
{
    static const struct {
        const char *command, *reply;
    } usual[] = {
        {"PING", "+PONG\r\n"},
        {"AUTH", "+OK\r\n"},
        {"SELECT", "+OK\r\n"},
        {"GETRANGE", "$0\r\n\r\n"},
        {"CLIENT ID", ":7\r\n"},
        {"CLIENT TRACKING", "+OK\r\n"},
        {"SUBSCRIBE", "*3\r\n$9\r\nsubscribe\r\n" FAKE_CHANNEL ":1\r\n"},
    };
    size_t i;

    for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (strcmp(command, usual[i].command) == 0)
            return usual[i].reply;
    return "-ERR unknown command\r\n";
}

static void fake_read(struct bufferevent *bev, void *ctx);

static void fake_gone(struct bufferevent *bev, short what, void *ctx)
{
    (void)bev;
    (void)what;
    fake_conn_free(ctx);
}

static void fake_written(struct bufferevent *bev, void *ctx)
{
    struct fake *f = ((struct fake_conn *)ctx)->fake;
    char chunk[65536];

    memset(chunk, f->fault.endless, sizeof(chunk));
    assert_int_equal(bufferevent_write(bev, chunk, sizeof(chunk)), 0);
    f->endless_sent += sizeof(chunk);
}

/* False when the connection is closed. */
static bool fake_answer(struct fake_conn *k, const redisReply *words)
{
    struct fake *f = k->fake;
    bool client = strcmp(words->element[0]->str, "CLIENT") == 0;
    char name[64];

    (void)snprintf(name, sizeof(name), "%s%s", client ? "CLIENT " : "", words->element[client ? 1 : 0]->str);
    k->subscribed = k->subscribed || strcmp(name, "SUBSCRIBE") == 0;
    if (k->endless)
        return true;
    if (f->faults_left <= 0 || f->fault.command == NULL || strcmp(name, f->fault.command) != 0) {
        fake_say(k, usual_reply(name));
        return true;
    }
    f->faults_left--;
    fake_say(k, f->fault.says);
    k->endless = f->fault.endless != 0;
    if (k->endless) {
        bufferevent_setcb(k->bev, fake_read, fake_written, fake_gone, k);
        fake_written(k->bev, k);
    }
    if (f->fault.closes)
        fake_conn_free(k);
    return !f->fault.closes;
}

static void fake_read(struct bufferevent *bev, void *ctx)
{
    struct fake_conn *k = ctx;
    char chunk[16384];
    bool open = true;
    void *words;

    assert_int_equal(redisReaderFeed(k->commands, chunk, bufferevent_read(bev, chunk, sizeof(chunk))), REDIS_OK);
    while (open && redisReaderGetReply(k->commands, &words) == REDIS_OK && words != NULL) {
        open = fake_answer(k, words);
        freeReplyObject(words);
    }
}

static void fake_accept(void *ctx, int fd)
{
    struct fake *f = ctx;
    struct fake_conn *k = calloc(1, sizeof(*k));

    assert_non_null(k);
    k->fake = f;
    k->bev = bufferevent_socket_new(f->base, fd, BEV_OPT_CLOSE_ON_FREE);
    k->commands = redisReaderCreate();
    LIST_INSERT_HEAD(&f->conns, k, link);
    bufferevent_setcb(k->bev, fake_read, NULL, fake_gone, k);
    bufferevent_enable(k->bev, EV_READ | EV_WRITE);
}

/* Say something to whoever has subscribed. */
static void fake_push(struct fake *f, const char *text)
{
    struct fake_conn *k;

    LIST_FOREACH(k, &f->conns, link)
    if (k->subscribed)
        fake_say(k, text);
}

/* Where it will be; then fake_listen in the client's loop. */
static void fake_init(struct fake *f, const struct fake_fault *fault)
{
    memset(f, 0, sizeof(*f));
    LIST_INIT(&f->conns);
    f->fault = *fault;
    f->faults_left = 1;
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/postern-redis-fake-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->url, sizeof(f->url), "unix:%s/redis.sock", f->dir);
}

static void fake_listen(struct fake *f, struct event_base *base)
{
    struct err e = {""};

    f->base = base;
    f->listener = listener_open(base, f->url, 0600, fake_accept, f, &e);
    assert_string_equal(e.text, "");
}

static void fake_close(struct fake *f)
{
    struct fake_conn *k;

    while ((k = LIST_FIRST(&f->conns)) != NULL)
        fake_conn_free(k);
    listener_free(f->listener);
    assert_int_equal(rmdir(f->dir), 0);
}

#endif
