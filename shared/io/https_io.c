/*
 * https_io.c - HTTPS GETs: whose turn it is, the deadlines, the delivery. One transfer is https_transfer_io.c; they run
 * on lanes, https_lane_io.c. One that is on a lane is stopped first, and what became of it is settled when the lane has
 * given it back.
 *
 * libcurl never calls the user's code: a transfer that has ended, for whatever reason, goes to the finished list, and
 * the pump event delivers one at a time, as the last thing it does. So callbacks may start, cancel and free at will.
 */
#include "https_io.h"
#include "clock.h"
#include "domain.h"
#include "https_lane_io.h"
#include "https_transfer_io.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "turns.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define LANES_MAX 4

enum get_state { GET_WAITING, GET_RUNNING, GET_FINISHED, GET_CANCELLED /* still on its lane */, GET_STATES };

/* Why a running transfer is being stopped. */
enum get_stop { STOP_NOT, STOP_TIME_OUT, STOP_GIVE_WAY };

TAILQ_HEAD(get_list, https_get);

struct https {
    struct https_lane *lane[LANES_MAX];
    size_t lanes;
    struct event_base *base;
    struct event *pump;
    struct event *look; /* somebody may have to give way then */
    struct turns *turns;
    struct https_options options; /* strings owned */
    struct get_list list[GET_STATES];
    size_t count[GET_STATES];
};

struct https_get {
    TAILQ_ENTRY(https_get) link;
    struct https *https;
    enum get_state state;
    struct turn turn; /* has joined while waiting and running, until it is stopped */
    enum get_stop stop;
    int64_t ran_ms; /* until it was stopped */
    https_done_fn *fn;
    void *ctx;
    struct event *deadline;
    struct https_transfer transfer;
    enum https_outcome outcome;
    char why[HTTPS_WHY_MAX];
};

static void pump_wake(struct https *h)
{
    if (h->count[GET_FINISHED] + h->count[GET_WAITING] > 0)
        event_active(h->pump, EV_TIMEOUT, 0);
}

static void get_link(struct https_get *g, enum get_state state)
{
    g->state = state;
    TAILQ_INSERT_TAIL(&g->https->list[state], g, link);
    g->https->count[state]++;
}

static void get_unlink(struct https_get *g)
{
    TAILQ_REMOVE(&g->https->list[g->state], g, link);
    g->https->count[g->state]--;
}

static void get_leave(struct https_get *g)
{
    if (g->turn.owner != NULL)
        turns_leave(g->https->turns, &g->turn);
}

static void get_finish(struct https_get *g, enum https_outcome outcome)
{
    event_del(g->deadline);
    get_leave(g);
    g->outcome = outcome;
    get_unlink(g);
    get_link(g, GET_FINISHED);
    pump_wake(g->https);
}

/* What is known of a time-out is how far it has got. */
static void get_timed_out(struct https_get *g)
{
    (void)snprintf(g->why, sizeof(g->why), "time-out after %d ms, %s", g->https->options.timeout_ms,
                   https_transfer_stage(&g->transfer));
    get_finish(g, https_transfer_lacks_socket(&g->transfer) ? HTTPS_UNTRIED : HTTPS_FAILED);
}

static void get_gave_way(struct https_get *g)
{
    (void)snprintf(g->why, sizeof(g->why), "too many fetches at once: gave way after %lld ms, %s", (long long)g->ran_ms,
                   https_transfer_stage(&g->transfer));
    get_finish(g, HTTPS_UNTRIED);
}

/* Its place is free from now on. */
static void get_stop(struct https_get *g, enum get_stop why)
{
    g->stop = why;
    g->ran_ms = now_ms() - g->turn.since;
    event_del(g->deadline);
    get_leave(g);
    https_lane_stop(&g->transfer);
    pump_wake(g->https);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    get_stop(ctx, STOP_TIME_OUT);
}

static void get_free(struct https_get *g)
{
    https_transfer_clear(&g->transfer);
    event_free(g->deadline);
    free(g);
}

/* It ended because it was stopped. It may also have ended by itself before that reached its lane. */
static bool was_stopped(const struct https_get *g, CURLcode code)
{
    return g->stop != STOP_NOT && code == CURLE_ABORTED_BY_CALLBACK;
}

