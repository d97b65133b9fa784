/* millis.h - milliseconds, the unit of the configuration's short times, as libevent wants them. */
#ifndef POSTERN_MILLIS_H
#define POSTERN_MILLIS_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/time.h>

#include "log.h"

static inline struct timeval millis(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* The timer goes off in ms milliseconds, whatever it was set to before; with EV_PERSIST again and again. */
static inline void timer_start(struct event *timer, int64_t ms)
{
    const struct timeval tv = millis(ms);

    if (event_add(timer, &tv) != 0)
        log_oom();
}

#endif
