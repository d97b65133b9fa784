/* daemon.t.c - a small daemon over the skeleton, run as a process of its own: options, exit codes, signals, pid file,
 * detaching. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 8

/* What the small daemon does; its events are lines in a file, which the test waits for. */
static char dir[64];
static char conf_file[100];
static char pid_path[100];
static char events_path[100];
static int events_fd;
static bool start_fails;
static bool run_fails;
static bool drain_hangs;
static int64_t workers;       /* 0: it has no such setting */
static const char *run_waits; /* the second worker runs once there is such a file */
static bool reload_fails;
static bool reload_hangs; /* the first time, in one worker */
static int early_signal;  /* comes between the pid file and run; 0: none */
static int dummy;

static void event(const char *text)
{
    assert_int_equal(write(events_fd, text, strlen(text)), strlen(text));
}

static const char *hook_user(const struct conf *conf)
{
    if (early_signal != 0 && access(pid_path, F_OK) == 0)
        raise(early_signal);
    return conf->stsd.user;
}

static const char *hook_pid_file(const struct conf *conf)
{
    return conf->stsd.pid_file;
}

static int64_t hook_workers(const struct conf *conf)
{
    (void)conf;
    return workers;
}

static bool exists(const char *name)
{
    char path[120];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Returns whether it was made just now. */
static bool make_file(const char *name)
{
    char path[120];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int hook_start(struct daemon *d, struct err *e)
{
    event(geteuid() == 0 ? "start-root " : "start ");
    if (start_fails)
        return err_set(e, "cannot start");
    daemon_set_state(d, &dummy);
    return 0;
}

static int hook_run(struct daemon *d, struct err *e)
{
    struct rlimit files;
    char text[60];

    getrlimit(RLIMIT_NOFILE, &files);
    snprintf(text, sizeof(text), "%s-uid%d-groups%d-tries%d%s ", daemon_state(d) == &dummy ? "run" : "lost",
             (int)geteuid(), getgroups(0, NULL), (int)daemon_conf(d)->stsd.dns_tries,
             files.rlim_cur == files.rlim_max ? "" : "-few");
    event(text);
    while (run_waits != NULL && daemon_worker(d) == 1 && !exists(run_waits))
        usleep(5000);
    return run_fails ? err_set(e, "cannot run") : 0;
}

static int hook_reload(struct daemon *d, struct conf *conf, struct err *e)
{
    char text[60];

    snprintf(text, sizeof(text), "reload%d-%d ", (int)daemon_conf(d)->stsd.dns_tries, (int)conf->stsd.dns_tries);
    event(text);
    while (reload_hangs && make_file("hangs"))
        for (;;)
            pause();
    return reload_fails ? err_set(e, "cannot reload") : 0;
}

static void hook_drain(struct daemon *d)
{
    event("drain ");
    if (!drain_hangs)
        daemon_stop(d);
}

static void hook_stop(struct daemon *d)
{
    (void)d;
    event("stop ");
}

static void hook_worker_gone(struct daemon *d, size_t worker)
{
    (void)d;
    event(worker == 0 ? "gone0 " : "gone1 ");
}

static struct daemon_hooks hooks = {
    .name = "postern-test",
    .summary = "A daemon for tests.",
    .user = hook_user,
    .pid_file = hook_pid_file,
    .worker_gone = hook_worker_gone,
    .start = hook_start,
    .run = hook_run,
    .reload = hook_reload,
    .drain = hook_drain,
    .stop = hook_stop,
};

static void write_conf(const char *text)
{
    FILE *f = fopen(conf_file, "w");

    assert_non_null(f);
    fprintf(f, "stsd {\n user = \"nobody\"\n pid_file = \"%s\"\n%s\n}\n", pid_path, text);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/daemon.t.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_return_code(chmod(dir, 0777), errno);
    snprintf(conf_file, sizeof(conf_file), "%s/conf", dir);
    snprintf(pid_path, sizeof(pid_path), "%s/pid", dir);
    snprintf(events_path, sizeof(events_path), "%s/events", dir);
    events_fd = open(events_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_return_code(events_fd, errno);
    start_fails = run_fails = drain_hangs = reload_hangs = reload_fails = false;
    run_waits = NULL;
    early_signal = 0;
    hooks.workers = NULL;
    write_conf("");
    return 0;
}

static int teardown(void **state)
{
    char output[100];

    (void)state;
    close(events_fd);
    snprintf(output, sizeof(output), "%s/hangs", dir);
    unlink(output);
    snprintf(output, sizeof(output), "%s/go", dir);
    unlink(output);
    snprintf(output, sizeof(output), "%s/output", dir);
    unlink(output);
    unlink(events_path);
    unlink(conf_file);
    assert_return_code(rmdir(dir), errno); /* no pid file, no temporary file */
    return 0;
}

/* Start the daemon as a child, its output in a file. */
static pid_t spawn(const char *const *args)
{
    char name[] = "postern-test";
    char copies[ARGS_MAX][120];
    char *argv[ARGS_MAX + 2] = {name};
    char output[100];
    int argc;
    int fd;
    pid_t pid;

    for (argc = 1; argc <= ARGS_MAX && args[argc - 1] != NULL; argc++) {
        snprintf(copies[argc - 1], sizeof(copies[0]), "%s", args[argc - 1]);
        argv[argc] = copies[argc - 1];
    }
    snprintf(output, sizeof(output), "%s/output", dir);
    fd = open(output, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_return_code(fd, errno);
    fflush(NULL);
    pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        struct rlimit files;

        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = 64; /* for the daemon to raise */
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_CORE, &files);
        files.rlim_cur = 0; /* one test has a worker aborted */
        setrlimit(RLIMIT_CORE, &files);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        pid = daemon_main(argc, argv, &hooks);
        fflush(NULL);
        _exit(pid);
    }
    close(fd);
    return pid;
}

static int wait_exit(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void read_all(const char *name, char *out, size_t cap)
{
    char path[120];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(out, 1, cap - 1, f);
    out[n] = '\0';
    fclose(f);
}

/* Wait until the text is among the events (or in the output). */
static void wait_for(const char *name, const char *text)
{
    char all[4096];
    int i;

    for (i = 0; i < 12000; i++) {
        read_all(name, all, sizeof(all));
        if (strstr(all, text) != NULL)
            return;
        usleep(5000);
    }
    fail_msg("no \"%s\" in: %s", text, all);
}

static void check_output(const char *text)
{
    char all[4096];

    read_all("output", all, sizeof(all));
    if (strstr(all, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, all);
}

static void check_events(const char *want)
{
    char all[4096];
    char *root;

    read_all("events", all, sizeof(all));
    root = strstr(all, "start-root "); /* as what the test runs is not its point here */
    if (root != NULL)
        memmove(root + 5, root + 10, strlen(root + 10) + 1);
    root = strstr(all, "run-uid");
    if (root != NULL) {
        char *end = strchr(root, ' ');

        memmove(root + 3, end, strlen(end) + 1);
    }
    assert_string_equal(all, want);
}

static void test_options(void **state)
{
    static const struct {
        const char *args[4];
        int code;
        const char *output;
    } rows[] = {
        {{"-V"}, 0, "postern-test " PACKAGE_VERSION "\n"},
        {{"-h"}, 0, "usage: postern-test [-c FILE]"},
        {{"-x"}, 2, "usage: "},
        {{"-c"}, 2, "usage: "},
        {{"-t", "more"}, 2, "\"more\" is too much"},
        {{"-t", "-c", conf_file}, 0, ": fine\n"},
        {{"-t", "-c", "/nonexistent"}, 1, "/nonexistent: No such file or directory\n"},
        {{"-f", "-c", "/nonexistent"}, 1, "config-error reason=\"/nonexistent: No such file"},
        {{"-c", "/nonexistent"}, 1, "postern-test: /nonexistent: No such file"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(wait_exit(spawn(rows[i].args)), rows[i].code);
        check_output(rows[i].output);
    }
    check_events("");
}

static void test_check_bad(void **state)
{
    static const char *const args[] = {"-t", "-c", conf_file, NULL};

    (void)state;
    write_conf("dns_tries = 0");
    assert_int_equal(wait_exit(spawn(args)), 1);
    check_output("/conf:4: dns_tries: 0 is out of range; write 1 to 20\n");
}

static const char *const front[] = {"-f", "-c", conf_file, NULL};
static const char *const back[] = {"-c", conf_file, NULL};

static void test_front(void **state)
{
    char pid_text[30];
    struct stat st;
    pid_t pid = spawn(front);

    (void)state;
    wait_for("output", "info started ");
    read_all("pid", pid_text, sizeof(pid_text));
    assert_int_equal(atoi(pid_text), pid); /* NOLINT(cert-err34-c): compared as a whole */
    assert_return_code(stat(pid_path, &st), errno);
    assert_int_equal(st.st_mode & 07777, 0644);
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    check_output("info stopped code=0");
    check_events("start run drain stop ");
}

static void test_privileges(void **state)
{
    pid_t pid = spawn(front);

    (void)state;
    wait_for("events", "run-uid");
    if (geteuid() == 0)
        wait_for("events", "start-root run-uid65534-groups1-tries4 ");
    else
        wait_for("events", "-tries4 ");
    kill(pid, SIGINT);
    assert_int_equal(wait_exit(pid), 0);
}

static void test_bad_user(void **state)
{
    static const char *const users[][2] = {
        {"", "no user to run as"}, {"root", "privileges of root"}, {"no-such-user", "there is no user"}};
    size_t i;

    (void)state;
    for (i = 0; i < 3 && geteuid() == 0; i++) {
        FILE *f = fopen(conf_file, "w");

        fprintf(f, "stsd { user = \"%s\" }", users[i][0]);
        fclose(f);
        assert_int_equal(wait_exit(spawn(front)), 1);
        check_output(users[i][1]);
    }
}

static void test_start_fails(void **state)
{
    (void)state;
    start_fails = true;
    assert_int_equal(wait_exit(spawn(front)), 1);
    check_output("error start-failed reason=\"cannot start\"");
    check_events("start ");
}

static void test_run_fails(void **state)
{
    (void)state;
    run_fails = true;
    assert_int_equal(wait_exit(spawn(front)), 1);
    check_output("error start-failed reason=\"cannot run\"");
    check_events("start run stop ");
}

static void test_reload(void **state)
{
    pid_t pid = spawn(front);

    (void)state;
    wait_for("output", "info started ");
    write_conf("dns_tries = 7");
    assert_return_code(chmod(conf_file, 0644), errno);
    kill(pid, SIGHUP);
    wait_for("output", "info reloaded ");
    write_conf("dns_tries = x");
    kill(pid, SIGHUP);
    wait_for("output", "error config-error ");
    check_output("dns_tries: \\\"x\\\" is no whole number");
    write_conf("dns_tries = 9");
    kill(pid, SIGHUP);
    wait_for("events", "reload7-9 ");
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    check_events("start run reload4-7 reload7-9 drain stop ");
}

/* What the hook refuses is not taken up: the next one is compared with what was there before. */
static void test_reload_fails(void **state)
{
    pid_t pid;

    (void)state;
    reload_fails = true;
    pid = spawn(front);
    wait_for("output", "info started ");
    write_conf("dns_tries = 7");
    assert_return_code(chmod(conf_file, 0644), errno);
    kill(pid, SIGHUP);
    wait_for("output", "error config-error reason=\"cannot reload\" action=\"the old one stays\"");
    write_conf("dns_tries = 9");
    kill(pid, SIGHUP);
    wait_for("events", "reload4-9 ");
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    check_events("start run reload4-7 reload4-9 drain stop ");
}

static void test_second_signal(void **state)
{
    pid_t pid;

    (void)state;
    drain_hangs = true;
    pid = spawn(front);
    wait_for("output", "info started ");
    kill(pid, SIGTERM);
    wait_for("events", "drain ");
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    check_output("stopped-at-once");
    check_events("start run drain stop ");
}

/* Whoever reads the pid file may use it at once. */
static void test_early_signal(void **state)
{
    pid_t pid;

    (void)state;
    assert_return_code(chmod(conf_file, 0644), errno);
    early_signal = SIGTERM;
    assert_int_equal(wait_exit(spawn(front)), 0);
    check_events("start run drain stop ");
    early_signal = SIGHUP;
    pid = spawn(front);
    wait_for("events", "reload4-4 ");
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
}

/* Without -f the process that was started ends once the daemon is up. */
static void test_detach(void **state)
{
    char pid_text[30];
    pid_t pid;
    int i;

    (void)state;
    assert_int_equal(wait_exit(spawn(back)), 0);
    read_all("pid", pid_text, sizeof(pid_text));
    pid = (pid_t)strtol(pid_text, NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(getsid(pid), pid);
    kill(pid, SIGTERM);
    wait_for("events", "stop ");
    for (i = 0; i < 12000 && access(pid_path, F_OK) == 0; i++)
        usleep(5000);
    check_events("start run drain stop ");
}

static void test_detach_fails(void **state)
{
    (void)state;
    run_fails = true;
    assert_int_equal(wait_exit(spawn(back)), 1);
    check_output("postern-test: cannot run\n");
}

/* The next message that is no ping (ping false) or is one, its first line. */
static void next_notice(int fd, bool ping, char *out, size_t cap)
{
    do {
        ssize_t n = recv(fd, out, cap - 1, 0);

        assert_true(n > 0);
        out[n] = '\0';
        out[strcspn(out, "\n")] = '\0';
    } while ((strcmp(out, "WATCHDOG=1") == 0) != ping);
}

static void notify_path(struct sockaddr_un *sa)
{
    sa->sun_family = AF_UNIX;
    snprintf(sa->sun_path, sizeof(sa->sun_path), "%s/notify", dir);
}

/* Start the daemon as systemd does. *fd is where it tells how it is. */
static pid_t spawn_notify(int *fd, const char *watchdog_usec)
{
    const struct timeval limit = {60, 0};
    struct sockaddr_un sa;
    pid_t pid;

    *fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    notify_path(&sa);
    assert_return_code(bind(*fd, (const struct sockaddr *)&sa, sizeof(sa)), errno);
    assert_return_code(setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), errno);
    assert_return_code(chmod(sa.sun_path, 0666), errno);
    assert_return_code(chmod(conf_file, 0644), errno);
    setenv("NOTIFY_SOCKET", sa.sun_path, 1);
    setenv("WATCHDOG_USEC", watchdog_usec, 1);
    pid = spawn(front);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    return pid;
}

static void close_notify(int fd)
{
    struct sockaddr_un sa;

    close(fd);
    notify_path(&sa);
    unlink(sa.sun_path);
}

/* What systemd is told. */
static void test_notify(void **state)
{
    int fd;
    char got[200];
    pid_t pid = spawn_notify(&fd, "20000");

    (void)state;
    next_notice(fd, false, got, sizeof(got));
    assert_string_equal(got, "READY=1");
    next_notice(fd, true, got, sizeof(got));
    next_notice(fd, true, got, sizeof(got));
    kill(pid, SIGHUP);
    next_notice(fd, false, got, sizeof(got));
    assert_string_equal(got, "RELOADING=1");
    next_notice(fd, false, got, sizeof(got));
    assert_string_equal(got, "READY=1");
    kill(pid, SIGTERM);
    next_notice(fd, false, got, sizeof(got));
    assert_string_equal(got, "STOPPING=1");
    assert_int_equal(wait_exit(pid), 0);
    close_notify(fd);
}

/* --- several workers --- */

static void use_workers(void)
{
    hooks.workers = hook_workers;
    workers = 2;
    assert_return_code(chmod(conf_file, 0644), errno);
    assert_return_code(chmod(events_path, 0666), errno);
}

/* How often the text is in that file. */
static int times(const char *name, const char *text)
{
    char all[4096];
    int n = 0;

    read_all(name, all, sizeof(all));
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static void wait_times(const char *name, const char *text, int want)
{
    for (int i = 0; i < 12000 && times(name, text) < want; i++)
        usleep(5000);
    if (times(name, text) != want)
        fail_msg("\"%s\" is %d times in %s, not %d times", text, times(name, text), name, want);
}

static void test_workers(void **state)
{
    char pid_text[30];
    pid_t pid;

    (void)state;
    use_workers();
    pid = spawn(front);
    wait_for("output", "info started ");
    assert_int_equal(times("events", "start"), 1);
    assert_int_equal(times("events", "run-"), 2);
    read_all("pid", pid_text, sizeof(pid_text));
    assert_int_equal(atoi(pid_text), pid); /* NOLINT(cert-err34-c): compared as a whole */
    kill(pid, SIGHUP);
    wait_times("events", "reload4-4 ", 2);
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    assert_int_equal(times("events", "drain "), 2);
    assert_int_equal(times("events", "gone0 "), 1);
    assert_int_equal(times("events", "gone1 "), 1);
    assert_int_equal(times("events", "stop "), 3); /* the supervisor, too, frees what it has */
    check_output("info stopped code=0");
}

static void test_workers_early_signal(void **state)
{
    pid_t pid;

    (void)state;
    use_workers();
    early_signal = SIGTERM;
    assert_int_equal(wait_exit(spawn(front)), 0);
    assert_int_equal(times("events", "drain "), 2);
    assert_int_equal(access(pid_path, F_OK), -1);
    early_signal = SIGHUP;
    pid = spawn(front);
    wait_times("events", "reload4-4 ", 2);
    wait_for("output", "info started ");
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
}

static void test_workers_run_fails(void **state)
{
    (void)state;
    use_workers();
    run_fails = true;
    assert_int_equal(wait_exit(spawn(front)), 1);
    check_output("error start-failed reason=\"cannot run\"");
    check_output("error worker-died worker=");
    assert_int_equal(wait_exit(spawn(back)), 1);
    check_output("postern-test: cannot run\n");
}

static void test_workers_second_signal(void **state)
{
    pid_t pid;

    (void)state;
    use_workers();
    drain_hangs = true;
    pid = spawn(front);
    wait_for("output", "info started ");
    kill(pid, SIGTERM);
    wait_times("events", "drain ", 2);
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    check_output("stopped-at-once");
    assert_int_equal(times("events", "stop "), 1);
}

/* systemd hears of it when the last one is ready, and from the supervisor alone; a reload meanwhile is no news. */
static void test_workers_ready(void **state)
{
    int fd;
    char got[200];
    pid_t pid;

    (void)state;
    use_workers();
    run_waits = "go";
    pid = spawn_notify(&fd, "60000000");
    next_notice(fd, true, got, sizeof(got)); /* it lives */
    wait_times("output", "worker-started", 1);
    kill(pid, SIGHUP);
    wait_times("events", "reload4-4 ", 1);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
    assert_true(make_file("go"));
    next_notice(fd, false, got, sizeof(got));
    assert_string_equal(got, "READY=1");
    assert_int_equal(times("output", "worker-started"), 2);
    kill(pid, SIGTERM);
    next_notice(fd, false, got, sizeof(got));
    assert_string_equal(got, "STOPPING=1");
    assert_int_equal(wait_exit(pid), 0);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
    close_notify(fd);
}

/* A worker whose loop stands still is replaced; the one that replaces it has the settings of the others. */
static void test_worker_hangs(void **state)
{
    int fd;
    pid_t pid;

    (void)state;
    use_workers();
    reload_hangs = true;
    pid = spawn_notify(&fd, "6000000"); /* one that only waits for a processor does not seem to hang */
    wait_for("output", "info started ");
    write_conf("dns_tries = 7");
    kill(pid, SIGHUP);
    wait_for("output", "error worker-hangs worker=");
    wait_times("output", "worker-started", 3);
    assert_int_equal(times("events", "reload4-7 "), 3);
    kill(pid, SIGTERM);
    assert_int_equal(wait_exit(pid), 0);
    close_notify(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_options),
        T(test_check_bad),
        T(test_front),
        T(test_privileges),
        T(test_bad_user),
        T(test_start_fails),
        T(test_run_fails),
        T(test_reload),
        T(test_reload_fails),
        T(test_second_signal),
        T(test_early_signal),
        T(test_detach),
        T(test_detach_fails),
        T(test_notify),
        T(test_workers),
        T(test_workers_early_signal),
        T(test_workers_run_fails),
        T(test_workers_second_signal),
        T(test_workers_ready),
        T(test_worker_hangs),
    };

    return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
