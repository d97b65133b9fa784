/*
 * main.c - postern-tlsrptd: hears what became of TLS, counts it, and sends the daily reports. What comes in:
 * datagram_io (Postfix 3.10 and later), log_source_io and maillog (Postfix's log), exim_io, door_io (our own daemons).
 * attempts_io finds out what a log line means, collector_io counts, fallback_feed_io tells failures to the fallback
 * decision, report_job_io sends.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt_judge.h"
#include "attempts_io.h"
#include "clock.h"
#include "collector_io.h"
#include "counters.h"
#include "daemon.h"
#include "datagram_io.h"
#include "door_io.h"
#include "exim_io.h"
#include "fallback_feed_io.h"
#include "log.h"
#include "log_source_io.h"
#include "maillog.h"
#include "millis.h"
#include "report_job_io.h"
#include "report_settings_io.h"
#include "utc_day.h"

#define BAD_DATAGRAM   "unreadable-datagram" /* in the spool: the first that could not be read */
#define SOURCE_LOG     "log"                 /* the source whose position the collector saves */
#define LOG_REST_MS    5000
#define DRAIN_LOOK_MS  20
#define DRAIN_EXIM_MS  (EXIM_LINE_MS + 500) /* and for what Exim has told, or is about to, and no log has */
#define DRAIN_REDIS_MS 2000                 /* longest wait for Redis at the end: what is in the spool is safe */

struct tlsrptd {
    struct daemon *daemon;
    int64_t clock_offset;
    struct datagrams *datagrams;
    struct exim_door *exim;
    struct door *door;
    struct metrics_server *metrics;
    struct redis *redis;
    struct collector *collector;
    struct fallback_feed *feed;
    struct attempts *attempts;
    struct maillog *maillog;
    struct log_source *log;
    struct event *log_rest;
    struct report_job *job;
    struct failing failing;
    bool drained;           /* one of the two that are waited for at the end is done */
    struct event *answered; /* then: until answers are on their way */
    struct event *exim_rest;
    int64_t exim_until; /* of now_ms */
};

static const char *tlsrptd_user(const struct conf *conf)
{
    return conf->tlsrptd.user;
}

static const char *tlsrptd_pid_file(const struct conf *conf)
{
    return conf->tlsrptd.pid_file;
}

static bool tlsrptd_runs_others(const struct conf *conf)
{
    return strncmp(conf->tlsrptd.mail, "sendmail:", strlen("sendmail:")) == 0;
}

static int64_t now_here(const struct tlsrptd *t)
{
    return now_seconds() + t->clock_offset;
}

static void update_collected(const struct tlsrptd *t, struct metric *m)
{
    struct collector_stats c = collector_stats(t->collector);
    struct fallback_feed_stats f = fallback_feed_stats(t->feed);
    struct report_job_stats r = report_job_stats(t->job);

    m[COUNT_EVENTS].value = c.events;
    m[COUNT_EVENTS_LOST].value = c.lost;
    m[COUNT_BATCHES].value = c.batches;
    m[COUNT_SPOOL_FAILURES].value = c.spool_failures;
    m[COUNT_SPOOL_UNREADABLE].value = c.unreadable;
    m[GAUGE_SPOOLED].value = c.spooled;
    m[GAUGE_SPOOL_OCTETS].value = c.spooled_octets;
    m[COUNT_FALLBACK_TOLD].value = f.told;
    m[COUNT_FALLBACK_LOST].value = f.lost;
    m[GAUGE_FALLBACK].value = f.waiting;
    m[COUNT_REPORTS_SENT].value = r.sent;
    m[COUNT_REPORTS_FAILED].value = r.failed;
    m[COUNT_REPORTS_GIVEN_UP].value = r.given_up;
    m[COUNT_REPORTS_UNKNOWN].value = r.unknown;
    m[GAUGE_REPORTS].value = r.waiting;
    m[GAUGE_REPORT_SENT].value = (uint64_t)r.last_sent;
    m[GAUGE_SPOOL_LIMIT].value = (uint64_t)daemon_conf(t->daemon)->tlsrptd.spool_octets;
}

