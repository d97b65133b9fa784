/*
 * main.c - postern-milter: flags messages that are to go only over verified TLS. Sessions of the MTA run in threads of
 * libmilter (session_io, judge_io) and read what present has; the main thread has the event loop, and puts there what
 * Redis says.
 */
#include "counters.h"
#include "daemon.h"
#include "libmilter_io.h"
#include "log.h"
#include "metrics.h"
#include "millis.h"
#include "operator_lists_io.h"
#include "process.h"
#include "session_io.h"
#include "stored_rules_io.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 5000 /* for a Redis that may be about to come up, when no file has what it knows */
#define DRAIN_MS    50

struct milter {
    struct daemon *daemon;
    struct present *present;
    struct metrics_server *metrics;
    struct redis *redis;
    struct operator_lists *lists;
    struct stored_rules *rules;
    struct event *begin;    /* sessions are served from the loop's first turn on */
    struct event *draining; /* looks whether messages are still under way */
    const struct conf_milter *conf;
    struct buf stored; /* the rules of Redis that are in force, as text */
};

static const char *milter_user(const struct conf *conf)
{
    return conf->milter.user;
}

static const char *milter_pid_file(const struct conf *conf)
{
    return conf->milter.pid_file;
}

/* --- what messages go by --- */

/* The rules of Redis, with those of the configuration. Returns 0, or -1 and what was in force goes on. */
static int take_rules(void *ctx, const char *text, size_t len, struct err *e)
{
    struct milter *m = ctx;
    const struct snapshot *s = snapshot_new(m->conf, text, len, e);

    if (s == NULL)
        return -1;
    buf_reset(&m->stored);
    buf_add(&m->stored, text, len);
    if (!buf_ok(&m->stored))
        log_oom();
    counters[GAUGE_RULES].value = rule_set_count(s->rules);
    log_info("rules", "count=%zu", rule_set_count(s->rules));
    present_set_snapshot(m->present, s);
    return 0;
}

static void on_lists(void *ctx)
{
    (void)ctx; /* sessions look into the lists themselves */
}

/* "list:NAME", "rules:" */
static void on_changed(void *ctx, const char *key, size_t len)
{
    struct milter *m = ctx;
    const size_t kind = sizeof("list:") - 1;

    if (key == NULL || memcmp(key, "list:", len < kind ? len : kind) == 0)
        operator_lists_told(m->lists, key == NULL ? NULL : key + kind, key == NULL ? 0 : len - kind);
    if (key == NULL || memcmp(key, "list:", len < kind ? len : kind) != 0)
        stored_rules_told(m->rules);
}

/* --- start --- */

static void update_gauges(void *ctx)
{
    const struct milter *m = ctx;

    counters[GAUGE_SESSIONS].value = sessions_open();
    counters[GAUGE_RULES_CURRENT].value = m->rules != NULL && stored_rules_problem(m->rules)[0] == '\0';
    counters[GAUGE_REDIS_CONFIGURED].value = strcmp(redis_state(m->redis), "none") != 0;
    counters[GAUGE_REDIS_UP].value = redis_up(m->redis);
    counters[GAUGE_TRACKING].value = redis_tracking(m->redis);
    if (m->lists != NULL)
        lists_metrics(&counters[GAUGE_LISTS], m->lists);
}

static int milter_start(struct daemon *d, struct err *e)
{
    const struct conf_milter *conf = &daemon_conf(d)->milter;
    struct milter *m = must_have(calloc(1, sizeof(*m)));
    struct smfiDesc callbacks;
    uid_t uid;
    gid_t gid;

    m->daemon = d;
    m->conf = conf;
    m->present = present_new();
    buf_init(&m->stored, SIZE_MAX / 2);
    daemon_set_state(d, m);
    callbacks = session_milter(m->present, strncmp(conf->listen, "unix:", 5) != 0);
    if (process_owner(conf->user, &uid, &gid, e) != 0 ||
        libmilter_open(&callbacks, conf->listen, (unsigned)conf->socket_mode, uid, gid, e) != 0)
        return -1;
    if (conf->metrics_listen[0] == '\0')
        return 0;
    m->metrics = metrics_serve(daemon_base(d), conf->metrics_listen, counters, COUNTERS, 1, update_gauges, m, e);
    return m->metrics == NULL ? -1 : 0;
}

static bool is_known(const struct milter *m)
{
    return stored_rules_known(m->rules) && operator_lists_get(m->lists) != NULL && !operator_lists_awaited(m->lists);
}

static void on_patience(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    *(bool *)ctx = true;
}

