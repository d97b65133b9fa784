/* lmtp_work_io.c - what is said in an LMTP session: commands, the message, and the answers of the next servers. */
#include "lmtp_internal.h"

#include "clock.h"
#include "counters.h"
#include "lmtp_reply.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

/* --- answers --- */

static void answer_write(struct buf *out, const struct upstream_answer *answer, bool rcpt)
{
    buf_init(out, LMTP_REPLY_MAX);
    if (answer->reply != NULL)
        lmtp_reply_pass(out, answer->host, answer->reply, rcpt);
    else
        lmtp_reply_write(out, (unsigned)answer->failed->code, answer->failed->enhanced, answer->failed->text);
    if (!buf_ok(out))
        log_oom();
}

/* Something is kept of it; without memory there is no going on. */
static void must(int result)
{
    if (result != 0)
        log_oom();
}

static void turn_soon(const struct lmtp_session *s)
{
    event_active(s->turn, EV_TIMEOUT, 1);
}

static void count_answer(const char *answer, size_t recipients)
{
    count_many(answer[0] == '2' ? COUNT_DELIVERED : answer[0] == '4' ? COUNT_PUT_OFF : COUNT_REFUSED, recipients);
}

static void on_rcpt(void *ctx, size_t n, const struct upstream_answer *answer)
{
    struct transaction_domain *d = ctx;
    struct lmtp_session *s = d->owner;
    struct buf line;

    answer_write(&line, answer, true);
    must(transaction_rcpt_answer(s->t, d, n, buf_text(&line)));
    if (buf_text(&line)[0] != '2')
        count_answer(buf_text(&line), 1);
    buf_clear(&line);
    turn_soon(s);
}

static void on_data(void *ctx, bool go, const struct upstream_answer *answer)
{
    struct transaction_domain *d = ctx;
    struct lmtp_session *s = d->owner;
    struct buf line;

    buf_init(&line, 0);
    if (!go)
        answer_write(&line, answer, false);
    must(transaction_data_answer(s->t, d, go ? NULL : buf_text(&line)));
    buf_clear(&line);
    turn_soon(s);
}

static void on_room(void *ctx)
{
    struct transaction_domain *d = ctx;

    d->full = false;
    turn_soon(d->owner);
}

static void on_done(void *ctx, const struct upstream_answer *answer)
{
    struct transaction_domain *d = ctx;
    struct lmtp_session *s = d->owner;
    struct buf line;

    answer_write(&line, answer, false);
    d->full = false;
    must(transaction_done(s->t, d, buf_text(&line)));
    buf_clear(&line);
    turn_soon(s);
}

static const struct upstream_events events = {.rcpt = on_rcpt, .data = on_data, .room = on_room, .done = on_done};

static void upstream_drop(struct transaction_domain *d)
{
    if (d->upstream != NULL)
        upstream_free(d->upstream);
    d->upstream = NULL;
    d->full = false;
}

void lmtp_drop(struct lmtp_session *s)
{
    s->progress.mail = false;
    s->progress.smtputf8 = false;
    if (s->t == NULL)
        return;
    for (size_t i = 0; i < s->t->domains; i++)
        upstream_drop(s->t->domain[i]);
    transaction_free(s->t);
    s->t = NULL;
}

/* --- commands; each may come now --- */

/* The last reply of the session. */
static bool end_with(struct lmtp_session *s, unsigned code, const char *status, const char *text)
{
    lmtp_reply_write(&s->out, code, status, text);
    s->ending = true;
    return false;
}

static void work_lhlo(struct lmtp_session *s)
{
    lmtp_drop(s);
    s->progress.greeted = true;
    lmtp_reply_lhlo(&s->out, s->all->name, s->all->size_max);
}

static void refuse_large(struct smtp_refusal *r)
{
    (void)smtp_refuse(r, 552, "5.3.4", "the message is larger than this relay takes (size_max)");
}

static void work_mail(struct lmtp_session *s, const struct lmtp_command *command, const char *line, size_t len)
{
    uint64_t size_max = s->all->size_max;
    struct smtp_refusal r;

    if (size_max != 0 && command->mail.has_size && command->mail.size > size_max) {
        refuse_large(&r);
        lmtp_reply_refuse(&s->out, &r);
        return;
    }
    s->t = transaction_new(line, len);
    if (s->t == NULL)
        log_oom();
    s->progress.mail = true;
    s->progress.smtputf8 = command->mail.smtputf8;
    count(COUNT_TRANSACTIONS);
    lmtp_reply_write(&s->out, 250, "2.1.0", "sender taken");
}

