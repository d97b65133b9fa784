/* lists_metrics.h - the operator's lists as metrics, the same for each daemon that knows them. */
#ifndef POSTERN_LISTS_METRICS_H
#define POSTERN_LISTS_METRICS_H

#include "metrics_text.h"
#include "operator_lists_io.h"

#define LISTS_METRICS (2 * LISTS + 2) /* places in a table */

/* These places, from `at` on. prefix: "postern_policyd_" */
#define LISTS_METRICS_TABLE(at, prefix)                                                                              \
    [at] =                                                                                                           \
        METRIC("gauge", prefix "list_entries{list=\"exclude\"}", "Entries of the operator's lists that are known."), \
    LISTS_METRICS_MORE_(at, prefix "list_entries"),                                                                  \
    [(at) + LISTS] =                                                                                                 \
        METRIC("gauge", prefix "list_bad_entries{list=\"exclude\"}",                                                 \
               "Entries that Redis has and that cannot be read; 1 for a list that cannot be read at all."),          \
    LISTS_METRICS_MORE_((at) + LISTS, prefix "list_bad_entries"),                                                    \
    [(at) + 2 * LISTS] = METRIC("gauge", prefix "lists_current",                                                     \
                                "1 while the lists are those of Redis; 0: kept from before, from the file, or not "  \
                                "known."),                                                                           \
    [(at) + 2 * LISTS + 1] = METRIC("gauge", prefix "lists_read_timestamp_seconds",                                  \
                                    "When the lists were last read whole, seconds since the epoch; 0: never.")

#define LISTS_METRIC_(at, family, id, name) [(at) + (id)] = METRIC_MORE(family "{list=\"" name "\"}")
#define LISTS_METRICS_MORE_(at, family)                                                                         \
    LISTS_METRIC_(at, family, LIST_ONLY, "only"), LISTS_METRIC_(at, family, LIST_REQUIRE, "require"),           \
        LISTS_METRIC_(at, family, LIST_STS_EXCLUDE, "sts-exclude"),                                             \
        LISTS_METRIC_(at, family, LIST_PROTOCOLS, "protocols"), LISTS_METRIC_(at, family, LIST_SMTPS, "smtps"), \
        LISTS_METRIC_(at, family, LIST_INBOUND_EXCLUDE, "inbound-exclude"),                                     \
        LISTS_METRIC_(at, family, LIST_INBOUND_REQUIRE, "inbound-require"),                                     \
        LISTS_METRIC_(at, family, LIST_LOCAL, "local"), LISTS_METRIC_(at, family, LIST_FALLBACK, "fallback"),   \
        LISTS_METRIC_(at, family, LIST_REQUIRETLS, "requiretls")

/* Fill them in; place: the first. */
void lists_metrics(struct metric *place, const struct operator_lists *lists);

#endif