static void update_heard(const struct tlsrptd *t, struct metric *m)
{
    if (t->datagrams != NULL) {
        struct datagrams_stats d = datagrams_stats(t->datagrams);

        m[COUNT_DATAGRAMS].value = d.received;
        m[COUNT_DATAGRAMS_UNREADABLE].value = d.unreadable;
        m[COUNT_DATAGRAMS_DROPPED].value = d.dropped;
    }
    if (t->log != NULL) {
        struct log_source_stats l = log_source_stats(t->log);

        m[COUNT_LOG_LINES].value = l.lines;
        m[COUNT_LOG_OCTETS].value = l.octets;
        m[COUNT_LOG_LOST].value = l.lost;
        m[GAUGE_LOG_READ].value = (uint64_t)l.all_read;
        m[GAUGE_LOG_FOLLOWED].value = 1;
    }
    if (t->exim != NULL) {
        struct exim_door_stats x = exim_door_stats(t->exim);

        m[COUNT_EXIM].value = x.lines;
        m[COUNT_EXIM_UNREADABLE].value = x.unreadable;
        m[COUNT_EXIM_REFUSED].value = x.refused;
    }
    m[COUNT_ATTEMPTS].value = attempts_stats(t->attempts).attempts;
    m[GAUGE_ATTEMPTS].value = attempts_waiting(t->attempts);
    m[GAUGE_REDIS_CONFIGURED].value = strcmp(redis_state(t->redis), "none") != 0;
    m[GAUGE_REDIS_UP].value = redis_up(t->redis) ? 1 : 0;
}

static void update_numbers(void *ctx)
{
    const struct tlsrptd *t = ctx;

    if (t->job == NULL)
        return;
    update_collected(t, tlsrptd_counters);
    update_heard(t, tlsrptd_counters);
}

/* An event as it was told. What it means for fallback is known when it names a host. */
static bool count_event(struct tlsrptd *t, const struct tlsrpt_event *event, int64_t at, enum session_source source)
{
    enum fallback_event outcome;
    const char *host;

    if (collector_count(t->collector, utc_day(at), event) != 0)
        return false;
    count_session(source, event);
    if (tlsrpt_event_fallback(&outcome, &host, event) && host[0] != '\0')
        fallback_feed_add(t->feed, event->domain, host, outcome, at);
    return true;
}

static bool on_event(void *ctx, const struct tlsrpt_event *event)
{
    struct tlsrptd *t = ctx;

    return count_event(t, event, now_here(t), SESSION_CALL);
}

static bool on_datagram(void *ctx, const struct tlsrpt_event *event)
{
    struct tlsrptd *t = ctx;

    return count_event(t, event, datagrams_at(t->datagrams) + t->clock_offset, SESSION_DATAGRAM);
}

static void when_safe(void *ctx, void (*fn)(void *answer, bool safe), void *answer)
{
    const struct tlsrptd *t = ctx;

    collector_when_safe(t->collector, fn, answer);
}

/* A time to come is of a clock that was wrong, or of somebody who wrote into the log: then it was now. */
static void on_attempt(void *ctx, const struct tls_attempt *attempt)
{
    struct tlsrptd *t = ctx;
    struct tls_attempt a = *attempt;

    if (a.at > now_here(t))
        a.at = now_here(t);
    attempts_add(t->attempts, &a);
}

static void on_seen_attempt(void *ctx, const struct tls_attempt *attempt)
{
    (void)ctx;
    (void)attempt;
}

static bool on_log_entry(void *ctx, const struct maillog_entry *entry, bool seen, const char *position)
{
    struct tlsrptd *t = ctx;

    tlsrptd_counters[GAUGE_LOG_ENTRY].value = (uint64_t)entry->at;
    maillog_add(t->maillog, entry, seen ? on_seen_attempt : on_attempt, t);
    if (!seen)
        attempts_position(t->attempts, SOURCE_LOG, position);
    return !attempts_full(t->attempts);
}

/* It is to be found again after it was rotated, also when it has no lines that matter, or none yet. */
static void save_log_position(struct tlsrptd *t)
{
    if (attempts_waiting(t->attempts) == 0)
        attempts_position(t->attempts, SOURCE_LOG, log_source_position(t->log));
}

static void on_log_rest(evutil_socket_t fd, short what, void *ctx)
{
    struct tlsrptd *t = ctx;

    (void)fd;
    (void)what;
    if (t->log != NULL)
        save_log_position(t);
}

