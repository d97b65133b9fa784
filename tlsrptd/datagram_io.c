/* datagram_io.c - see datagram_io.h. */
#include "datagram_io.h"

#include "clock.h"
#include "datagram_drain_io.h"
#include "datagram_memory.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"
#include "whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define TURN           256 /* datagrams, then others have their turn */
#define LOOK_MS        10  /* from one look to the next, while they come: being woken for each one costs more than it */
#define AGAIN_MS       100 /* after which one that could not be counted comes again */
#define KNOWN_ENTRIES  8192 /* recent datagrams whose events are kept */
#define KNOWN_OCTETS   33554432
#define LOG_SPACING_MS 60000 /* of lines that anybody can cause */

struct datagrams {
    struct event_base *base;
    struct datagram_drain *drain;
    struct datagram_memory *memory;
    struct event *woken, *again;
    char *bad; /* "" when there is none, or it was written */
    datagram_fn *fn;
    void *ctx;
    int64_t at;
    uint64_t unreadable, odd, dropped; /* dropped: at the end */
    struct kept_back {
        int64_t next; /* ms; not before it */
        uint64_t said;
    } unreadable_log, odd_log, dropped_log;
};

/* May a line be written that tells of so many? *more: how many there were since the last line. */
static bool may_say(struct kept_back *k, uint64_t count, uint64_t *more)
{
    int64_t now = now_ms();

    if (count == k->said || now < k->next)
        return false;
    *more = count - k->said;
    k->said = count;
    k->next = now + LOG_SPACING_MS;
    return true;
}

static void copy_bad(struct datagrams *d, const struct datagram *g)
{
    if (d->bad[0] == '\0')
        return;
    if (whole_file_replace(d->bad, g->octets, g->len) != 0)
        log_warning("datagram-copy-failed", "path=%s why=%s", d->bad, strerror(errno));
    else
        log_info("datagram-copied", "path=%s octets=%zu", d->bad, g->len);
    d->bad[0] = '\0';
}

static void unreadable(struct datagrams *d, const struct datagram *g, const struct err *e)
{
    uint64_t more;

    d->unreadable++;
    if (may_say(&d->unreadable_log, d->unreadable, &more))
        log_warning("datagram-unreadable", "why=%s octets=%zu count=%llu", e->text, g->len, (unsigned long long)more);
    copy_bad(d, g);
}

static void odd(struct datagrams *d, const struct tlsrpt_event_read *read)
{
    char names[128] = "";
    size_t len = 0;
    uint64_t more;

    d->odd++;
    if (!may_say(&d->odd_log, d->odd, &more))
        return;
    for (unsigned i = 0; i < TLSRPT_NOTES; i++)
        if ((read->notes & 1U << i) != 0)
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? "," : "",
                                    tlsrpt_note_name((enum tlsrpt_note)(1U << i)));
    log_warning("datagram-odd", "domain=%s what=%s count=%llu", read->event.domain, names, (unsigned long long)more);
}

static void say_dropped(struct datagrams *d)
{
    uint64_t more;

    if (may_say(&d->dropped_log, datagrams_stats(d).dropped, &more))
        log_error("datagrams-dropped", "count=%llu why=%s", (unsigned long long)more,
                  "memory_octets were full: they could not be counted as fast as they came");
}

/* Give the oldest one to fn, or find it unreadable. False when there is none, or it has to come again. */
static bool hand_over(struct datagrams *d, bool *refused)
{
    const struct tlsrpt_event_read *read;
    struct datagram g;
    struct err e = {""};

    *refused = false;
    if (!datagram_queue_front(datagram_drain_queue(d->drain), &g))
        return false;
    read = datagram_memory_read(d->memory, g.octets, g.len, &e);
    d->at = g.at;
    if (read == NULL) {
        unreadable(d, &g, &e);
    } else if (!d->fn(d->ctx, &read->event)) {
        *refused = true;
        return false;
    } else if (read->notes != 0) {
        odd(d, read);
    }
    datagram_queue_pop(datagram_drain_queue(d->drain));
    return true;
}

/* Until the queue is empty, but others have their turn in between. Until a look finds none, nobody wakes us. */
static void turn(struct datagrams *d)
{
    bool refused = false;
    int left = TURN;

    while (left > 0 && hand_over(d, &refused))
        left--;
    say_dropped(d);
    if (refused)
        timer_start(d->again, AGAIN_MS);
    else if (left > 0 && left < TURN)
        timer_start(d->again, LOOK_MS);
    else if (left == 0 || !datagram_drain_rest(d->drain))
        timer_start(d->again, 0);
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
    struct datagrams *d = arg;
    eventfd_t count;

    (void)what;
    (void)eventfd_read(fd, &count);
    if (!event_pending(d->again, EV_TIMEOUT, NULL))
        turn(d);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    turn(arg);
}

struct datagrams *datagrams_open(struct event_base *base, const char *address, unsigned mode, size_t memory,
                                 const char *bad, datagram_fn *fn, void *ctx, struct err *e)
{
    struct datagram_drain *drain = datagram_drain_open(address, mode, memory, e);
    uint8_t secret[SIPHASH_KEY];
    struct datagrams *d;

    if (drain == NULL)
        return NULL;
    d = must_have(calloc(1, sizeof(*d)));
    random_octets(secret, sizeof(secret));
    d->base = base;
    d->drain = drain;
    d->memory = must_have(datagram_memory_new(KNOWN_ENTRIES, KNOWN_OCTETS, secret));
    d->bad = must_have(strdup(bad));
    d->fn = fn;
    d->ctx = ctx;
    d->woken = must_have(event_new(base, datagram_drain_fd(drain), EV_READ | EV_PERSIST, on_woken, d));
    d->again = must_have(evtimer_new(base, on_again, d));
    return d;
}

int datagrams_run(struct datagrams *d, struct err *e)
{
    if (event_add(d->woken, NULL) != 0)
        log_oom();
    return datagram_drain_run(d->drain, e);
}

void datagrams_drain(struct datagrams *d)
{
    struct datagram_queue *queue = datagram_drain_queue(d->drain);
    struct datagram g;
    bool refused;

    datagram_drain_stop(d->drain);
    event_del(d->woken);
    event_del(d->again);
    while (hand_over(d, &refused)) {
    }
    for (; datagram_queue_front(queue, &g); datagram_queue_pop(queue))
        d->dropped++;
    if (d->dropped > 0)
        log_error("datagrams-dropped", "count=%llu why=%s", (unsigned long long)d->dropped,
                  "they could not be counted before the end");
}

void datagrams_close(struct datagrams *d)
{
    if (d == NULL)
        return;
    event_free(d->woken);
    event_free(d->again);
    datagram_drain_close(d->drain);
    datagram_memory_free(d->memory);
    free(d->bad);
    free(d);
}

int64_t datagrams_at(const struct datagrams *d)
{
    return d->at;
}

struct datagrams_stats datagrams_stats(const struct datagrams *d)
{
    return (struct datagrams_stats){.received = datagram_drain_received(d->drain),
                                    .unreadable = d->unreadable,
                                    .dropped = datagram_drain_dropped(d->drain) + d->dropped,
                                    .odd = d->odd,
                                    .waiting = datagram_queue_octets(datagram_drain_queue(d->drain))};
}
