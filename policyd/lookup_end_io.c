/*
 * lookup_end_io.c - how a look-up ends: with facts, or with the best of what was known before. Everybody who waits is
 * called back, and what may be remembered goes to memory.
 */
#include "lookup_internal.h"

#include "choice.h"
#include "counters.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pending_free(struct pending *p)
{
    event_free(p->deadline);
    dest_free(p->old);
    free(p);
}

/* Out of the table, so that the next look-up of this domain starts anew; freed now or with the GET's callback. */
static void pending_close(struct pending *p)
{
    cache_remove(p->lookups->pending, p->domain, p->len);
    p->closed = true;
    event_del(p->deadline);
    if (p->sent != NULL)
        call_cancel(p->sent);
    p->sent = NULL;
    if (!p->in_redis)
        pending_free(p);
}

/* Those who asked for another port get a decision of their own, without DANE. */
static void deliver_other_port(struct pending *p, struct lookup_wait *w, const struct lookup_result *result)
{
    struct decide_options options = p->lookups->options;
    struct lookup_result other = *result;
    struct decision decision;
    struct answer *a;

    options.dane = false;
    decide(&decision, result->dest, result->source == LOOKUP_STALE ? DECIDE_STALE : DECIDE_FRESH, &options,
           now_seconds());
    a = answer_new(&decision, result->dest, &options);
    if (a == NULL)
        log_oom();
    other.answer = a;
    other.decision = &decision;
    w->fn(w->ctx, &other);
    free(a);
}

static void deliver(struct pending *p, const struct lookup_result *result)
{
    struct lookup_wait *w;

    while ((w = TAILQ_FIRST(&p->waits)) != NULL) {
        TAILQ_REMOVE(&p->waits, w, link);
        if (w->fn != NULL && w->other_port)
            deliver_other_port(p, w, result);
        else if (w->fn != NULL)
            w->fn(w->ctx, result);
        free(w);
    }
}

/* The last reason is what the MTA is told: add to it why nothing newer can be had, without what does not belong into a
 * line. */
static void say_why(struct decision *decision, const char *why)
{
    char *reason = decision->reason[decision->reason_count - 1];
    size_t len = strlen(reason);

    snprintf(reason + len, DECIDE_REASON_MAX - len, " (%s)", why);
    for (char *c = reason + len; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
}

/* beside: NULL, or the answer in memory that knows an enforced policy of which the facts say nothing. */
static struct answer *answer_make(struct pending *p, struct decision *decision, const struct dest *dest,
                                  const struct answer *beside, enum lookup_source source)
{
    struct decide_options options = p->lookups->options;
    int64_t now = now_seconds();
    struct answer *a;

    options.sts_elsewhere = beside != NULL;
    decide(decision, dest, source == LOOKUP_STALE ? DECIDE_STALE : DECIDE_FRESH, &options, now);
    if (p->why[0] != '\0' && decision->temp)
        say_why(decision, p->why);
    a = answer_new(decision, dest, &options);
    if (a == NULL)
        log_oom();
    if (beside != NULL)
        answer_keep_policy(a, beside);
    (void)answer_due(a, now); /* it was looked up just now */
    if (decision->temp)
        count(COUNT_TEMP);
    log_info("policy", "domain=%s level=%s source=%s reason=%s", p->domain,
             decision->temp ? "temp" : tls_level_name(decision->level), lookup_source_name(source),
             decision->reason[decision->reason_count - 1]);
    return a;
}

static void finish_from_memory(struct pending *p, const struct answer *a, enum lookup_source source)
{
    deliver(p, &(struct lookup_result){.answer = a, .source = source});
    pending_close(p);
}

static struct choice_in choice_in(const struct pending *p)
{
    return (struct choice_in){p->lookups->memory, p->domain, p->len, &p->lookups->options};
}

/* With an answer made of these facts; NULL: nothing is known. beside: see answer_make. */
static void finish_from_facts(struct pending *p, const struct dest *dest, const struct answer *beside,
                              enum lookup_source source)
{
    struct memory *memory = p->lookups->memory;
    struct decision decision;
    struct answer *a;

    a = answer_make(p, &decision, dest, beside, source);
    /* Nothing is put into memory during the callbacks, so the answer stays where it is. */
    if (dest != NULL && memory_put(memory, p->domain, p->len, a) != 0)
        log_oom();
    deliver(p, &(struct lookup_result){.answer = a, .decision = &decision, .dest = dest, .source = source});
    if (dest == NULL)
        free(a);
    else if (p->dirty)
        memory_expire(memory, p->domain, p->len);
    pending_close(p);
}

/* dest stays the caller's. */
void finish_with(struct pending *p, const struct dest *dest, enum lookup_source source)
{
    const struct choice_in in = choice_in(p);
    struct answer *a;
    enum choice choice = choice_new(&a, &in, dest, now_seconds());

    if (choice == CHOICE_GOES_ON)
        log_warning("answer-goes-on", "domain=%s why=%s", p->domain,
                    "the facts that came are older, or say nothing of the enforced policy that is known");
    if (choice == CHOICE_FACTS || choice == CHOICE_BESIDE)
        finish_from_facts(p, dest, a, source);
    else
        finish_from_memory(p, a, source);
}

/* --- nothing newer can be had --- */

void finish_old(struct pending *p)
{
    const struct choice_in in = choice_in(p);
    struct answer *a;
    enum choice choice = choice_old(&a, &in, p->old, p->dirty, now_seconds());

    if (choice != CHOICE_NOTHING)
        count(COUNT_STALE);
    if (choice == CHOICE_FACTS || choice == CHOICE_BESIDE)
        finish_from_facts(p, p->old, a, LOOKUP_STALE);
    else if (choice == CHOICE_NOTHING)
        finish_from_facts(p, NULL, NULL, LOOKUP_NONE);
    else
        finish_from_memory(p, a, LOOKUP_STALE);
}

/* When Redis has told of a change meanwhile it may have what stsd has not: look there once more. */
void finish_without(struct pending *p, const char *why)
{
    log_warning("facts-unavailable", "domain=%s why=%s", p->domain, why);
    snprintf(p->why, sizeof(p->why), "%s", why);
    if (p->dirty && !p->in_redis && pending_ask_redis(p) == 0)
        p->last_look = true;
    else
        finish_old(p);
}
