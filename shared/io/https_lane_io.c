/*
 * https_lane_io.c - see https_lane_io.h. Between the two threads go transfers and nothing else: through lists under a
 * lock, with an eventfd that wakes the other side. The lane's loop does as curl's docs/examples/hiperfifo.c: libcurl
 * says which sockets and which time to watch, and is told what happened there.
 */
#include "https_lane_io.h"
#include "https_transfer_io.h"
#include "log.h"
#include "millis.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

TAILQ_HEAD(transfer_list, https_transfer);

struct https_lane {
    pthread_t thread;

    pthread_mutex_t lock;
    struct transfer_list in;  /* to be begun, or to be stopped */
    struct transfer_list out; /* have ended */
    bool quit;
    int wake, tell; /* eventfds: look at `in`, look at `out` */

    /* the program's side */
    https_ended_fn *fn;
    void *ctx;
    struct event *told;
    size_t count;

    /* the thread's */
    struct event_base *base;
    CURLM *multi;
    struct event *timer, *woken;
    struct transfer_list running;
};

/* Without memory, or with a handle misused, there is no going on. */
static void fatal(const char *what, const char *why)
{
    log_error("https-lane", "doing=%s error=%s", what, why);
    abort();
}

static void multi_check(CURLMcode code)
{
    if (code != CURLM_OK)
        fatal("libcurl", curl_multi_strerror(code));
}

static void signal_to(int fd)
{
    if (eventfd_write(fd, 1) != 0) /* the count would have to be near 2^64 */
        fatal("eventfd_write", strerror(errno));
}

static void signal_seen(int fd)
{
    eventfd_t count;

    (void)eventfd_read(fd, &count); /* nothing there: it was for what has been done already */
}

/* --- the lists; the lock must be held --- */

static void post_in(struct https_transfer *t)
{
    t->place.posted = true;
    TAILQ_INSERT_TAIL(&t->place.lane->in, t, place.post);
}

static void unpost_in(struct https_transfer *t)
{
    if (t->place.posted)
        TAILQ_REMOVE(&t->place.lane->in, t, place.post);
    t->place.posted = false;
}

/* --- on the thread --- */

static void run(struct https_transfer *t)
{
    struct https_lane *lane = t->place.lane;

    TAILQ_INSERT_TAIL(&lane->running, t, place.running);
    t->place.inside = true;
    multi_check(curl_multi_add_handle(lane->multi, t->easy));
}

static void take_out(struct https_transfer *t)
{
    struct https_lane *lane = t->place.lane;

    TAILQ_REMOVE(&lane->running, t, place.running);
    t->place.inside = false;
    multi_check(curl_multi_remove_handle(lane->multi, t->easy));
}

/* Hand it back. A wish to stop it may be on its way. */
static void end(struct https_transfer *t, CURLcode code)
{
    struct https_lane *lane = t->place.lane;

    if (t->place.inside)
        take_out(t);
    pthread_mutex_lock(&lane->lock);
    unpost_in(t);
    t->place.ended = true;
    t->place.code = code;
    TAILQ_INSERT_TAIL(&lane->out, t, place.post);
    pthread_mutex_unlock(&lane->lock);
    signal_to(lane->tell);
}

