/*
 * daemon.c - the skeleton of every daemon. Until it is ready, what goes wrong is told on the terminal it was started
 * from and, unless it stays in front, to syslog as well.
 */
#include "daemon.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listen_socket.h"
#include "log.h"
#include "notify.h"
#include "process.h"

#define CONF_DEFAULT SYSCONFDIR "/postern/postern.conf"

enum { SIGNALS = 3 };

struct daemon {
    const struct daemon_hooks *hooks;
    const char *conf_given;
    char *conf_path; /* absolute, as the working directory changes */
    bool front;
    bool test;
    struct conf *conf;
    struct event_base *base;
    struct event *signals[SIGNALS];
    struct event *drain_timer;
    struct event *watchdog;
    bool draining;
    int ready_fd; /* -1: nobody waits */
    bool pid_written;
    void *state;
};

struct event_base *daemon_base(struct daemon *d)
{
    return d->base;
}

const struct conf *daemon_conf(struct daemon *d)
{
    return d->conf;
}

void daemon_set_state(struct daemon *d, void *state)
{
    d->state = state;
}

void *daemon_state(struct daemon *d)
{
    return d->state;
}

void daemon_stop(struct daemon *d)
{
    event_base_loopexit(d->base, NULL);
}

static void usage(FILE *f, const struct daemon_hooks *hooks)
{
    fprintf(f,
            "usage: %s [-c FILE] [-f] [-t]\n"
            "%s\n\n"
            "  -c FILE  the configuration, instead of " CONF_DEFAULT "\n"
            "  -f       stay in front, log to standard error\n"
            "  -t       check the configuration only\n"
            "  -V       print the version\n"
            "  -h       print this\n",
            hooks->name, hooks->summary);
}

/* Returns -1 to go on, or the exit code. */
static int read_options(struct daemon *d, int argc, char **argv)
{
    int c;

    optind = 1;
    while ((c = getopt(argc, argv, "c:ftVh")) != -1) {
        switch (c) {
        case 'c':
            d->conf_given = optarg;
            break;
        case 'f':
            d->front = true;
            break;
        case 't':
            d->test = true;
            break;
        case 'V':
            printf("%s %s\n", d->hooks->name, PACKAGE_VERSION);
            return 0;
        case 'h':
            usage(stdout, d->hooks);
            return 0;
        default:
            usage(stderr, d->hooks);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: \"%s\" is too much\n", d->hooks->name, argv[optind]);
        usage(stderr, d->hooks);
        return 2;
    }
    return -1;
}

/* Links in the path stay, so that a reload follows them anew. */
static char *absolute(const char *path)
{
    char *out = NULL;
    char *dir;

    if (path[0] == '/')
        return strdup(path);
    dir = getcwd(NULL, 0);
    if (dir == NULL || asprintf(&out, "%s/%s", dir, path) < 0)
        out = NULL;
    free(dir);
    return out;
}

static int failed(const struct daemon *d, const char *event, const struct err *e)
{
    if (!d->front)
        fprintf(stderr, "%s: %s\n", d->hooks->name, e->text);
    log_error(event, "reason=%s", e->text);
    return 1;
}

static void on_libevent(int severity, const char *text)
{
    if (severity >= EVENT_LOG_WARN)
        log_warning("libevent", "text=%s", text);
}

static void drain(struct daemon *d, int sig)
{
    const struct timeval limit = {DAEMON_DRAIN_SECONDS, 0};

    if (d->draining) {
        log_warning("stopped-at-once", "signal=%s", strsignal(sig));
        event_base_loopbreak(d->base);
        return;
    }
    d->draining = true;
    notify_stopping();
    log_info("draining", "signal=%s", strsignal(sig));
    event_add(d->drain_timer, &limit);
    if (d->hooks->drain != NULL)
        d->hooks->drain(d);
    else
        daemon_stop(d);
}

static void on_drain_timer(evutil_socket_t sock, short what, void *arg)
{
    struct daemon *d = arg;

    (void)sock;
    (void)what;
    log_warning("drain-timeout", "seconds=%d", DAEMON_DRAIN_SECONDS);
    event_base_loopbreak(d->base);
}

static void say_restart(void *ctx, const char *section, const char *key)
{
    char name[128];

    (void)ctx;
    (void)snprintf(name, sizeof(name), "%s.%s", section, key);
    log_warning("takes-a-restart", "key=%s", name);
}

/* The program's own section is named as it is, without "postern-". */
static void warn_of_restart(const struct daemon *d, const struct conf *conf)
{
    const char *dash = strchr(d->hooks->name, '-');

    conf_needs_restart(d->conf, conf, "redis", say_restart, NULL);
    conf_needs_restart(d->conf, conf, dash == NULL ? d->hooks->name : dash + 1, say_restart, NULL);
}