/* Its reply comes with the answer of the next server. */
static void work_rcpt(struct lmtp_session *s, const char *line, size_t len)
{
    struct transaction_domain *d = transaction_rcpt(s->t, line, len);

    if (d == NULL)
        log_oom();
    count(COUNT_RECIPIENTS);
    if (d->count == 1) {
        d->owner = s;
        d->upstream = upstream_new(s->all->upstreams, d->name.at, d->name.len, &s->t->mail, &events, d);
    }
    upstream_rcpt(d->upstream, &s->t->rcpt[s->t->count - 1]->command);
}

static void work_data(struct transaction *t)
{
    transaction_ask_data(t);
    for (size_t i = 0; i < t->domains; i++) {
        struct transaction_domain *d = t->domain[i];

        if (d->asked)
            upstream_data(d->upstream);
        else
            upstream_drop(d);
    }
}

static void work_rset(struct lmtp_session *s)
{
    lmtp_drop(s);
    lmtp_reply_write(&s->out, 250, "2.0.0", "forgotten");
}

static void work_command(struct lmtp_session *s, const struct lmtp_command *command, const char *line, size_t len)
{
    switch (command->verb) {
    case LMTP_LHLO:
        work_lhlo(s);
        break;
    case LMTP_MAIL:
        work_mail(s, command, line, len);
        break;
    case LMTP_RCPT: /* others are not here */
        lmtp_reply_write(&s->out, 452, "4.5.3", "too many recipients in one message");
        break;
    case LMTP_DATA:
        if (s->t != NULL) /* it is: lmtp_command_in_order */
            work_data(s->t);
        break;
    case LMTP_RSET:
        work_rset(s);
        break;
    case LMTP_NOOP:
        lmtp_reply_write(&s->out, 250, "2.0.0", "ok");
        break;
    case LMTP_QUIT:
        (void)end_with(s, 221, "2.0.0", "bye");
        break;
    case LMTP_VRFY:
        lmtp_reply_write(&s->out, 252, "2.5.0", "send mail, and see");
        break;
    }
}

/* --- the session, step by step: each returns whether there may be another one --- */

static void consume(struct lmtp_session *s, size_t octets)
{
    s->in_at += octets;
    s->in_len -= octets;
}

/* One that may be worked on at once, whatever has not been answered before it. */
static bool is_one_more_rcpt(const struct lmtp_session *s, const struct lmtp_command *command)
{
    return command->verb == LMTP_RCPT && s->t != NULL && s->t->count < TRANSACTION_RCPTS_MAX;
}

static void refuse_rcpt(struct lmtp_session *s, const struct smtp_refusal *r)
{
    struct buf line;

    buf_init(&line, LMTP_REPLY_MAX);
    lmtp_reply_refuse(&line, r);
    must(buf_ok(&line) ? transaction_refuse(s->t, buf_text(&line)) : -1);
    buf_clear(&line);
}

static bool step_command(struct lmtp_session *s)
{
    const char *line = s->in == NULL ? "" : s->in + s->in_at;
    bool waiting = s->t != NULL && !transaction_replies(&s->out, s->t);
    struct lmtp_command command;
    struct smtp_refusal r;
    size_t len;
    size_t took;
    int found = lmtp_line_find(&len, &took, line, s->in_len);
    bool bad;

    if (found == 0 || (found < 0 && waiting))
        return false;
    if (found < 0)
        return end_with(s, 500, "5.5.2", "the line is too long");
    s->progress.taken = s->t == NULL ? 0 : s->t->taken;
    bad = lmtp_command_parse(&command, line, len, &r) != 0 || lmtp_command_in_order(&s->progress, &command, &r) != 0;
    if (is_one_more_rcpt(s, &command)) {
        if (bad)
            refuse_rcpt(s, &r);
        else
            work_rcpt(s, line, len);
    } else if (waiting) {
        return false;
    } else if (bad) {
        lmtp_reply_refuse(&s->out, &r);
    } else {
        work_command(s, &command, line, len);
    }
    consume(s, took);
    return true;
}

static bool step_data(struct lmtp_session *s)
{
    if (!transaction_may_feed(s->t))
        return false;
    s->data = (struct data_stream){0};
    lmtp_reply_write(&s->out, 354, "", "send the message, then a dot on a line of its own");
    return true;
}

