/* facts_io.c - see facts_io.h. */
#include "facts_io.h"

#include "cache.h"
#include "call_client.h"
#include "clock.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RESOLVE_MS 100000 /* more than stsd's own limit may be */
#define AWAY_MS    500    /* to the first new attempt; each wait is twice the last, up to */
#define AWAY_MOST  15000
#define LOOK_MS    500 /* whether a domain's time has come */

struct facts_wait {
    TAILQ_ENTRY(facts_wait) next;
    struct question *question;
    facts_fn *fn;
    void *ctx;
};

/* One domain that is asked for. */
struct question {
    TAILQ_ENTRY(question) next;
    struct facts_client *client;
    TAILQ_HEAD(waits, facts_wait) waits;
    struct call_sent *sent; /* then it is in neither list */
    bool later;             /* in the list of that name */
    unsigned tries;
    int64_t wait_ms, again; /* again: of now_ms */
    uint64_t answers_then;
    char domain[DOMAIN_BUF];
};

TAILQ_HEAD(questions, question);

struct facts_client {
    struct call_client *stsd;
    struct cache *memory;
    struct cache *asked; /* struct question, all of them */
    struct questions ready, later;
    struct event *timer;
    size_t flight;
    uint64_t answers; /* of any kind, from stsd itself */
    bool away, impatient;
    int64_t away_ms, away_until;
    int64_t first_ms;
    unsigned tries;
    struct log_limit log;
};

struct facts *facts_known(struct facts_client *c, const char *domain)
{
    return facts_recall(c->memory, domain, now_ms());
}

/* --- questions --- */

static void question_unlist(struct question *q)
{
    struct facts_client *c = q->client;

    if (q->sent != NULL) {
        call_cancel(q->sent);
        q->sent = NULL;
        c->flight--;
    } else if (q->later) {
        TAILQ_REMOVE(&c->later, q, next);
    } else {
        TAILQ_REMOVE(&c->ready, q, next);
    }
}

static void question_free(struct question *q)
{
    (void)cache_remove(q->client->asked, q->domain, strlen(q->domain));
    free(q);
}

/* It is in no list. Who asked is told last, as they may ask again. */
static void question_end(struct question *q, struct facts *f)
{
    struct waits waits = TAILQ_HEAD_INITIALIZER(waits);
    TAILQ_CONCAT(&waits, &q->waits, next);
    question_free(q);
    for (struct facts_wait *w = TAILQ_FIRST(&waits), *next; w != NULL; w = next) {
        facts_fn *fn = w->fn;
        void *ctx = w->ctx;

        next = TAILQ_NEXT(w, next);
        free(w);
        facts_hold(f);
        fn(ctx, f);
    }
    facts_release(f);
}

static void look_later(struct facts_client *c, int64_t ms)
{
    if (!evtimer_pending(c->timer, NULL))
        timer_start(c->timer, ms);
}

/* stsd was there, but has nothing to say of this domain now. */
static void question_failed(struct question *q, const char *why)
{
    struct facts_client *c = q->client;
    unsigned left_out;

    if (++q->tries < (c->impatient && c->tries > 2 ? 2 : c->tries)) {
        q->wait_ms = q->tries == 1 ? c->first_ms : 2 * q->wait_ms;
        if (q->wait_ms > FACTS_LONGEST_MS)
            q->wait_ms = FACTS_LONGEST_MS;
        q->again = now_ms() + q->wait_ms;
        q->later = true;
        TAILQ_INSERT_TAIL(&c->later, q, next);
        look_later(c, q->wait_ms < LOOK_MS ? q->wait_ms : LOOK_MS);
        return;
    }
    if (log_allowed(&c->log, now_ms() / 60000, &left_out)) /* so many a minute */
        log_warning("no-facts", "domain=%s why=%s action=%s left_out=%u", q->domain, why, "not reported", left_out);
    question_end(q, NULL);
}

static void go_away(struct question *q, const char *why)
{
    struct facts_client *c = q->client;

    TAILQ_INSERT_HEAD(&c->ready, q, next);
    if (c->away && now_ms() < c->away_until)
        return;
    if (!c->away)
        log_warning("stsd-away", "why=%s action=%s", why, "attempts wait");
    c->away_ms = c->away ? 2 * c->away_ms : AWAY_MS;
    if (c->away_ms > AWAY_MOST)
        c->away_ms = AWAY_MOST;
    c->away = true;
    c->away_until = now_ms() + c->away_ms;
    timer_start(c->timer, c->away_ms);
}

static void come_back(struct facts_client *c)
{
    if (c->away)
        log_info("stsd-back", "domains=%zu", cache_count(c->asked));
    c->away = false;
    c->answers++;
}

/* NULL with the reason: of what came nothing can be told. */
static struct dest *dest_read(const struct question *q, const char *text, size_t len, struct err *e)
{
    struct dest *dest = dest_from_json(text, len, e);

    if (dest == NULL)
        return NULL;
    if (!domain_equal(dest->domain, q->domain))
        err_set(e, "stsd answered for another domain");
    else if (dest->mx == DEST_MX_TEMP && dest->tlsrpt[0] != '\0')
        err_set(e, "its MX records cannot be looked up: %s", dest->mx_why);
    else
        return dest;
    dest_free(dest);
    return NULL;
}

