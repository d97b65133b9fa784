/* log_file_io.c - see log_file_io.h. */
#include "log_file_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "log_files_io.h"
#include "log_lines.h"
#include "log_part_io.h"
#include "log_watch_io.h"
#include "millis.h"

struct log_file {
    char *path;
    struct log_taker *taker;
    struct log_watch *watch;
    struct event *work; /* the next turn */
    struct log_lines *lines;
    struct log_part now, then; /* then: the one to come, where that is known already */
    struct log_position opened;
    uint64_t next_inode; /* of the file that comes next, and is waited for until no more comes here */
    int64_t quiet_since; /* on the monotonic clock */
    bool at_end;         /* of the file, when it was read last */
    bool awaited;        /* there was none at first */
    bool paused;
    struct err said; /* what was logged last, and is so still */
    char text[LOG_POSITION_MAX + 1];
};

/* Once, until something else is to be said. */
static void say(struct log_file *f, const struct err *e)
{
    if (strcmp(f->said.text, e->text) != 0)
        log_warning("log-waits", "why=%s", e->text);
    f->said = *e;
}

static void lost(struct log_file *f, const char *file, const char *why)
{
    f->taker->stats.lost++;
    log_warning("log-lines-lost", "log=%s file=%s why=%s", f->path, file, why);
}

/* ---- where we are ---- */

static bool warming_up(const struct log_file *f)
{
    return log_lines_offset(f->lines) <= f->now.seen_until && f->now.seen_until > 0;
}

static struct log_position position_now(const struct log_file *f)
{
    if (f->now.fd < 0 || warming_up(f))
        return f->opened;
    return (struct log_position){
        .kind = LOG_POSITION_FILE,
        .device = f->now.device,
        .inode = f->now.inode,
        .offset = log_lines_offset(f->lines),
        .fingerprint = log_lines_fingerprint(f->lines),
        .changed = f->now.changed,
    };
}

const char *log_file_position(struct log_file *f)
{
    struct log_position p = position_now(f);

    log_position_write(f->text, &p);
    return f->text;
}

/* ---- from one file to another ---- */

/* Read on here. */
static void go(struct log_file *f, struct log_part part)
{
    char before[LOG_FINGERPRINT_LEN];
    ssize_t len = log_file_before(part.fd, part.start, before);

    if (len < 0) { /* it has just been cut */
        part.start = 0;
        len = 0;
    }
    if (f->now.fd != part.fd)
        log_part_close(&f->now);
    f->now = part;
    f->next_inode = 0;
    f->quiet_since = now_ms();
    f->at_end = false;
    f->said.text[0] = '\0';
    log_lines_begin(f->lines, part.start, part.inside && part.start > 0, before, (size_t)len);
    log_watch_file(f->watch, part.fd);
}

/* The position is in files->entry[i]: begin before it, in the file before when this one has too little. */
static bool begin_at(struct log_file *f, const struct log_files *files, size_t i)
{
    const struct log_position *p = &f->opened;
    int64_t warm = p->offset > LOG_WARM_UP ? p->offset - LOG_WARM_UP : 0;
    struct log_part part, before;
    struct err e;

    if (log_part_open(&part, files->entry[i].path, &files->entry[i].st, warm, &e) != 0) {
        say(f, &e);
        return false;
    }
    part.inside = warm > 0;
    part.seen_until = p->offset;
    if (i > 0 && log_part_open_last(&before, &files->entry[i - 1], LOG_WARM_UP - p->offset)) {
        f->then = part;
        part = before;
    }
    go(f, part);
    return true;
}

/* The file with the position is gone: what was written after it. */
static bool begin_after(struct log_file *f, const struct log_files *files)
{
    const char *missing;
    size_t next = log_files_next(files, LOG_FILES_NONE, f->opened.changed, &missing);
    struct log_part part;
    struct err e;

    if (next == LOG_FILES_NONE)
        return false;
    if (log_part_open(&part, files->entry[next].path, &files->entry[next].st, 0, &e) != 0) {
        say(f, &e);
        return false;
    }
    if (part.changed < f->opened.changed)
        log_part_to_end(&part);
    lost(f, missing != NULL ? missing : "-",
         missing != NULL ? "compressed, so what had not been read cannot be read"
                         : "the file that was read last is gone, or was changed where it had been read");
    go(f, part);
    return true;
}

/* There is no position in a file: at the end, or all of a file that was not there at first. */
static bool begin_fresh(struct log_file *f, struct log_part part)
{
    if (f->opened.kind == LOG_POSITION_JOURNAL)
        lost(f, f->path, "the position is one in the journal: the file is read from its end on");
    if (!f->awaited)
        log_part_to_end(&part);
    go(f, part);
    return true;
}

