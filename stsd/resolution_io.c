/* resolution_io.c - see resolution_io.h. */
#include "resolution_io.h"

#include "clock.h"
#include "counters.h"
#include "fetch_event.h"
#include "log.h"
#include "millis.h"
#include "sts_http.h"
#include "tlsrpt_event.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* One action that is under way. */
struct step {
    LIST_ENTRY(step) link;
    struct resolution *resolution;
    unsigned slot;
    enum dns_type type; /* of the query, or */
    struct dns_query *query;
    struct https_get *get;
    int64_t began; /* now_us */
};

struct resolution {
    const struct resolution_env *env;
    struct resolve *machine;
    LIST_HEAD(step_list, step) steps;
    struct event *deadline;
    resolution_done_fn *done;
    resolution_waits_fn *waits; /* NULL: it has been called */
    void *ctx;
    int64_t attempted; /* the last policy fetch before */
    int64_t began;     /* now_us */
    enum { FETCH_NONE, FETCH_STARTED, FETCH_TRIED } fetch;
    char domain[DOMAIN_BUF];
};

static void advance(struct resolution *r);

static void step_end(struct step *s)
{
    LIST_REMOVE(s, link);
    free(s);
}

void resolution_cancel(struct resolution *r)
{
    struct step *s, *next;

    if (r == NULL)
        return;
    for (s = LIST_FIRST(&r->steps); s != NULL; s = next) {
        next = LIST_NEXT(s, link);
        if (s->query != NULL)
            dns_cancel(s->query);
        if (s->get != NULL)
            https_cancel(s->get);
        free(s);
    }
    event_free(r->deadline);
    resolve_free(r->machine);
    free(r);
}

static void tell_failure(const struct resolution *r, const struct dest *dest)
{
    struct buf json;

    if (r->env->tell == NULL)
        return;
    buf_init(&json, TLSRPT_EVENT_MAX);
    if (fetch_event_write(&json, dest, r->attempted))
        tlsrpt_tell(r->env->tell, json.data, json.len);
    buf_clear(&json);
}

static void count_end(const struct resolution *r, const struct dest *dest)
{
    metric_observe(&counters[HISTOGRAM_RESOLUTION], now_us() - r->began);
    if (r->fetch == FETCH_STARTED)
        count(COUNT_FETCHES_UNTRIED);
    else if (r->fetch == FETCH_TRIED)
        count(COUNT_FETCHES + dest->sts.failure);
}

static void finish(struct resolution *r)
{
    struct dest *dest = resolve_take(r->machine, now_seconds());
    resolution_done_fn *done = r->done;
    void *ctx = r->ctx;

    if (dest == NULL)
        log_oom();
    count_end(r, dest);
    tell_failure(r, dest);
    resolution_cancel(r);
    done(ctx, dest);
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
    struct step *s = ctx;
    struct resolution *r = s->resolution;

    if (answer->status == DNS_FAILED)
        count(COUNT_DNS_FAILURES);
    resolve_dns(r->machine, s->slot, answer);
    step_end(s);
    advance(r);
}

static void log_failure(const struct resolution *r, const struct resolve_fetch *fetch)
{
    log_warning("policy-fetch-failed", "domain=%s type=%s why=%s", r->domain, dest_sts_failure_name(fetch->failure),
                fetch->why);
}

/* What the HTTP layer saw, in the terms of RFC 8460 section 4.3.2.2. */
static void judge_fetch(struct resolve_fetch *out, const struct https_result *result, struct err *e)
{
    *out = (struct resolve_fetch){.failure = DEST_STS_FETCH_ERROR, .why = result->why};
    if (result->outcome == HTTPS_UNTRUSTED) {
        out->failure = DEST_STS_WEBPKI_INVALID;
    } else if (result->outcome == HTTPS_UNTRIED) {
        out->untried = true;
    } else if (result->outcome == HTTPS_ANSWERED) {
        out->why = e->text;
        if (sts_http_check(result->status, result->content_type, e) == 0)
            *out = (struct resolve_fetch){.failure = DEST_STS_OK, .body = result->body, .len = result->len};
    }
}

