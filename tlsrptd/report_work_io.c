/* report_work_io.c - see report_work_io.h. counts → plan; for each destination: place → claim → (counts → report) →
 * "sending" → mail or POST → outcome. */
#include "report_work_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "counts_io.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "report_mail.h"
#include "report_schedule.h"
#include "utc_day.h"

#define USER_AGENT    "postern-tlsrptd"
#define UNIQUE_OCTETS 16

static void next_destination(struct report_work *w);

static const struct report_destination *destination(const struct report_work *w)
{
    return &w->plan.destination[w->at];
}

static enum report_way way(const struct report_work *w)
{
    return destination(w)->kind == RUA_MAILTO ? REPORT_WAY_MAIL : REPORT_WAY_POST;
}

static int64_t clock_now(const struct report_work *w)
{
    return report_sender_now(w->sender);
}

static void again_at(struct report_work *w, int64_t at)
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

/* This destination is finished for now. */
static void leave_destination(struct report_work *w, enum report_stage stage, const char *why)
{
    struct report_sender *s = w->sender;

    tell_row(w, destination(w)->uri, stage, why);
    give_place(w);
    w->at++;
    next_destination(w);
    report_sender_places(s);
}

/* ---- it has left, or not ---- */

static void note_sent(struct report_work *w)
{
    w->sender->stats.sent++;
    log_info("report_sent", "domain=%s destination=%s report=%s tries=%u", w->domain, destination(w)->uri,
             w->report_record != NULL ? w->report.id : "-", w->ticket.state.tries);
    report_states_end(w->sender->states, &w->ticket, REPORT_SENT, 0, NULL, clock_now(w));
    leave_destination(w, REPORT_SENT, NULL);
}

static void note_given_up(struct report_work *w, const char *why)
{
    char day[UTC_DAY_BUF];

    utc_day_text(day, w->day);
    w->sender->stats.given_up++;
    log_warning("report_given_up", "day=%s domain=%s destination=%s tries=%u why=%s", day, w->domain,
                destination(w)->uri, w->ticket.state.tries, why);
    report_states_end(w->sender->states, &w->ticket, REPORT_GIVEN_UP, 0, why, clock_now(w));
    leave_destination(w, REPORT_GIVEN_UP, why);
}

static void note_failed(struct report_work *w, const char *why)
{
    const struct conf_tlsrptd *conf = &w->sender->conf->tlsrptd;
    struct report_state *state = &w->ticket.state;
    int64_t now = clock_now(w);
    int64_t next = report_next_try(w->day, w->domain, state->tries, state->first, now, conf->report_retry,
                                   report_day_closes(w->day, conf->report_delay, conf->report_retry));
    char day[UTC_DAY_BUF];

    if (next == 0) {
        note_given_up(w, why);
        return;
    }
    utc_day_text(day, w->day);
    w->sender->stats.failed++;
    log_warning("report_failed", "day=%s domain=%s destination=%s tries=%u again_in=%lld why=%s", day, w->domain,
                destination(w)->uri, state->tries, (long long)(next - now), why);
    again_at(w, next);
    report_states_end(w->sender->states, &w->ticket, REPORT_FAILED, next, why, now);
    leave_destination(w, REPORT_FAILED, why);
}

/* It was claimed, and has not been tried: Redis is away. */
static void put_off(struct report_work *w, const char *why)
{
    int64_t now = clock_now(w);

    again_at(w, now + REPORT_AGAIN_SECONDS);
    report_states_end(w->sender->states, &w->ticket, REPORT_FAILED, now + REPORT_AGAIN_SECONDS, why, now);
    leave_destination(w, REPORT_FAILED, why);
}

static void on_out(void *ctx, const char *why)
{
    struct report_work *w = ctx;

    w->mail = NULL;
    w->post = NULL;
    if (why == NULL)
        note_sent(w);
    else
        note_failed(w, why);
}

/* ---- it leaves ---- */

static void on_begun(void *ctx, bool ours, const char *why)
{
    struct report_work *w = ctx;
    struct report_sender *s = w->sender;
    const struct conf_tlsrptd *conf = &s->conf->tlsrptd;
    const struct post_out_options options = {.ca_file = conf->ca_file,
                                             .user_agent = USER_AGENT,
                                             .anywhere = conf->post_anywhere,
                                             .timeout_ms = POST_OUT_TIMEOUT_MS};

    if (!ours)
        put_off(w, why);
    else if (destination(w)->kind == RUA_MAILTO)
        w->mail = mail_out_start(s->base, s->loop, conf->mail, s->identity->from, destination(w)->address, &w->message,
                                 on_out, w);
    else
        w->post = post_out_start(s->loop, &options, destination(w)->uri, buf_text(&w->report.gzip), w->report.gzip.len,
                                 on_out, w);
}

/* The mail anew for each destination. */
static int make_message(struct report_work *w, struct err *e)
{
    const struct report_identity *i = w->sender->identity;
    char unique[2 * UNIQUE_OCTETS + 1];
    struct report_mail mail = {.from = i->from,
                               .to = destination(w)->address,
                               .key = i->key,
                               .keys = i->keys,
                               .now = now_seconds(),
                               .unique = unique};

    if (destination(w)->kind != RUA_MAILTO)
        return 0;
    random_hex(unique, UNIQUE_OCTETS);
    buf_clear(&w->message);
    buf_init(&w->message, REPORT_MAIL_MAX);
    return report_mail_build(&w->message, &w->report, &mail, e);
}

