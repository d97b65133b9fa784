/*
 * supervisor.c - the supervisor waits for signals, one at a time: those from outside, SIGCHLD, and SIGUSR1, with which
 * a worker says that it is ready. What a worker has to tell beside that stands in memory that both share.
 */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "millis.h"
#include "notify.h"

#define SETTLED_MS     10000 /* a worker that dies later than that is replaced at once */
#define AGAIN_FIRST_MS 100
#define AGAIN_MAX_MS   5000

/* What a worker tells; written by it alone. */
struct told {
    volatile bool ready;
    volatile int64_t alive_ms;
};

struct worker {
    pid_t pid; /* 0: it does not run, and is started when due_ms comes */
    int64_t started_ms, due_ms;
    unsigned deaths; /* one shortly after the other */
};

struct supervisor {
    const struct supervisor_hooks *hooks;
    void *ctx;
    pid_t pid;
    sigset_t signals, before; /* those that it waits for; the mask from before */
    bool ready;               /* all workers were, once */
    bool stopping, killing;
    int64_t kill_ms; /* when those that are left are killed; 0: not */
    int64_t drain_ms;
    int64_t watchdog_ms, watchdog_due_ms; /* 0: nobody watches */
    int code;
    struct told *told, *own; /* of all workers, in shared memory; in a worker: its own, and its timer */
    struct event *beat;
    size_t count;
    struct worker worker[];
};

struct supervisor *supervisor_new(size_t workers, const struct supervisor_hooks *hooks, void *ctx)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD, SIGUSR1};
    struct supervisor *s = must_have(calloc(1, sizeof(*s) + workers * sizeof(s->worker[0])));

    s->hooks = hooks;
    s->ctx = ctx;
    s->count = workers;
    s->pid = getpid();
    s->told = mmap(NULL, workers * sizeof(struct told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->told == MAP_FAILED)
        log_oom();
    sigemptyset(&s->signals);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&s->signals, numbers[i]);
    return s;
}

void supervisor_free(struct supervisor *s)
{
    if (s == NULL)
        return;
    if (s->beat != NULL)
        event_free(s->beat);
    munmap(s->told, s->count * sizeof(struct told));
    free(s);
}

/* --- in the worker --- */

static void worker_begin(struct supervisor *s, size_t worker)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->pid) /* it has died before that */
        _exit(1);
    s->own = &s->told[worker];
    notify_not_us();
}

static void on_beat(evutil_socket_t fd, short what, void *ctx)
{
    struct supervisor *s = ctx;

    (void)fd;
    (void)what;
    s->own->alive_ms = now_ms();
}

void supervisor_worker_ready(struct supervisor *s, struct event_base *base)
{
    if (s->watchdog_ms > 0) {
        s->beat = must_have(event_new(base, -1, EV_PERSIST, on_beat, s));
        timer_start(s->beat, s->watchdog_ms / 2);
    }
    s->own->alive_ms = now_ms();
    s->own->ready = true;
    if (getppid() == s->pid)
        kill(s->pid, SIGUSR1);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* --- in the supervisor --- */

static void tell_workers(const struct supervisor *s, int sig)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->worker[i].pid > 0)
            kill(s->worker[i].pid, sig);
}

static void kill_workers(struct supervisor *s)
{
    s->killing = true;
    s->kill_ms = 0;
    tell_workers(s, SIGKILL);
}

static void stop(struct supervisor *s)
{
    s->stopping = true;
    s->kill_ms = now_ms() + s->drain_ms;
    notify_stopping();
    tell_workers(s, SIGTERM);
}

static void on_stop_signal(struct supervisor *s, int sig)
{
    if (s->stopping) {
        log_warning("stopped-at-once", "signal=%s", strsignal(sig));
        kill_workers(s);
        return;
    }
    log_info("draining", "signal=%s", strsignal(sig));
    stop(s);
}

/* In how many ms is one that has died to be started again? */
static int64_t again_ms(struct worker *w)
{
    int64_t wait = 0;

    if (now_ms() - w->started_ms >= SETTLED_MS)
        w->deaths = 0;
    if (w->deaths > 0)
        wait = w->deaths > 6 ? AGAIN_MAX_MS : AGAIN_FIRST_MS << (w->deaths - 1);
    w->deaths++;
    return wait < AGAIN_MAX_MS ? wait : AGAIN_MAX_MS;
}

static void log_death(const struct supervisor *s, size_t i, int status)
{
    const char *how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit";
    int code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);

    log_error("worker-died", "worker=%zu pid=%ld how=%s code=%d", i + 1, (long)s->worker[i].pid, how, code);
}

static void fail(struct supervisor *s)
{
    s->code = 1;
    if (!s->stopping)
        stop(s);
}

