/*
 * verdict.h - from all that is known about a next hop to the decision: the facts, the operator's lists, and what became
 * of TLS there before. Pure.
 */
#ifndef POSTERN_VERDICT_H
#define POSTERN_VERDICT_H

#include "conf.h"
#include "decide_lists.h"
#include "fallback_hosts.h"

/* The settings that go for all next hops. */
struct verdict_rules {
    struct decide_options options;
    struct list_value fallback; /* for next hops without an entry in the list fallback */
    int64_t fallback_keep;
};
void verdict_rules(struct verdict_rules *out, const struct conf_policyd *conf);

struct verdict_in {
    struct nexthop hop;      /* DANE counts for port 25, or none, alone: TLSA records of others were not looked at */
    const struct dest *dest; /* NULL: no facts are to be had, or none exist (hop is no domain) */
    enum decide_age age;
    bool sts_elsewhere;                  /* see struct decide_options */
    const struct lists *lists;           /* NULL: not known now. Then what binds at all hosts goes, all else is temp */
    const struct fallback_hosts *states; /* NULL: none are known */
};

/* What the lists say that goes for old answers, too, which may have been made before they were edited. */
struct verdict_lists {
    enum tls_level required; /* by the list require; DEFAULT: nothing */
    bool sts_ignored;        /* an entry of sts-exclude overrides */
};
void verdict_lists(struct verdict_lists *out, const struct verdict_in *in, int64_t now);

/* The decision may point into lists. It holds for an hour at most where there are no facts. */
void verdict(struct decision *out, const struct verdict_in *in, const struct verdict_rules *rules, int64_t now);

#endif
