/*
 * fake_upstream.c - next servers that do what the name of the domain says, for tests of the LMTP side: linked in the
 * place of upstream_io.c. Digits at the end of the domain's first label do not count. A recipient whose local part
 * begins with "bad" is refused everywhere.
 *
 *   ok       takes all; the last reply says how many octets came, and their sum
 *   no       refuses each recipient, 550
 *   away     the same for a reason of ours, 451 4.4.1
 *   late     as ok, each answer 300 ms late
 *   mute     never answers
 *   wait     never says anything of the message
 *   pair     says it in the same turn of the loop as another one
 *   nodata   refuses DATA, 451
 *   full     takes 20 ms for each piece
 *   deaf     takes nothing, and never ends
 *   mutedata never answers DATA
 *   stuck    takes nothing, and ends after a second by its own deadline
 *   cut      is lost as soon as octets come
 *   early    says 250 as soon as octets come
 *   data550  refuses the message at its end
 *   data421  the same with 421, on several lines
 */
#include "fake_upstream.h"

#include "upstream_io.h"

#include "log.h"
#include "millis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_BUF 16

bool fake_upstream_hurry;

struct upstreams {
    struct event_base *base;
    size_t open;
};

struct upstream {
    struct upstreams *all;
    char domain[256];
    char script[SCRIPT_BUF];
    char host[300];
    const struct upstream_events *events;
    void *ctx;
    struct event *soon;
    const struct lmtp_command *rcpt[2000];
    size_t rcpts;
    size_t answered;
    bool data; /* asked, not answered */
    bool feeding;
    bool full;
    bool fed_all;
    bool paired;
    bool given_up;
    uint64_t octets;
    uint32_t sum;
};

static bool is(const struct upstream *u, const char *script)
{
    return strcmp(u->script, script) == 0;
}

static int64_t delay_ms(const struct upstream *u)
{
    if (fake_upstream_hurry)
        return 0;
    if (is(u, "late"))
        return 300;
    if (u->full)
        return is(u, "stuck") ? 1000 : 20;
    return 1;
}

static void soon(const struct upstream *u)
{
    const struct timeval when = millis(delay_ms(u));

    if (!is(u, "mute") && !(is(u, "mutedata") && u->data) && !(is(u, "deaf") && u->full) &&
        !event_pending(u->soon, EV_TIMEOUT, NULL))
        event_add(u->soon, &when);
}

/* What a server says, as if it had come over the wire. */
static void say(struct upstream *u, void (*tell)(struct upstream *u, const struct upstream_answer *a), const char *text)
{
    struct smtp_reply reply;
    size_t took;

    smtp_reply_init(&reply);
    if (smtp_reply_read(&took, &reply, text, strlen(text), NULL) != 1)
        abort();
    tell(u, &(struct upstream_answer){.reply = &reply, .host = u->host});
    smtp_reply_clear(&reply);
}

static void fail(struct upstream *u, void (*tell)(struct upstream *u, const struct upstream_answer *a),
                 const char *text)
{
    struct relay_reply failed = {.code = 451, .enhanced = "4.4.1"};

    (void)snprintf(failed.text, sizeof(failed.text), "%s: %s", u->domain, text);
    tell(u, &(struct upstream_answer){.failed = &failed});
}

static void tell_rcpt(struct upstream *u, const struct upstream_answer *a)
{
    u->events->rcpt(u->ctx, u->answered++, a);
}

static void tell_data(struct upstream *u, const struct upstream_answer *a)
{
    u->events->data(u->ctx, a == NULL, a);
}

static void tell_done(struct upstream *u, const struct upstream_answer *a)
{
    u->feeding = false;
    log_info("fake-done", "domain=%s", u->domain);
    u->events->done(u->ctx, a);
}

static void answer_rcpt(struct upstream *u)
{
    const struct smtp_text *path = &u->rcpt[u->answered]->path;

    if (path->len > 4 && strncmp(path->at + 1, "bad", 3) == 0)
        say(u, tell_rcpt, "550 5.1.1 no such user\r\n");
    else if (is(u, "no"))
        say(u, tell_rcpt, "550-5.7.1 not\r\n550 5.7.1 here\r\n");
    else if (is(u, "away"))
        fail(u, tell_rcpt, "no host can be reached");
    else
        say(u, tell_rcpt, "250 2.1.5 ok\r\n");
}

static void answer_message(struct upstream *u)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "250 2.0.0 octets %llu sum %u\r\n", (unsigned long long)u->octets, u->sum);
    say(u, tell_done,
        is(u, "data550")   ? "550 5.6.0 not such a message\r\n"
        : is(u, "data421") ? "421-4.3.2 going\r\n421 4.3.2 down\r\n"
                           : text);
}

/* When the second one comes, both are called once more. */
static void pair(struct upstream *u)
{
    static struct upstream *first;

    u->paired = true;
    if (first == NULL) {
        first = u;
        return;
    }
    event_active(first->soon, EV_TIMEOUT, 1);
    event_active(u->soon, EV_TIMEOUT, 1);
    first = NULL;
}

