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

#include "daemon_conf.h"
#include "daemon_options.h"
#include "listen_socket.h"
#include "log.h"
#include "notify.h"
#include "process.h"
#include "supervisor.h"

#define WORKER_EXTRA_SECONDS 5 /* beyond its own drain time, until the supervisor kills it */

enum { SIGNALS = 3 };

static const int signal_numbers[SIGNALS] = {SIGHUP, SIGTERM, SIGINT};

struct daemon {
    const struct daemon_hooks *hooks;
    struct daemon_options options;
    char *conf_path; /* absolute, as the working directory changes */
    struct conf *conf;
    struct conf *reloaded;         /* in the supervisor: what its workers have taken up since; NULL: nothing */
    struct supervisor *supervisor; /* NULL: there is one process only */
    size_t workers;
    bool worker;   /* of the supervisor */
    size_t number; /* which one */
    struct event_base *base;
    struct event *signals[SIGNALS];
    struct event *drain_timer;
    struct event *watchdog;
    bool draining;
    int ready_fd; /* -1: nobody waits */
    bool pid_written;
    bool ready; /* and everybody was told */
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

size_t daemon_workers(const struct daemon *d)
{
    return d->workers;
}

size_t daemon_worker(const struct daemon *d)
{
    return d->number;
}

void daemon_stop(struct daemon *d)
{
    event_base_loopexit(d->base, NULL);
}

static int failed(const struct daemon *d, const char *event, const struct err *e)
{
    if (!d->options.front)
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
        if (d->worker) /* it may be told twice, by its supervisor and with the whole group; the supervisor kills */
            return;
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

/* False: it is not taken up, and that is logged. */
static bool take_up(struct daemon *d, struct conf *conf)
{
    struct conf *before = d->conf;
    struct err e = {""};

    if (d->hooks->reload(d, conf, &e) != 0) {
        daemon_log_refused(&e);
        conf_free(conf);
        return false;
    }
    if (!d->worker)
        daemon_warn_of_restart(d->hooks, before, conf);
    d->conf = conf;
    conf_free(before);
    return true;
}

static void reload(struct daemon *d)
{
    struct conf *conf = daemon_read_again(d->hooks, d->conf_path);

    if (conf == NULL)
        return;
    notify_reloading();
    if (take_up(d, conf))
        log_info("reloaded", "conf=%s", d->conf_path);
    notify_ready();
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

/* From before there is a pid file until it is known what to do about them, they wait. */
static void hold_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signal_numbers[i]);
    sigprocmask(how, &set, NULL);
}

static void add_events(struct daemon *d)
{
    size_t i;

    for (i = 0; i < SIGNALS; i++) {
        d->signals[i] = must_have(evsignal_new(d->base, signal_numbers[i], on_signal, d));
        if (event_add(d->signals[i], NULL) != 0)
            log_oom();
    }
    d->drain_timer = must_have(evtimer_new(d->base, on_drain_timer, d));
    d->watchdog = notify_watchdog(d->base);
}

/* All that needs the privileges of start-up. */
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
    return process_become(d->hooks->user(d->conf), d->hooks->runs_others == NULL || !d->hooks->runs_others(d->conf), e);
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
    supervisor_free(d->supervisor);
    event_base_free(d->base);
}

/* Requests are answered from now on. */
static void say_ready(struct daemon *d)
{
    log_info("started", "version=%s pid=%ld conf=%s workers=%zu", PACKAGE_VERSION, (long)getpid(), d->conf_path,
             d->workers);
    notify_ready();
    d->ready = true;
    if (d->ready_fd >= 0)
        process_ready(d->ready_fd);
}

static void worker_ready(struct daemon *d)
{
    if (d->reloaded != NULL)
        (void)take_up(d, d->reloaded);
    d->reloaded = NULL;
    log_info("worker-started", "worker=%zu pid=%ld", d->number + 1, (long)getpid());
    if (!d->options.front)
        process_leave_terminal();
    supervisor_worker_ready(d->supervisor, d->base);
}

