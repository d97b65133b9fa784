/*
 * report_job_io.c - when what is sent: the days that are open and their domains (report_queue.h), and what is asked for
 * by hand (report_hand_io.h). How it is sent is report_sender_io.c.
 */
#include "report_job_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "counts_io.h"
#include "log.h"
#include "millis.h"
#include "report_hand_io.h"
#include "report_queue.h"
#include "report_schedule.h"
#include "report_sender_io.h"
#include "utc_day.h"

#define TICK_SECONDS   60
#define ROOM_MS        100 /* to the next look whether there is room for those that are due */
#define RELOAD_SECONDS 600 /* counts of a day may still come in, of a node that was away */
#define DAYS_MAX       16  /* more than can be open */

/* What is asked of Redis for the job, which may be gone when the answer comes. */
struct day_request {
    struct report_job *job;
    int32_t day;
};

struct day_load {
    int32_t day;
    int64_t at; /* the last time, 0: never */
    struct day_request *request;
};

struct job_work {
    LIST_ENTRY(job_work) link;
    struct report_job *job;
    struct report_entry *entry;
};

LIST_HEAD(job_works, job_work);

struct report_job {
    struct event_base *base;
    const struct conf *conf;
    struct redis *redis;
    struct report_sender *sender;
    struct report_queue *queue;
    struct report_hands *hands;
    struct event *tick;
    struct event *drained;
    struct day_load load[DAYS_MAX]; /* by day % DAYS_MAX */
    struct job_works works;
    size_t works_count;
    bool draining;
    void (*drain_fn)(void *ctx);
    void *drain_ctx;
};

static void pump(struct report_job *j);

static bool is_silent(const struct report_job *j)
{
    return j->draining || j->conf->tlsrptd.contact[0] == '\0';
}

static void tell_silent(const struct conf *conf)
{
    if (conf->tlsrptd.contact[0] == '\0')
        log_info("reports-off", "why=%s action=%s", "tlsrptd.contact is not set", "nothing is sent");
}

/* ---- drain ---- */

static bool is_idle(const struct report_job *j)
{
    return j->works_count == 0 && report_hands_running(j->hands) == 0 && report_sender_unwritten(j->sender) == 0;
}

static void look_drained(struct report_job *j)
{
    if (j->draining && j->drain_fn != NULL && is_idle(j))
        timer_start(j->drained, 0);
}

static void on_drained(evutil_socket_t fd, short what, void *ctx)
{
    struct report_job *j = ctx;
    void (*fn)(void *ctx) = j->drain_fn;

    (void)fd;
    (void)what;
    if (fn == NULL || !is_idle(j))
        return;
    j->drain_fn = NULL;
    fn(j->drain_ctx);
}

static void on_maybe_idle(void *ctx)
{
    look_drained(ctx);
}

bool report_job_drain(struct report_job *j, void (*fn)(void *ctx), void *ctx)
{
    j->draining = true;
    event_del(j->tick);
    report_sender_drain(j->sender);
    report_hands_drain(j->hands);
    if (is_idle(j))
        return true;
    j->drain_fn = fn;
    j->drain_ctx = ctx;
    return false;
}

/* ---- one domain ---- */

static void on_work_done(void *ctx, int64_t again)
{
    struct job_work *w = ctx;
    struct report_job *j = w->job;

    if (again >= 0)
        report_queue_give_back(j->queue, w->entry, again);
    LIST_REMOVE(w, link);
    free(w);
    j->works_count--;
    pump(j);
    look_drained(j);
}

/* Returns false when Redis is away. */
static bool work_start(struct report_job *j, struct report_entry *entry)
{
    struct job_work *w = must_have(calloc(1, sizeof(*w)));

    w->job = j;
    w->entry = entry;
    if (report_sender_start(j->sender, entry->day, entry->domain, REPORT_BY_ITSELF, NULL, on_work_done, w) != 0) {
        report_queue_give_back(j->queue, entry, report_sender_now(j->sender) + REPORT_AGAIN_SECONDS);
        free(w);
        return false;
    }
    LIST_INSERT_HEAD(&j->works, w, link);
    j->works_count++;
    return true;
}

/* Begin what is due, and sleep until the next is, or the next tick. */
static void pump(struct report_job *j)
{
    int64_t now = report_sender_now(j->sender);
    int64_t wait = TICK_SECONDS;
    int64_t when;
    struct report_entry *entry;

    if (is_silent(j))
        return;
    while (report_sender_has_room(j->sender) && (entry = report_queue_take(j->queue, now)) != NULL)
        if (!work_start(j, entry))
            break;
    when = report_queue_when(j->queue);
    if (when >= 0 && when - now < wait)
        wait = when - now;
    timer_start(j->tick, wait > 0 ? wait * 1000 : ROOM_MS);
}

/* ---- the days ---- */