/* The lane has given it back. */
static void on_ended(void *ctx, struct https_transfer *t, CURLcode code)
{
    struct https_get *g = t->owner;

    (void)ctx;
    if (g->state == GET_CANCELLED) {
        get_unlink(g);
        get_free(g);
    } else if (was_stopped(g, code) && g->stop == STOP_GIVE_WAY) {
        get_gave_way(g);
    } else if (was_stopped(g, code) || code == CURLE_OPERATION_TIMEDOUT) {
        get_timed_out(g);
    } else {
        get_finish(g, https_transfer_outcome(g->why, t, code));
    }
}

static char *content_type_copy(CURL *easy)
{
    char *type = NULL;

    (void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (type == NULL)
        return NULL;
    type = must_have(strdup(type));
    return type;
}

/* g is freed first, and nothing of ours touched after the callback: it may free everything. */
static void get_deliver(struct https_get *g)
{
    struct https_result r = {.outcome = g->outcome, .body = ""};
    https_done_fn *fn = g->fn;
    void *ctx = g->ctx;
    struct buf body = g->transfer.body;
    char *type = content_type_copy(g->transfer.easy);
    char why[HTTPS_WHY_MAX];

    memcpy(why, g->why, sizeof(why));
    if (g->outcome == HTTPS_ANSWERED) {
        (void)curl_easy_getinfo(g->transfer.easy, CURLINFO_RESPONSE_CODE, &r.status);
        r.content_type = type;
        r.body = buf_text(&body);
        r.len = body.len;
    }
    r.why = why;
    buf_init(&g->transfer.body, 0); /* moved */
    get_free(g);
    fn(ctx, &r);
    buf_clear(&body);
    free(type);
}

static struct https_lane *lane_least(const struct https *h)
{
    struct https_lane *least = h->lane[0];

    for (size_t i = 1; i < h->lanes; i++)
        if (https_lane_count(h->lane[i]) < https_lane_count(least))
            least = h->lane[i];
    return least;
}

static void get_run(struct https_get *g)
{
    get_unlink(g);
    get_link(g, GET_RUNNING);
    timer_start(g->deadline, g->https->options.timeout_ms);
    https_lane_add(lane_least(g->https), &g->transfer);
}

/* Whose turn it is runs; who stands in the way for too long stops. */
static void take_turns(struct https *h)
{
    int64_t now = now_ms();
    int64_t look;
    struct turn *turn;

    do {
        while ((turn = turns_next(h->turns, now)) != NULL)
            get_run(turn->who);
        turn = turns_overdue(h->turns, now);
        if (turn != NULL)
            get_stop(turn->who, STOP_GIVE_WAY);
    } while (turn != NULL);
    look = turns_look(h->turns);
    if (look < 0)
        event_del(h->look);
    else
        timer_start(h->look, look - now);
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    take_turns(ctx);
}

static void on_pump(evutil_socket_t fd, short what, void *ctx)
{
    struct https *h = ctx;
    struct https_get *g;

    (void)fd;
    (void)what;
    take_turns(h);
    g = TAILQ_FIRST(&h->list[GET_FINISHED]);
    if (g != NULL) {
        get_unlink(g);
        pump_wake(h);
        get_deliver(g);
    }
}

/* Without authorities no policy could be fetched, and every domain would look as if it had none. */
static int check_authorities(const char *ca_file, struct err *e)
{
    bool own = ca_file != NULL && ca_file[0] != '\0';
    const char *file = own ? ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;

    if (file == NULL || access(file, R_OK) == 0)
        return 0;
    return err_set(e, "%s: %s; certificates of policy hosts cannot be checked%s", file, strerror(errno),
                   own ? "" : ": install the package ca-certificates, or set ca_file");
}

static struct turns *new_turns(const struct https_options *options)
{
    size_t places = options->concurrency > 0 ? options->concurrency : 1;
    size_t share = places / HTTPS_SHARES > 0 ? places / HTTPS_SHARES : 1;
    uint8_t secret[16];

    random_octets(secret, sizeof(secret));
    return must_have(turns_new(places, share, options->timeout_ms / HTTPS_PATIENCE, secret));
}

/* As many as there are cores that we may use. */
static size_t lanes_wanted(void)
{
    cpu_set_t cores;

    if (sched_getaffinity(0, sizeof(cores), &cores) != 0 || CPU_COUNT(&cores) > LANES_MAX)
        return LANES_MAX;
    return (size_t)CPU_COUNT(&cores);
}

struct https *https_new(struct event_base *base, const struct https_options *options, struct err *e)
{
    struct https *h;
    size_t i;

    if (check_authorities(options->ca_file, e) != 0)
        return NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(e, "libcurl cannot be initialised");
        return NULL;
    }
    h = must_have(calloc(1, sizeof(*h)));
    h->base = base;
    h->options = *options;
    h->options.ca_file = must_have(strdup(options->ca_file != NULL ? options->ca_file : ""));
    h->options.user_agent = must_have(strdup(options->user_agent != NULL ? options->user_agent : ""));
    h->turns = new_turns(options);
    for (i = 0; i < GET_STATES; i++)
        TAILQ_INIT(&h->list[i]);
    for (size_t want = lanes_wanted(); h->lanes < want; h->lanes++)
        h->lane[h->lanes] = https_lane_new(base, on_ended, h);
    h->pump = must_have(event_new(base, -1, 0, on_pump, h));
    h->look = must_have(evtimer_new(base, on_look, h));
    return h;
}

