/* millis.h - milliseconds, the unit of the configuration's short times, as libevent wants them. */
#ifndef POSTERN_MILLIS_H
#define POSTERN_MILLIS_H

#include <stdint.h>
#include <sys/time.h>

static inline struct timeval millis(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

#endif