static void reload(struct daemon *d)
{
    struct conf *conf;
    struct err e = {""};

    if (d->hooks->reload == NULL) {
        log_warning("reload-ignored", "reason=%s", "a restart is needed");
        return;
    }
    if (conf_read(&conf, d->conf_path, &e) != 0) {
        log_error("config-error", "reason=%s action=%s", e.text, "the old one stays");
        return;
    }
    notify_reloading();
    warn_of_restart(d, conf);
    d->hooks->reload(d, conf);
    conf_free(d->conf);
    d->conf = conf;
    notify_ready();
    log_info("reloaded", "conf=%s", d->conf_path);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct daemon *d = arg;

    (void)what;
    if (sig != SIGHUP)
        drain(d, (int)sig);
    else if (!d->draining)
        reload(d);
}

static void add_events(struct daemon *d)
{
    static const int numbers[SIGNALS] = {SIGHUP, SIGTERM, SIGINT};
    size_t i;

    for (i = 0; i < SIGNALS; i++) {
        d->signals[i] = evsignal_new(d->base, numbers[i], on_signal, d);
        if (d->signals[i] == NULL || event_add(d->signals[i], NULL) != 0)
            log_oom();
    }
    d->drain_timer = evtimer_new(d->base, on_drain_timer, d);
    if (d->drain_timer == NULL)
        log_oom();
    d->watchdog = notify_watchdog(d->base);
}

/* From the open listeners to the running loop's door. */
static int start_up(struct daemon *d, struct err *e)
{
    const char *pid_file = d->hooks->pid_file(d->conf);
    uid_t uid;
    gid_t gid;

    if (process_owner(d->hooks->user(d->conf), &uid, &gid, e) != 0)
        return -1;
    listen_socket_owner(uid, gid);
    if (d->hooks->start(d, e) != 0)
        return -1;
    if (pid_file[0] != '\0' && process_pid_write(pid_file, e) != 0)
        return -1;
    d->pid_written = pid_file[0] != '\0';
    if (process_become(d->hooks->user(d->conf), e) != 0)
        return -1;
    add_events(d);
    return d->hooks->run(d, e);
}

static void tear_down(struct daemon *d, const char *pid_file)
{
    size_t i;

    if (d->state != NULL)
        d->hooks->stop(d);
    if (d->pid_written)
        unlink(pid_file);
    for (i = 0; i < SIGNALS && d->signals[i] != NULL; i++)
        event_free(d->signals[i]);
    if (d->drain_timer != NULL)
        event_free(d->drain_timer);
    if (d->watchdog != NULL)
        event_free(d->watchdog);
    event_base_free(d->base);
}

/* The daemon's life. Returns the exit code. */
static int serve(struct daemon *d)
{
    struct err e = {""};
    char *pid_file = strdup(d->hooks->pid_file(d->conf)); /* a reload may name another */
    int rc;

    d->base = event_base_new();
    if (d->base == NULL || pid_file == NULL)
        log_oom();
    if (start_up(d, &e) != 0) {
        rc = failed(d, "start-failed", &e);
    } else {
        log_info("started", "version=%s pid=%ld conf=%s", PACKAGE_VERSION, (long)getpid(), d->conf_path);
        notify_ready();
        if (d->ready_fd >= 0)
            process_ready(d->ready_fd);
        rc = event_base_dispatch(d->base) < 0 ? 1 : 0;
        log_info("stopped", "code=%d", rc);
    }
    tear_down(d, pid_file);
    free(pid_file);
    return rc;
}

static int check_only(const char *path)
{
    struct conf *conf;
    struct err e = {""};

    if (conf_read(&conf, path, &e) != 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    printf("%s: fine\n", path);
    conf_free(conf);
    return 0;
}

static int run(struct daemon *d)
{
    struct err e = {""};
    struct conf *conf = NULL;

    log_open(d->hooks->name, d->front, LOGLEVEL_INFO);
    event_set_log_callback(on_libevent);
    if (conf_read(&conf, d->conf_path, &e) != 0)
        return failed(d, "config-error", &e);
    d->conf = conf;
    process_prepare();
    if (!d->front) {
        d->ready_fd = process_detach(&e);
        if (d->ready_fd < 0)
            return failed(d, "start-failed", &e);
    }
    return serve(d);
}

int daemon_main(int argc, char **argv, const struct daemon_hooks *hooks)
{
    struct daemon d = {.hooks = hooks, .conf_given = CONF_DEFAULT, .ready_fd = -1};
    int rc = read_options(&d, argc, argv);

    if (rc < 0 && d.test) {
        rc = check_only(d.conf_given);
    } else if (rc < 0) {
        d.conf_path = absolute(d.conf_given);
        if (d.conf_path == NULL)
            log_oom();
        rc = run(&d);
        conf_free(d.conf);
        free(d.conf_path);
    }
    return rc;
}