static void on_room(void *ctx)
{
    struct tlsrptd *t = ctx;

    if (t->log != NULL)
        log_source_resume(t->log);
}

static int open_doors(struct tlsrptd *t, const struct conf_tlsrptd *conf, struct err *e)
{
    struct event_base *base = daemon_base(t->daemon);
    unsigned mode = (unsigned)conf->socket_mode;
    char bad[PATH_MAX];

    (void)snprintf(bad, sizeof(bad), "%s/%s", conf->spool, BAD_DATAGRAM);
    if (conf->datagrams[0] != '\0' &&
        (t->datagrams =
             datagrams_open(base, conf->datagrams, mode, (size_t)conf->memory_octets, bad, on_datagram, t, e)) == NULL)
        return -1;
    if (conf->exim[0] != '\0' && (t->exim = exim_door_open(base, conf->exim, mode, e)) == NULL)
        return -1;
    t->door = door_open(base, conf->listen, e);
    return t->door == NULL ? -1 : 0;
}

static int tlsrptd_start(struct daemon *d, struct err *e)
{
    const struct conf_tlsrptd *conf = &daemon_conf(d)->tlsrptd;
    struct tlsrptd *t = must_have(calloc(1, sizeof(*t)));

    t->daemon = d;
    t->clock_offset = conf->clock_offset;
    daemon_set_state(d, t);
    if (open_doors(t, conf, e) != 0)
        return -1;
    if (conf->metrics_listen[0] == '\0')
        return 0;
    t->metrics =
        metrics_serve(daemon_base(d), conf->metrics_listen, tlsrptd_counters, COUNTERS, 1, update_numbers, t, e);
    return t->metrics == NULL ? -1 : 0;
}

/* What events go through, from the end to the beginning. */
static int open_counting(struct tlsrptd *t, const struct conf *conf, struct err *e)
{
    const struct conf_redis redis = conf_redis_for(conf, &conf->tlsrptd.redis);
    const struct conf_tlsrptd *c = &conf->tlsrptd;
    struct event_base *base = daemon_base(t->daemon);
    const struct collector_options options = {.spool = c->spool,
                                              .spool_max = c->spool_octets,
                                              .commit_ms = c->commit_ms,
                                              .commit_events = c->commit_events,
                                              .keep = c->keep,
                                              .failing = &t->failing};

    if ((t->redis = redis_new(base, &redis, e)) == NULL ||
        (t->collector = collector_new(base, t->redis, &options, e)) == NULL)
        return -1;
    t->feed = fallback_feed_new(base, t->redis);
    fallback_feed_watch(t->feed, &t->failing);
    t->attempts = attempts_new(base, c->stsd, c->policyd, c->log_counts, t->collector, t->feed, on_room, t, e);
    return t->attempts == NULL ? -1 : 0;
}

static int open_log(struct tlsrptd *t, const struct conf_tlsrptd *conf, struct err *e)
{
    const char *from = conf->from[0] == '\0' ? conf->contact : conf->from;

    if (conf->log[0] == '\0')
        return 0;
    t->maillog = must_have(maillog_new(conf->log_name, from));
    t->log = log_source_open(daemon_base(t->daemon), conf->log, collector_saved(t->collector, SOURCE_LOG),
                             t->clock_offset, on_log_entry, t, e);
    if (t->log == NULL)
        return -1;
    save_log_position(t);
    t->log_rest = must_have(event_new(daemon_base(t->daemon), -1, EV_PERSIST, on_log_rest, t));
    timer_start(t->log_rest, LOG_REST_MS);
    return 0;
}

static int tlsrptd_run(struct daemon *d, struct err *e)
{
    static const struct door_hooks hooks = {.event = on_event, .when_safe = when_safe, .update = update_numbers};
    const struct conf *conf = daemon_conf(d);
    struct tlsrptd *t = daemon_state(d);

    if (open_counting(t, conf, e) != 0)
        return -1;
    t->job = report_job_new(daemon_base(d), conf, t->redis, e);
    if (t->job == NULL || open_log(t, &conf->tlsrptd, e) != 0)
        return -1;
    if (t->datagrams != NULL && datagrams_run(t->datagrams, e) != 0)
        return -1;
    if (t->exim != NULL)
        exim_door_run(t->exim, t->attempts, t->clock_offset);
    door_run(t->door, &hooks, t, t->job, t->redis, &t->failing);
    return 0;
}

