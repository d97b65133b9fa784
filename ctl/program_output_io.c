/* program_output_io.c - see program_output_io.h. */
#include "program_output_io.h"
#include "child_wait_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
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
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
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
    struct child_pipe from[] = {{out_fd, out, true}, {complaints_fd, &complaints, false}};
    int status = 0, rc = 0;

    buf_init(&complaints, COMPLAINT_MAX);
    switch (child_wait(&status, pid, from, 2, PROGRAM_SECONDS)) {
    case CHILD_ENDED:
        if (status != 0)
            rc = err_set(e, "%s failed: %s", name, last_line(&complaints));
        break;
    case CHILD_LATE:
        rc = err_set(e, "%s took more than %d seconds", name, PROGRAM_SECONDS);
        break;
    case CHILD_FULL:
        rc = err_set(e, "%s writes more than %zu octets", name, out->max);
        break;
    case CHILD_UNKNOWN:
        rc = err_set(e, "%s: it is not known how it ended: %s", name, strerror(errno));
        break;
    }
    buf_clear(&complaints);
    return rc;
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
    rc = rc == 0 ? run_program(out, argv[0], pid, from[0], complaints[0], e)
                 : err_set(e, "cannot run %s: %s", argv[0], strerror(rc));
    close(from[0]);
    close(complaints[0]);
    return rc;
}
