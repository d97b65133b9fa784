/* log_rotation_io.c - see log_rotation_io.h. */
#include "log_rotation_io.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "log_files_io.h"

void log_file_say(struct log_file *f, const struct err *e)
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

bool log_file_warming_up(const struct log_file *f)
{
    return log_lines_offset(f->lines) <= f->now.seen_until && f->now.seen_until > 0;
}

struct log_position log_file_position_now(const struct log_file *f)
{
    if (f->now.fd < 0 || log_file_warming_up(f))
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
        log_file_say(f, &e);
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
        log_file_say(f, &e);
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

bool log_file_begin(struct log_file *f)
{
    struct log_files files;
    struct log_part part;
    struct err e;
    bool begun, there = log_part_open(&part, f->path, NULL, 0, &e) == 0;
    int error = errno;
    size_t i;

    if (!there) {
        f->awaited = error == ENOENT;
        log_file_say(f, &e);
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
        log_file_say(f, &e);
        return false;
    }
    if (missing != NULL)
        lost(f, missing, "compressed before it was read");
    log_info("log-rotated", "log=%s next=%s", f->path, files->entry[next].path);
    go(f, part);
    return true;
}

bool log_file_ended(struct log_file *f)
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
        log_file_say(f, &e);
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
    struct log_position p = log_file_position_now(f);
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

void log_file_look_cut(struct log_file *f)
{
    if (was_cut(f))
        after_cut(f);
}