/* Lists and rules come from Redis, or from the files of the last time. Without them nothing is let through. */
static int wait_until_known(struct milter *m, struct err *e)
{
    bool over = false;
    struct event *timer = must_have(evtimer_new(daemon_base(m->daemon), on_patience, &over));

    timer_start(timer, PATIENCE_MS);
    while (!is_known(m) && !over && event_base_loop(daemon_base(m->daemon), EVLOOP_ONCE) == 0) {
    }
    event_free(timer);
    if (is_known(m))
        return 0;
    if (!redis_up(m->redis))
        return err_set(e,
                       "Redis cannot be reached (%s), and no file has the lists and rules of the last time: start it, "
                       "or write url = \"\" in the section redis if there is none",
                       redis_why(m->redis));
    return err_set(e, "lists and rules cannot be read from Redis: %s", stored_rules_problem(m->rules));
}

static void on_begin(evutil_socket_t fd, short what, void *ctx)
{
    struct milter *m = ctx;
    struct err e = {""};

    (void)fd;
    (void)what;
    if (libmilter_run(&e) == 0)
        return;
    log_error("start-failed", "reason=%s", e.text);
    daemon_stop(m->daemon);
}

static int read_state(struct milter *m, struct err *e)
{
    static const char *const kinds[] = {"list", "rules", NULL};
    const struct conf *conf = daemon_conf(m->daemon);
    const struct conf_redis redis = conf_redis_for(conf, &conf->milter.redis);
    bool none = conf->redis.url[0] == '\0';
    struct event_base *base = daemon_base(m->daemon);

    m->redis = redis_new(base, &redis, e);
    if (m->redis == NULL)
        return -1;
    m->lists = operator_lists_new(base, &(struct operator_lists_options){.redis = m->redis,
                                                                         .no_redis = none,
                                                                         .file = conf->milter.lists_file,
                                                                         .keeper = true,
                                                                         .fn = on_lists,
                                                                         .replacing = present_replacing,
                                                                         .ctx = m->present});
    present_set_lists(m->present, m->lists);
    if (none)
        return take_rules(m, "", 0, e);
    m->rules = stored_rules_new(
        base,
        &(struct stored_rules_options){.redis = m->redis, .file = conf->milter.rules_file, .fn = take_rules, .ctx = m});
    redis_track(m->redis, kinds, on_changed, m);
    return wait_until_known(m, e);
}

static int milter_run(struct daemon *d, struct err *e)
{
    struct milter *m = daemon_state(d);

    m->conf = &daemon_conf(d)->milter;
    if (read_state(m, e) != 0)
        return -1;
    m->begin = must_have(evtimer_new(daemon_base(d), on_begin, m));
    timer_start(m->begin, 0);
    return 0;
}

/* --- changes, and the end --- */

static int milter_reload(struct daemon *d, struct conf *conf, struct err *e)
{
    struct milter *m = daemon_state(d);
    char *text = must_have(strdup(buf_text(&m->stored)));

    m->conf = &conf->milter;
    if (take_rules(m, text, strlen(text), e) != 0)
        log_error("rules-kept", "why=%s what_to_do=%s", e->text, "mend the configuration, and reload again");
    free(text);
    if (m->rules != NULL)
        stored_rules_told(m->rules);
    return 0;
}

static void on_draining(evutil_socket_t fd, short what, void *ctx)
{
    struct milter *m = ctx;

    (void)fd;
    (void)what;
    if (sessions_busy() == 0)
        daemon_stop(m->daemon);
}

/* Messages that are under way are seen through; sessions that wait for the next one are not waited for. libmilter goes
 * on meanwhile, as it does nothing for open sessions any more when it is to stop. */
static void milter_drain(struct daemon *d)
{
    struct milter *m = daemon_state(d);

    sessions_refuse();
    m->draining = must_have(event_new(daemon_base(d), -1, EV_PERSIST, on_draining, m));
    timer_start(m->draining, DRAIN_MS);
    on_draining(-1, 0, m);
}

static void free_event(struct event *ev)
{
    if (ev != NULL)
        event_free(ev);
}

/* Sessions that are left over have threads of their own, which end with the process: what they use stays. */
static void milter_stop(struct daemon *d)
{
    struct milter *m = daemon_state(d);

    free_event(m->begin);
    free_event(m->draining);
    metrics_server_free(m->metrics);
    redis_free(m->redis);
    stored_rules_free(m->rules);
    buf_clear(&m->stored);
    if (sessions_open() == 0) {
        libmilter_stop();
        present_set_lists(m->present, NULL);
        operator_lists_free(m->lists);
        present_free(m->present);
    }
    libmilter_remove_socket();
    free(m);
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "postern-milter",
        .summary = "flags messages that are to go only over verified TLS",
        .user = milter_user,
        .pid_file = milter_pid_file,
        .start = milter_start,
        .run = milter_run,
        .reload = milter_reload,
        .drain = milter_drain,
        .stop = milter_stop,
    };

    return daemon_main(argc, argv, &hooks);
}