/* The process that answers requests, from here to its end. */
static int work(struct daemon *d)
{
    struct err e = {""};
    int rc;

    add_events(d);
    if (d->hooks->run(d, &e) != 0)
        return failed(d, "start-failed", &e);
    if (d->worker)
        worker_ready(d);
    else
        say_ready(d);
    hold_signals(SIG_UNBLOCK);
    rc = event_base_dispatch(d->base) < 0 ? 1 : 0;
    log_info(d->worker ? "worker-stopped" : "stopped", "code=%d", rc);
    return rc;
}

/* --- with several workers --- */

static void on_workers_ready(void *ctx)
{
    say_ready(ctx);
}

/* The workers read the file themselves; one that comes later gets what they have. */
static bool on_supervisor_reload(void *ctx)
{
    struct daemon *d = ctx;
    struct conf *conf = daemon_read_again(d->hooks, d->conf_path);

    if (conf == NULL)
        return false;
    if (d->ready)
        notify_reloading();
    daemon_warn_of_restart(d->hooks, d->reloaded != NULL ? d->reloaded : d->conf, conf);
    conf_free(d->reloaded);
    d->reloaded = conf;
    if (d->ready)
        notify_ready();
    return true;
}

static void on_worker_gone(void *ctx, size_t worker)
{
    struct daemon *d = ctx;

    if (d->hooks->worker_gone != NULL)
        d->hooks->worker_gone(d, worker);
}

/* What the supervisor has, and the worker has not, or has as its own. */
static void become_worker(struct daemon *d, size_t number)
{
    d->worker = true;
    d->number = number;
    d->pid_written = false;
    if (d->ready_fd >= 0)
        close(d->ready_fd);
    d->ready_fd = -1;
    if (event_reinit(d->base) != 0)
        log_oom();
}

static int supervise(struct daemon *d)
{
    static const struct supervisor_hooks hooks = {
        .ready = on_workers_ready, .reload = on_supervisor_reload, .gone = on_worker_gone};
    int code = 0;
    int number;

    d->supervisor = supervisor_new(d->workers, &hooks, d);
    number = supervisor_run(d->supervisor, DAEMON_DRAIN_SECONDS + WORKER_EXTRA_SECONDS, &code);
    if (number >= 0) {
        become_worker(d, (size_t)number);
        return work(d);
    }
    log_info("stopped", "code=%d", code);
    return code;
}

/* The daemon's life. Returns the exit code. */
static int serve(struct daemon *d)
{
    struct err e = {""};
    char *pid_file = must_have(strdup(d->hooks->pid_file(d->conf))); /* a reload may name another */
    int rc;

    d->base = must_have(event_base_new());
    hold_signals(SIG_BLOCK);
    if (start_up(d, &e) != 0)
        rc = failed(d, "start-failed", &e);
    else
        rc = d->workers > 1 ? supervise(d) : work(d);
    tear_down(d, pid_file);
    free(pid_file);
    return rc;
}

static int run(struct daemon *d)
{
    struct err e = {""};
    struct conf *conf = NULL;

    log_open(d->hooks->name, d->options.front, LOGLEVEL_INFO);
    event_set_log_callback(on_libevent);
    if (conf_read(&conf, d->conf_path, &e) != 0)
        return failed(d, "config-error", &e);
    d->conf = conf;
    d->workers = d->hooks->workers == NULL ? 1 : (size_t)d->hooks->workers(conf);
    process_prepare();
    if (!d->options.front) {
        d->ready_fd = process_detach(&e);
        if (d->ready_fd < 0)
            return failed(d, "start-failed", &e);
    }
    return serve(d);
}

int daemon_main(int argc, char **argv, const struct daemon_hooks *hooks)
{
    struct daemon d = {.hooks = hooks, .ready_fd = -1};
    int rc = daemon_options_read(&d.options, argc, argv, hooks->name, hooks->summary);

    if (rc < 0 && d.options.test) {
        rc = daemon_check(hooks, d.options.conf);
    } else if (rc < 0) {
        d.conf_path = daemon_absolute(d.options.conf);
        rc = run(&d);
        conf_free(d.reloaded);
        conf_free(d.conf);
        free(d.conf_path);
    }
    return rc;
}