static void list_free(struct get_list *list)
{
    struct https_get *g;

    while ((g = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, g, link);
        get_free(g);
    }
}

void https_free(struct https *h)
{
    size_t i;

    if (h == NULL)
        return;
    for (i = 0; i < h->lanes; i++)
        https_lane_free(h->lane[i]);
    for (i = 0; i < GET_STATES; i++)
        list_free(&h->list[i]);
    event_free(h->pump);
    event_free(h->look);
    turns_free(h->turns);
    free((char *)h->options.ca_file);
    free((char *)h->options.user_agent);
    free(h);
    curl_global_cleanup();
}

/* Wait for a turn, or not even that. */
static void get_join(struct https_get *g, const char *address)
{
    char network[ADDRESS_BUF];
    int rc;

    address_network(network, address);
    g->turn.who = g;
    rc = turns_join(g->https->turns, &g->turn, network);
    if (rc < 0)
        log_oom();
    if (rc == 0) {
        (void)snprintf(g->why, sizeof(g->why), "too many fetches from %s at once", network);
        get_finish(g, HTTPS_UNTRIED);
    }
}

struct https_get *https_start(struct https *h, const char *host, const char *path, const char *const *addresses,
                              size_t count, https_done_fn *fn, void *ctx)
{
    struct https_get *g = must_have(calloc(1, sizeof(*g)));

    g->https = h;
    g->fn = fn;
    g->ctx = ctx;
    https_transfer_init(&g->transfer, &h->options, host, path, addresses, count);
    g->deadline = must_have(evtimer_new(h->base, on_deadline, g));
    g->transfer.owner = g;
    get_link(g, GET_WAITING);
    if (count == 0) {
        (void)snprintf(g->why, sizeof(g->why), "no address");
        get_finish(g, HTTPS_FAILED);
    } else {
        get_join(g, addresses[0]);
    }
    pump_wake(h);
    return g;
}

bool https_had_its_time(const struct https_get *g)
{
    if (g->state == GET_FINISHED) /* what is to be delivered in a moment */
        return g->outcome == HTTPS_FAILED;
    if (g->stop != STOP_NOT)
        return g->stop == STOP_TIME_OUT;
    return g->state == GET_RUNNING && now_ms() - g->turn.since >= g->https->options.timeout_ms / 2;
}

void https_cancel(struct https_get *g)
{
    struct https *h = g->https;

    get_leave(g);
    get_unlink(g);
    if (g->state == GET_RUNNING) {
        event_del(g->deadline);
        https_lane_stop(&g->transfer);
        get_link(g, GET_CANCELLED);
    } else {
        get_free(g);
    }
    pump_wake(h);
}

size_t https_outstanding(const struct https *h)
{
    size_t i;
    size_t n = 0;

    for (i = 0; i < GET_CANCELLED; i++)
        n += h->count[i];
    return n;
}
