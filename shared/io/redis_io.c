/*
 * redis_io.c - the connection for commands: the queue of those under way, their deadlines, and who is told what. The
 * connection itself is redis_link_io.c, invalidation messages redis_track_io.c.
 *
 * Replies come in order, so the oldest command is the one a reply is for, and the first whose deadline passes; as no
 * reply can be skipped, the connection goes with it. Everything a lost connection leaves to be told is told by the pump
 * event, one at a time and as its last thing, so callbacks may send and free at will.
 */
#include "redis_io.h"
#include "clock.h"
#include "log.h"
#include "millis.h"
#include "redis_link_io.h"
#include "redis_replies.h"
#include "redis_track_io.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define COMMANDS_MAX 10000
#define IDLE_PING_S  5  /* with tracking wanted, a server that hangs is noticed also when nothing is asked */
#define LATE_MS      50 /* a command is given up so long after its deadline, see on_deadline */
#define ERRORS_S     10 /* no more than one line about error replies in that time */
#define NAME_BUF     16
#define WHY_MAX      100

TAILQ_HEAD(command_list, command);

struct command {
    TAILQ_ENTRY(command) link;
    redis_reply_fn *fn;
    void *ctx;
    int64_t due_ms;
    bool late;           /* the deadline has passed */
    char word[NAME_BUF]; /* its first */
};

struct redis {
    struct event_base *base;
    char *prefix, *username, *password;
    struct redis_login login;
    struct redis_link *link; /* NULL: no Redis */
    struct redis_track *track;
    bool freeing;
    struct command_list sent, lost;
    size_t sent_count;
    struct event *pump, *deadline, *idle;
    int64_t quiet_until_ms; /* about error replies */
    unsigned left_out;
};

/*
 * The timer runs to the oldest command's deadline, or to that of one answered since: cheaper than setting it at each
 * reply. After the deadline the loop turns once more: when the program was busy elsewhere, the command may not have
 * been written yet, or the reply may be there to be read.
 */
static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct redis *r = ctx;
    struct command *oldest = TAILQ_FIRST(&r->sent);
    char why[WHY_MAX];
    int64_t left;

    (void)fd;
    (void)what;
    if (oldest == NULL)
        return;
    left = oldest->due_ms - now_ms();
    if (left > 0 || !oldest->late) {
        oldest->late = left <= 0;
        timer_start(r->deadline, left > 0 ? left : LATE_MS);
        return;
    }
    (void)snprintf(why, sizeof(why), "no reply to %s within %d ms", oldest->word, r->login.timeout_ms);
    redis_link_drop(r->link, why);
}

static void on_idle(evutil_socket_t fd, short what, void *ctx)
{
    static const char *const ping[] = {"PING"};
    struct redis *r = ctx;

    (void)fd;
    (void)what;
    if (TAILQ_EMPTY(&r->sent))
        (void)redis_send(r, NULL, NULL, 1, ping, NULL);
}

static void pump_wake(struct redis *r)
{
    if (!TAILQ_EMPTY(&r->lost))
        event_active(r->pump, EV_TIMEOUT, 0);
}

static void command_tell(struct command *c, redisReply *reply)
{
    redis_reply_fn *fn = c->fn;
    void *ctx = c->ctx;

    free(c);
    if (fn != NULL)
        fn(ctx, reply);
}

static void on_pump(evutil_socket_t fd, short what, void *ctx)
{
    struct redis *r = ctx;
    struct command *c;

    (void)fd;
    (void)what;
    c = TAILQ_FIRST(&r->lost);
    if (c != NULL) {
        TAILQ_REMOVE(&r->lost, c, link);
        pump_wake(r);
        command_tell(c, NULL);
    }
}

/* Can this be the reply to that command? Of commands that are not here anything can. */
static bool reply_fits(const struct command *c, int type)
{
    static const struct {
        const char *word;
        int type, other;
    } known[] = {
        {"GETRANGE", REDIS_REPLY_STRING, REDIS_REPLY_STRING}, {"SET", REDIS_REPLY_STATUS, REDIS_REPLY_NIL},
        {"ZADD", REDIS_REPLY_INTEGER, REDIS_REPLY_INTEGER},   {"ZREM", REDIS_REPLY_INTEGER, REDIS_REPLY_INTEGER},
        {"PING", REDIS_REPLY_STATUS, REDIS_REPLY_STATUS},     {"CLIENT", REDIS_REPLY_STATUS, REDIS_REPLY_STATUS},
    };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(c->word, known[i].word) == 0)
            return type == REDIS_REPLY_ERROR || type == known[i].type || type == known[i].other;
    return true;
}

/* Errors are nobody's fault in particular (no memory left, a replica, no permission), and come with every command. */
static void error_log(struct redis *r, const struct command *c, const char *why)
{
    int64_t now = now_ms();

    if (now < r->quiet_until_ms) {
        r->left_out++;
        return;
    }
    log_warning("redis-error", "command=%s error=%s left_out=%u", c->word, why, r->left_out);
    r->left_out = 0;
    r->quiet_until_ms = now + (int64_t)ERRORS_S * 1000;
}

