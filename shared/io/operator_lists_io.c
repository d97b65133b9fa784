/* operator_lists_io.c - see operator_lists_io.h: what is known, the file, and what others see of it. */
#include "operator_lists_internal.h"

#include "clock.h"
#include "log.h"
#include "millis.h"
#include "random_octets.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_MS  10000 /* after the file could not be written */
#define SLEEP_MAX 3600  /* seconds */

const char *operator_lists_source_name(enum operator_lists_source source)
{
    static const char *const names[] = {"unknown", "none", "file", "redis"};

    return names[source];
}

/* --- what is known changes --- */

/* The next time at which an entry ceases to hold. */
static int64_t next_expiry(const struct lists *lists, int64_t now)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < LISTS; i++) {
        int64_t expiry = list_next_expiry(lists->list[i], now);

        first = expiry < first ? expiry : first;
    }
    return first;
}

static void expiry_set(struct operator_lists *o)
{
    int64_t now = now_seconds();
    int64_t wait;

    o->expires = next_expiry(&o->lists, now);
    wait = o->expires - now;
    timer_start(o->expiry, (wait < SLEEP_MAX ? wait : SLEEP_MAX) * 1000);
}

static void on_expiry(evutil_socket_t fd, short what, void *ctx)
{
    struct operator_lists *o = ctx;
    bool expired = now_seconds() >= o->expires;

    (void)fd;
    (void)what;
    expiry_set(o);
    if (expired)
        o->options.fn(o->options.ctx);
}

void operator_lists_changed(struct operator_lists *o)
{
    o->awaited = o->awaited && o->source != OPERATOR_LISTS_REDIS;
    expiry_set(o);
    o->options.fn(o->options.ctx);
}

/* Redis may be away for long: go on with what is known, if anything is. */
static void on_patience(evutil_socket_t fd, short what, void *ctx)
{
    struct operator_lists *o = ctx;

    (void)fd;
    (void)what;
    if (!o->awaited)
        return;
    o->awaited = false;
    if (o->source == OPERATOR_LISTS_UNKNOWN)
        log_warning("lists-unknown", "file=%s why=%s", o->file,
                    "Redis cannot be reached, and no file has the lists: what hangs on them has to wait");
    else
        log_warning("lists-from-file", "file=%s entries=%zu why=%s", o->file, lists_count(&o->lists),
                    "Redis cannot be reached");
    operator_lists_changed(o);
}

/* --- the file --- */

static void fill(struct buf *out, const void *what)
{
    const struct operator_lists *o = what;

    lists_kept_write(out, &o->lists, &o->stamp);
}

void operator_lists_write(struct operator_lists *o)
{
    o->write_again = false;
    if (o->writer != NULL && file_writer_write(o->writer, fill, o) != 0)
        o->write_again = true;
}

static void on_write_later(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    operator_lists_write(ctx);
}

static void on_written(void *ctx, const char *why)
{
    struct operator_lists *o = ctx;

    if (why != NULL && strcmp(why, o->file_problem.text) != 0)
        log_error("lists-file", "file=%s error=%s", o->file, why);
    err_set(&o->file_problem, "%s", why == NULL ? "" : why);
    if (why != NULL)
        timer_start(o->write_later, WRITE_MS);
    else if (o->write_again)
        operator_lists_write(o);
}

static void file_load(struct operator_lists *o)
{
    struct lists lists;
    int rc = lists_kept_load(&lists, &o->stamp, o->file, o->secret, &o->file_problem);

    if (rc < 0)
        log_error("lists-file", "file=%s error=%s", o->file, o->file_problem.text);
    if (rc != 1)
        return;
    lists_clear(&o->lists);
    o->lists = lists;
    o->source = OPERATOR_LISTS_FILE;
}

/* --- what others see of it --- */

const struct lists *operator_lists_get(const struct operator_lists *o)
{
    return o->source == OPERATOR_LISTS_UNKNOWN ? NULL : &o->lists;
}

bool operator_lists_awaited(const struct operator_lists *o)
{
    return o->awaited;
}

void operator_lists_state(struct operator_lists_state *out, const struct operator_lists *o)
{
    out->source = o->source;
    out->verdict = o->verdict;
    out->since = o->since;
    out->read_problem = o->read_problem.text;
    out->file_problem = o->file_problem.text;
    for (size_t i = 0; i < LISTS; i++) {
        out->list[i].entries = list_count(o->lists.list[i]);
        out->list[i].bad = o->bad[i];
        out->list[i].problem = o->problem[i].text;
    }
}

/* --- its life --- */

struct operator_lists *operator_lists_new(struct event_base *base, const struct operator_lists_options *options)
{
    struct operator_lists *o = must_have(calloc(1, sizeof(*o)));

    random_octets(o->secret, sizeof(o->secret));
    if (lists_init(&o->lists, o->secret) != 0)
        log_oom();
    o->base = base;
    o->options = *options;
    o->file = must_have(strdup(options->file));
    o->patience = must_have(evtimer_new(base, on_patience, o));
    o->expiry = must_have(evtimer_new(base, on_expiry, o));
    o->trash = list_trash_new(base);
    lists_reading_init(o);
    o->write_later = must_have(evtimer_new(base, on_write_later, o));
    if (options->no_redis) {
        o->source = OPERATOR_LISTS_NONE;
        return o;
    }
    o->awaited = true;
    timer_start(o->patience, OPERATOR_LISTS_PATIENCE_MS);
    if (options->file[0] != '\0')
        file_load(o);
    if (options->file[0] != '\0' && options->keeper)
        o->writer = file_writer_new(base, options->file, LISTS_KEPT_MAX, on_written, o);
    expiry_set(o);
    return o;
}

void operator_lists_free(struct operator_lists *o)
{
    if (o == NULL)
        return;
    file_writer_free(o->writer);
    lists_reading_free(o);
    event_free(o->patience);
    event_free(o->expiry);
    list_trash_free(o->trash);
    event_free(o->write_later);
    lists_clear(&o->lists);
    free(o->file);
    free(o);
}
