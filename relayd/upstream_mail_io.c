/*
 * upstream_mail_io.c - the transaction with the host that has taken MAIL: recipients, DATA, the message, the last word.
 * There is no other host any more: what the MTA was told stands.
 */
#include "upstream_internal.h"

#include "counters.h"
#include "log.h"
#include "smtp_envelope.h"

#include <stdlib.h>
#include <string.h>

/* --- telling of what is over --- */

/* The server's last word. */
static void log_reply(struct upstream *u, const struct smtp_reply *reply)
{
    struct buf shown;

    buf_init(&shown, SMTP_REPLY_OCTETS_MAX);
    smtp_reply_show(&shown, reply);
    upstream_log(u, reply->code / 100 == 2 ? "delivered" : "failed", (int)reply->code, reply->status, buf_text(&shown));
    buf_clear(&shown);
}

static void log_failed(struct upstream *u)
{
    upstream_log(u, "failed", u->failed.code, u->failed.enhanced, u->failed.text);
}

static void tell_done(struct upstream *u, const struct upstream_answer *answer)
{
    u->phase = UPSTREAM_OVER;
    u->transaction = false;
    event_del(u->deadline);
    if (answer->reply != NULL)
        log_reply(u, answer->reply);
    else
        log_failed(u);
    u->events->done(u->ctx, answer);
    if (!u->dead)
        upstream_part(u);
}

void upstream_answer_all(struct upstream *u)
{
    const struct upstream_answer answer = {NULL, u->host, &u->failed};

    for (size_t i = 0; i < u->count && !u->dead; i++) {
        struct upstream_recipient *r = &u->recipient[i];

        if (!r->answered) {
            r->answered = true;
            u->events->rcpt(u->ctx, i, &answer);
        }
    }
    if (!u->dead && u->wants_data) {
        u->wants_data = false;
        u->events->data(u->ctx, false, &answer);
    }
}

void upstream_late(struct upstream *u, enum relay_failed what, const char *detail)
{
    bool fed = u->phase == UPSTREAM_CONTENT || u->phase == UPSTREAM_FINAL;
    const struct upstream_answer answer = {NULL, u->host, &u->failed};
    struct relay_failure f;
    struct relay_tally t;

    link_cut(u->link);
    u->link = NULL;
    link_place_leave(&u->place);
    u->clean = false;
    if (u->phase == UPSTREAM_OVER)
        return;
    memset(&t, 0, sizeof(t));
    what = relay_failed_late(what);
    count_host(what);
    relay_failure_set(&f, what, u->host, NULL, detail);
    relay_tally_add(&t, &f);
    relay_tally_reply(&u->failed, &t, u->name);
    if (fed) {
        tell_done(u, &answer);
        return;
    }
    u->wants_data = u->phase == UPSTREAM_DATA;
    u->phase = UPSTREAM_OVER;
    event_del(u->deadline);
    log_failed(u);
    upstream_answer_all(u);
}

/* --- recipients --- */

/* Returns its octets; 0: it cannot be said to this server, and why. */
static size_t rcpt_say(struct upstream *u, size_t n, struct smtp_refusal *why)
{
    struct upstream_recipient *r = &u->recipient[n];
    struct buf line;
    size_t len = 0;

    buf_init(&line, (size_t)4 * LMTP_LINE_MAX);
    if (smtp_rcpt_write(&line, r->command, smtp_client_ehlo(u->link->client), &u->all->tag, why) == 0) {
        len = line.len;
        smtp_client_say(u->link->client, buf_text(&line), len);
        r->said = true;
        u->outstanding++;
    }
    buf_clear(&line);
    return len;
}

static void rcpt_refuse(struct upstream *u, size_t n, const struct smtp_refusal *why)
{
    struct upstream_answer answer = {NULL, u->host, NULL};
    struct relay_reply reply;

    reply.code = (int)why->code;
    (void)snprintf(reply.enhanced, sizeof(reply.enhanced), "%s", why->status);
    (void)snprintf(reply.text, sizeof(reply.text), "%.200s %.250s", u->host, why->why.text);
    answer.failed = &reply;
    u->recipient[n].answered = true;
    u->events->rcpt(u->ctx, n, &answer);
}

/* One that cannot be said to this server is left, with those behind it, until the server has taken MAIL. */
void upstream_rcpts_say_ahead(struct upstream *u)
{
    struct smtp_refusal why = {.code = 0};
    size_t len = 1;

    u->outstanding = 0;
    u->behind_mail = 0;
    for (size_t i = 0; i < u->count; i++)
        u->recipient[i].said = false;
    if (!smtp_client_ehlo(u->link->client)->pipelining)
        return;
    for (size_t i = 0; i < u->count && len > 0; i++) {
        len = rcpt_say(u, i, &why);
        u->behind_mail += len;
    }
}

