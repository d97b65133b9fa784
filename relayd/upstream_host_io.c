/*
 * upstream_host_io.c - the way to a host that takes MAIL: the addresses of the plan's candidates one after the other
 * (S4; relay_walk.h), each failure added to the tally. Nothing is ever said in clear but what leads to TLS (S9).
 */
#include "upstream_internal.h"

#include "counters.h"
#include "log.h"
#include "millis.h"
#include "session_tell_io.h"
#include "smtp_envelope.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static const struct smtp_client_events client_events;

static void host_try(struct upstream *u, bool may_be_kept);

void upstream_conclude(struct upstream *u)
{
    upstream_part(u);
    relay_path_tally(&u->tally, &u->path);
    relay_tally_reply(&u->failed, &u->tally, u->name);
    u->phase = UPSTREAM_OVER;
    event_del(u->deadline);
    event_del(u->share);
    upstream_log(u, "failed", u->failed.code, u->failed.enhanced, u->failed.text);
    upstream_answer_all(u);
}

static void failure_add(struct upstream *u, enum relay_failed what, const char *host, const char *enhanced,
                        const char *detail)
{
    struct relay_failure f;

    relay_failure_set(&f, what, host, enhanced, detail);
    relay_tally_add(&u->tally, &f);
}

/* A connection that was kept may have ended in the meantime: that says nothing of the host. */
static bool was_stale(const struct upstream *u, enum relay_failed what)
{
    return u->kept && (what == RELAY_FAILED_LOST || what == RELAY_FAILED_TIMEOUT || what == RELAY_FAILED_NONSENSE);
}

static void host_try_anew(struct upstream *u)
{
    event_del(u->share);
    link_cut(u->link);
    u->link = NULL;
    relay_walk_host_again(&u->walk);
    host_try(u, false);
}

void upstream_host_failed(struct upstream *u, enum relay_failed what, const char *enhanced, const char *detail)
{
    if (u->phase == UPSTREAM_MAIL || what >= RELAY_FAILED_REQUIRETLS) /* until it is ready the connection counts */
        count_host(relay_failed_late(what));
    failure_add(u, what, u->host, enhanced, detail);
    event_del(u->share);
    link_close(u->link);
    u->link = NULL;
    if (relay_failed_next(what) && relay_walk_on(&u->walk, &u->path, what))
        host_try(u, true);
    else
        upstream_conclude(u);
}

/* --- MAIL --- */

/* Why smtp_mail_write does not write. */
static enum relay_failed refusal_failed(const struct smtp_refusal *r)
{
    static const struct {
        const char *status;
        enum relay_failed what;
    } meanings[] = {{"5.7.30", RELAY_FAILED_REQUIRETLS},
                    {"5.6.7", RELAY_FAILED_SMTPUTF8},
                    {"5.6.3", RELAY_FAILED_8BITMIME},
                    {"5.3.4", RELAY_FAILED_SIZE}};

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (strcmp(r->status, meanings[i].status) == 0)
            return meanings[i].what;
    return RELAY_FAILED_LOCAL;
}

static void mail_say(struct upstream *u)
{
    const struct smtp_ehlo *ehlo = smtp_client_ehlo(u->link->client);
    const struct relay_offer offer = {smtp_client_offered_bare(u->link->client), ehlo->requiretls};
    bool say = false;
    enum relay_failed what = relay_path_offer(&say, &offer, u->mail->at.local_len == 0);
    struct smtp_refusal r = {.code = 0};
    struct buf line;

    buf_init(&line, (size_t)4 * LMTP_LINE_MAX);
    if (what == RELAY_FAILED_NOTHING && smtp_mail_write(&line, u->mail, ehlo, &r) != 0)
        what = refusal_failed(&r);
    if (what == RELAY_FAILED_NOTHING) {
        u->phase = UPSTREAM_MAIL;
        smtp_client_say(u->link->client, buf_text(&line), line.len);
        upstream_rcpts_say_ahead(u);
        smtp_client_wait(u->link->client, u->all->settings.command_timeout_ms);
    }
    buf_clear(&line);
    if (what != RELAY_FAILED_NOTHING)
        upstream_host_failed(u, what, NULL, NULL);
}

