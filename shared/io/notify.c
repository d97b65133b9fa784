/* notify.c - readiness and watchdog by way of libsystemd. */
#include "notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "log.h"

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

static void on_time(evutil_socket_t sock, short what, void *arg)
{
    (void)sock;
    (void)what;
    (void)arg;
    sd_notify(0, "WATCHDOG=1");
}

struct event *notify_watchdog(struct event_base *base)
{
    uint64_t usec;
    struct timeval half;
    struct event *timer;

    if (sd_watchdog_enabled(0, &usec) <= 0)
        return NULL;
    half.tv_sec = (time_t)(usec / 2 / 1000000);
    half.tv_usec = (suseconds_t)(usec / 2 % 1000000);
    timer = event_new(base, -1, EV_PERSIST, on_time, NULL);
    if (timer == NULL || event_add(timer, &half) != 0)
        log_oom();
    return timer;
}
