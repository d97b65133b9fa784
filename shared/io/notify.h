/* notify.h - what systemd is told (sd_notify(3)); all of it without effect when systemd did not start us. */
#ifndef POSTERN_NOTIFY_H
#define POSTERN_NOTIFY_H

#include <event2/event.h>
#include <stdint.h>

void notify_ready(void);     /* we have started, or have reloaded */
void notify_reloading(void); /* notify_ready ends it */
void notify_stopping(void);
void notify_alive(void); /* for the watchdog */

/* WATCHDOG_USEC in milliseconds, within which notify_alive is to be called; 0: nobody watches. */
int64_t notify_watchdog_ms(void);

/* From now on systemd is told nothing: that is another process's business. */
void notify_not_us(void);

/*
 * Tell the watchdog twice per WATCHDOG_USEC that we live, from the event loop, so that a loop that hangs is noticed.
 * NULL when there is no watchdog; to be freed with event_free.
 */
struct event *notify_watchdog(struct event_base *base);

#endif