/* Find the place to begin. False: not yet, the reason is logged. */
static bool begin(struct log_file *f)
{
    struct log_files files;
    struct log_part part;
    struct err e;
    bool begun, there = log_part_open(&part, f->path, NULL, 0, &e) == 0;
    int error = errno;
    size_t i;

    if (!there) {
        f->awaited = error == ENOENT;
        say(f, &e);
        if (error != ENOENT)
            return false;
    }
    if (f->opened.kind != LOG_POSITION_FILE)
        return there && begin_fresh(f, part);
    log_part_close(&part);
    log_files_list(&files, f->path);
    i = log_files_find(&files, &f->opened);
    if (i != LOG_FILES_NONE)
        begun = begin_at(f, &files, i);
    else
        begun = there && begin_after(f, &files);
    log_files_clear(&files);
    return begun;
}

/* ---- what became of the file ---- */

/* The successor, when it has lines, was there for a while, and no more came here meanwhile. */
static bool next_ripe(struct log_file *f, const struct stat *st)
{
    if (st->st_size == 0)
        return false;
    if (f->next_inode != st->st_ino) {
        f->next_inode = st->st_ino;
        f->quiet_since = now_ms();
    }
    return now_ms() - f->quiet_since >= LOG_GRACE_MS;
}

static bool go_next(struct log_file *f, const struct log_files *files)
{
    const char *missing;
    size_t i = log_files_inode(files, f->now.device, f->now.inode);
    size_t next = log_files_next(files, i, f->now.changed, &missing);
    struct log_part part;
    struct err e;

    if (next == LOG_FILES_NONE || !next_ripe(f, &files->entry[next].st))
        return false;
    if (log_part_open(&part, files->entry[next].path, &files->entry[next].st, 0, &e) != 0) {
        say(f, &e);
        return false;
    }
    if (missing != NULL)
        lost(f, missing, "compressed before it was read");
    log_info("log-rotated", "log=%s next=%s", f->path, files->entry[next].path);
    go(f, part);
    return true;
}

/* All of this file was read. True: there is another one now. */
static bool after_end(struct log_file *f)
{
    struct log_files files;
    struct stat st;
    bool gone;

    f->at_end = true;
    if (f->then.fd >= 0) {
        struct log_part part = f->then;

        f->then = log_no_part;
        go(f, part);
        return true;
    }
    if (stat(f->path, &st) != 0) {
        struct err e;

        err_set(&e, "%s: %s", f->path, strerror(errno));
        say(f, &e);
    } else if (st.st_ino == f->now.inode && st.st_dev == f->now.device) {
        f->said.text[0] = '\0';
        return false;
    }
    log_files_list(&files, f->path);
    gone = go_next(f, &files);
    log_files_clear(&files);
    return gone;
}

/* It is shorter than what was read, or has something else there. */
static bool was_cut(struct log_file *f)
{
    char there[LOG_FINGERPRINT_LEN];
    int64_t end = log_lines_end(f->lines);
    size_t len;
    const char *last = log_lines_last(f->lines, &len);

    return log_file_before(f->now.fd, end, there) != (ssize_t)len || memcmp(there, last, len) != 0;
}

/* Finish its copy, when there is one, and come back then; else begin it again. */
static void after_cut(struct log_file *f)
{
    struct log_position p = position_now(f);
    struct log_files files;
    struct log_part part;
    size_t i;

    log_files_list(&files, f->path);
    i = log_files_find(&files, &p);
    if (i != LOG_FILES_NONE && log_part_open(&part, files.entry[i].path, &files.entry[i].st, p.offset, NULL) == 0) {
        log_info("log-cut", "log=%s copy=%s", f->path, files.entry[i].path);
    } else {
        if (!f->at_end)
            lost(f, f->path, "it was cut short before all of it was read");
        log_info("log-cut", "log=%s copy=%s", f->path, "-");
        part = f->now;
        part.start = part.seen_until = 0;
        part.inside = false;
    }
    log_files_clear(&files);
    log_part_close(&f->then);
    go(f, part);
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
        say(f, &e);
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
        f->paused = !t->fn(t->ctx, &entry, warming_up(f), log_file_position(f));
        more = !f->paused && now_ms() < until;
    }
    return more;
}

/* Returns whether there may be more at once. */
static bool turn(struct log_file *f)
{
    int64_t until = now_ms() + LOG_TURN_MS, now = now_seconds();

    if (f->now.fd < 0 && !begin(f))
        return false;
    if (was_cut(f))
        after_cut(f);
    for (int reads = 0; reads < LOG_TURN_READS; reads++) {
        ssize_t n;

        if (!give(f, now, until))
            return !f->paused;
        n = read_more(f);
        if (n < 0 || (n == 0 && !after_end(f)))
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
    (void)begin(f); /* what is written from now on is new */
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
