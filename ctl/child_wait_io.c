/* child_wait_io.c - see child_wait_io.h. */
#include "child_wait_io.h"
#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 10 /* how often it is looked whether it has ended */

/* Returns whether anything was added. */
static bool take_part(struct child_pipe *pipe)
{
    char part[8192];
    ssize_t n = read(pipe->fd, part, sizeof(part));

    if (n == 0)
        pipe->fd = -1;
    if (n <= 0 || (!pipe->whole && (size_t)n > pipe->to->max - pipe->to->len))
        return false;
    buf_add(pipe->to, part, (size_t)n);
    return buf_ok(pipe->to);
}

/* Take what is there, or wait a little for it. It may close its output long before its end. */
static bool take(struct child_pipe *pipe, size_t pipes, int ms)
{
    struct pollfd from[CHILD_PIPES_MAX];
    bool more = false;

    for (size_t i = 0; i < pipes; i++)
        from[i] = (struct pollfd){.fd = pipe[i].fd, .events = POLLIN};
    if (poll(from, pipes, ms) <= 0)
        return false;
    for (size_t i = 0; i < pipes; i++)
        if (from[i].fd >= 0 && from[i].revents != 0 && take_part(&pipe[i]))
            more = true;
    return more;
}

static bool is_full(const struct child_pipe *pipe, size_t pipes)
{
    for (size_t i = 0; i < pipes; i++)
        if (pipe[i].whole && !buf_ok(pipe[i].to))
            return true;
    return false;
}

static enum child_end put_down(pid_t pid, enum child_end why)
{
    (void)kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return why;
}

enum child_end child_wait(int *status, pid_t pid, struct child_pipe *pipe, size_t pipes, int seconds)
{
    int64_t deadline = now_ms() + (int64_t)seconds * 1000;
    pid_t ended;

    while ((ended = waitpid(pid, status, WNOHANG)) == 0) {
        if (now_ms() >= deadline)
            return put_down(pid, CHILD_LATE);
        (void)take(pipe, pipes, LOOK_MS);
        if (is_full(pipe, pipes))
            return put_down(pid, CHILD_FULL);
    }
    if (ended < 0)
        return CHILD_UNKNOWN;
    while (take(pipe, pipes, 0))
        ;
    return is_full(pipe, pipes) ? CHILD_FULL : CHILD_ENDED;
}
