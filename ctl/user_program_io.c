/* user_program_io.c - see user_program_io.h. */
#include "user_program_io.h"
#include "child_wait_io.h"
#include "process.h"
#include "unguarded.h"
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT 126 /* exit status: it could not be run; the reason is what was said */

static int write_file(const struct user_program *p, struct err *e)
{
    int fd;

    if (p->file == NULL)
        return 0;
    (void)unlink(p->file);
    fd = open(p->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || whole_file_write(fd, p->octets, p->len) != 0 || close(fd) != 0)
        return err_set(e, "%s: %s", p->file, strerror(errno));
    return 0;
}

/* In the child. */
static int prepare(const struct user_program *p, int out, struct err *e)
{
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        return err_set(e, "no descriptors: %s", strerror(errno));
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)umask(077);
    if (process_become(p->user, true, e) != 0)
        return -1;
    /* behind the change of user, which takes it away */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return err_set(e, "prctl: %s", strerror(errno));
    if (chdir(p->folder != NULL ? p->folder : "/") != 0)
        return err_set(e, "%s: %s", p->folder, strerror(errno));
    return write_file(p, e);
}

static void become_program(const struct user_program *p, int out)
{
    static const char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = {unguarded(path), NULL};
    struct err e = {""};

    (void)setpgid(0, 0);
    if (prepare(p, out, &e) == 0) {
        closefrom(STDERR_FILENO + 1);
        (void)execve(p->argv[0], p->argv, environment);
        err_set(&e, "%s", strerror(errno));
    }
    (void)dprintf(STDERR_FILENO, "%s", e.text);
    _exit(CANNOT);
}

static int end_of(const struct user_program *p, pid_t pid, int fd, struct buf *said, struct err *e)
{
    struct child_pipe from = {fd, said, false};
    int status = 0;
    enum child_end end = child_wait(&status, pid, &from, 1, p->seconds);

    if (end == CHILD_UNKNOWN)
        return err_set(e, "%s: it is not known how it ended: %s", p->argv[0], strerror(errno));
    if (end != CHILD_ENDED)
        return err_set(e, "%s took more than %d seconds and was killed", p->argv[0], p->seconds);
    if (WIFSIGNALED(status))
        return err_set(e, "%s was ended by signal %d", p->argv[0], WTERMSIG(status));
    if (WEXITSTATUS(status) == CANNOT)
        return err_set(e, "%s cannot be run: %s", p->argv[0], buf_text(said));
    return WEXITSTATUS(status);
}

int user_program_run(struct buf *said, const struct user_program *p, struct err *e)
{
    int out[2], rc;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) != 0)
        return err_set(e, "%s cannot be run: %s", p->argv[0], strerror(errno));
    pid = fork();
    if (pid == 0)
        become_program(p, out[1]);
    close(out[1]);
    if (pid < 0)
        rc = err_set(e, "%s cannot be run: %s", p->argv[0], strerror(errno));
    else
        rc = end_of(p, pid, out[0], said, e);
    close(out[0]);
    return rc;
}
