/*
 * sendmail_io.c - see sendmail_io.h. The message is in a file in memory: of a pipe the program would take the end of
 * ours for that of the message, and mail what there is of it.
 */
#include "sendmail_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "millis.h"
#include "unguarded.h"
#include "whole_file.h"

#define SAID_MAX   200 /* octets of what it says on standard error that are kept */
#define LOOK_MS    20  /* between looks whether it has ended */
#define LOOK_MS_ON 200
#define SHUT_MS    1 /* who closes standard error is about to end */

struct sendmail {
    struct event_base *base;
    pid_t pid; /* 0: it could not be started, or has ended */
    int out;   /* our end; -1: closed */
    struct event *read, *look, *deadline;
    char said[SAID_MAX + 1];
    size_t said_len;
    int status;
    int looks;
    char why[400];
    sendmail_fn *fn;
    void *ctx;
};

static void close_out(struct sendmail *s)
{
    if (s->read != NULL)
        event_free(s->read);
    s->read = NULL;
    if (s->out >= 0)
        close(s->out);
    s->out = -1;
}

static void sendmail_free(struct sendmail *s)
{
    close_out(s);
    event_free(s->look);
    event_free(s->deadline);
    free(s);
}

/* It leads a group of its own. */
static void kill_all(struct sendmail *s)
{
    if (s->pid > 0) {
        (void)kill(-s->pid, SIGKILL);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        s->pid = 0;
    }
}

void sendmail_cancel(struct sendmail *s)
{
    kill_all(s);
    sendmail_free(s);
}

static void finish(struct sendmail *s, const char *why)
{
    sendmail_fn *fn = s->fn;
    void *ctx = s->ctx;
    char words[sizeof(s->why)] = "";

    if (why != NULL)
        (void)snprintf(words, sizeof(words), "%s", why);
    sendmail_free(s);
    fn(ctx, why != NULL ? words : NULL);
}

/* The first line of what it said. */
static const char *first_line(struct sendmail *s)
{
    char *line = s->said + strspn(s->said, "\r\n");

    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static void tell_status(struct sendmail *s)
{
    const char *line = first_line(s);
    const char *colon = line[0] != '\0' ? ": " : "";

    if (WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0) {
        finish(s, NULL);
        return;
    }
    if (WIFSIGNALED(s->status))
        (void)snprintf(s->why, sizeof(s->why), "it was ended by signal %d%s%s", WTERMSIG(s->status), colon, line);
    else
        (void)snprintf(s->why, sizeof(s->why), "exit status %d%s%s%s", WEXITSTATUS(s->status),
                       WEXITSTATUS(s->status) == EX_TEMPFAIL ? " (for now)" : "", colon, line);
    finish(s, s->why);
}

/* Has it ended? The rest of what it said is there by then. */
static void on_look(evutil_socket_t fd, short what, void *ctx)
{
    struct sendmail *s = ctx;
    pid_t pid = waitpid(s->pid, &s->status, WNOHANG);
    ssize_t n;

    (void)fd;
    (void)what;
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
        timer_start(s->look, ++s->looks < 100 ? LOOK_MS : LOOK_MS_ON);
        return;
    }
    s->pid = 0;
    if (s->out >= 0 && (n = read(s->out, s->said + s->said_len, SAID_MAX - s->said_len)) > 0)
        s->said[s->said_len += (size_t)n] = '\0';
    if (pid < 0)
        finish(s, "what became of it cannot be told");
    else
        tell_status(s);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct sendmail *s = ctx;

    (void)fd;
    (void)what;
    if (s->pid > 0) {
        kill_all(s);
        (void)snprintf(s->why, sizeof(s->why), "time-out, it was killed%s%s", s->said_len > 0 ? ": " : "",
                       first_line(s));
    }
    finish(s, s->why);
}

static void on_read(evutil_socket_t fd, short what, void *ctx)
{
    struct sendmail *s = ctx;
    char rest[512];
    bool room = s->said_len < SAID_MAX;
    ssize_t n = read(fd, room ? s->said + s->said_len : rest, room ? SAID_MAX - s->said_len : sizeof(rest));

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_out(s);
        timer_start(s->look, SHUT_MS);
    } else if (room) {
        s->said[s->said_len += (size_t)n] = '\0';
    }
}

/* CR LF to LF, as programs on this machine have it. */
static void local_lines(struct buf *b)
{
    size_t to = 0;

    for (size_t from = 0; from < b->len; from++)
        if (b->data[from] != '\r' || from + 1 == b->len || b->data[from + 1] != '\n')
            b->data[to++] = b->data[from];
    b->len = to;
}

/* How it is started: default signals, a group of its own, no descriptor but 0, 1, 2. Returns 0 or an error number. */
static int spawn(pid_t *pid, const char *const *argv, int in, int out)
{
    static const char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = {unguarded(path), NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    int rc;

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    if (posix_spawn_file_actions_init(&files) != 0 || posix_spawnattr_init(&attributes) != 0)
        log_oom();
    if (posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO) != 0 ||
        posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO) != 0 ||
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1) != 0)
        log_oom();
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setpgroup(&attributes, 0);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    rc = posix_spawn(pid, argv[0], &files, &attributes, (char *const *)(const void *)argv, environment);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    return rc;
}

/* Not a standard descriptor: a daemon may have closed those. Returns -1 with errno. */
static int lift(int fd)
{
    int up, error;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    up = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    error = errno;
    close(fd);
    errno = error;
    return up;
}

/* Returns the descriptor of a file with the message, or -1 with errno. */
static int message_file(const struct buf *message)
{
    int fd = lift(memfd_create("message", MFD_CLOEXEC)), error;

    if (fd < 0 || (whole_file_write(fd, message->data, message->len) == 0 && lseek(fd, 0, SEEK_SET) == 0))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Returns 0 or an error number. */
static int start(struct sendmail *s, const char *const *argv, const struct buf *message)
{
    int in = message_file(message), out[2] = {-1, -1}, rc = 0;

    if (in < 0 || pipe2(out, O_CLOEXEC) != 0 || (s->out = lift(out[0])) < 0 || (out[1] = lift(out[1])) < 0)
        rc = errno;
    if (rc == 0)
        rc = spawn(&s->pid, argv, in, out[1]);
    if (in >= 0)
        close(in);
    if (out[1] >= 0)
        close(out[1]);
    if (rc != 0)
        s->pid = 0;
    return rc;
}

struct sendmail *sendmail_start(struct event_base *base, const char *path, const char *from, const char *to,
                                struct buf *message, int timeout_ms, sendmail_fn *fn, void *ctx)
{
    const char *const argv[] = {path, "-i", "-f", from, "--", to, NULL};
    struct sendmail *s = must_have(calloc(1, sizeof(*s)));
    int rc;

    *s = (struct sendmail){.base = base, .out = -1, .fn = fn, .ctx = ctx};
    local_lines(message);
    s->look = must_have(evtimer_new(base, on_look, s));
    s->deadline = must_have(evtimer_new(base, on_deadline, s));
    rc = start(s, argv, message);
    buf_clear(message);
    if (rc != 0) {
        (void)snprintf(s->why, sizeof(s->why), "%.200s cannot be run: %s", path, strerror(rc));
        timer_start(s->deadline, 0);
        return s;
    }
    evutil_make_socket_nonblocking(s->out);
    s->read = must_have(event_new(base, s->out, EV_READ | EV_PERSIST, on_read, s));
    event_add(s->read, NULL);
    timer_start(s->look, LOOK_MS);
    timer_start(s->deadline, timeout_ms);
    return s;
}
