/* log_file_io.c - see log_file_io.h. */
#include "log_file_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "log_rotation_io.h"
#include "millis.h"

const char *log_file_position(struct log_file *f)
{
    struct log_position p = log_file_position_now(f);

    log_position_write(f->text, &p);
    return f->text;
}

/* ---- reading ---- */

/* Returns how many octets came, 0 at the end, or -1, which is logged. */
static ssize_t read_more(struct log_file *f)
{
    char *room = log_lines_room(f->lines);
    ssize_t n = pread(f->now.fd, room, LOG_LINES_READ, log_lines_end(f->lines));
    struct stat st;
    struct err e;

    if (n < 0) {
        err_set(&e, "%s: %s", f->path, strerror(errno));
        log_file_say(f, &e);
        return -1;
    }
    if (n > 0) {
        log_lines_added(f->lines, (size_t)n);
        f->at_end = false;
        f->quiet_since = now_ms();
        if (fstat(f->now.fd, &st) == 0)
            f->now.changed = log_file_changed(&st);
    }
    return n;
}

/* Give the lines that there are. False: stopped, by whom takes them or by the time. */
static bool give(struct log_file *f, int64_t now, int64_t until)
{
    struct log_taker *t = f->taker;
    int64_t before = log_lines_offset(f->lines);
    const char *line;
    size_t len;
    bool more = true;

    while (more && log_lines_next(f->lines, &line, &len)) {
        struct maillog_entry entry;
        int64_t end = log_lines_offset(f->lines);

        t->stats.lines++;
        t->stats.octets += (uint64_t)(end - before);
        before = end;
        if (!maillog_entry_read(&entry, line, len, now + t->clock_offset))
            continue;
        f->paused = !t->fn(t->ctx, &entry, log_file_warming_up(f), log_file_position(f));
        more = !f->paused && now_ms() < until;
    }
    return more;
}

/* Returns whether there may be more at once. */
static bool turn(struct log_file *f)
{
    int64_t until = now_ms() + LOG_TURN_MS, now = now_seconds();

    if (f->now.fd < 0 && !log_file_begin(f))
        return false;
    log_file_look_cut(f);
    for (int reads = 0; reads < LOG_TURN_READS; reads++) {
        ssize_t n;

        if (!give(f, now, until))
            return !f->paused;
        n = read_more(f);
        if (n == 0)
            f->taker->stats.all_read = now_seconds();
        if (n < 0 || (n == 0 && !log_file_ended(f)))
            return false;
    }
    return true;
}

static void on_work(evutil_socket_t fd, short what, void *ctx)
{
    struct log_file *f = ctx;

    (void)fd;
    (void)what;
    if (f->paused)
        return;
    if (turn(f)) {
        timer_start(f->work, 0);
    } else if (!f->paused) {
        timer_start(f->work, LOG_POLL_MS);
        log_watch_on(f->watch);
    }
}

/* Writers write line by line: a few at once are cheaper. */
static void on_change(void *ctx)
{
    struct log_file *f = ctx;

    if (!f->paused)
        timer_start(f->work, LOG_TURN_MS);
}

struct log_file *log_file_new(struct event_base *base, const char *path, const struct log_position *position,
                              struct log_taker *taker, struct err *e)
{
    struct log_file *f;
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        err_set(e, "%s: this is no file, and only a file can be followed", path);
        return NULL;
    }
    f = must_have(calloc(1, sizeof(*f)));
    f->path = must_have(strdup(path));
    f->taker = taker;
    f->opened = *position;
    f->now = f->then = log_no_part;
    f->lines = must_have(log_lines_new());
    f->work = must_have(evtimer_new(base, on_work, f));
    f->watch = log_watch_new(base, on_change, f);
    (void)log_file_begin(f); /* what is written from now on is new */
    timer_start(f->work, 0);
    return f;
}

void log_file_resume(struct log_file *f)
{
    if (!f->paused)
        return;
    f->paused = false;
    timer_start(f->work, 0);
}

void log_file_free(struct log_file *f)
{
    if (f == NULL)
        return;
    log_watch_free(f->watch);
    event_free(f->work);
    log_part_close(&f->now);
    log_part_close(&f->then);
    log_lines_free(f->lines);
    free(f->path);
    free(f);
}
