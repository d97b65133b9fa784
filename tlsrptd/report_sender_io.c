/* report_sender_io.c - what all works share: settings, places, numbers. The works themselves are report_work_io.c. */
#include "report_sender_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "report_work_io.h"

static const size_t places[REPORT_WAYS] = {REPORT_MAILS_MAX, REPORT_POSTS_MAX};

int report_sender_configure(struct report_sender *s, const struct conf *conf, struct err *e)
{
    struct report_identity *identity = must_have(calloc(1, sizeof(*identity)));

    if (report_authorities_check(conf->tlsrptd.ca_file, e) != 0 ||
        report_identity_read(identity, &conf->tlsrptd, e) != 0) {
        free(identity);
        return -1;
    }
    if (s->identity != NULL) {
        report_identity_clear(s->identity);
        free(s->identity);
    }
    s->identity = identity;
    s->conf = conf;
    return 0;
}

struct report_sender *report_sender_new(struct event_base *base, const struct conf *conf, struct redis *redis,
                                        struct err *e)
{
    struct report_sender *s = must_have(calloc(1, sizeof(*s)));

    s->base = base;
    s->redis = redis;
    TAILQ_INIT(&s->works);
    for (size_t i = 0; i < REPORT_WAYS; i++)
        TAILQ_INIT(&s->waiting[i]);
    s->states = report_states_new(base, redis);
    s->records = report_records_new(base, conf->tlsrptd.stsd, e);
    if (s->records != NULL && report_sender_configure(s, conf, e) == 0)
        s->loop = curl_loop_new(base, e);
    if (s->loop != NULL)
        return s;
    report_sender_free(s);
    return NULL;
}

void report_sender_free(struct report_sender *s)
{
    struct report_work *w;

    if (s == NULL)
        return;
    while ((w = TAILQ_FIRST(&s->works)) != NULL)
        report_work_free(w);
    report_states_free(s->states);
    report_records_free(s->records);
    curl_loop_free(s->loop);
    if (s->identity != NULL)
        report_identity_clear(s->identity);
    free(s->identity);
    free(s);
}

int64_t report_sender_now(const struct report_sender *s)
{
    return now_seconds() + s->conf->tlsrptd.clock_offset;
}

static struct report_work *waiting_take(struct report_sender *s, enum report_way way)
{
    struct report_work *w = TAILQ_FIRST(&s->waiting[way]);

    if (w != NULL) {
        TAILQ_REMOVE(&s->waiting[way], w, wait);
        s->waiting_count[way]--;
        w->waits = false;
    }
    return w;
}

bool report_sender_has_place(const struct report_sender *s, enum report_way way)
{
    return s->leaving[way] < places[way];
}

bool report_sender_has_room(const struct report_sender *s)
{
    return s->works_count - s->waiting_count[REPORT_WAY_POST] < REPORT_WORKS_MAX;
}

void report_sender_places(struct report_sender *s)
{
    struct report_work *w;

    for (enum report_way way = 0; way < REPORT_WAYS; way++) {
        while (report_sender_has_place(s, way) && (w = waiting_take(s, way)) != NULL) {
            s->leaving[way]++;
            report_work_go_on(w, true);
        }
    }
}

void report_sender_drain(struct report_sender *s)
{
    struct report_work *w;

    s->draining = true;
    for (w = TAILQ_FIRST(&s->works); w != NULL; w = TAILQ_NEXT(w, link))
        report_work_stop(w);
    for (enum report_way way = 0; way < REPORT_WAYS; way++)
        while ((w = waiting_take(s, way)) != NULL)
            report_work_go_on(w, false);
}

int report_sender_start(struct report_sender *s, int32_t day, const char *domain, enum report_claim_how how,
                        report_sent_fn *row, report_work_done_fn *done, void *ctx)
{
    struct report_work *w = must_have(calloc(1, sizeof(*w)));

    w->sender = s;
    w->day = day;
    (void)snprintf(w->domain, sizeof(w->domain), "%s", domain);
    w->how = how;
    w->again = -1;
    w->row = row;
    w->done = done;
    w->ctx = ctx;
    TAILQ_INSERT_TAIL(&s->works, w, link);
    s->works_count++;
    return report_work_start(w);
}

size_t report_sender_unwritten(const struct report_sender *s)
{
    return report_states_waiting(s->states);
}

void report_sender_when_written(struct report_sender *s, void (*fn)(void *ctx), void *ctx)
{
    report_states_when_written(s->states, fn, ctx);
}

struct report_job_stats report_sender_stats(const struct report_sender *s)
{
    return s->stats;
}
