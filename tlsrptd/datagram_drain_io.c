/*
 * datagram_drain_io.c - see datagram_drain_io.h. SO_RCVBUF is not set: it means nothing to unix datagrams (unix(7)),
 * only net.unix.max_dgram_qlen does. While the thread sleeps nothing is taken out, so it should not wait for a
 * processor: it asks for a place before others.
 */
#include "datagram_drain_io.h"

#include "clock.h"
#include "listen_socket.h"
#include "log.h"
#include "tlsrpt_event_read.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS       32
#define SLOT_OCTETS (TLSRPT_READ_MAX + 1) /* so that one that is too long is seen to be */
#define NICE        (-20)

struct datagram_drain {
    struct listen_socket socket;
    struct datagram_queue *queue;
    char *slot; /* SLOTS of them; of long datagrams alone more than a page of each is touched */
    struct mmsghdr message[SLOTS];
    struct iovec part[SLOTS];
    int wake, stop; /* eventfd */
    pthread_t thread;
    bool running;
    atomic_bool awake; /* the loop is, or has been told to be */
    atomic_uint_fast64_t received, dropped;
};

/* --- the thread --- */

/* Into memory. */
static void keep(struct datagram_drain *d, unsigned count)
{
    int64_t now = now_seconds();
    uint64_t dropped = 0;

    for (unsigned i = 0; i < count; i++)
        if (!datagram_queue_put(d->queue, now, d->part[i].iov_base, d->message[i].msg_len))
            dropped++;
    atomic_fetch_add_explicit(&d->received, count, memory_order_relaxed);
    if (dropped > 0)
        atomic_fetch_add_explicit(&d->dropped, dropped, memory_order_relaxed);
    if (!atomic_exchange(&d->awake, true))
        (void)eventfd_write(d->wake, 1);
}

/* Take out what is there. Fewer than we have room for: that was all. Returns false when the socket is broken. */
static bool drain(struct datagram_drain *d)
{
    int got;

    do {
        got = recvmmsg(d->socket.fd, d->message, SLOTS, MSG_DONTWAIT, NULL);
        if (got > 0)
            keep(d, (unsigned)got);
    } while (got == SLOTS);
    return got >= 0 || errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
}

/* Before others if we may (see allow_first): as a real-time thread, or as a nice one. */
static void go_first(void)
{
    const struct sched_param least = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

    if (sched_setscheduler(0, SCHED_FIFO, &least) != 0)
        (void)setpriority(PRIO_PROCESS, 0, NICE);
}

static void *run(void *arg)
{
    struct datagram_drain *d = arg;
    struct pollfd wait[] = {{.fd = d->socket.fd, .events = POLLIN}, {.fd = d->stop, .events = POLLIN}};

    go_first();
    while (wait[1].revents == 0 && (poll(wait, 2, -1) >= 0 || errno == EINTR))
        if (!drain(d)) {
            log_error("datagrams-broken", "why=%s", strerror(errno));
            break;
        }
    return NULL;
}

/* --- the loop --- */

/* Still root: what the thread will ask for is allowed also to the user that we become. Without that it does without. */
static void allow_first(void)
{
    const struct rlimit one = {1, 1};

    (void)setrlimit(RLIMIT_RTPRIO, &one);
}

static void slots_make(struct datagram_drain *d)
{
    d->slot = must_have(malloc((size_t)SLOTS * SLOT_OCTETS));
    for (size_t i = 0; i < SLOTS; i++) {
        d->part[i] = (struct iovec){d->slot + i * SLOT_OCTETS, SLOT_OCTETS};
        d->message[i].msg_hdr = (struct msghdr){.msg_iov = &d->part[i], .msg_iovlen = 1};
    }
}

struct datagram_drain *datagram_drain_open(const char *address, unsigned mode, size_t memory, struct err *e)
{
    struct datagram_drain *d = must_have(calloc(1, sizeof(*d)));

    d->wake = d->stop = -1;
    if (listen_socket_open_datagrams(&d->socket, address, mode, e) != 0) {
        free(d);
        return NULL;
    }
    d->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    d->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (d->wake < 0 || d->stop < 0) {
        err_set(e, "eventfd: %s", strerror(errno));
        datagram_drain_close(d);
        return NULL;
    }
    d->queue = must_have(datagram_queue_new(memory, SLOT_OCTETS));
    slots_make(d);
    allow_first();
    return d;
}

int datagram_drain_run(struct datagram_drain *d, struct err *e)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&d->thread, NULL, run, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return err_set(e, "%s: the thread: %s", d->socket.address.text, strerror(failed));
    d->running = true;
    return 0;
}

/*
 * Who sends after the shutdown is told so; what was sent before is taken. A socket that systemd made goes on without
 * us, and what is in it is for the next one.
 */
void datagram_drain_stop(struct datagram_drain *d)
{
    if (d->socket.fd < 0)
        return;
    if (d->running) {
        (void)eventfd_write(d->stop, 1);
        pthread_join(d->thread, NULL);
        d->running = false;
        if (d->socket.made_by != 0)
            (void)shutdown(d->socket.fd, SHUT_RD);
        (void)drain(d);
    }
    listen_socket_close(&d->socket);
}

void datagram_drain_close(struct datagram_drain *d)
{
    if (d == NULL)
        return;
    datagram_drain_stop(d);
    if (d->wake >= 0)
        close(d->wake);
    if (d->stop >= 0)
        close(d->stop);
    datagram_queue_free(d->queue);
    free(d->slot);
    free(d);
}

int datagram_drain_fd(const struct datagram_drain *d)
{
    return d->wake;
}

bool datagram_drain_rest(struct datagram_drain *d)
{
    atomic_store(&d->awake, false);
    return datagram_queue_octets(d->queue) == 0 || atomic_exchange(&d->awake, true);
}

struct datagram_queue *datagram_drain_queue(struct datagram_drain *d)
{
    return d->queue;
}

uint64_t datagram_drain_received(const struct datagram_drain *d)
{
    return atomic_load_explicit(&d->received, memory_order_relaxed);
}

uint64_t datagram_drain_dropped(const struct datagram_drain *d)
{
    return atomic_load_explicit(&d->dropped, memory_order_relaxed);
}
