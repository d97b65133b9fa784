/* report_state_io.c - see report_state_io.h. */
#include "report_state_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "utc_day.h"

#define SEEN_MAX  (REPORT_STATE_JSON_MAX + 1) /* octets of a state that are looked at; one more than may be */
#define KEY_BUF   512
#define TRIES_MAX 100 /* each time another writer came between */
#define AGAIN_MS  2000

/*
 * KEYS: the hash. ARGV: field, the state that it was decided on ("": none), the new one, seconds to keep, octets to
 * look at. Replies "OK", or the state that is there.
 */
static const char script[] = //
    "local seen = string.sub(redis.call('HGET', KEYS[1], ARGV[1]) or '', 1, tonumber(ARGV[5])) "
    "if seen ~= ARGV[2] then return seen end "
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) "
    "redis.call('EXPIRE', KEYS[1], ARGV[4]) "
    "return redis.status_reply('OK')";

/* Of the command. */
enum { WORD_SEEN = 5, WORD_NEW = 6, WORDS = 9 };

enum step_kind { STEP_CLAIM, STEP_BEGIN, STEP_END };

struct step {
    TAILQ_ENTRY(step) link;
    struct report_states *states; /* NULL: nobody wants to know any more */
    enum step_kind kind;
    struct report_ticket *ticket; /* STEP_END: copy */
    struct report_ticket copy;
    struct report_state state; /* the new one */
    int64_t now;
    enum report_claim_how how;   /* STEP_CLAIM */
    enum report_verdict verdict; /* STEP_CLAIM */
    enum report_stage stage;     /* STEP_END, and the next */
    int64_t next;
    char why[REPORT_STATE_WHY_BUF];
    struct event *again; /* STEP_END */
    unsigned tries;
    size_t seen_len;
    char seen[SEEN_MAX]; /* foreign octets, which may have NUL in them */
    char id[REPORT_STATE_ID_BUF];
    report_claimed_fn *claimed;
    report_begun_fn *begun;
    void *ctx;
};

TAILQ_HEAD(step_list, step);

struct report_states {
    struct event_base *base;
    struct redis *redis;
    struct step_list steps;
    size_t ends; /* of them */
    char node[REPORT_STATE_NODE_BUF];
    void (*written)(void *ctx);
    void *ctx;
};

struct report_states *report_states_new(struct event_base *base, struct redis *redis)
{
    struct report_states *s = must_have(calloc(1, sizeof(*s)));

    s->base = base;
    s->redis = redis;
    TAILQ_INIT(&s->steps);
    if (gethostname(s->node, sizeof(s->node) - 1) != 0)
        (void)snprintf(s->node, sizeof(s->node), "?");
    for (char *p = s->node; *p != '\0'; p++)
        *p = *p < 0x21 || *p > 0x7e ? '?' : *p;
    return s;
}

static void step_free(struct step *p)
{
    if (p->again != NULL)
        event_free(p->again);
    free(p);
}

static void step_unlink(struct step *p)
{
    TAILQ_REMOVE(&p->states->steps, p, link);
    p->states->ends -= p->kind == STEP_END ? 1 : 0;
}

static bool is_waiting(const struct step *p)
{
    return p->again != NULL && event_pending(p->again, EV_TIMEOUT, NULL);
}

void report_states_free(struct report_states *s)
{
    struct step *p, *next;

    if (s == NULL)
        return;
    for (p = TAILQ_FIRST(&s->steps); p != NULL; p = next) {
        next = TAILQ_NEXT(p, link);
        if (p->kind == STEP_END)
            log_warning("report-state-lost", "domain=%s destination=%s state=%s", p->copy.domain, p->copy.field,
                        report_stage_name(p->stage));
        p->states = NULL;
        if (is_waiting(p))
            step_free(p);
    }
    free(s);
}

/* Tell, and be gone. why: what kept it from being written. */
static void step_done(struct step *p, const char *why)
{
    struct report_states *s = p->states;
    struct step old = *p; /* its why is the one that is told, where it is p's own */
    const char *words = why == p->why ? old.why : why;

    if (why == NULL)
        p->ticket->state = p->state;
    step_unlink(p);
    step_free(p);
    if (old.kind == STEP_CLAIM)
        old.claimed(old.ctx, words == NULL ? old.verdict : REPORT_LATER, words);
    else if (old.kind == STEP_BEGIN)
        old.begun(old.ctx, words == NULL, words);
    else if (s->ends == 0 && s->written != NULL)
        s->written(s->ctx);
}

/* Redis did not take it. */
static void step_failed(struct step *p, const char *why)
{
    if (p->kind == STEP_END)
        timer_start(p->again, AGAIN_MS);
    else
        step_done(p, why);
}

/* Decide on what is there. Returns 1: write p->state; 0: it is done as it is; -1: it must not be done, see p->why. */
static int step_decide(struct step *p)
{
    struct report_states *s = p->states;
    struct err e = {""};

    if (report_state_read(&p->state, p->seen, p->seen_len, &e) != 0)
        log_warning("report-state-unreadable", "domain=%s destination=%s error=%s action=%s", p->ticket->domain,
                    p->ticket->field, e.text, "it is not sent");
    switch (p->kind) {
    case STEP_CLAIM:
        p->verdict = report_claim(&p->state, s->node, p->id, p->now, p->how);
        return p->verdict == REPORT_TAKEN || p->verdict == REPORT_EXPIRED ? 1 : 0;
    case STEP_BEGIN:
        (void)snprintf(p->why, sizeof(p->why), "another node has it now");
        return report_begin(&p->state, p->ticket->state.id, p->now) ? 1 : -1;
    case STEP_END:
        break;
    }
    return report_end(&p->state, &p->ticket->state, p->stage, p->next, p->why, p->now) ? 1 : 0;
}

