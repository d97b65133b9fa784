/* process.c - the calls to the kernel that a daemon makes once. Nothing here knows the event loop. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN 4096

/* The process that was started: wait for the byte of process_ready, or the end of the pipe. Does not return. */
static void wait_ready(int fd)
{
    char byte;
    ssize_t n;

    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    _exit(n == 1 ? 0 : 1);
}

int process_detach(struct err *e)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(e, "pipe: %s", strerror(errno));
    pid = fork();
    if (pid < 0) {
        err_set(e, "fork: %s", strerror(errno));
        close(fds[0]);
        close(fds[1]);
        return -1;
    }
    if (pid > 0) {
        close(fds[1]);
        wait_ready(fds[0]);
    }
    close(fds[0]);
    if (setsid() < 0 || chdir("/") != 0) {
        err_set(e, "setsid: %s", strerror(errno));
        close(fds[1]);
        return -1;
    }
    return fds[1];
}

void process_leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        if (null > STDERR_FILENO)
            close(null);
    }
}

void process_ready(int fd)
{
    process_leave_terminal();
    if (write(fd, "", 1) == 1)
        close(fd);
}

/* Given up for good? The answer of the kernel counts, not the return values so far. */
static int check_given_up(struct err *e)
{
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
        return err_set(e, "the privileges of root could not be given up");
    return 0;
}

/* The user's entry, or NULL with what to write in e. */
static const struct passwd *find_user(const char *user, struct err *e)
{
    const struct passwd *pw;

    if (user[0] == '\0') {
        err_set(e, "started as root, and no user to run as; write user = \"postern\"");
        return NULL;
    }
    errno = 0;
    pw = getpwnam(user);
    if (pw == NULL)
        err_set(e, "user: there is no user \"%s\"%s%s", user, errno != 0 ? ": " : "",
                errno != 0 ? strerror(errno) : "");
    else if (pw->pw_uid == 0 || pw->pw_gid == 0)
        err_set(e, "user: \"%s\" has the privileges of root; write one that has not", user);
    else
        return pw;
    return NULL;
}

int process_owner(const char *user, uid_t *uid, gid_t *gid, struct err *e)
{
    const struct passwd *pw;

    *uid = (uid_t)-1;
    *gid = (gid_t)-1;
    if (geteuid() != 0)
        return 0;
    pw = find_user(user, e);
    if (pw == NULL)
        return -1;
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return 0;
}

int process_become(const char *user, bool for_good, struct err *e)
{
    const struct passwd *pw;

    if (for_good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(e, "prctl: %s", strerror(errno));
    if (geteuid() != 0)
        return 0;
    pw = find_user(user, e);
    if (pw == NULL)
        return -1;
    if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
        return err_set(e, "user: cannot become \"%s\": %s", user, strerror(errno));
    return check_given_up(e);
}

int process_pid_write(const char *path, struct err *e)
{
    char temporary[PATH_LEN];
    char text[32];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    int n = snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
    int fd;

    if (path[0] != '/' || n < 0 || (size_t)n >= sizeof(temporary))
        return err_set(e, "pid_file: \"%.60s\" is no absolute path; write one such as /run/postern/NAME.pid", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(e, "pid_file: %s: %s", temporary, strerror(errno));
    if (fchmod(fd, 0644) != 0 || write(fd, text, (size_t)len) != len || close(fd) != 0 ||
        rename(temporary, path) != 0) {
        err_set(e, "pid_file: %s: %s", path, strerror(errno));
        unlink(temporary);
        return -1;
    }
    return 0;
}

void process_prepare(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    umask(027);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}
