/* log_taker.h - who takes the entries of a source (log_source_io.h), and what was counted for him. */
#ifndef POSTERN_LOG_TAKER_H
#define POSTERN_LOG_TAKER_H

#include "log_source_io.h"

#define LOG_TURN_MS 20   /* longest time that entries are given at a stretch; then others have their turn */
#define LOG_POLL_MS 1000 /* it is looked for news at least so often, also when nothing tells of any */

struct log_taker {
    log_source_fn *fn;
    void *ctx;
    int64_t clock_offset;
    struct log_source_stats stats;
};

#endif
