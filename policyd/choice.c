/* choice.c - see choice.h. */
#include "choice.h"

#include "resolve.h"

static enum choice goes_on(struct answer **out, const struct choice_in *in, struct answer *a, int64_t now)
{
    memory_revive(in->memory, a, now, RESOLVE_TEMP_TTL);
    *out = a;
    return CHOICE_GOES_ON;
}

/* An answer that binds was made of later facts than these, and of none from the future. */
static bool binds_later(const struct answer *a, const struct dest *dest, int64_t now)
{
    return a->binds && a->resolved > dest->resolved && a->resolved <= now + DEST_CLOCK_SLACK;
}

enum choice choice_new(struct answer **a, const struct choice_in *in, const struct dest *dest, int64_t now)
{
    struct answer *old;

    *a = memory_get(in->memory, in->domain, in->len, now);
    if (*a != NULL && (*a)->resolved > dest->resolved)
        return CHOICE_MEMORY;
    *a = NULL;
    old = memory_get_stale(in->memory, in->domain, in->len, now);
    if (old != NULL && (binds_later(old, dest, now) || (in->options->sts && answer_outlives(old, dest, now))))
        return goes_on(a, in, old, now);
    return CHOICE_FACTS;
}

/* Do these old facts demand TLS? */
static bool old_binds(const struct dest *old, const struct decide_options *options, int64_t now)
{
    struct decision decision;

    decide(&decision, old, DECIDE_STALE, options, now);
    return !decision.temp && decision.level >= LEVEL_ENCRYPT;
}

enum choice choice_old(struct answer **a, const struct choice_in *in, const struct dest *old, bool changed, int64_t now)
{
    struct answer *answer = memory_get_stale(in->memory, in->domain, in->len, now);
    bool binds = old != NULL && old_binds(old, in->options, now);

    if (old != NULL && (binds || !changed) &&
        (answer == NULL || !answer->binds || (binds && old->resolved > answer->resolved)))
        return choice_new(a, in, old, now);
    if (answer != NULL)
        return goes_on(a, in, answer, now);
    *a = NULL;
    return CHOICE_NOTHING;
}
