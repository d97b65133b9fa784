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
    event_free(p->begin);
    dest_free(p->old);
    free(p->states);
    free(p);
}

/* Out of the table, so that the next look-up of this next hop starts anew; freed now or by the callback of a command to
 * Redis. */
static void pending_close(struct pending *p)
{
    cache_remove(p->lookups->pending, p->name, p->len);
    p->closed = true;
    event_del(p->deadline);
    event_del(p->begin);
    if (p->sent != NULL)
        call_cancel(p->sent);
    p->sent = NULL;
    if (!p->in_redis)
        pending_free(p);
}

static struct verdict_in verdict_in(const struct pending *p, const struct dest *dest, enum lookup_source source)
{
    return (struct verdict_in){
        .hop = p->hop,
        .dest = dest,
        .age = source == LOOKUP_STALE ? DECIDE_STALE : DECIDE_FRESH,
        .sts_elsewhere = p->sts_elsewhere,
        .lists = operator_lists_get(p->lookups->parts.lists),
        .states = p->states,
    };
}

/* Those who asked for another port get a decision of their own. */
static void deliver_other_port(struct pending *p, struct lookup_wait *w, const struct lookup_result *result)
{
    struct verdict_in in = verdict_in(p, result->dest, result->source);
    struct lookup_result other = *result;
    struct decision decision;
    struct answer *a;

    in.hop.port = w->port;
    verdict(&decision, &in, &p->lookups->rules, now_seconds());
    a = must_have(answer_new(&decision, result->dest, &p->lookups->rules.options));
    other.answer = a;
    other.decision = &decision;
    w->fn(w->ctx, &other);
    free(a);
}

static bool other_port(const struct pending *p, const struct lookup_wait *w)
{
    struct nexthop hop = p->hop;

    hop.port = w->port;
    return !lookup_remembers(&hop);
}

static void deliver(struct pending *p, const struct lookup_result *result)
{
    struct lookup_wait *w;

    while ((w = TAILQ_FIRST(&p->waits)) != NULL) {
        TAILQ_REMOVE(&p->waits, w, link);
        if (w->fn != NULL)
            metric_observe(&counters[HISTOGRAM_LOOKUP], now_us() - w->began);
        if (w->fn != NULL && other_port(p, w))
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

/* What the lists that may override say; a long line may be cut at its end. */
static bool may_override(const char *reason)
{
    return strncmp(reason, "list exclude: ", strlen("list exclude: ")) == 0 ||
           strncmp(reason, "list sts-exclude: ", strlen("list sts-exclude: ")) == 0;
}

static void log_decision(const struct pending *p, const struct decision *decision, enum lookup_source source)
{
    const char *reason = decision->reason[decision->reason_count - 1];

    log_info("policy", "domain=%s level=%s source=%s reason=%s", p->name,
             decision->temp ? "temp" : tls_level_name(decision->level), lookup_source_name(source), reason);
    for (size_t i = 0; decision->overridden && i < decision->reason_count; i++)
        if (may_override(decision->reason[i]))
            log_warning("override", "domain=%s reason=%s", p->name, decision->reason[i]);
}

/* beside: NULL, or the answer in memory that knows an enforced policy of which the facts say nothing. */
static struct answer *answer_make(struct pending *p, struct decision *decision, const struct dest *dest,
                                  const struct answer *beside, enum lookup_source source)
{
    struct verdict_in in;
    struct answer *a;

    p->sts_elsewhere = beside != NULL;
    in = verdict_in(p, dest, source);
    verdict(decision, &in, &p->lookups->rules, now_seconds());
    if (p->why[0] != '\0' && decision->temp)
        say_why(decision, p->why);
    a = must_have(answer_new(decision, dest, &p->lookups->rules.options));
    if (beside != NULL)
        answer_keep_policy(a, beside);
    (void)answer_due(a, now_seconds()); /* it was looked up just now */
    if (decision->temp)
        count(COUNT_TEMP);
    log_decision(p, decision, source);
    return a;
}

static void finish_from_memory(struct pending *p, const struct answer *a, enum lookup_source source)
{
    deliver(p, &(struct lookup_result){.answer = a, .source = source});
    pending_close(p);
}

/* dest: the facts that have come, or the old ones, or NULL. */
static struct choice_in choice_in(const struct pending *p, const struct dest *dest)
{
    const struct verdict_in in = verdict_in(p, dest, LOOKUP_NONE);
    struct choice_in out = {
        .memory = p->lookups->parts.memory, .domain = p->name, .len = p->len, .options = &p->lookups->rules.options};

    verdict_lists(&out.lists, &in, now_seconds());
    return out;
}

/* With an answer made of these facts; NULL: nothing is known. beside: see answer_make. */
static void finish_from_facts(struct pending *p, const struct dest *dest, const struct answer *beside,
                              enum lookup_source source)
{
    struct memory *memory = p->lookups->parts.memory;
    struct decision decision;
    struct answer *a = answer_make(p, &decision, dest, beside, source);
    bool remembered = dest != NULL || (p->hop.kind != NEXTHOP_DOMAIN && !decision.temp);

    /* Nothing is put into memory during the callbacks, so the answer stays where it is. */
    if (remembered && memory_put(memory, p->name, p->len, a) != 0)
        log_oom();
    deliver(p, &(struct lookup_result){.answer = a, .decision = &decision, .dest = dest, .source = source});
    if (!remembered)
        free(a);
    else if (p->dirty)
        memory_expire(memory, p->name, p->len);
    pending_close(p);
}

/* dest stays the caller's. */
void finish_with(struct pending *p, const struct dest *dest, enum lookup_source source)
{
    const struct choice_in in = choice_in(p, dest);
    struct answer *a;
    enum choice choice = choice_new(&a, &in, dest, now_seconds());

    if (choice == CHOICE_GOES_ON)
        log_warning("answer-goes-on", "domain=%s why=%s", p->name,
                    "the facts that came are older, or say nothing of the enforced policy that is known");
    if (choice == CHOICE_FACTS || choice == CHOICE_BESIDE)
        finish_from_facts(p, dest, a, source);
    else
        finish_from_memory(p, a, source);
}

void finish_fixed(struct pending *p)
{
    finish_from_facts(p, NULL, NULL, LOOKUP_NONE);
}

/* --- nothing newer can be had --- */

void finish_old(struct pending *p)
{
    const struct choice_in in = choice_in(p, p->old);
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
    log_warning("facts-unavailable", "domain=%s why=%s", p->name, why);
    snprintf(p->why, sizeof(p->why), "%s", why);
    if (p->hop.kind != NEXTHOP_DOMAIN)
        finish_fixed(p);
    else if (p->dirty && !p->in_redis && pending_ask_redis(p) == 0)
        p->last_look = true;
    else
        finish_old(p);
}
