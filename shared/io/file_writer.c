/* file_writer.c - see file_writer.h. */
#include "file_writer.h"
#include "clock.h"
#include "log.h"
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHY_MAX 300
#define DONE    "done"
#define STOP_MS 3000 /* a file that is still being written at the end is waited for */

struct file_writer {
    struct event_base *base;
    char *path;
    size_t max;
    file_written_fn *fn;
    void *ctx;
    pid_t child; /* 0: none */
    int from_child;
    struct event *said;
};

/* --- in the child --- */

/* What the parent closes meanwhile must not stay open here. */
static void close_others(int kept)
{
    if (kept > 3)
        (void)close_range(3, (unsigned)kept - 1, 0);
    (void)close_range((unsigned)kept + 1, ~0U, 0);
}

/* Says why it failed, or DONE. */
static void child_main(int out, const struct file_writer *w, file_fill_fn *fill, const void *what)
{
    struct buf text;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_others(out);
    buf_init(&text, w->max);
    fill(&text, what);
    if (!buf_ok(&text))
        dprintf(out, "it would be too long, or there is no memory");
    else if (whole_file_replace(w->path, text.data, text.len) != 0)
        dprintf(out, "%s", strerror(errno));
    else
        dprintf(out, DONE);
    _exit(0);
}

/* --- in the parent --- */

static void child_gone(struct file_writer *w)
{
    while (waitpid(w->child, NULL, 0) < 0 && errno == EINTR) {
    }
    w->child = 0;
    event_free(w->said);
    w->said = NULL;
    close(w->from_child);
}

static void on_said(evutil_socket_t fd, short what, void *ctx)
{
    struct file_writer *w = ctx;
    char why[WHY_MAX];
    ssize_t got = read(fd, why, sizeof(why) - 1);

    (void)what;
    why[got > 0 ? got : 0] = '\0';
    child_gone(w);
    if (got <= 0)
        snprintf(why, sizeof(why), "the process that wrote it was killed");
    w->fn(w->ctx, strcmp(why, DONE) == 0 ? NULL : why);
}

/* The child has the parent's handlers, which would tell the parent of a signal: no signal but KILL reaches it. */
static pid_t fork_quiet(void)
{
    sigset_t all, before;
    pid_t child;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    child = fork();
    if (child != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    return child;
}

int file_writer_write(struct file_writer *w, file_fill_fn *fill, const void *what)
{
    int ends[2];

    if (w->child != 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        w->fn(w->ctx, strerror(errno));
        return 0;
    }
    w->child = fork_quiet();
    if (w->child < 0) {
        w->child = 0;
        w->fn(w->ctx, strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return 0;
    }
    if (w->child == 0)
        child_main(ends[1], w, fill, what);
    close(ends[1]);
    w->from_child = ends[0];
    w->said = must_have(event_new(w->base, ends[0], EV_READ, on_said, w));
    if (event_add(w->said, NULL) != 0)
        log_oom();
    return 0;
}

struct file_writer *file_writer_new(struct event_base *base, const char *path, size_t max, file_written_fn *fn,
                                    void *ctx)
{
    struct file_writer *w = must_have(calloc(1, sizeof(*w)));

    *w = (struct file_writer){.base = base, .path = must_have(strdup(path)), .max = max, .fn = fn, .ctx = ctx};
    return w;
}

/* The child has said how it went, or has ended; it gets STOP_MS for that, however many signals come. */
static bool has_said(const struct file_writer *w)
{
    const int64_t end = now_ms() + STOP_MS;
    struct pollfd p = {.fd = w->from_child, .events = POLLIN};
    int got;

    do {
        int64_t left = end - now_ms();

        got = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (got < 0 && errno == EINTR);
    return got > 0;
}

void file_writer_free(struct file_writer *w)
{
    if (w == NULL)
        return;
    if (w->child != 0 && !has_said(w)) {
        log_error("file-unwritten", "file=%s error=%s", w->path,
                  "it was still being written at the end; the old one stays");
        kill(w->child, SIGKILL);
    }
    if (w->child != 0)
        child_gone(w);
    free(w->path);
    free(w);
}
