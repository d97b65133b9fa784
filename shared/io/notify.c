/* notify.c - readiness and watchdog by way of libsystemd. */
#include "notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "log.h"
#include "millis.h"

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

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

int64_t notify_watchdog_ms(void)
{
    uint64_t usec;

    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

void notify_not_us(void)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
}

static void on_time(evutil_socket_t sock, short what, void *arg)
{
    (void)sock;
    (void)what;
    (void)arg;
    notify_alive();
}

struct event *notify_watchdog(struct event_base *base)
{
    int64_t limit = notify_watchdog_ms();
    struct event *timer;

    if (limit == 0)
        return NULL;
    timer = must_have(event_new(base, -1, EV_PERSIST, on_time, NULL));
    timer_start(timer, limit / 2);
    return timer;
}