void upstream_rcpts_say(struct upstream *u)
{
    for (size_t i = 0; i < u->count && !u->dead && u->phase == UPSTREAM_RCPT; i++) {
        struct smtp_refusal why = {.code = 0};

        if (u->recipient[i].said || u->recipient[i].answered)
            continue;
        if (u->outstanding > 0 && !smtp_client_ehlo(u->link->client)->pipelining)
            return;
        if (rcpt_say(u, i, &why) == 0)
            rcpt_refuse(u, i, &why);
        else if (u->outstanding == 1)
            smtp_client_wait(u->link->client, u->all->settings.command_timeout_ms);
    }
}

static void rcpt_reply(struct upstream *u, const struct smtp_reply *reply)
{
    const struct upstream_answer answer = {reply, u->host, NULL};
    size_t n = 0;

    while (n < u->count && (!u->recipient[n].said || u->recipient[n].answered))
        n++;
    if (u->outstanding == 0 || n == u->count || reply->code / 100 == 3) {
        upstream_late(u, RELAY_FAILED_NONSENSE, "its replies are out of step");
        return;
    }
    u->outstanding--;
    smtp_client_wait(u->link->client, u->outstanding > 0 ? u->all->settings.command_timeout_ms : 0);
    u->recipient[n].answered = true;
    u->taken += reply->code / 100 == 2;
    u->events->rcpt(u->ctx, n, &answer);
    if (!u->dead)
        upstream_rcpts_say(u);
}

/* --- DATA and the message --- */

static void data_reply(struct upstream *u, const struct smtp_reply *reply)
{
    const struct upstream_answer answer = {reply, u->host, NULL};

    smtp_client_wait(u->link->client, 0);
    if (smtp_client_queued(u->link->client) > 0 || (reply->code != 354 && reply->code < 400)) {
        upstream_late(u, RELAY_FAILED_NONSENSE, NULL);
        return;
    }
    u->phase = reply->code == 354 ? UPSTREAM_CONTENT : UPSTREAM_OVER;
    u->clean = reply->code != 354;
    if (u->clean) {
        event_del(u->deadline);
        log_reply(u, reply);
    }
    u->events->data(u->ctx, reply->code == 354, &answer);
    if (!u->dead && u->clean)
        upstream_part(u);
}

/* 2xx only counts as the answer to the whole message; a refusal may come earlier. */
static void content_reply(struct upstream *u, const struct smtp_reply *reply)
{
    const struct upstream_answer answer = {reply, u->host, NULL};
    bool whole = u->phase == UPSTREAM_FINAL && smtp_client_queued(u->link->client) == 0;

    if (reply->code / 100 == 3 || (!whole && reply->code < 400)) {
        upstream_late(u, RELAY_FAILED_NONSENSE, whole ? NULL : "it replies before it has the whole message");
        return;
    }
    smtp_client_wait(u->link->client, 0);
    u->clean = whole;
    tell_done(u, &answer);
}

void upstream_reply(void *ctx, const struct smtp_reply *reply)
{
    struct upstream *u = ctx;

    upstream_hold(u);
    u->closing = u->closing || reply->code == 421;
    switch (u->phase) {
    case UPSTREAM_MAIL:
        upstream_mail_reply(u, reply);
        break;
    case UPSTREAM_RCPT:
        rcpt_reply(u, reply);
        break;
    case UPSTREAM_DATA:
        data_reply(u, reply);
        break;
    case UPSTREAM_CONTENT:
    case UPSTREAM_FINAL:
        content_reply(u, reply);
        break;
    default:
        upstream_late(u, RELAY_FAILED_NONSENSE, NULL);
        break;
    }
    upstream_release(u);
}

void upstream_room(void *ctx)
{
    struct upstream *u = ctx;

    if (u->phase != UPSTREAM_CONTENT)
        return;
    smtp_client_wait(u->link->client, 0);
    upstream_hold(u);
    u->events->room(u->ctx);
    upstream_release(u);
}

void upstream_data(struct upstream *u)
{
    if (u->phase == UPSTREAM_OVER) {
        u->wants_data = true;
        event_active(u->later, EV_TIMEOUT, 0);
        return;
    }
    u->phase = UPSTREAM_DATA;
    smtp_client_say(u->link->client, "DATA\r\n", 6);
    smtp_client_wait(u->link->client, u->all->settings.command_timeout_ms);
}

/* A server that does not take UPSTREAM_HIGH_WATER octets in the time of a command is cut off. */
bool upstream_feed(struct upstream *u, const char *octets, size_t len)
{
    size_t before;

    if (u->phase != UPSTREAM_CONTENT)
        return true;
    before = smtp_client_queued(u->link->client);
    smtp_client_say(u->link->client, octets, len);
    if (before + len < UPSTREAM_HIGH_WATER)
        return true;
    if (before < UPSTREAM_HIGH_WATER)
        smtp_client_wait(u->link->client, u->all->settings.command_timeout_ms);
    return false;
}

/* From now on the last word alone is waited for: what was delivered must not be taken for failed if that can be helped.
 */
void upstream_end(struct upstream *u)
{
    if (u->phase != UPSTREAM_CONTENT)
        return;
    u->phase = UPSTREAM_FINAL;
    event_del(u->deadline);
    smtp_client_wait(u->link->client, u->all->data_timeout_ms);
}
