/* outcome.c - see outcome.h. */
#include "outcome.h"

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOMES] = {"temp-mx",     "temp-sts",    "temp-tlsa", "no-mail", "dane",
                                                "sts-enforce", "sts-testing", "sts-none",  "nothing"};

    return names[outcome];
}

static enum outcome policy_outcome(enum sts_mode mode)
{
    if (mode == STS_MODE_ENFORCE)
        return OUTCOME_STS_ENFORCE;
    return mode == STS_MODE_TESTING ? OUTCOME_STS_TESTING : OUTCOME_STS_NONE;
}

enum outcome outcome_of(const struct dest *dest, int64_t now)
{
    if (dest->mx == DEST_MX_TEMP)
        return OUTCOME_TEMP_MX;
    if (dest->sts.record == DEST_STS_TEMP)
        return OUTCOME_TEMP_STS;
    if (dest_temporary(dest))
        return OUTCOME_TEMP_TLSA;
    if (dest->mx == DEST_MX_NODOMAIN || dest->mx == DEST_MX_NULL)
        return OUTCOME_NO_MAIL;
    if (dest_has_dane(dest))
        return OUTCOME_DANE;
    return dest_sts_live(&dest->sts, now) ? policy_outcome(dest->sts.policy.mode) : OUTCOME_NOTHING;
}
