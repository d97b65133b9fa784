/* upstream_io.c - see upstream_io.h: the beginning and the end of an upstream, and its question to stsd. */
#include "upstream_internal.h"

#include "log.h"
#include "millis.h"

#include <stdlib.h>
#include <string.h>

/* Longest wait for stsd: more than its own look-up takes by default (lookup_timeout, 40 s), which for a domain that is
 * not kept ends with an answer in any case. The time for the whole transaction may end it earlier. */
#define RESOLVE_MS 60000

void upstream_log(struct upstream *u, const char *result, int code, const char *status, const char *why)
{
    u->logged = true;
    log_info("message", "domain=%s host=%s recipients=%zu taken=%zu result=%s code=%d status=%s reply=%s", u->name,
             u->host[0] != '\0' ? u->host : NULL, u->count, u->taken, result, code, status, why);
}

/* --- memory --- */

static void memory_free(struct upstream *u)
{
    dest_free(u->dest);
    free(u->recipient);
    free(u);
}

void upstream_hold(struct upstream *u)
{
    u->held++;
}

void upstream_release(struct upstream *u)
{
    if (--u->held == 0 && u->dead)
        memory_free(u);
}

/* It is between two messages: nothing is outstanding, and the server has not been fed half a message, nor will it close
 * the connection. */
static bool may_be_kept(const struct upstream *u)
{
    if (u->closing)
        return false;
    return (u->phase == UPSTREAM_RCPT && u->outstanding == 0) || (u->phase == UPSTREAM_OVER && u->clean);
}

void upstream_part(struct upstream *u)
{
    if (u->link != NULL && may_be_kept(u))
        link_keep(u->link, u->transaction, &u->place);
    else if (u->phase <= UPSTREAM_MAIL)
        link_close(u->link);
    else
        link_cut(u->link);
    u->link = NULL;
    link_place_leave(&u->place);
}

void upstream_free(struct upstream *u)
{
    if (u == NULL)
        return;
    if (u->asked != NULL)
        call_cancel(u->asked);
    if (!u->logged && u->phase >= UPSTREAM_RCPT)
        upstream_log(u, "dropped", 0, "", "");
    upstream_part(u);
    link_place_clear(&u->place);
    event_free(u->later);
    event_free(u->deadline);
    event_free(u->share);
    u->dead = true;
    if (u->held == 0)
        memory_free(u);
}

/* --- the beginning --- */

static void on_stsd(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct upstream *u = ctx;
    struct err e = {""};

    (void)reached;
    u->asked = NULL;
    if (status == CALL_OK)
        u->dest = dest_from_json(text, len, &e);
    else
        err_set(&e, "%.*s", (int)(len < ERR_MAX ? len : ERR_MAX), text);
    if (u->dest != NULL && strcmp(u->dest->domain, u->hop.name) != 0) {
        err_set(&e, "stsd answered for another domain");
        dest_free(u->dest);
        u->dest = NULL;
    }
    if (u->dest == NULL)
        log_warning("no-facts", "domain=%s why=%s", u->name, e.text);
    upstream_hold(u);
    upstream_plan(u);
    upstream_release(u);
}

/* What could not be done from within a call of the owner's. */
static void on_later(evutil_socket_t fd, short what, void *ctx)
{
    struct upstream *u = ctx;

    (void)fd;
    (void)what;
    upstream_hold(u);
    if (u->phase == UPSTREAM_OVER)
        upstream_answer_all(u);
    else if (u->phase == UPSTREAM_RCPT)
        upstream_rcpts_say(u);
    else if (u->phase == UPSTREAM_FACTS && u->asked == NULL)
        upstream_plan(u);
    upstream_release(u);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct upstream *u = ctx;

    (void)fd;
    (void)what;
    upstream_hold(u);
    if (u->asked != NULL)
        call_cancel(u->asked);
    u->asked = NULL;
    if (u->phase <= UPSTREAM_MAIL)
        upstream_host_failed(u, RELAY_FAILED_DEADLINE, NULL, NULL);
    else
        upstream_late(u, RELAY_FAILED_DEADLINE, NULL);
    upstream_release(u);
}

static void on_share(evutil_socket_t fd, short what, void *ctx)
{
    struct upstream *u = ctx;

    (void)fd;
    (void)what;
    if (u->link != NULL && u->phase <= UPSTREAM_MAIL)
        smtp_client_expire(u->link->client);
}

void upstream_give_up(struct upstream *u)
{
    if (u->phase < UPSTREAM_FINAL)
        event_active(u->deadline, EV_TIMEOUT, 0);
}

/* A domain with a port, or one that is no name, does not exist for mail. */
static void domain_read(struct upstream *u, const char *domain, size_t len)
{
    struct buf shown;

    if (nexthop_parse(&u->hop, domain, len, NULL) == 0 && u->hop.port == 0 && u->hop.kind != NEXTHOP_PARENT) {
        memcpy(u->name, u->hop.name, sizeof(u->name));
        return;
    }
    buf_init(&shown, sizeof(u->name) - 1);
    smtp_text_clean(&shown, domain, len < sizeof(u->name) ? len : sizeof(u->name) - 1);
    (void)snprintf(u->name, sizeof(u->name), "%s", buf_text(&shown));
    buf_clear(&shown);
    u->hop.kind = NEXTHOP_PARENT;
    u->path.failed = RELAY_FAILED_NO_DOMAIN;
}

static void timers_set(struct upstream *u)
{
    struct timeval tv = millis(u->all->transaction_timeout_ms);

    u->later = evtimer_new(u->all->settings.base, on_later, u);
    u->deadline = evtimer_new(u->all->settings.base, on_deadline, u);
    u->share = evtimer_new(u->all->settings.base, on_share, u);
    if (u->later == NULL || u->deadline == NULL || u->share == NULL)
        log_oom();
    event_add(u->deadline, &tv);
}

struct upstream *upstream_new(struct upstreams *all, const char *domain, size_t len, const struct lmtp_command *mail,
                              const struct upstream_events *events, void *ctx)
{
    struct upstream *u = calloc(1, sizeof(*u));

    if (u == NULL)
        log_oom();
    u->all = all;
    u->mail = mail;
    u->events = events;
    u->ctx = ctx;
    domain_read(u, domain, len);
    link_place_init(&u->place, all, upstream_place_told, u);
    timers_set(u);
    if (u->hop.kind == NEXTHOP_DOMAIN)
        u->asked = call_send(all->stsd, "resolve", u->hop.name, strlen(u->hop.name), RESOLVE_MS, on_stsd, u);
    if (u->asked == NULL)
        event_active(u->later, EV_TIMEOUT, 0);
    return u;
}

void upstream_rcpt(struct upstream *u, const struct lmtp_command *rcpt)
{
    if (u->count == u->room) {
        u->room = u->room == 0 ? 8 : 2 * u->room;
        u->recipient = reallocarray(u->recipient, u->room, sizeof(*u->recipient));
        if (u->recipient == NULL)
            log_oom();
    }
    u->recipient[u->count++] = (struct upstream_recipient){.command = rcpt};
    if (u->phase == UPSTREAM_RCPT || u->phase == UPSTREAM_OVER)
        event_active(u->later, EV_TIMEOUT, 0);
}
