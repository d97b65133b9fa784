/* outcome.h - what a resolution has come to, for counting. Pure. */
#ifndef POSTERN_OUTCOME_H
#define POSTERN_OUTCOME_H

#include <stdint.h>

#include "dest.h"

/* The first that fits. What the policy says is that of the record, be it carried on from before. */
enum outcome {
    OUTCOME_TEMP_MX,     /* the MX records, */
    OUTCOME_TEMP_STS,    /* the MTA-STS record, */
    OUTCOME_TEMP_TLSA,   /* or TLSA records could not be looked up */
    OUTCOME_NO_MAIL,     /* there is no such domain, or it takes no mail */
    OUTCOME_DANE,        /* DANE binds, whatever MTA-STS says (RFC 8461 2) */
    OUTCOME_STS_ENFORCE, /* a live policy of that mode */
    OUTCOME_STS_TESTING,
    OUTCOME_STS_NONE,
    OUTCOME_NOTHING,
    OUTCOMES
};

/* "temp-mx", "temp-sts", "temp-tlsa", "no-mail", "dane", "sts-enforce", "sts-testing", "sts-none", "nothing" */
const char *outcome_name(enum outcome outcome);

enum outcome outcome_of(const struct dest *dest, int64_t now);

#endif