static int tlsrptd_check(const struct conf *conf, struct err *e)
{
    return report_settings_check(&conf->tlsrptd, e);
}

static int tlsrptd_reload(struct daemon *d, struct conf *conf, struct err *e)
{
    struct tlsrptd *t = daemon_state(d);

    return report_job_configure(t->job, conf, e);
}

/* Who has no answer tells the same again, and it would count twice. */
static void on_answered_look(evutil_socket_t fd, short what, void *ctx)
{
    const struct tlsrptd *t = ctx;

    (void)fd;
    (void)what;
    if (door_outstanding(t->door) == 0)
        daemon_stop(t->daemon);
}

static void on_end(void *ctx)
{
    struct tlsrptd *t = ctx;

    if (t->drained)
        timer_start(t->answered, DRAIN_LOOK_MS);
    t->drained = true;
}

static bool exim_rests(const struct tlsrptd *t)
{
    return t->exim == NULL || (exim_door_callers(t->exim) == 0 && attempts_of_exim(t->attempts) == 0);
}

static void drain_collector(struct tlsrptd *t)
{
    size_t lost = t->exim != NULL ? attempts_of_exim(t->attempts) : 0;

    if (lost > 0)
        log_warning("exim-attempts-lost", "count=%zu why=%s", lost, "the facts of their domains did not come in time");
    exim_door_close(t->exim);
    t->exim = NULL;
    collector_drain(t->collector, DRAIN_REDIS_MS, on_end, t);
}

static void on_exim_look(evutil_socket_t fd, short what, void *ctx)
{
    struct tlsrptd *t = ctx;

    (void)fd;
    (void)what;
    if (exim_rests(t) || now_ms() >= t->exim_until)
        drain_collector(t);
    else
        timer_start(t->exim_rest, DRAIN_LOOK_MS);
}

/*
 * Nothing more is let in. Attempts of the log that wait for facts are not waited for: the position of the log that is
 * saved is before them.
 */
static void tlsrptd_drain(struct daemon *d)
{
    struct tlsrptd *t = daemon_state(d);

    if (t->datagrams != NULL)
        datagrams_drain(t->datagrams);
    log_source_close(t->log);
    t->log = NULL;
    if (t->exim != NULL)
        exim_door_drain(t->exim);
    door_drain(t->door);
    t->answered = must_have(event_new(daemon_base(d), -1, EV_PERSIST, on_answered_look, t));
    if (report_job_drain(t->job, on_end, t))
        on_end(t);
    t->exim_until = now_ms() + DRAIN_EXIM_MS;
    t->exim_rest = must_have(evtimer_new(daemon_base(d), on_exim_look, t));
    on_exim_look(-1, 0, t);
}

static void tlsrptd_stop(struct daemon *d)
{
    struct tlsrptd *t = daemon_state(d);

    if (t == NULL)
        return;
    metrics_server_free(t->metrics);
    datagrams_close(t->datagrams);
    log_source_close(t->log);
    if (t->log_rest != NULL)
        event_free(t->log_rest);
    if (t->exim_rest != NULL)
        event_free(t->exim_rest);
    if (t->answered != NULL)
        event_free(t->answered);
    exim_door_close(t->exim);
    door_close(t->door);
    report_job_free(t->job);
    attempts_free(t->attempts);
    maillog_free(t->maillog);
    fallback_feed_free(t->feed);
    collector_free(t->collector);
    redis_free(t->redis);
    free(t);
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "postern-tlsrptd",
        .summary = "counts what becomes of TLS, and sends the daily reports (RFC 8460)",
        .user = tlsrptd_user,
        .pid_file = tlsrptd_pid_file,
        .runs_others = tlsrptd_runs_others,
        .check = tlsrptd_check,
        .start = tlsrptd_start,
        .run = tlsrptd_run,
        .reload = tlsrptd_reload,
        .drain = tlsrptd_drain,
        .stop = tlsrptd_stop,
    };

    return daemon_main(argc, argv, &hooks);
}
