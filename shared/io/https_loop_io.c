/* https_loop_io.c - libcurl's multi handle on the event loop: it tells us which sockets and which time to watch, we
 * tell it what happened there. */
#include "https_loop_io.h"
#include "log.h"
#include "millis.h"

#include <stdlib.h>

struct https_loop {
    CURLM *multi;
    struct event_base *base;
    struct event *timer;
    https_ended_fn *fn;
    void *ctx;
};

/* Without memory, or with a handle misused, there is no going on. */
static void multi_check(CURLMcode code)
{
    if (code != CURLM_OK) {
        log_error("https_multi", "error=%s", curl_multi_strerror(code));
        abort();
    }
}

static void tell_ended(struct https_loop *l)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(l->multi, &left)) != NULL) {
        if (msg->msg == CURLMSG_DONE) {
            CURL *easy = msg->easy_handle;
            CURLcode code = msg->data.result;

            multi_check(curl_multi_remove_handle(l->multi, easy)); /* msg is gone with it */
            l->fn(l->ctx, easy, code);
        }
    }
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
    struct https_loop *l = ctx;
    int action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    multi_check(curl_multi_socket_action(l->multi, fd, action, &running));
    tell_ended(l);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct https_loop *l = ctx;
    int running;

    (void)fd;
    (void)what;
    multi_check(curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running));
    tell_ended(l);
}

/* libcurl: watch this socket for that. known is the event that watches it already. */
static int socket_watch(CURL *easy, curl_socket_t fd, int action, void *ctx, void *known)
{
    struct https_loop *l = ctx;
    struct event *ev = known;
    int what = EV_PERSIST | (action & CURL_POLL_IN ? EV_READ : 0) | (action & CURL_POLL_OUT ? EV_WRITE : 0);

    (void)easy;
    if (ev != NULL) {
        event_free(ev);
        ev = NULL;
    }
    if (action != CURL_POLL_REMOVE) {
        ev = event_new(l->base, fd, (short)what, on_socket, l);
        if (ev == NULL || event_add(ev, NULL) != 0)
            log_oom();
    }
    (void)curl_multi_assign(l->multi, fd,
                            ev); /* fails when libcurl has forgotten the socket, which is what we want then */
    return 0;
}

/* libcurl: call curl_multi_socket_action after that time; -1: no more. */
static int timer_watch(CURLM *multi, long ms, void *ctx)
{
    struct https_loop *l = ctx;
    const struct timeval tv = millis(ms);

    (void)multi;
    if (ms < 0)
        event_del(l->timer);
    else if (event_add(l->timer, &tv) != 0)
        log_oom();
    return 0;
}

struct https_loop *https_loop_new(struct event_base *base, https_ended_fn *fn, void *ctx)
{
    struct https_loop *l = calloc(1, sizeof(*l));

    if (l == NULL)
        log_oom();
    l->base = base;
    l->fn = fn;
    l->ctx = ctx;
    l->timer = evtimer_new(base, on_timer, l);
    l->multi = curl_multi_init();
    if (l->timer == NULL || l->multi == NULL)
        log_oom();
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, socket_watch));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, timer_watch));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l));
    return l;
}

void https_loop_free(struct https_loop *l)
{
    if (l != NULL) {
        curl_multi_cleanup(l->multi);
        event_free(l->timer);
        free(l);
    }
}

void https_loop_add(struct https_loop *l, CURL *easy)
{
    multi_check(curl_multi_add_handle(l->multi, easy));
}

void https_loop_remove(struct https_loop *l, CURL *easy)
{
    multi_check(curl_multi_remove_handle(l->multi, easy));
}