static void on_domains(void *ctx, const char *const *domain, size_t count, const char *why)
{
    struct day_request *request = ctx;
    struct report_job *j = request->job;
    struct day_load *load;

    if (j != NULL) {
        load = &j->load[request->day % DAYS_MAX];
        load->request = NULL;
        if (why != NULL)
            load->at = 0;
        else if (report_queue_add(j->queue, request->day, domain, count, j->conf->tlsrptd.contact,
                                  j->conf->tlsrptd.report_delay) != 0)
            log_oom();
        pump(j);
    }
    free(request);
}

static void day_load(struct report_job *j, int32_t day, int64_t now)
{
    struct day_load *load = &j->load[day % DAYS_MAX];

    if (load->request != NULL ||
        (load->day == day && load->at != 0 && now - load->at < RELOAD_SECONDS && now >= load->at))
        return;
    load->day = day;
    load->at = now;
    load->request = must_have(calloc(1, sizeof(*load->request)));
    *load->request = (struct day_request){.job = j, .day = day};
    if (counts_domains(j->redis, day, on_domains, load->request) != 0) {
        free(load->request);
        load->request = NULL;
        load->at = 0;
    }
}

/* The oldest day whose entries are still in use. */
static int32_t oldest_in_use(const struct report_job *j, int32_t oldest)
{
    const struct job_work *w;

    LIST_FOREACH(w, &j->works, link)
    if (w->entry->day < oldest)
        oldest = w->entry->day;
    return oldest;
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct report_job *j = ctx;
    const struct conf_tlsrptd *conf = &j->conf->tlsrptd;
    int64_t now = report_sender_now(j->sender);
    int32_t day = utc_day(now) - 1;

    (void)fd;
    (void)what;
    timer_start(j->tick, (int64_t)TICK_SECONDS * 1000);
    if (is_silent(j))
        return;
    for (int n = 0; n < DAYS_MAX && day >= 0 && now < report_day_closes(day, conf->report_delay, conf->report_retry);
         n++, day--)
        if (report_day_is_open(day, now, conf->report_delay, conf->report_retry))
            day_load(j, day, now);
    report_queue_forget(j->queue, oldest_in_use(j, day + 1));
    pump(j);
}

/* ---- all of it ---- */

struct report_job *report_job_new(struct event_base *base, const struct conf *conf, struct redis *redis, struct err *e)
{
    struct report_sender *sender = report_sender_new(base, conf, redis, e);
    struct report_job *j;

    if (sender == NULL)
        return NULL;
    j = must_have(calloc(1, sizeof(*j)));
    j->base = base;
    j->conf = conf;
    j->redis = redis;
    j->sender = sender;
    LIST_INIT(&j->works);
    j->queue = must_have(report_queue_new());
    j->hands = report_hands_new(redis, sender, on_maybe_idle, j);
    j->tick = must_have(evtimer_new(base, on_tick, j));
    j->drained = must_have(evtimer_new(base, on_drained, j));
    report_sender_when_written(sender, on_maybe_idle, j);
    tell_silent(conf);
    timer_start(j->tick, 0);
    return j;
}

int report_job_configure(struct report_job *j, const struct conf *conf, struct err *e)
{
    if (report_sender_configure(j->sender, conf, e) != 0)
        return -1;
    j->conf = conf;
    report_queue_spread(j->queue, conf->tlsrptd.contact, conf->tlsrptd.report_delay);
    tell_silent(conf);
    if (!j->draining)
        timer_start(j->tick, 0);
    return 0;
}

void report_job_free(struct report_job *j)
{
    struct job_work *w;

    if (j == NULL)
        return;
    report_hands_free(j->hands);
    report_sender_free(j->sender);
    while ((w = LIST_FIRST(&j->works)) != NULL) {
        LIST_REMOVE(w, link);
        free(w);
    }
    for (size_t i = 0; i < DAYS_MAX; i++)
        if (j->load[i].request != NULL)
            j->load[i].request->job = NULL;
    report_queue_free(j->queue);
    event_free(j->tick);
    event_free(j->drained);
    free(j);
}

int report_job_send(struct report_job *j, int32_t day, const char *domain, bool again, report_sent_fn *fn, void *ctx,
                    struct err *e)
{
    if (j->draining)
        return err_set(e, "tlsrptd is about to end");
    if (j->conf->tlsrptd.contact[0] == '\0')
        return err_set(e, "no reports are sent, as tlsrptd.contact is not set in the configuration");
    if (report_sender_now(j->sender) < utc_day_begins(day + 1))
        return err_set(e, "that day is not over yet; a report is of a whole day (UTC)");
    return report_hands_start(j->hands, day, domain, again ? REPORT_AGAIN : REPORT_BY_HAND, fn, ctx, e);
}

struct report_job_stats report_job_stats(const struct report_job *j)
{
    struct report_job_stats stats = report_sender_stats(j->sender);

    stats.waiting = report_queue_waiting(j->queue);
    return stats;
}
