/* report_work_io.c - see report_work_io.h: counts → plan → record of now; for each destination: place → claim →
 * report_out_io.c. */
#include "report_work_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "millis.h"
#include "report_schedule.h"
#include "tlsrpt_record.h"
#include "utc_day.h"

#define PLAN_MAX            ((size_t)COUNTS_POLICIES_MAX * TLSRPT_RUA_MAX) /* before the record of now is known */
#define PLACE_AGAIN         300                                            /* seconds, when too many wait for a place */
#define RECORD_AGAIN        600  /* seconds, when stsd cannot tell the record */
#define RECORD_AGAIN_ABSENT 3600 /* when there is none, as DNS may be wrong for a while */

static void next_destination(struct report_work *w);

static enum report_way way(const struct report_work *w)
{
    return report_work_destination(w)->kind == RUA_MAILTO ? REPORT_WAY_MAIL : REPORT_WAY_POST;
}

void report_work_again(struct report_work *w, int64_t at)
{
    if (w->again < 0 || at < w->again)
        w->again = at;
}

static void give_place(struct report_work *w)
{
    if (w->has_place) {
        w->has_place = false;
        w->sender->leaving[way(w)]--;
    }
}

void report_work_free(struct report_work *w)
{
    struct report_sender *s = w->sender;

    TAILQ_REMOVE(&s->works, w, link);
    s->works_count--;
    if (w->waits) {
        TAILQ_REMOVE(&s->waiting[way(w)], w, wait);
        s->waiting_count[way(w)]--;
    }
    give_place(w);
    if (w->request != NULL)
        w->request->work = NULL;
    if (w->asked != NULL)
        report_record_cancel(w->asked);
    if (w->mail != NULL)
        mail_out_cancel(w->mail);
    if (w->post != NULL)
        post_out_cancel(w->post);
    if (w->ended != NULL)
        event_free(w->ended);
    if (w->report_record != NULL)
        report_clear(&w->report);
    buf_clear(&w->message);
    report_plan_clear(&w->plan);
    free(w);
}

static void work_end(struct report_work *w)
{
    struct report_sender *s = w->sender;
    report_work_done_fn *done = w->done;
    void *ctx = w->ctx;
    int64_t again = w->again;

    report_work_free(w);
    report_sender_places(s);
    done(ctx, again);
}

static void tell_row(const struct report_work *w, const char *uri, enum report_stage stage, const char *why)
{
    struct report_sent row = {
        .domain = w->domain, .destination = uri, .state = report_stage_name(stage), .why = why != NULL ? why : ""};

    if (w->row != NULL)
        w->row(w->ctx, &row);
}

void report_work_leave(struct report_work *w, enum report_stage stage, const char *why)
{
    struct report_sender *s = w->sender;

    tell_row(w, report_work_destination(w)->uri, stage, why);
    give_place(w);
    w->at++;
    next_destination(w);
    report_sender_places(s);
}

/* ---- counts ---- */

struct report_work *report_work_answered(struct counts_request *request)
{
    struct report_work *w = request->work;

    free(request);
    if (w != NULL)
        w->request = NULL;
    return w;
}

int report_work_ask(struct report_work *w, counts_fn *fn)
{
    w->request = must_have(calloc(1, sizeof(*w->request)));
    w->request->work = w;
    if (counts_get(w->sender->redis, w->day, w->domain, fn, w->request) == 0)
        return 0;
    free(w->request);
    w->request = NULL;
    return -1;
}

/* ---- may it be sent? ---- */

static void note_unknown(struct report_work *w)
{
    char day[UTC_DAY_BUF], command[400];

    utc_day_text(day, w->day);
    (void)snprintf(command, sizeof(command), "posternctl report send --day %s --domain %s --again", day, w->domain);
    w->sender->stats.unknown++;
    log_warning("report-unknown", "day=%s domain=%s destination=%s why=%s action=%s to_send_again=%s", day, w->domain,
                report_work_destination(w)->uri, w->ticket.state.why,
                "it may have been sent, and is not sent again by itself", command);
}

static void on_claimed(void *ctx, enum report_verdict verdict, const char *why)
{
    struct report_work *w = ctx;

    if (why != NULL) {
        report_work_again(w, report_sender_now(w->sender) + REPORT_AGAIN_SECONDS);
        report_work_leave(w, REPORT_NONE, why);
        return;
    }
    switch (verdict) {
    case REPORT_TAKEN:
        report_out_start(w);
        return;
    case REPORT_EXPIRED:
        note_unknown(w);
        break;
    case REPORT_LATER:
        report_work_again(w, w->ticket.state.next);
        break;
    case REPORT_OVER:
        break;
    }
    report_work_leave(w, w->ticket.state.stage, w->ticket.state.why);
}