bool lmtp_full(const struct lmtp_session *s)
{
    for (size_t i = 0; s->t != NULL && i < s->t->domains; i++)
        if (s->t->domain[i]->full)
            return true;
    return false;
}

bool lmtp_held_up(const struct lmtp_session *s, bool give_up)
{
    bool any = false;

    for (size_t i = 0; s->t != NULL && i < s->t->domains; i++) {
        struct transaction_domain *d = s->t->domain[i];

        if (d->upstream == NULL || !transaction_holds_up(s->t, d))
            continue;
        any = true;
        if (give_up)
            upstream_give_up(d->upstream);
    }
    return any;
}

static void feed(struct lmtp_session *s, const char *octets, size_t len)
{
    for (size_t i = 0; i < s->t->domains; i++) {
        struct transaction_domain *d = s->t->domain[i];

        if (d->feeding)
            d->full = !upstream_feed(d->upstream, octets, len);
    }
}

/* Nobody gets a final dot: what has been fed is no message. The rest is still read, for the MTA to get its replies. */
static void break_off(struct lmtp_session *s)
{
    struct buf line;

    buf_init(&line, LMTP_REPLY_MAX);
    lmtp_reply_refuse(&line, &s->data.broken);
    for (size_t i = 0; i < s->t->domains; i++)
        upstream_drop(s->t->domain[i]);
    must(transaction_break(s->t, buf_text(&line)));
    buf_clear(&line);
}

static void message_end(struct lmtp_session *s)
{
    count(COUNT_MESSAGES);
    s->ended = now_us();
    if (s->data.broken.code != 0)
        count(COUNT_BROKEN);
    transaction_end(s->t);
    for (size_t i = 0; i < s->t->domains; i++)
        if (s->t->domain[i]->feeding)
            upstream_end(s->t->domain[i]->upstream);
}

static bool too_large(const struct lmtp_session *s)
{
    const size_t dot = sizeof(".\r\n") - 1;

    return s->all->size_max != 0 && s->data.octets > s->all->size_max + (s->data.ended ? dot : 0);
}

static bool step_feed(struct lmtp_session *s)
{
    bool broken = s->data.broken.code != 0;
    const char *octets;
    size_t took;

    if (s->in_len == 0 || lmtp_full(s))
        return false;
    octets = s->in + s->in_at;
    (void)data_stream_take(&took, &s->data, octets, s->in_len);
    count_many(COUNT_OCTETS, took);
    if (s->data.broken.code == 0 && too_large(s))
        refuse_large(&s->data.broken);
    if (s->data.broken.code == 0)
        feed(s, octets, took);
    else if (!broken)
        break_off(s);
    consume(s, took);
    if (s->data.ended)
        message_end(s);
    return true;
}

/* One line for each domain; what became of each recipient the MTA logs. */
static void log_outcome(const struct transaction_domain *d, uint64_t octets)
{
    char answer[LMTP_REPLY_MAX + 1];

    (void)snprintf(answer, sizeof(answer), "%.*s", (int)strcspn(d->outcome, "\r"), d->outcome);
    log_info("relayed", "domain=%s recipients=%zu octets=%llu answer=%s", d->common, d->taken,
             (unsigned long long)octets, answer);
}

static bool step_final(struct lmtp_session *s)
{
    if (!transaction_replies(&s->out, s->t))
        return false;
    metric_observe(&relayd_counters[HISTOGRAM_DELIVERY], now_us() - s->ended);
    for (size_t i = 0; i < s->t->domains; i++) {
        const struct transaction_domain *d = s->t->domain[i];

        if (d->taken == 0)
            continue;
        count_answer(d->outcome, d->taken);
        log_outcome(d, s->data.octets);
    }
    lmtp_drop(s);
    return true;
}

static bool step(struct lmtp_session *s)
{
    if (s->t == NULL && s->all->draining)
        return end_with(s, 421, "4.3.2", "this relay is being stopped");
    if (s->t == NULL || s->t->state == TRANSACTION_RCPT)
        return step_command(s);
    if (s->t->state == TRANSACTION_DATA)
        return step_data(s);
    return s->t->state == TRANSACTION_FEED ? step_feed(s) : step_final(s);
}

void lmtp_work(struct lmtp_session *s)
{
    while (!s->ending && s->out.len < LMTP_OUT_HIGH && step(s)) {
    }
}
