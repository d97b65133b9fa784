/* sni_store_io.c - see sni_store_io.h. A look is a thread's while it runs, and the loop's else. */
#include "sni_store_io.h"

#include "clock.h"
#include "log.h"
#include "metrics_text.h"
#include "millis.h"
#include "random_octets.h"
#include "sni_look_io.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define TROUBLES_LOGGED 20 /* entries, at each reading */
#define END_SECONDS     3  /* for which policyd, at its end, waits for a folder that does not answer */

struct sni_store {
    struct sni_table *table; /* in use */
    struct sni_look look;
    pthread_t thread;
    bool running;
    bool again;   /* read anew when the thread is done */
    char *folder; /* from where then; NULL: the same */
    int done;     /* eventfd */
    struct event *on_done, *timer;
    char problem[ERR_MAX]; /* as it was last logged */
    void (*when_read)(void *ctx);
    void *when_read_ctx;
};

/* Returns how many there are. */
static size_t log_table(const struct sni_store *s)
{
    size_t count, troubles = 0;
    const struct sni_certificate *c = sni_table_certificates(s->table, &count);

    for (size_t i = 0; i < count; i++)
        if (c[i].trouble[0] != '\0' && ++troubles <= TROUBLES_LOGGED)
            log_warning("certificate-trouble", "name=%s why=%s", c[i].name, c[i].trouble);
    if (count > 0 || s->look.known)
        log_info("certificates-read", "count=%zu names=%zu trouble=%zu ms=%" PRId64, count, sni_table_names(s->table),
                 troubles, s->look.ms);
    return count;
}

/* Of a problem that stays only once. */
static void log_problem(struct sni_store *s)
{
    const char *why = s->look.why.text;

    if (why[0] != '\0' && strcmp(why, s->problem) != 0)
        log_error("certificates-unreadable", "why=%s in_use=%s", why,
                  s->table != NULL ? "what was read before" : "none");
    memcpy(s->problem, why, sizeof(s->problem));
}

static void tell_read(struct sni_store *s)
{
    void (*fn)(void *ctx) = s->when_read;

    s->when_read = NULL;
    if (fn != NULL)
        fn(s->when_read_ctx);
}

/* Take over what was looked for. */
static void look_end(struct sni_store *s)
{
    log_problem(s);
    s->look.anew = false;
    if (s->look.table == NULL)
        return;
    s->look.drop = s->table;
    s->table = s->look.table;
    s->look.table = NULL;
    s->look.known = log_table(s) > 0;
}

/* --- the thread --- */

static void *run(void *ctx)
{
    struct sni_store *s = ctx;

    sni_look(&s->look);
    (void)eventfd_write(s->done, 1);
    return NULL;
}

static void next_look(struct sni_store *s)
{
    int64_t left = s->look.until - now_seconds();

    if (s->look.drop != NULL || s->again)
        left = 0;
    timer_start(s->timer, left < SNI_LOOK_MS / 1000 && left >= 0 && s->problem[0] == '\0' ? left * 1000 : SNI_LOOK_MS);
}

static void look_start(struct sni_store *s)
{
    sigset_t all, before;
    int failed;

    if (s->again) {
        s->look.anew = true;
        if (s->folder != NULL) {
            free(s->look.folder);
            s->look.folder = s->folder;
            s->folder = NULL;
        }
        s->again = false;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->running = failed == 0;
    if (failed == 0)
        return;
    err_set(&s->look.why, "no thread to read %s: %s", s->look.folder, strerror(failed));
    log_problem(s);
    tell_read(s);
    next_look(s);
}

static void on_done(evutil_socket_t fd, short what, void *ctx)
{
    struct sni_store *s = ctx;
    eventfd_t value;

    (void)what;
    if (eventfd_read(fd, &value) != 0 || !s->running)
        return;
    pthread_join(s->thread, NULL);
    s->running = false;
    look_end(s);
    tell_read(s);
    next_look(s);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct sni_store *s = ctx;

    (void)fd;
    (void)what;
    if (!s->running)
        look_start(s);
}

/* --- from outside --- */

struct sni_store *sni_store_new(struct event_base *base, const char *folder, bool answers)
{
    struct sni_store *s = must_have(calloc(1, sizeof(*s)));

    s->look.folder = must_have(strdup(folder));
    s->look.answers = answers;
    s->look.anew = true;
    random_octets(s->look.secret, sizeof(s->look.secret));
    s->done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->done < 0)
        log_oom();
    s->on_done = must_have(event_new(base, s->done, EV_READ | EV_PERSIST, on_done, s));
    s->timer = must_have(evtimer_new(base, on_timer, s));
    if (event_add(s->on_done, NULL) != 0)
        log_oom();
    look_start(s);
    return s;
}

void sni_store_when_read(struct sni_store *s, void (*fn)(void *ctx), void *ctx)
{
    s->when_read = fn;
    s->when_read_ctx = ctx;
    if (!s->running)
        tell_read(s);
}

/* Does the thread come to its end, soon? */
static bool thread_ends(const struct sni_store *s)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_SECONDS;
    return !s->running || pthread_timedjoin_np(s->thread, NULL, &until) == 0;
}

void sni_store_free(struct sni_store *s)
{
    if (s == NULL)
        return;
    event_free(s->on_done);
    event_free(s->timer);
    if (!thread_ends(s)) { /* it has all of this, until the process ends */
        log_warning("certificates-unreadable", "why=%s", "reading them does not end; not waited for");
        return;
    }
    close(s->done);
    sni_table_free(s->look.drop);
    sni_table_free(s->look.table);
    sni_table_free(s->table);
    free(s->look.folder);
    free(s->folder);
    free(s);
}

void sni_store_reload(struct sni_store *s, const char *folder)
{
    free(s->folder);
    s->folder = must_have(strdup(folder));
    s->again = true;
    if (!s->running)
        look_start(s);
}

const char *sni_store_get(const struct sni_store *s, const char *host, size_t *len)
{
    return s->table == NULL ? NULL : sni_table_get(s->table, host, len);
}

/* --- metrics --- */

static void add_family(struct buf *out, const char *name, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void add_certificate(struct buf *out, const char *family, const char *name, int64_t value)
{
    buf_printf(out, "%s{name=\"", family);
    metrics_label(out, name);
    buf_printf(out, "\"} %" PRId64 "\n", value);
}

void sni_store_metrics(void *ctx, struct buf *out)
{
    static const char expires[] = "postern_certificate_expires_seconds", trouble[] = "postern_certificate_trouble",
                      folder[] = "postern_certificate_folder_trouble";
    const struct sni_store *s = ctx;
    size_t count = 0, told = 0;
    const struct sni_certificate *c = s == NULL || s->table == NULL ? NULL : sni_table_certificates(s->table, &count);

    add_family(out, expires, "When the first certificate of a chain in certs.folder ends, seconds since the epoch.");
    for (size_t i = 0; i < count && i < SNI_METRICS_MAX; i++)
        if (c[i].expires != 0)
            add_certificate(out, expires, c[i].name, c[i].expires);
    add_family(out, trouble, "1: a file of this certificate cannot be read, or is wrong.");
    for (size_t i = 0; i < count && told < SNI_METRICS_MAX; i++)
        if (c[i].trouble[0] != '\0') {
            add_certificate(out, trouble, c[i].name, 1);
            told++;
        }
    add_family(out, folder, "1: certs.folder cannot be read.");
    buf_printf(out, "%s %d\n", folder, s != NULL && s->problem[0] != '\0');
}
