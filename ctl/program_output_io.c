/* program_output_io.c - another program's output: one child, two pipes, a deadline. */
#include "program_output_io.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPLAINT_MAX 65536 /* octets of standard error that are kept */

/* Returns 0 or what errno would be. */
static int spawn_with(pid_t *pid, char *const argv[], const posix_spawn_file_actions_t *files)
{
    posix_spawnattr_t attributes;
    sigset_t ours;
    char path[256];
    int rc;

    rc = posix_spawnattr_init(&attributes);
    if (rc != 0)
        return rc;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &ours);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawnp(pid, argv[0], files, &attributes, argv, environ);
    if (rc == ENOENT && strchr(argv[0], '/') == NULL) {
        snprintf(path, sizeof(path), "/usr/sbin/%s", argv[0]);
        rc = posix_spawn(pid, path, files, &attributes, argv, environ);
    }
    posix_spawnattr_destroy(&attributes);
    return rc;
}

/* Returns 0 or what errno would be. */
static int spawn_program(pid_t *pid, char *const argv[], int out, int complaints)
{
    posix_spawn_file_actions_t files;
    int rc;

    rc = posix_spawn_file_actions_init(&files);
    if (rc != 0)
        return rc;
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
    rc = spawn_with(pid, argv, &files);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* Take what is there. Returns false at the end, or when `must_fit` and out is full. */
static bool take_some(struct buf *out, struct pollfd *from, bool must_fit)
{
    char part[8192];
    ssize_t n = read(from->fd, part, sizeof(part));

    if (n > 0)
        buf_add(out, part, (size_t)n);
    if (n > 0 && (buf_ok(out) || !must_fit))
        return true;
    if (n < 0 && errno == EINTR)
        return true;
    close(from->fd);
    from->fd = -1;
    return false;
}

/* Until both are at their end. Returns 0, or -1: too long, or too much. */
static int read_both(struct buf *out, struct buf *complaints, int out_fd, int complaints_fd)
{
    struct pollfd from[2] = {{.fd = out_fd, .events = POLLIN}, {.fd = complaints_fd, .events = POLLIN}};
    int64_t deadline = now_ms() + (int64_t)PROGRAM_SECONDS * 1000;

    while (buf_ok(out) && (from[0].fd >= 0 || from[1].fd >= 0)) {
        int64_t left = deadline - now_ms();
        if (left <= 0 || (poll(from, 2, (int)left) < 0 && errno != EINTR))
            break;
        if (from[0].fd >= 0 && from[0].revents != 0)
            take_some(out, &from[0], true);
        if (from[1].fd >= 0 && from[1].revents != 0)
            take_some(complaints, &from[1], false);
    }
    if (from[0].fd < 0 && from[1].fd < 0)
        return buf_ok(out) ? 0 : -1;
    for (size_t i = 0; i < 2; i++)
        if (from[i].fd >= 0)
            close(from[i].fd);
    return -1;
}

static const char *last_line(struct buf *text)
{
    const char *line;

    while (text->len > 0 && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
    line = strrchr(buf_text(text), '\n');
    return line != NULL ? line + 1 : buf_text(text);
}

/* The program runs. */
static int run_program(struct buf *out, const char *name, pid_t pid, int out_fd, int complaints_fd, struct err *e)
{
    struct buf complaints;
    int status = 0, rc;
    pid_t ended;

    buf_init(&complaints, COMPLAINT_MAX);
    rc = read_both(out, &complaints, out_fd, complaints_fd);
    if (rc != 0)
        kill(pid, SIGKILL);
    while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        ;
    if (!buf_ok(out))
        err_set(e, "%s writes more than %zu octets", name, out->max);
    else if (rc != 0)
        err_set(e, "%s took more than %d seconds", name, PROGRAM_SECONDS);
    else if (ended < 0)
        err_set(e, "%s: it is not known how it ended: %s", name, strerror(errno));
    else if (status != 0)
        err_set(e, "%s failed: %s", name, last_line(&complaints));
    buf_clear(&complaints);
    return rc != 0 || ended < 0 || status != 0 ? -1 : 0;
}

int program_output(struct buf *out, char *const argv[], struct err *e)
{
    int from[2] = {-1, -1}, complaints[2] = {-1, -1};
    pid_t pid = -1;
    int rc;

    if (pipe2(from, O_CLOEXEC) != 0)
        return err_set(e, "cannot run %s: %s", argv[0], strerror(errno));
    if (pipe2(complaints, O_CLOEXEC) != 0) {
        rc = errno;
        close(from[0]);
        close(from[1]);
        return err_set(e, "cannot run %s: %s", argv[0], strerror(rc));
    }
    rc = spawn_program(&pid, argv, from[1], complaints[1]);
    close(from[1]);
    close(complaints[1]);
    if (rc == 0)
        return run_program(out, argv[0], pid, from[0], complaints[0], e);
    close(from[0]);
    close(complaints[0]);
    return err_set(e, "cannot run %s: %s", argv[0], strerror(rc));
}