static void act(struct https_lane *lane, curl_socket_t fd, int action)
{
    struct https_transfer *t = NULL;
    CURLMsg *msg;
    int left;

    multi_check(curl_multi_socket_action(lane->multi, fd, action, &left));
    while ((msg = curl_multi_info_read(lane->multi, &left)) != NULL) {
        CURLcode code = msg->data.result;

        if (msg->msg == CURLMSG_DONE && curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK)
            end(t, code); /* msg is gone with it */
    }
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
    act(ctx, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl: watch this socket for that. known is the event that watches it already. */
static int socket_watch(CURL *easy, curl_socket_t fd, int action, void *ctx, void *known)
{
    struct https_lane *lane = ctx;
    struct event *ev = known;
    int what = EV_PERSIST | (action & CURL_POLL_IN ? EV_READ : 0) | (action & CURL_POLL_OUT ? EV_WRITE : 0);

    (void)easy;
    if (ev != NULL) {
        event_free(ev);
        ev = NULL;
    }
    if (action != CURL_POLL_REMOVE) {
        ev = must_have(event_new(lane->base, fd, (short)what, on_socket, lane));
        if (event_add(ev, NULL) != 0)
            log_oom();
    }
    (void)curl_multi_assign(lane->multi, fd,
                            ev); /* fails when libcurl has forgotten the socket, which is what we want then */
    return 0;
}

/* libcurl: call curl_multi_socket_action after that time; -1: no more. */
static int timer_watch(CURLM *multi, long ms, void *ctx)
{
    struct https_lane *lane = ctx;

    (void)multi;
    if (ms < 0)
        event_del(lane->timer);
    else
        timer_start(lane->timer, ms);
    return 0;
}

/* The next one that was sent, and whether it is to be stopped; NULL: none, or the lane is to quit. */
static struct https_transfer *take_in(struct https_lane *lane, bool *stop, bool *quit)
{
    struct https_transfer *t = NULL;

    pthread_mutex_lock(&lane->lock);
    *quit = lane->quit;
    if (!lane->quit)
        t = TAILQ_FIRST(&lane->in);
    if (t != NULL) {
        unpost_in(t);
        *stop = t->place.stop;
    }
    pthread_mutex_unlock(&lane->lock);
    return t;
}

static void on_woken(evutil_socket_t fd, short what, void *ctx)
{
    struct https_lane *lane = ctx;
    struct https_transfer *t;
    bool stop = false, quit = false;

    (void)what;
    signal_seen(fd);
    while ((t = take_in(lane, &stop, &quit)) != NULL) {
        if (stop)
            end(t, CURLE_ABORTED_BY_CALLBACK);
        else
            run(t);
    }
    if (quit)
        event_base_loopbreak(lane->base);
}

static void *lane_main(void *ctx)
{
    struct https_lane *lane = ctx;
    struct https_transfer *t;

    (void)event_base_dispatch(lane->base);
    while ((t = TAILQ_FIRST(&lane->running)) != NULL)
        take_out(t);
    return NULL;
}

/* --- on the program's side --- */

static struct https_transfer *take_ended(struct https_lane *lane)
{
    struct https_transfer *t;

    pthread_mutex_lock(&lane->lock);
    t = TAILQ_FIRST(&lane->out);
    if (t != NULL)
        TAILQ_REMOVE(&lane->out, t, place.post);
    pthread_mutex_unlock(&lane->lock);
    return t;
}

static void on_told(evutil_socket_t fd, short what, void *ctx)
{
    struct https_lane *lane = ctx;
    struct https_transfer *t;

    (void)what;
    signal_seen(fd);
    while ((t = take_ended(lane)) != NULL) {
        lane->count--;
        lane->fn(lane->ctx, t, t->place.code);
    }
}

void https_lane_add(struct https_lane *lane, struct https_transfer *t)
{
    t->place = (struct https_place){.lane = lane};
    lane->count++;
    pthread_mutex_lock(&lane->lock);
    post_in(t);
    pthread_mutex_unlock(&lane->lock);
    signal_to(lane->wake);
}

void https_lane_stop(struct https_transfer *t)
{
    struct https_lane *lane = t->place.lane;

    pthread_mutex_lock(&lane->lock);
    t->place.stop = true;
    if (!t->place.ended && !t->place.posted)
        post_in(t);
    pthread_mutex_unlock(&lane->lock);
    signal_to(lane->wake);
}

size_t https_lane_count(const struct https_lane *lane)
{
    return lane->count;
}

/* --- its life --- */

static struct event *watch(struct event_base *base, int *fd, event_callback_fn fn, void *ctx)
{
    struct event *ev;

    *fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (*fd < 0)
        fatal("eventfd", strerror(errno));
    ev = must_have(event_new(base, *fd, EV_READ | EV_PERSIST, fn, ctx));
    if (event_add(ev, NULL) != 0)
        log_oom();
    return ev;
}

static void multi_start(struct https_lane *lane)
{
    lane->multi = must_have(curl_multi_init());
    multi_check(curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, socket_watch));
    multi_check(curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane));
    multi_check(curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, timer_watch));
    multi_check(curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane));
}

/* Signals are for the program's own thread. */
static void thread_start(struct https_lane *lane)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&lane->thread, NULL, lane_main, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        fatal("thread", strerror(rc));
}

struct https_lane *https_lane_new(struct event_base *base, https_ended_fn *fn, void *ctx)
{
    struct https_lane *lane = must_have(calloc(1, sizeof(*lane)));

    pthread_mutex_init(&lane->lock, NULL);
    TAILQ_INIT(&lane->in);
    TAILQ_INIT(&lane->out);
    TAILQ_INIT(&lane->running);
    lane->fn = fn;
    lane->ctx = ctx;
    lane->base = must_have(event_base_new());
    lane->timer = must_have(evtimer_new(lane->base, on_timer, lane));
    lane->woken = watch(lane->base, &lane->wake, on_woken, lane);
    lane->told = watch(base, &lane->tell, on_told, lane);
    multi_start(lane);
    thread_start(lane);
    return lane;
}

void https_lane_free(struct https_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->quit = true;
    pthread_mutex_unlock(&lane->lock);
    signal_to(lane->wake);
    pthread_join(lane->thread, NULL);
    curl_multi_cleanup(lane->multi);
    event_free(lane->told);
    event_free(lane->woken);
    event_free(lane->timer);
    event_base_free(lane->base);
    close(lane->wake);
    close(lane->tell);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}