/* After a reply that cannot be, none is known to belong to its command. */
static void reply_refuse(struct redis *r, const struct command *c, int type)
{
    char why[WHY_MAX];

    if (c == NULL)
        (void)snprintf(why, sizeof(why), "a reply without a command: %s", redis_reply_type_name(type));
    else
        (void)snprintf(why, sizeof(why), "unexpected reply to %s: %s", c->word, redis_reply_type_name(type));
    redis_link_drop(r->link, why);
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct redis *r = ctx;
    struct command *c = TAILQ_FIRST(&r->sent);

    if (c == NULL || !reply_fits(c, reply->type)) {
        reply_refuse(r, c, reply->type);
        return;
    }
    if (reply->type == REDIS_REPLY_ERROR)
        error_log(r, c, reply->str);
    TAILQ_REMOVE(&r->sent, c, link);
    r->sent_count--;
    command_tell(c, reply);
}

static void on_up(void *ctx)
{
    struct redis *r = ctx;

    redis_link_works(r->link);
    if (r->track != NULL)
        redis_track_up(r->track);
}

static void on_down(void *ctx)
{
    struct redis *r = ctx;

    event_del(r->deadline);
    TAILQ_CONCAT(&r->lost, &r->sent, link);
    r->sent_count = 0;
    pump_wake(r);
    if (r->track != NULL)
        redis_track_down(r->track);
}

static const struct redis_link_hooks hooks = {.up = on_up, .down = on_down, .reply = on_reply};

struct redis *redis_new(struct event_base *base, const struct conf_redis *conf, struct err *e)
{
    struct redis *r;
    struct address address;

    if (conf->url[0] != '\0' && address_parse(&address, conf->url, e) != 0)
        return NULL;
    r = must_have(calloc(1, sizeof(*r)));
    r->base = base;
    r->prefix = must_have(strdup(conf->prefix));
    r->username = must_have(strdup(conf->username));
    r->password = must_have(strdup(conf->password));
    r->login = (struct redis_login){.username = r->username, .password = r->password, .database = conf->database};
    r->login.timeout_ms = conf->timeout_ms < INT_MAX ? (int)conf->timeout_ms : INT_MAX;
    TAILQ_INIT(&r->sent);
    TAILQ_INIT(&r->lost);
    r->pump = must_have(event_new(base, -1, 0, on_pump, r));
    r->deadline = must_have(event_new(base, -1, 0, on_deadline, r));
    r->idle = must_have(event_new(base, -1, EV_PERSIST, on_idle, r));
    if (conf->url[0] != '\0') {
        r->login.address = address;
        r->link = redis_link_new(base, &r->login, "commands", &hooks, r);
    }
    return r;
}

/* The commands' contexts may be owned by their callbacks, so these are called now too; they find Redis away. */
void redis_free(struct redis *r)
{
    struct command *c;

    if (r == NULL || r->freeing)
        return;
    r->freeing = true;
    redis_track_free(r->track);
    redis_link_free(r->link);
    r->track = NULL;
    r->link = NULL;
    TAILQ_CONCAT(&r->lost, &r->sent, link);
    while ((c = TAILQ_FIRST(&r->lost)) != NULL) {
        TAILQ_REMOVE(&r->lost, c, link);
        command_tell(c, NULL);
    }
    event_free(r->pump);
    event_free(r->deadline);
    event_free(r->idle);
    free(r->prefix);
    free(r->username);
    free(r->password);
    free(r);
}

bool redis_up(const struct redis *r)
{
    return r->link != NULL && redis_link_up(r->link);
}

const char *redis_state(const struct redis *r)
{
    if (r->link == NULL)
        return "none";
    return redis_up(r) ? "up" : "down";
}

const char *redis_why(const struct redis *r)
{
    return r->link == NULL ? "the configuration names none" : redis_link_why(r->link);
}

int redis_send(struct redis *r, redis_reply_fn *fn, void *ctx, size_t count, const char *const *words,
               const size_t *lengths)
{
    struct command *c;

    if (!redis_up(r) || r->sent_count >= COMMANDS_MAX || redis_link_send(r->link, count, words, lengths) != 0)
        return -1;
    c = must_have(calloc(1, sizeof(*c)));
    c->fn = fn;
    c->ctx = ctx;
    (void)snprintf(c->word, sizeof(c->word), "%s", words[0]);
    c->due_ms = now_ms() + r->login.timeout_ms;
    if (!event_pending(r->deadline, EV_TIMEOUT, NULL))
        timer_start(r->deadline, r->login.timeout_ms);
    TAILQ_INSERT_TAIL(&r->sent, c, link);
    r->sent_count++;
    return 0;
}

size_t redis_key(const struct redis *r, char *out, size_t cap, const char *kind, const char *name)
{
    int n = snprintf(out, cap, "%s%s:%s", r->prefix, kind, name);

    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

void redis_track(struct redis *r, const char *const *kinds, redis_changed_fn *fn, void *ctx)
{
    const struct timeval every = {.tv_sec = IDLE_PING_S};

    if (r->link == NULL || r->track != NULL)
        return;
    r->track = redis_track_new(r->base, r, &r->login, r->prefix, kinds, fn, ctx);
    if (event_add(r->idle, &every) != 0)
        log_oom();
}

bool redis_tracking(const struct redis *r)
{
    return redis_track_on(r->track);
}