static redis_reply_fn on_reply;

static int step_send(struct step *p)
{
    char key[KEY_BUF], name[DOMAIN_BUF + UTC_DAY_BUF], day[UTC_DAY_BUF], seconds[24], octets[24];
    const char *word[WORDS] = {"EVAL", script, "1", key, p->ticket->field, p->seen, "", seconds, octets};
    size_t length[WORDS];
    struct buf state;
    int rc;

    utc_day_text(day, p->ticket->day);
    (void)snprintf(name, sizeof(name), "%s:%s", day, p->ticket->domain);
    if (redis_key(p->states->redis, key, sizeof(key), "tlsrpt-sent", name) == 0)
        return -1;
    buf_init(&state, REPORT_STATE_JSON_MAX);
    report_state_write(&state, &p->state);
    if (!buf_ok(&state))
        log_oom();
    word[WORD_NEW] = buf_text(&state);
    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)p->ticket->keep);
    (void)snprintf(octets, sizeof(octets), "%d", SEEN_MAX);
    for (size_t i = 0; i < WORDS; i++)
        length[i] = i == WORD_SEEN ? p->seen_len : strlen(word[i]);
    rc = redis_send(p->states->redis, on_reply, p, WORDS, word, length);
    buf_clear(&state);
    return rc;
}

static void step_take(struct step *p)
{
    int what = step_decide(p);

    if (what == 0)
        step_done(p, NULL);
    else if (what < 0)
        step_done(p, p->why);
    else if (step_send(p) != 0)
        step_failed(p, "Redis is away");
}

/* Another state is there than was thought. */
static void step_again(struct step *p, const redisReply *reply)
{
    p->seen_len = reply->len < SEEN_MAX ? reply->len : SEEN_MAX;
    memcpy(p->seen, reply->str, p->seen_len);
    if (++p->tries < TRIES_MAX)
        step_take(p);
    else
        step_failed(p, "others write the same state all the time");
}

static void on_reply(void *ctx, redisReply *reply)
{
    struct step *p = ctx;

    if (p->states == NULL)
        step_free(p);
    else if (reply == NULL)
        step_failed(p, "Redis went away, or gave no reply in time");
    else if (reply->type == REDIS_REPLY_STRING)
        step_again(p, reply);
    else if (reply->type == REDIS_REPLY_STATUS)
        step_done(p, NULL);
    else
        step_failed(p, reply->type == REDIS_REPLY_ERROR ? reply->str : "a reply that cannot be");
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
    struct step *p = ctx;

    (void)fd;
    (void)what;
    p->tries = 0;
    step_take(p);
}

static struct step *step_new(struct report_states *s, enum step_kind kind, int64_t now)
{
    struct step *p = must_have(calloc(1, sizeof(*p)));

    p->states = s;
    p->kind = kind;
    p->now = now;
    TAILQ_INSERT_TAIL(&s->steps, p, link);
    s->ends += kind == STEP_END ? 1 : 0;
    return p;
}

/* What was written last is thought to be there. */
static void step_assume(struct step *p)
{
    struct buf state;

    buf_init(&state, REPORT_STATE_JSON_MAX);
    report_state_write(&state, &p->ticket->state);
    p->seen_len = state.len;
    memcpy(p->seen, buf_text(&state), state.len);
    buf_clear(&state);
}

/* None of the callbacks comes from within the call that asked for it: what cannot be sent is told by a timer. */
static void on_away(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    step_done(ctx, "Redis is away");
}

static void step_start(struct step *p)
{
    int what = step_decide(p);

    if (what > 0 && step_send(p) == 0)
        return;
    if (p->kind != STEP_END) {
        p->again = must_have(evtimer_new(p->states->base, on_away, p));
        timer_start(p->again, 0);
    } else {
        timer_start(p->again, AGAIN_MS);
    }
}

void report_states_claim(struct report_states *s, struct report_ticket *t, enum report_claim_how how, int64_t now,
                         report_claimed_fn *fn, void *ctx)
{
    struct step *p = step_new(s, STEP_CLAIM, now);

    random_hex(p->id, (REPORT_STATE_ID_BUF - 1) / 2);
    p->ticket = t;
    p->how = how;
    p->claimed = fn;
    p->ctx = ctx;
    step_start(p);
}

void report_states_begin(struct report_states *s, struct report_ticket *t, int64_t now, report_begun_fn *fn, void *ctx)
{
    struct step *p = step_new(s, STEP_BEGIN, now);

    p->ticket = t;
    p->begun = fn;
    p->ctx = ctx;
    step_assume(p);
    step_start(p);
}

void report_states_end(struct report_states *s, const struct report_ticket *t, enum report_stage stage, int64_t next,
                       const char *why, int64_t now)
{
    struct step *p = step_new(s, STEP_END, now);

    p->copy = *t;
    p->ticket = &p->copy;
    p->stage = stage;
    p->next = next;
    (void)snprintf(p->why, sizeof(p->why), "%s", why != NULL ? why : "");
    p->again = must_have(evtimer_new(s->base, on_again, p));
    step_assume(p);
    step_start(p);
}

size_t report_states_waiting(const struct report_states *s)
{
    return s->ends;
}

void report_states_when_written(struct report_states *s, void (*fn)(void *ctx), void *ctx)
{
    s->written = fn;
    s->ctx = ctx;
}