static void on_fetched(void *ctx, const struct https_result *result)
{
    struct step *s = ctx;
    struct resolution *r = s->resolution;
    struct resolve_fetch fetch;
    struct err e = {""};

    metric_observe(&counters[HISTOGRAM_FETCH], now_us() - s->began);
    judge_fetch(&fetch, result, &e);
    if (!fetch.untried)
        r->fetch = FETCH_TRIED;
    if (fetch.untried) {
        log_warning("policy-not-fetched", "domain=%s why=%s", r->domain, fetch.why);
    } else if (fetch.failure != DEST_STS_OK) {
        log_failure(r, &fetch);
    }
    resolve_fetched(r->machine, s->slot, &fetch, now_seconds());
    step_end(s);
    advance(r);
}

static void perform(struct resolution *r, const struct resolve_action *action)
{
    const char *address[DEST_ADDRESSES_MAX];
    struct step *s = must_have(calloc(1, sizeof(*s)));

    s->resolution = r;
    s->slot = action->slot;
    LIST_INSERT_HEAD(&r->steps, s, link);
    if (action->what == RESOLVE_QUERY) {
        count(COUNT_DNS_QUERIES);
        s->type = action->type;
        s->query = dns_ask(r->env->dns, action->name, action->type, on_answer, s);
        return;
    }
    count(COUNT_FETCHES_STARTED);
    r->fetch = FETCH_STARTED;
    s->began = now_us();
    for (size_t i = 0; i < action->address_count; i++)
        address[i] = action->address[i];
    s->get = https_start(r->env->https, action->name, STS_HTTP_PATH, address, action->address_count, on_fetched, s);
}

static bool only_fetch_left(const struct resolution *r)
{
    const struct step *s = LIST_FIRST(&r->steps);

    return s != NULL && s->get != NULL && LIST_NEXT(s, link) == NULL;
}

static void advance(struct resolution *r)
{
    resolution_waits_fn *waits = r->waits;
    struct resolve_action action;

    while (resolve_next(r->machine, &action) == 1)
        perform(r, &action);
    if (resolve_done(r->machine)) {
        event_active(r->deadline, EV_TIMEOUT, 0); /* callers are not called back from within their call */
    } else if (waits != NULL && only_fetch_left(r)) {
        r->waits = NULL;
        waits(r->ctx);
    }
}

/* A policy host that was given enough time failed; one whose turn came late, or not at all, is not to blame. */
static void fail_fetch(struct resolution *r)
{
    struct resolve_fetch fetch = {.failure = DEST_STS_FETCH_ERROR, .why = "no answer in time"};

    for (struct step *s = LIST_FIRST(&r->steps); s != NULL; s = LIST_NEXT(s, link))
        if (s->get != NULL && https_had_its_time(s->get)) {
            r->fetch = FETCH_TRIED;
            metric_observe(&counters[HISTOGRAM_FETCH], now_us() - s->began);
            log_failure(r, &fetch);
            resolve_fetched(r->machine, s->slot, &fetch, now_seconds());
        }
}

/* Also the way a finished resolution ends; what is missing at the real deadline counts as a temporary failure. */
static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct resolution *r = ctx;

    (void)fd;
    (void)what;
    if (!resolve_done(r->machine)) {
        log_warning("resolution-too-slow", "domain=%s", r->domain);
        fail_fetch(r);
    }
    finish(r);
}

/* The policy host is what takes longest; else what was asked last. */
const char *resolution_waits_for(const struct resolution *r)
{
    const struct step *s = LIST_FIRST(&r->steps);

    for (const struct step *i = s; i != NULL; i = LIST_NEXT(i, link))
        if (i->get != NULL)
            return "the policy host";
    return s == NULL ? "its end" : dns_type_name(s->type);
}

struct resolution *resolution_start(const struct resolution_env *env, const char *domain, const struct dest *previous,
                                    bool force, resolution_done_fn *done, resolution_waits_fn *waits, void *ctx)
{
    struct timeval timeout = millis(env->timeout_ms);
    struct resolution *r = must_have(calloc(1, sizeof(*r)));

    r->env = env;
    r->began = now_us();
    r->done = done;
    r->waits = waits;
    r->ctx = ctx;
    r->attempted = previous != NULL ? previous->sts.attempted : 0;
    strncpy(r->domain, domain, sizeof(r->domain) - 1);
    LIST_INIT(&r->steps);
    r->machine = must_have(resolve_new(domain, previous, force, now_seconds(), &env->options));
    r->deadline = must_have(evtimer_new(env->base, on_deadline, r));
    evtimer_add(r->deadline, &timeout);
    advance(r);
    return r;
}
