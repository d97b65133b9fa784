/* choice.c - see choice.h. */
#include "choice.h"

#include "resolve.h"

static enum choice goes_on(struct answer **out, const struct choice_in *in, struct answer *a, int64_t now)
{
    memory_revive(in->memory, a, now, RESOLVE_TEMP_TTL);
    *out = a;
    return CHOICE_GOES_ON;
}

/* The level that these facts demand; DEFAULT when that is temp or does not bind. */
static enum tls_level demanded(const struct dest *dest, enum decide_age age, const struct decide_options *options,
                               int64_t now)
{
    struct decision decision;

    decide(&decision, dest, age, options, now);
    return decision.temp || decision.level < LEVEL_ENCRYPT ? LEVEL_DEFAULT : decision.level;
}

/* An answer that binds was made of later facts than these, and of none from the future, and they demand no more. */
static bool binds_later(const struct answer *a, const struct choice_in *in, const struct dest *dest, int64_t now)
{
    return a->binds && a->resolved > dest->resolved && a->resolved <= now + DEST_CLOCK_SLACK &&
           demanded(dest, DECIDE_STALE, in->options, now) <= (enum tls_level)a->level;
}

/* It may have been made before the list was edited. `dane` leaves some hosts in plain text: less than any level there.
 */
static bool enough(const struct answer *a, const struct choice_in *in)
{
    return in->lists.required == LEVEL_DEFAULT ||
           (a->level != LEVEL_DANE && (enum tls_level)a->level >= in->lists.required);
}

enum choice choice_new(struct answer **a, const struct choice_in *in, const struct dest *dest, int64_t now)
{
    struct answer *known = memory_peek(in->memory, in->domain, in->len);
    struct answer *old = memory_get_stale(in->memory, in->domain, in->len, now);
    bool outlives = known != NULL && in->options->sts && answer_outlives(known, dest, now);

    *a = memory_get(in->memory, in->domain, in->len, now);
    if (*a != NULL && (*a)->resolved > dest->resolved)
        return CHOICE_MEMORY;
    *a = NULL;
    if (old != NULL && enough(old, in) &&
        (binds_later(old, in, dest, now) || (outlives && !in->lists.sts_ignored && !dest_has_dane(dest))))
        return goes_on(a, in, old, now);
    if (!outlives)
        return CHOICE_FACTS;
    *a = known;
    return CHOICE_BESIDE;
}

/* Do the old facts go before the answer in memory? changed: there are newer facts than these. */
static bool facts_go_on(const struct answer *a, const struct choice_in *in, const struct dest *old, bool changed,
                        int64_t now)
{
    enum tls_level level = demanded(old, DECIDE_STALE, in->options, now);

    if (level == LEVEL_DEFAULT && changed)
        return false;
    if (a == NULL || level > (enum tls_level)a->level)
        return true;
    return (level != LEVEL_DEFAULT || !a->binds) && old->resolved > a->resolved;
}

enum choice choice_old(struct answer **a, const struct choice_in *in, const struct dest *old, bool changed, int64_t now)
{
    struct answer *answer = memory_get_stale(in->memory, in->domain, in->len, now);
    bool holds = answer != NULL && memory_get(in->memory, in->domain, in->len, now) == answer;

    if (answer != NULL && !holds && !enough(answer, in))
        answer = NULL;
    if (old != NULL && facts_go_on(answer, in, old, changed, now))
        return choice_new(a, in, old, now);
    *a = answer;
    if (answer == NULL)
        return CHOICE_NOTHING;
    return holds ? CHOICE_MEMORY : goes_on(a, in, answer, now);
}