static void send_report(struct report_work *w)
{
    struct err e = {""};

    if (make_message(w, &e) != 0) {
        w->ticket.state.tries++;
        note_failed(w, e.text);
        return;
    }
    report_states_begin(w->sender->states, &w->ticket, clock_now(w), on_begun, w);
}

/* ---- the report ---- */

/* The work that asked, or NULL when it is gone. */
static struct report_work *answered(struct counts_request *request)
{
    struct report_work *w = request->work;

    free(request);
    if (w != NULL)
        w->request = NULL;
    return w;
}

static int ask_counts(struct report_work *w, counts_fn *fn)
{
    w->request = must_have(calloc(1, sizeof(*w->request)));
    w->request->work = w;
    if (counts_get(w->sender->redis, w->day, w->domain, fn, w->request) == 0)
        return 0;
    free(w->request);
    w->request = NULL;
    return -1;
}

static void on_counts_for_report(void *ctx, const struct counts *c, const char *why)
{
    struct report_work *w = answered(ctx);
    struct err e = {""};

    if (w == NULL)
        return;
    if (c == NULL) {
        put_off(w, why);
    } else if (report_build(&w->report, c, destination(w)->record, &w->sender->identity->settings, &e) != 0) {
        w->ticket.state.tries++;
        note_failed(w, e.text);
    } else {
        w->report_record = destination(w)->record;
        buf_clear(&w->report.json); /* what goes out is the gzip */
        send_report(w);
    }
}

static void build_report(struct report_work *w)
{
    if (w->report_record != NULL && strcmp(w->report_record, destination(w)->record) == 0) {
        send_report(w);
        return;
    }
    if (w->report_record != NULL)
        report_clear(&w->report);
    w->report_record = NULL;
    if (ask_counts(w, on_counts_for_report) != 0)
        put_off(w, "Redis is away");
}

/* ---- may it be sent? ---- */

static void note_unknown(struct report_work *w)
{
    char day[UTC_DAY_BUF], command[400];

    utc_day_text(day, w->day);
    (void)snprintf(command, sizeof(command), "posternctl report send --day %s --domain %s --again", day, w->domain);
    w->sender->stats.unknown++;
    log_warning("report_unknown", "day=%s domain=%s destination=%s why=%s action=%s to_send_again=%s", day, w->domain,
                destination(w)->uri, w->ticket.state.why, "it may have been sent, and is not sent again by itself",
                command);
}

static void on_claimed(void *ctx, enum report_verdict verdict, const char *why)
{
    struct report_work *w = ctx;

    if (why != NULL) {
        again_at(w, clock_now(w) + REPORT_AGAIN_SECONDS);
        leave_destination(w, REPORT_NONE, why);
        return;
    }
    switch (verdict) {
    case REPORT_TAKEN:
        build_report(w);
        return;
    case REPORT_EXPIRED:
        note_unknown(w);
        break;
    case REPORT_LATER:
        again_at(w, w->ticket.state.next);
        break;
    case REPORT_OVER:
        break;
    }
    leave_destination(w, w->ticket.state.stage, w->ticket.state.why);
}

static void claim(struct report_work *w)
{
    const struct conf_tlsrptd *conf = &w->sender->conf->tlsrptd;
    int64_t now = clock_now(w);
    int64_t keep = report_day_closes(w->day, conf->report_delay, conf->report_retry) - now;

    memset(&w->ticket, 0, sizeof(w->ticket));
    w->ticket.day = w->day;
    (void)snprintf(w->ticket.domain, sizeof(w->ticket.domain), "%s", w->domain);
    report_state_field(w->ticket.field, destination(w)->uri, destination(w)->record);
    w->ticket.keep = (keep > 0 ? keep : 0) + UTC_DAY_SECONDS + conf->keep;
    report_states_claim(w->sender->states, &w->ticket, w->how, now, on_claimed, w);
}

void report_work_go_on(struct report_work *w, bool place)
{
    w->has_place = place;
    if (place) {
        claim(w);
    } else {
        again_at(w, clock_now(w));
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
        again_at(w, clock_now(w));
    } else if (w->at < w->plan.count) {
        enum report_way by = way(w);

        if (report_sender_has_place(s, by)) {
            s->leaving[by]++;
            report_work_go_on(w, true);
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

static void on_counts_for_plan(void *ctx, const struct counts *c, const char *why)
{
    struct report_work *w = answered(ctx);
    struct err e = {""};

    if (w == NULL)
        return;
    if (c == NULL) {
        again_at(w, clock_now(w) + REPORT_AGAIN_SECONDS);
        tell_row(w, "", REPORT_NONE, why);
    } else if (report_plan_make(&w->plan, c, w->sender->conf->tlsrptd.report_success, REPORT_DESTINATIONS_MAX, &e) !=
               0) {
        log_oom();
    } else if (w->plan.count == 0) {
        log_debug("report_none", "domain=%s why=%s", w->domain, e.text);
        tell_row(w, "", REPORT_NONE, e.text);
    } else if (w->plan.left_out > 0) {
        log_warning("report_destinations", "domain=%s left_out=%zu action=%s", w->domain, w->plan.left_out,
                    "its record changed too often that day; the first ones get a report");
    }
    next_destination(w);
}

int report_work_start(struct report_work *w)
{
    if (ask_counts(w, on_counts_for_plan) == 0)
        return 0;
    report_work_free(w);
    return -1;
}
