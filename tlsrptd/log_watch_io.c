/* log_watch_io.c - see log_watch_io.h. */
#include "log_watch_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"

struct log_watch {
    int fd, watch; /* -1: none */
    struct event *event;
    void (*fn)(void *ctx);
    void *ctx;
};

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
    struct log_watch *w = ctx;
    char events[4096];

    (void)what;
    while (read(fd, events, sizeof(events)) > 0)
        ;
    w->fn(w->ctx);
}

struct log_watch *log_watch_new(struct event_base *base, void (*fn)(void *ctx), void *ctx)
{
    struct log_watch *w = must_have(calloc(1, sizeof(*w)));

    w->fn = fn;
    w->ctx = ctx;
    w->watch = -1;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd >= 0)
        w->event = must_have(event_new(base, w->fd, EV_READ, on_event, w));
    return w;
}

void log_watch_free(struct log_watch *w)
{
    if (w == NULL)
        return;
    if (w->event != NULL)
        event_free(w->event);
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w);
}

/* By its descriptor: the name may be another file's by now. */
void log_watch_file(struct log_watch *w, int fd)
{
    char path[64];

    if (w->fd < 0)
        return;
    if (w->watch >= 0)
        (void)inotify_rm_watch(w->fd, w->watch);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    w->watch = inotify_add_watch(w->fd, path, IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB);
}

void log_watch_on(struct log_watch *w)
{
    if (w->event != NULL)
        event_add(w->event, NULL);
}