static void pump(struct facts_client *c);

static void on_stsd(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct question *q = ctx;
    struct facts_client *c = q->client;
    struct err e = {""};
    struct dest *dest = NULL;

    q->sent = NULL;
    c->flight--;
    if (!reached && c->answers == q->answers_then) {
        go_away(q, text);
        return;
    }
    if (reached)
        come_back(c);
    if (status == CALL_OK)
        dest = dest_read(q, text, len, &e);
    else
        err_set(&e, "%s", text);
    if (dest != NULL)
        question_end(q, must_have(facts_keep(c->memory, dest, now_seconds(), now_ms())));
    else if (status == CALL_PERM)
        question_end(q, NULL);
    else
        question_failed(q, e.text);
    pump(c);
}

static void ask(struct question *q)
{
    struct facts_client *c = q->client;

    TAILQ_REMOVE(&c->ready, q, next);
    q->answers_then = c->answers;
    q->sent = must_have(call_send(c->stsd, "resolve", q->domain, strlen(q->domain), RESOLVE_MS, on_stsd, q));
    c->flight++;
}

static void pump(struct facts_client *c)
{
    size_t most = c->away ? 1 : FACTS_FLIGHT;

    if (c->away && now_ms() < c->away_until)
        return;
    while (c->flight < most && !TAILQ_EMPTY(&c->ready))
        ask(TAILQ_FIRST(&c->ready));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct facts_client *c = ctx;
    struct question *q, *next;
    int64_t now = now_ms();

    (void)fd;
    (void)what;
    for (q = TAILQ_FIRST(&c->later); q != NULL; q = next) {
        next = TAILQ_NEXT(q, next);
        if (q->again > now)
            continue;
        TAILQ_REMOVE(&c->later, q, next);
        q->later = false;
        TAILQ_INSERT_TAIL(&c->ready, q, next);
    }
    pump(c);
    if (!TAILQ_EMPTY(&c->later) || (c->away && !TAILQ_EMPTY(&c->ready)))
        look_later(c, c->first_ms < LOOK_MS ? c->first_ms : LOOK_MS);
}

/* --- who asks --- */

static struct question *question_of(struct facts_client *c, const char *domain)
{
    struct question *q = cache_get(c->asked, domain, strlen(domain));

    if (q != NULL)
        return q;
    q = must_have(calloc(1, sizeof(*q)));
    q->client = c;
    TAILQ_INIT(&q->waits);
    memcpy(q->domain, domain, strlen(domain) + 1);
    if (cache_put(c->asked, domain, strlen(domain), q) != 0)
        log_oom();
    TAILQ_INSERT_TAIL(&c->ready, q, next);
    return q;
}

struct facts_wait *facts_ask(struct facts_client *c, const char *domain, facts_fn *fn, void *ctx)
{
    struct facts_wait *w = must_have(calloc(1, sizeof(*w)));

    w->question = question_of(c, domain);
    w->fn = fn;
    w->ctx = ctx;
    TAILQ_INSERT_TAIL(&w->question->waits, w, next);
    pump(c);
    return w;
}

void facts_cancel(struct facts_wait *w)
{
    struct question *q = w->question;

    TAILQ_REMOVE(&q->waits, w, next);
    free(w);
    if (!TAILQ_EMPTY(&q->waits))
        return;
    question_unlist(q);
    question_free(q);
}

void facts_impatient(struct facts_client *c, bool impatient)
{
    bool sooner = impatient && !c->impatient;

    for (struct question *q = TAILQ_FIRST(&c->later); sooner && q != NULL; q = TAILQ_NEXT(q, next))
        q->again = 0;
    c->impatient = impatient;
}

void facts_patience(struct facts_client *c, int64_t first_ms, unsigned tries)
{
    c->first_ms = first_ms;
    c->tries = tries;
}

/* --- beginning and end --- */

struct facts_client *facts_client_new(struct event_base *base, const char *stsd, struct err *e)
{
    struct facts_client *c = must_have(calloc(1, sizeof(*c)));
    uint8_t secret[SIPHASH_KEY];

    c->stsd = call_client_new(base, stsd, e);
    if (c->stsd == NULL) {
        free(c);
        return NULL;
    }
    random_octets(secret, sizeof(secret));
    c->memory = must_have(facts_memory_new(FACTS_MEMORY, secret));
    c->asked = must_have(cache_new(0, NULL, secret));
    TAILQ_INIT(&c->ready);
    TAILQ_INIT(&c->later);
    c->timer = must_have(evtimer_new(base, on_timer, c));
    facts_patience(c, FACTS_FIRST_MS, FACTS_TRIES);
    return c;
}

void facts_client_free(struct facts_client *c)
{
    const void *cursor = NULL;
    struct question *q;
    const char *domain;

    if (c == NULL)
        return;
    while ((q = cache_next(c->asked, &cursor, &domain)) != NULL) {
        for (struct facts_wait *w = TAILQ_FIRST(&q->waits), *next; w != NULL; w = next) {
            next = TAILQ_NEXT(w, next);
            free(w);
        }
        free(q); /* its call goes with the client */
    }
    cache_free(c->asked);
    cache_free(c->memory);
    call_client_free(c->stsd);
    event_free(c->timer);
    free(c);
}
