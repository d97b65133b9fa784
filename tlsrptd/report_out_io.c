/*
 * report_out_io.c - see report_work_io.h: a report that is claimed for a destination goes out. (counts → report) →
 * "sending" → mail or POST → outcome.
 */
#include "report_work_io.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "random_octets.h"
#include "report_mail.h"
#include "report_schedule.h"
#include "utc_day.h"

#define USER_AGENT    "postern-tlsrptd"
#define UNIQUE_OCTETS 16

/* ---- it is out, or not ---- */

static void note_sent(struct report_work *w)
{
    w->sender->stats.sent++;
    w->sender->stats.last_sent = report_sender_now(w->sender);
    log_info("report-sent", "domain=%s destination=%s report=%s tries=%u", w->domain, report_work_destination(w)->uri,
             w->report_record != NULL ? w->report.id : "-", w->ticket.state.tries);
    report_states_end(w->sender->states, &w->ticket, REPORT_SENT, 0, NULL, report_sender_now(w->sender));
    report_work_leave(w, REPORT_SENT, NULL);
}

static void note_given_up(struct report_work *w, const char *why)
{
    char day[UTC_DAY_BUF];

    utc_day_text(day, w->day);
    w->sender->stats.given_up++;
    log_warning("report-given-up", "day=%s domain=%s destination=%s tries=%u why=%s", day, w->domain,
                report_work_destination(w)->uri, w->ticket.state.tries, why);
    report_states_end(w->sender->states, &w->ticket, REPORT_GIVEN_UP, 0, why, report_sender_now(w->sender));
    report_work_leave(w, REPORT_GIVEN_UP, why);
}

static void note_failed(struct report_work *w, const char *why)
{
    const struct conf_tlsrptd *conf = &w->sender->conf->tlsrptd;
    struct report_state *state = &w->ticket.state;
    int64_t now = report_sender_now(w->sender);
    int64_t next =
        report_next_try(w->day, w->domain, conf->contact, state->tries, state->first, now, conf->report_retry,
                        report_day_closes(w->day, conf->report_delay, conf->report_retry));
    char day[UTC_DAY_BUF];

    if (next == 0) {
        note_given_up(w, why);
        return;
    }
    utc_day_text(day, w->day);
    w->sender->stats.failed++;
    log_warning("report-failed", "day=%s domain=%s destination=%s tries=%u again_in=%lld why=%s", day, w->domain,
                report_work_destination(w)->uri, state->tries, (long long)(next - now), why);
    report_work_again(w, next);
    report_states_end(w->sender->states, &w->ticket, REPORT_FAILED, next, why, now);
    report_work_leave(w, REPORT_FAILED, why);
}

/* It was claimed, and has not been tried: Redis is away. */
static void put_off(struct report_work *w, const char *why)
{
    int64_t now = report_sender_now(w->sender);

    report_work_again(w, now + REPORT_AGAIN_SECONDS);
    report_states_end(w->sender->states, &w->ticket, REPORT_FAILED, now + REPORT_AGAIN_SECONDS, why, now);
    report_work_leave(w, REPORT_FAILED, why);
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

/* ---- it goes out ---- */

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
    else if (report_work_destination(w)->kind == RUA_MAILTO)
        w->mail = mail_out_start(s->base, s->loop, conf->mail, s->identity->from, report_work_destination(w)->address,
                                 &w->message, on_out, w);
    else
        w->post = post_out_start(s->loop, &options, report_work_destination(w)->uri, buf_text(&w->report.gzip),
                                 w->report.gzip.len, on_out, w);
}

/* The mail anew for each destination. */
static int make_message(struct report_work *w, struct err *e)
{
    const struct report_identity *i = w->sender->identity;
    char unique[2 * UNIQUE_OCTETS + 1];
    struct report_mail mail = {.from = i->from,
                               .to = report_work_destination(w)->address,
                               .key = i->key,
                               .keys = i->keys,
                               .now = now_seconds(),
                               .unique = unique};

    if (report_work_destination(w)->kind != RUA_MAILTO)
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
    report_states_begin(w->sender->states, &w->ticket, report_sender_now(w->sender), on_begun, w);
}

/* ---- the report ---- */

static void on_counts_for_report(void *ctx, const struct counts *c, const char *why)
{
    struct report_work *w = report_work_answered(ctx);
    struct err e = {""};

    if (w == NULL)
        return;
    if (c == NULL) {
        put_off(w, why);
    } else if (report_build(&w->report, c, report_work_destination(w)->record, &w->sender->identity->settings, &e) !=
               0) {
        w->ticket.state.tries++;
        note_failed(w, e.text);
    } else {
        w->report_record = report_work_destination(w)->record;
        buf_clear(&w->report.json); /* what goes out is the gzip */
        send_report(w);
    }
}

void report_out_start(struct report_work *w)
{
    if (w->report_record != NULL && strcmp(w->report_record, report_work_destination(w)->record) == 0) {
        send_report(w);
        return;
    }
    if (w->report_record != NULL)
        report_clear(&w->report);
    w->report_record = NULL;
    if (report_work_ask(w, on_counts_for_report) != 0)
        put_off(w, "Redis is away");
}