void upstream_mail_reply(struct upstream *u, const struct smtp_reply *reply)
{
    enum relay_failed what =
        relay_failed_reply(RELAY_STEP_MAIL, (int)reply->code, smtp_client_ehlo(u->link->client)->requiretls);
    struct buf shown;

    if (smtp_client_queued(u->link->client) > u->behind_mail)
        what = RELAY_FAILED_NONSENSE;
    if (u->kept && what != RELAY_FAILED_NOTHING) /* it may mean the connection: about to end, or used too often */
        what = RELAY_FAILED_LOST;
    if (what == RELAY_FAILED_NOTHING) {
        smtp_client_wait(u->link->client, u->outstanding > 0 ? u->all->settings.command_timeout_ms : 0);
        event_del(u->share);
        u->phase = UPSTREAM_RCPT;
        u->transaction = true;
        upstream_rcpts_say(u);
        return;
    }
    if (was_stale(u, what)) {
        host_try_anew(u);
        return;
    }
    buf_init(&shown, SMTP_REPLY_OCTETS_MAX);
    smtp_reply_show(&shown, reply);
    upstream_host_failed(u, what, reply->status, buf_text(&shown));
    buf_clear(&shown);
}

/* --- the hosts --- */

/* Milliseconds that are left of the time for the whole. */
static int64_t time_left(const struct upstream *u)
{
    struct timeval end, now;

    if (!event_pending(u->deadline, EV_TIMEOUT, &end) ||
        event_base_gettimeofday_cached(u->all->settings.base, &now) != 0)
        return 0;
    return ((int64_t)end.tv_sec - now.tv_sec) * 1000 + (end.tv_usec - now.tv_usec) / 1000;
}

static void share_begin(struct upstream *u)
{
    int64_t share = relay_walk_share(&u->walk, &u->path, time_left(u));
    struct timeval tv = millis(share);

    if (share > 0)
        event_add(u->share, &tv);
}

static void host_open(struct upstream *u, bool may_be_kept)
{
    u->closing = false;
    share_begin(u);
    may_be_kept = may_be_kept && relay_walk_host_begins(&u->walk);
    u->link = link_open(&u->place, &u->path, &u->walk, may_be_kept, &u->kept, &client_events, u);
    if (!u->kept)
        return;
    relay_walk_instead(&u->walk, &u->path, smtp_client_address(u->link->client));
    count(COUNT_REUSED);
    mail_say(u);
}

static void host_busy(struct upstream *u)
{
    count_host(RELAY_FAILED_BUSY);
    failure_add(u, RELAY_FAILED_BUSY, "", NULL,
                u->place.full_in_all ? "upstreams: to all domains" : "per_domain: to this one");
    upstream_conclude(u);
}

/* The place is kept from one address, and host, to the next. */
static void host_try(struct upstream *u, bool may_be_kept)
{
    enum link_line_result result;

    memcpy(u->host, u->path.candidate[u->walk.host].host->name, sizeof(u->host));
    u->phase = UPSTREAM_HOST;
    result = link_place_take(&u->place, u->path.dest->domain);
    if (result == LINK_LINE_PASSED)
        host_open(u, may_be_kept);
    else if (result == LINK_LINE_FULL)
        host_busy(u);
}

void upstream_place_told(void *ctx, bool place)
{
    struct upstream *u = ctx;

    upstream_hold(u);
    if (place)
        host_open(u, true);
    else
        host_busy(u);
    upstream_release(u);
}

static void on_ready(void *ctx)
{
    struct upstream *u = ctx;

    upstream_hold(u);
    mail_say(u);
    upstream_release(u);
}

static void on_failed(void *ctx, enum relay_failed what, const char *enhanced, const char *detail)
{
    struct upstream *u = ctx;

    upstream_hold(u);
    if (u->phase > UPSTREAM_MAIL) {
        upstream_late(u, what, detail);
    } else if (was_stale(u, what)) {
        host_try_anew(u);
    } else {
        upstream_host_failed(u, what, enhanced, detail);
    }
    upstream_release(u);
}

static const struct smtp_client_events client_events = {on_ready, upstream_reply, upstream_room, on_failed};

void upstream_plan(struct upstream *u)
{
    struct relay_path_in in = {.kind = u->hop.kind,
                               .dest = u->dest,
                               .age = DECIDE_FRESH, /* stsd gives no others */
                               .sts_unknown_hold = u->all->sts_unknown_hold,
                               .own_name = u->all->settings.name};

    if (getrandom(&in.seed, sizeof(in.seed), 0) != (ssize_t)sizeof(in.seed))
        log_oom();
    if (u->path.failed == RELAY_FAILED_NOTHING)
        relay_path_plan(&u->path, &in, time(NULL));
    session_tell_skipped(u->all->settings.tell, &u->path);
    relay_walk_begin(&u->walk, 0);
    if (u->path.usable > 0)
        host_try(u, true);
    else
        upstream_conclude(u);
}