static void while_fed(struct upstream *u)
{
    if (is(u, "cut") && u->octets > 0)
        fail(u, tell_done, "the connection was lost");
    else if (is(u, "early") && u->octets > 0)
        say(u, tell_done, "250 2.0.0 never mind\r\n");
    else if (is(u, "stuck") && u->full)
        fail(u, tell_done, "took no octets in time");
    else if (u->full) {
        u->full = false;
        u->events->room(u->ctx);
    } else if (u->fed_all && is(u, "pair") && !u->paired)
        pair(u);
    else if (u->fed_all && !is(u, "wait"))
        answer_message(u);
    if (u->feeding && u->fed_all && !u->paired && !is(u, "wait"))
        soon(u);
}

static void give_up(struct upstream *u)
{
    while (u->answered < u->rcpts)
        fail(u, tell_rcpt, "given up");
    if (u->data)
        fail(u, tell_data, "given up");
    else if (u->feeding)
        fail(u, tell_done, "given up");
    u->data = false;
}

static void on_soon(evutil_socket_t fd, short what, void *ctx)
{
    struct upstream *u = ctx;

    (void)fd;
    (void)what;
    if (u->given_up)
        give_up(u);
    else if (u->answered < u->rcpts)
        answer_rcpt(u);
    else if (u->data) {
        u->data = false;
        u->feeding = !is(u, "nodata");
        if (u->feeding)
            tell_data(u, NULL);
        else
            say(u, tell_data, "451 4.3.0 not now\r\n");
    } else if (u->feeding)
        while_fed(u);
    if (u->answered < u->rcpts || u->data)
        soon(u);
}

struct upstreams *upstreams_new(struct event_base *base, const struct conf_relayd *conf, const char *stsd,
                                struct err *e)
{
    struct upstreams *all = calloc(1, sizeof(*all));

    (void)conf;
    (void)stsd;
    (void)e;
    if (all != NULL)
        all->base = base;
    return all;
}

void upstreams_configure(struct upstreams *all, const struct conf_relayd *conf)
{
    (void)all;
    (void)conf;
}

void upstreams_tag(struct upstreams *all, const struct address_tag *tag)
{
    (void)all;
    log_info("fake-tag", "delimiter=%d word=%s", tag->delimiter, tag->word);
}

void upstreams_collector(struct upstreams *all, struct tlsrpt_tell *tell)
{
    (void)all;
    (void)tell;
}

void upstreams_free(struct upstreams *all)
{
    if (all->open != 0)
        abort();
    free(all);
}

size_t upstreams_open(const struct upstreams *all)
{
    return all->open;
}

struct upstream *upstream_new(struct upstreams *all, const char *domain, size_t len, const struct lmtp_command *mail,
                              const struct upstream_events *events, void *ctx)
{
    struct upstream *u = calloc(1, sizeof(*u));

    if (u == NULL)
        abort();
    u->all = all;
    all->open++;
    (void)snprintf(u->domain, sizeof(u->domain), "%.*s", (int)len, domain);
    (void)snprintf(u->script, sizeof(u->script), "%.*s", (int)strcspn(u->domain, "."), u->domain);
    for (size_t n = strlen(u->script); n > 0 && strchr("0123456789", u->script[n - 1]) != NULL; n--)
        if (strncmp(u->script, "data", 4) != 0)
            u->script[n - 1] = '\0';
    (void)snprintf(u->host, sizeof(u->host), "mx.%s", u->domain);
    u->events = events;
    u->ctx = ctx;
    u->soon = evtimer_new(all->base, on_soon, u);
    log_info("fake-new", "domain=%s mail=%s", u->domain, mail->path.at);
    return u;
}

void upstream_rcpt(struct upstream *u, const struct lmtp_command *rcpt)
{
    log_info("fake-rcpt", "path=%s", rcpt->path.at);
    u->rcpt[u->rcpts++] = rcpt;
    soon(u);
}

void upstream_data(struct upstream *u)
{
    u->data = true;
    soon(u);
}

bool upstream_feed(struct upstream *u, const char *octets, size_t len)
{
    if (u->fed_all || !u->feeding || u->full)
        abort();
    if (u->octets == 0)
        log_info("fake-fed", "domain=%s octets=%zu", u->domain, len);
    for (size_t i = 0; i < len; i++)
        u->sum += (unsigned char)octets[i];
    u->octets += len;
    u->full = is(u, "full") || is(u, "stuck") || is(u, "deaf");
    soon(u);
    return !u->full;
}

void upstream_give_up(struct upstream *u)
{
    u->given_up = true;
    event_active(u->soon, EV_TIMEOUT, 0);
}

void upstream_end(struct upstream *u)
{
    u->fed_all = true;
    soon(u);
}

void upstream_free(struct upstream *u)
{
    log_info("fake-free", "domain=%s octets=%llu ended=%d", u->domain, (unsigned long long)u->octets, (int)u->fed_all);
    u->all->open--;
    event_free(u->soon);
    free(u);
}

size_t upstreams_waiting(const struct upstreams *all)
{
    (void)all;
    return 0;
}
