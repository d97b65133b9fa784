/*
 * top_io.c - posternctl top: a look at the daemons each interval, drawn on the terminal until `q` or Ctrl-C; or two
 * looks, printed as text or JSON.
 */
#include "clock.h"
#include "ctl.h"
#include "look_io.h"
#include "millis.h"
#include "output_io.h"
#include "screen_io.h"
#include "top.h"

#include "conf.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS  3000 /* that each daemon has: it has the answer at hand */
#define SCREEN_MAX ((size_t)4 << 20)
#define SIGNALS    6

static const struct conf_option interval_option = {"interval", CONF_MILLIS, "2s", 100, 3600000, 0, "", NULL};

struct top {
    const struct ctl *ctl;
    int64_t interval_ms;
    struct event_base *base;
    struct looks *looks;
    struct event *next; /* look */
    struct event *keys;
    struct event *signal[SIGNALS];
    struct top_look before, now;
    bool live;
    int rc;
};

static void top_end(struct top *t, int rc)
{
    t->rc = rc;
    event_base_loopbreak(t->base);
}

/* --- what is shown --- */

static void title_write(char *out, size_t room, const struct top *t)
{
    time_t now = (time_t)now_seconds();
    char clock[40] = "";
    struct tm tm;

    if (gmtime_r(&now, &tm) != NULL)
        (void)strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (t->live)
        snprintf(out, room, "posternctl top   %s   every %.1f s   q ends", clock, (double)t->interval_ms / 1000);
    else
        snprintf(out, room, "posternctl top   %s", clock);
}

static void draw(struct top *t)
{
    struct top_screen screen = {.colour = t->ctl->colour};
    struct buf lines;
    char title[100];

    title_write(title, sizeof(title), t);
    screen.title = title;
    screen_size(&screen.width, &screen.height);
    buf_init(&lines, SCREEN_MAX);
    top_print(&lines, &t->before, &t->now, &screen);
    if (!buf_ok(&lines) || screen_draw(&lines) != 0)
        top_end(t, CTL_NO);
    buf_clear(&lines);
}

/* All that are in use have said what they do. */
static bool all_there(const struct top_look *look)
{
    for (size_t i = 0; i < TOP_PROGRAMS; i++)
        if (!look->said[i].unused && (look->said[i].status == NULL || look->said[i].why[0] != '\0'))
            return false;
    return true;
}

static int print_once(const struct top *t)
{
    struct top_screen screen = {.colour = t->ctl->colour};
    struct buf text;
    char title[100];
    int rc;

    if (t->ctl->options & CTL_JSON) {
        rc = output_json(top_json(&t->before, &t->now));
    } else {
        title_write(title, sizeof(title), t);
        screen.title = title;
        buf_init(&text, CTL_OUTPUT_MAX);
        top_print(&text, &t->before, &t->now, &screen);
        rc = output_and_clear(&text);
    }
    return rc == CTL_YES && !all_there(&t->now) ? CTL_NO : rc;
}

/* --- looks --- */

static void on_look(void *ctx, struct top_look *look)
{
    struct top *t = ctx;
    bool first = t->now.ms == 0;

    top_look_clear(&t->before);
    t->before = t->now;
    t->now = *look;
    if (t->live)
        draw(t);
    else if (!first)
        top_end(t, print_once(t));
    if (t->live || first)
        timer_start(t->next, t->interval_ms);
}

static void on_next(evutil_socket_t fd, short what, void *ctx)
{
    struct top *t = ctx;

    (void)fd;
    (void)what;
    looks_start(t->looks, ANSWER_MS);
}

/* --- the terminal --- */

static void on_key(evutil_socket_t fd, short what, void *ctx)
{
    struct top *t = ctx;
    char key[64];
    ssize_t n = read((int)fd, key, sizeof(key));

    (void)what;
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        event_del(t->keys); /* nobody is there to press one */
        if (isatty((int)fd))
            top_end(t, CTL_YES);
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        if (key[i] == 'q' || key[i] == 'Q' || key[i] == '\003')
            top_end(t, CTL_YES);
}

/* Ctrl-Z: the shell gets its screen, and fg brings this one back. */
static void pause_here(struct top *t)
{
    screen_leave();
    (void)raise(SIGSTOP);
    screen_enter();
    draw(t);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    struct top *t = ctx;

    (void)what;
    if (number == SIGWINCH && t->now.ms != 0)
        draw(t);
    else if (number == SIGTSTP)
        pause_here(t);
    else if (number != SIGWINCH)
        top_end(t, CTL_YES);
}

static void screen_begin(struct top *t)
{
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};

    for (size_t i = 0; i < SIGNALS; i++) {
        t->signal[i] = must_have(evsignal_new(t->base, numbers[i], on_signal, t));
        if (event_add(t->signal[i], NULL) != 0)
            log_oom();
    }
    if (isatty(STDIN_FILENO)) {
        t->keys = must_have(event_new(t->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_key, t));
        if (event_add(t->keys, NULL) != 0)
            log_oom();
    }
    screen_enter();
}

/* --- begin and end --- */

static void top_clear(struct top *t)
{
    screen_leave();
    looks_free(t->looks);
    if (t->next != NULL)
        event_free(t->next);
    if (t->keys != NULL)
        event_free(t->keys);
    for (size_t i = 0; i < SIGNALS; i++)
        if (t->signal[i] != NULL)
            event_free(t->signal[i]);
    top_look_clear(&t->before);
    top_look_clear(&t->now);
    event_base_free(t->base);
}

static int run(struct top *t, const struct conf *conf)
{
    struct err e = {""};

    t->base = must_have(event_base_new());
    t->looks = looks_new(t->base, conf, on_look, t, &e);
    if (t->looks == NULL) {
        report_error("%s", e.text);
        top_clear(t);
        return CTL_USAGE;
    }
    t->next = must_have(evtimer_new(t->base, on_next, t));
    if (t->live)
        screen_begin(t);
    looks_start(t->looks, ANSWER_MS);
    (void)event_base_dispatch(t->base);
    top_clear(t);
    return t->rc;
}

int run_top(const struct ctl *ctl)
{
    struct top t = {.ctl = ctl, .interval_ms = 2000, .rc = CTL_NO};
    struct conf *conf;
    int rc;

    if (read_option(&t.interval_ms, &interval_option, ctl->interval) != 0)
        return CTL_USAGE;
    t.live = (ctl->options & (CTL_ONCE | CTL_JSON)) == 0 && screen_possible();
    conf = read_conf(ctl);
    if (conf == NULL)
        return CTL_USAGE;
    rc = run(&t, conf);
    conf_free(conf);
    return rc;
}
