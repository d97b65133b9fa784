/* publications_io.c - see publications_io.h: what is known, the file, and what others see of it. */
#include "publications_internal.h"

#include "clock.h"
#include "log.h"
#include "millis.h"
#include "whole_file.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_MS 10000 /* after the file could not be written */

/* --- the file --- */

static void fill(struct buf *out, const void *what)
{
    const struct publications_keeper *k = what;

    publications_write(out, &k->known, &k->stamp);
}

static void file_write(struct publications_keeper *k)
{
    k->write_again = false;
    if (k->writer != NULL && file_writer_write(k->writer, fill, k) != 0)
        k->write_again = true;
}

void publications_current(struct publications_keeper *k, const struct lists_stamp *stamp)
{
    k->stamp = *stamp;
    k->is_known = k->current = true;
    k->since = now_seconds();
    file_write(k);
}

static void on_write_later(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    file_write(ctx);
}

static void on_written(void *ctx, const char *why)
{
    struct publications_keeper *k = ctx;

    if (why != NULL && !k->unwritten)
        log_error("published-file", "file=%s error=%s", k->file, why);
    k->unwritten = why != NULL;
    if (why != NULL)
        timer_start(k->write_later, WRITE_MS);
    else if (k->write_again)
        file_write(k);
}

/* Returns 1, 0 when there is none, or -1. */
static int file_read(struct publications_keeper *k, size_t *left_out, struct err *e)
{
    struct buf data;
    int rc;

    buf_init(&data, PUBLICATIONS_KEPT_MAX);
    rc = whole_file_read(&data, k->file, e);
    if (rc == 1 && publications_read(&k->known, &k->stamp, left_out, buf_text(&data), data.len, e) != 0)
        rc = err_prefix(e, "%s", k->file);
    buf_clear(&data);
    return rc;
}

static void file_load(struct publications_keeper *k)
{
    struct err e = {""};
    size_t left_out = 0;
    int rc = file_read(k, &left_out, &e);

    if (rc < 0)
        log_error("published-file", "file=%s error=%s", k->file, e.text);
    if (rc != 1)
        return;
    k->is_known = true;
    log_info("published-from-file", "file=%s domains=%zu left_out=%zu", k->file, k->known.count, left_out);
}

/* --- what others see of it --- */

const struct publications *publications_keeper_get(const struct publications_keeper *k)
{
    return k->is_known ? &k->known : NULL;
}

void publications_keeper_state(struct publications_state *out, const struct publications_keeper *k)
{
    *out = (struct publications_state){.domains = k->known.count,
                                       .bad = k->bad,
                                       .current = k->current && k->problem.text[0] == '\0' && redis_tracking(k->redis),
                                       .since = k->since,
                                       .kept = !k->unwritten};
}

/* --- its life --- */

struct publications_keeper *publications_keeper_new(struct event_base *base, struct redis *redis, bool no_redis,
                                                    const char *file)
{
    struct publications_keeper *k = must_have(calloc(1, sizeof(*k)));

    k->base = base;
    k->redis = redis;
    k->file = must_have(strdup(file));
    k->is_known = no_redis;
    k->write_later = must_have(evtimer_new(base, on_write_later, k));
    publications_reading_init(k);
    if (file[0] == '\0')
        return k;
    file_load(k);
    if (!no_redis)
        k->writer = file_writer_new(base, file, PUBLICATIONS_KEPT_MAX, on_written, k);
    return k;
}

void publications_keeper_free(struct publications_keeper *k)
{
    if (k == NULL)
        return;
    file_writer_free(k->writer);
    event_free(k->write_later);
    publications_reading_free(k);
    publications_clear(&k->known);
    free(k->file);
    free(k);
}