static void claim(struct report_work *w)
{
    const struct conf_tlsrptd *conf = &w->sender->conf->tlsrptd;
    int64_t now = report_sender_now(w->sender);
    int64_t keep = report_day_closes(w->day, conf->report_delay, conf->report_retry) - now;

    memset(&w->ticket, 0, sizeof(w->ticket));
    w->ticket.day = w->day;
    (void)snprintf(w->ticket.domain, sizeof(w->ticket.domain), "%s", w->domain);
    report_state_field(w->ticket.field, report_work_destination(w)->uri, report_work_destination(w)->record);
    w->ticket.keep = (keep > 0 ? keep : 0) + UTC_DAY_SECONDS + conf->keep;
    report_states_claim(w->sender->states, &w->ticket, w->how, now, on_claimed, w);
}

void report_work_go_on(struct report_work *w, bool place)
{
    w->has_place = place;
    if (place) {
        claim(w);
    } else {
        report_work_again(w, report_sender_now(w->sender));
        w->at = w->plan.count;
        next_destination(w);
    }
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    work_end(ctx);
}

/* From the loop: whoever called is done with it by then. */
static void end_soon(struct report_work *w)
{
    w->ended = must_have(evtimer_new(w->sender->base, on_ended, w));
    timer_start(w->ended, 0);
}

static void next_destination(struct report_work *w)
{
    struct report_sender *s = w->sender;

    if (w->at < w->plan.count && s->draining) {
        report_work_again(w, report_sender_now(w->sender));
    } else if (w->at < w->plan.count) {
        enum report_way by = way(w);

        if (report_sender_has_place(s, by)) {
            s->leaving[by]++;
            report_work_go_on(w, true);
            return;
        }
        if (by == REPORT_WAY_POST && s->waiting_count[by] >= REPORT_WAITING_MAX) {
            report_work_again(w, report_sender_now(s) + PLACE_AGAIN);
            report_work_leave(w, REPORT_NONE, "too many reports wait to be sent by HTTPS");
            return;
        }
        TAILQ_INSERT_TAIL(&s->waiting[by], w, wait);
        s->waiting_count[by]++;
        w->waits = true;
        return;
    }
    end_soon(w);
}

/* ---- where do they go? ---- */

/* Nothing of it can leave now. */
static void plan_drop(struct report_work *w, int64_t wait, const char *why)
{
    report_work_again(w, report_sender_now(w->sender) + wait);
    for (size_t i = 0; i < w->plan.count; i++)
        tell_row(w, w->plan.destination[i].uri, REPORT_NONE, why);
    report_plan_clear(&w->plan);
    next_destination(w);
}

static void on_record(void *ctx, const char *record, const char *why)
{
    struct report_work *w = ctx;
    unsigned left_out;
    size_t dropped;

    w->asked = NULL;
    if (record == NULL) {
        if (log_allowed(&w->sender->waits_log, now_ms() / 60000, &left_out)) /* so many a minute */
            log_warning("report-waits", "domain=%s why=%s again_in=%d left_out=%u", w->domain, why, RECORD_AGAIN,
                        left_out);
        plan_drop(w, RECORD_AGAIN, "the TLSRPT record of the domain cannot be looked up now");
        return;
    }
    if (record[0] == '\0') {
        plan_drop(w, RECORD_AGAIN_ABSENT, "the domain has no TLSRPT record now");
        return;
    }
    dropped = report_plan_confirm(&w->plan, record, REPORT_DESTINATIONS_MAX);
    if (dropped > 0) {
        log_info("report-unwanted", "domain=%s destinations=%zu action=%s", w->domain, dropped,
                 "not sent, as the TLSRPT record of the domain does not name them now");
        tell_row(w, "", REPORT_NONE, "the TLSRPT record of the domain does not name all destinations now");
    }
    if (w->plan.left_out > 0)
        log_warning("report-destinations", "domain=%s left_out=%zu action=%s", w->domain, w->plan.left_out,
                    "its record changed too often that day; the first ones get a report");
    next_destination(w);
}

void report_work_stop(struct report_work *w)
{
    if (w->asked == NULL)
        return;
    report_record_cancel(w->asked);
    w->asked = NULL;
    next_destination(w);
}

static void on_counts_for_plan(void *ctx, const struct counts *c, const char *why)
{
    struct report_work *w = report_work_answered(ctx);
    struct err e = {""};

    if (w == NULL)
        return;
    if (c == NULL) {
        report_work_again(w, report_sender_now(w->sender) + REPORT_AGAIN_SECONDS);
        tell_row(w, "", REPORT_NONE, why);
    } else if (report_plan_make(&w->plan, c, w->sender->conf->tlsrptd.report_success, PLAN_MAX, &e) != 0) {
        log_oom();
    } else if (w->plan.count == 0) {
        log_debug("report-none", "domain=%s why=%s", w->domain, e.text);
        tell_row(w, "", REPORT_NONE, e.text);
    }
    if (w->plan.count > 0 && !w->sender->draining)
        w->asked = report_record_ask(w->sender->records, w->domain, on_record, w);
    else
        next_destination(w);
}

int report_work_start(struct report_work *w)
{
    if (report_work_ask(w, on_counts_for_plan) == 0)
        return 0;
    report_work_free(w);
    return -1;
}