/* A worker that cannot even begin is an error of the start; later it is tried again. */
static void on_death(struct supervisor *s, size_t i, int status)
{
    struct worker *w = &s->worker[i];

    if (!s->stopping || (status != 0 && !s->killing))
        log_death(s, i, status);
    s->hooks->gone(s->ctx, i);
    w->pid = 0;
    s->told[i].ready = false;
    if (!s->stopping && s->ready) {
        int64_t again = again_ms(w);

        w->due_ms = now_ms() + again;
        log_info("worker-replaced", "worker=%zu in_ms=%lld", i + 1, (long long)again);
    } else if (!s->killing && (status != 0 || !s->stopping)) {
        fail(s);
    }
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < s->count; i++)
            if (s->worker[i].pid == pid)
                on_death(s, i, status);
}

/* Returns whether this is the new worker. */
static bool start(struct supervisor *s, size_t i)
{
    struct worker *w = &s->worker[i];
    pid_t pid = fork();

    if (pid == 0) {
        worker_begin(s, i);
        return true;
    }
    w->started_ms = now_ms();
    if (pid > 0) {
        w->pid = pid;
        return false;
    }
    w->due_ms = w->started_ms + AGAIN_MAX_MS;
    log_error("fork-failed", "reason=%s", strerror(errno));
    if (!s->ready)
        fail(s);
    return false;
}

/* Returns the number of a worker in that worker, -1 in the supervisor. */
static int start_due(struct supervisor *s)
{
    for (size_t i = 0; i < s->count && !s->stopping; i++)
        if (s->worker[i].pid == 0 && s->worker[i].due_ms <= now_ms() && start(s, i))
            return (int)i;
    return -1;
}

static void look_ready(struct supervisor *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        count += s->told[i].ready;
    if (s->ready || count < s->count || s->stopping)
        return;
    s->ready = true;
    s->hooks->ready(s->ctx);
}

/* systemd is told that we live when the workers do, which is why one that does not is ended. */
static void look_alive(struct supervisor *s)
{
    int64_t now = now_ms();

    if (s->watchdog_ms == 0 || now < s->watchdog_due_ms)
        return;
    s->watchdog_due_ms = now + s->watchdog_ms / 2;
    for (size_t i = 0; i < s->count; i++) {
        int64_t still = s->told[i].ready ? now - s->told[i].alive_ms : 0;

        if (still > s->watchdog_ms) {
            log_error("worker-hangs", "worker=%zu pid=%ld ms=%lld", i + 1, (long)s->worker[i].pid, (long long)still);
            kill(s->worker[i].pid, still > 2 * s->watchdog_ms ? SIGKILL : SIGABRT);
        }
    }
    notify_alive();
}

static bool any_left(const struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->worker[i].pid > 0)
            return true;
    return false;
}

static void earlier(int64_t *next, int64_t when)
{
    if (*next < 0 || when < *next)
        *next = when;
}

/* When something is to be done though no signal comes; -1: never. */
static int64_t next_due(const struct supervisor *s)
{
    int64_t next = -1;

    for (size_t i = 0; i < s->count && !s->stopping; i++)
        if (s->worker[i].pid == 0)
            earlier(&next, s->worker[i].due_ms);
    if (s->watchdog_ms > 0)
        earlier(&next, s->watchdog_due_ms);
    if (s->kill_ms > 0)
        earlier(&next, s->kill_ms);
    return next;
}

static int wait_signal(const struct supervisor *s)
{
    int64_t next = next_due(s);
    int64_t left = next - now_ms();
    struct timespec limit = {0, 0};

    if (next < 0)
        return sigwaitinfo(&s->signals, NULL);
    if (left > 0)
        limit = (struct timespec){left / 1000, left % 1000 * 1000000};
    return sigtimedwait(&s->signals, NULL, &limit);
}

static void look(struct supervisor *s)
{
    int sig = wait_signal(s);

    if (sig == SIGTERM || sig == SIGINT)
        on_stop_signal(s, sig);
    else if (sig == SIGHUP && !s->stopping && s->hooks->reload(s->ctx))
        tell_workers(s, SIGHUP);
    reap(s);
    look_ready(s);
    look_alive(s);
    if (s->kill_ms > 0 && now_ms() >= s->kill_ms) {
        log_warning("drain-timeout", "seconds=%lld", (long long)s->drain_ms / 1000);
        kill_workers(s);
    }
}

int supervisor_run(struct supervisor *s, unsigned drain_seconds, int *code)
{
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &s->signals, &s->before);
    s->drain_ms = (int64_t)drain_seconds * 1000;
    s->watchdog_ms = notify_watchdog_ms();
    s->watchdog_due_ms = now_ms();
    do {
        int worker = start_due(s);

        if (worker >= 0)
            return worker;
        look(s);
    } while (!s->stopping || any_left(s));
    *code = s->code;
    return -1;
}
