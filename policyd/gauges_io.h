/* gauges_io.h - what goes up and down, for the numbers of this process (counters.h): asked of the parts that know it.
 */
#ifndef POSTERN_GAUGES_IO_H
#define POSTERN_GAUGES_IO_H

#include <event2/event.h>

#include "lookup_io.h"
#include "memory.h"
#include "operator_lists_io.h"
#include "redis_io.h"
#include "serve_io.h"

struct gauges {
    const struct serve *serve;
    const struct memory *memory;
    const struct lookups *lookups;
    const struct redis *redis;
    const struct operator_lists *lists; /* NULL: another worker tells of them */
    uint64_t evictions;                 /* of this process that are counted */
    struct event *timer;
};

/* Now. ctx is the struct gauges. */
void gauges_update(void *ctx);

/* And every second, for other workers that give the numbers out. */
void gauges_start(struct gauges *g, struct event_base *base);
void gauges_stop(struct gauges *g);

#endif
