/* curl_loop_io.c - see curl_loop_io.h. What has ended is told from a timer of ours, never from within libcurl. */
#include "curl_loop_io.h"

#include <stdlib.h>

#include "log.h"
#include "millis.h"

struct curl_loop {
    struct event_base *base;
    CURLM *multi;
    struct event *timer; /* libcurl wants to be called */
    struct event *ended; /* something may have ended */
};

/* One socket of libcurl's. */
struct watch {
    struct curl_loop *loop;
    struct event *event;
};

void curl_option_check(CURLcode code)
{
    if (code != CURLE_OK) {
        log_error("curl-option", "error=%s", curl_easy_strerror(code));
        abort();
    }
}

static void multi_check(CURLMcode code)
{
    if (code != CURLM_OK) {
        log_error("curl-multi", "error=%s", curl_multi_strerror(code));
        abort();
    }
}

static void act(struct curl_loop *l, curl_socket_t fd, int what)
{
    int running;

    multi_check(curl_multi_socket_action(l->multi, fd, what, &running));
    event_active(l->ended, EV_TIMEOUT, 0);
}

static void on_socket_event(evutil_socket_t fd, short what, void *ctx)
{
    struct watch *w = ctx;

    act(w->loop, fd, ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void watch_set(struct curl_loop *l, struct watch *w, curl_socket_t fd, int what)
{
    short events =
        (short)(EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) | ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));

    if (w->event != NULL)
        event_free(w->event);
    w->event = must_have(event_new(l->base, fd, events, on_socket_event, w));
    if (event_add(w->event, NULL) != 0)
        log_oom();
}

/* libcurl: watch this socket, or no more. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct curl_loop *l = ctx;
    struct watch *w = of_socket;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL) {
            event_free(w->event);
            free(w);
            (void)curl_multi_assign(l->multi, fd, NULL);
        }
        return 0;
    }
    if (w == NULL) {
        w = must_have(calloc(1, sizeof(*w)));
        w->loop = l;
        (void)curl_multi_assign(l->multi, fd, w);
    }
    watch_set(l, w, fd, what);
    return 0;
}

/* libcurl: call me in so many milliseconds. */
static int on_timeout(CURLM *multi, long ms, void *ctx)
{
    struct curl_loop *l = ctx;

    (void)multi;
    if (ms < 0)
        event_del(l->timer);
    else
        timer_start(l->timer, ms);
    return 0;
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
    struct curl_loop *l = ctx;
    const struct CURLMsg *m;
    int left;

    (void)fd;
    (void)what;
    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;
        struct curl_run *run = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&run);
        multi_check(curl_multi_remove_handle(l->multi, easy));
        if (run != NULL)
            run->fn(run->ctx, easy, code);
    }
}

struct curl_loop *curl_loop_new(struct event_base *base, struct err *e)
{
    struct curl_loop *l;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(e, "libcurl cannot be initialised");
        return NULL;
    }
    l = must_have(calloc(1, sizeof(*l)));
    l->base = base;
    l->multi = must_have(curl_multi_init());
    l->timer = must_have(evtimer_new(base, on_timer, l));
    l->ended = must_have(evtimer_new(base, on_ended, l));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timeout));
    multi_check(curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l));
    return l;
}

void curl_loop_free(struct curl_loop *l)
{
    if (l == NULL)
        return;
    multi_check(curl_multi_cleanup(l->multi));
    event_free(l->timer);
    event_free(l->ended);
    free(l);
    curl_global_cleanup();
}

void curl_loop_add(struct curl_loop *l, CURL *easy, struct curl_run *run)
{
    CURL_SET(easy, CURLOPT_PRIVATE, run);
    multi_check(curl_multi_add_handle(l->multi, easy));
}

void curl_loop_remove(struct curl_loop *l, CURL *easy)
{
    multi_check(curl_multi_remove_handle(l->multi, easy));
}
