/* spool_io.c - see spool_io.h. */
#include "spool_io.h"
#include "log.h"
#include "spool_files_io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define FILE_OCTETS  8388608 /* then the next file is begun */
#define SMALL_OCTETS 65536   /* a file that nobody needs is not left for a new one before it has so much */

struct spool_file {
    TAILQ_ENTRY(spool_file) link;
    uint64_t number;
    int64_t octets;
    size_t batches; /* that are needed */
    int fd;
};

TAILQ_HEAD(spool_list, spool_file);

struct spool {
    char folder[SPOOL_FOLDER_BUF], lane[BATCH_LANE_BUF];
    int64_t max, octets;
    int folder_fd, lock_fd;
    struct spool_list files;
    struct spool_file *current; /* that is written to, the last; NULL: the next write begins one */
    uint64_t number, broken;    /* number: of the last file */
    struct batch_position position[BATCH_SOURCES_MAX];
    size_t positions;
};

/* --- files --- */

static struct spool_file *file_add(struct spool *s, uint64_t number, int fd, int64_t octets)
{
    struct spool_file *f = must_have(calloc(1, sizeof(*f)));

    *f = (struct spool_file){.number = number, .fd = fd, .octets = octets};
    TAILQ_INSERT_TAIL(&s->files, f, link);
    s->octets += octets;
    return f;
}

/* Nobody needs what is in it. */
static void file_remove(struct spool *s, struct spool_file *f)
{
    char name[SPOOL_NAME_BUF];

    spool_file_name(name, f->number);
    if (unlinkat(s->folder_fd, name, 0) != 0 && errno != ENOENT)
        log_warning("spool-remove", "folder=%s file=%s error=%s", s->folder, name, strerror(errno));
    TAILQ_REMOVE(&s->files, f, link);
    s->octets -= f->octets;
    close(f->fd);
    free(f);
}

/* Those before the current one, which has the positions, go as soon as they are not needed. */
static void files_tidy(struct spool *s)
{
    struct spool_file *f = TAILQ_FIRST(&s->files);

    while (f != NULL && s->current != NULL) {
        struct spool_file *next = TAILQ_NEXT(f, link);

        if (f != s->current && f->batches == 0)
            file_remove(s, f);
        f = next;
    }
}

/* --- what was there before --- */

struct scan {
    struct spool *spool;
    struct spool_file *file;
    spool_found_fn *fn;
    void *ctx;
};

static void positions_take(struct spool *s, const struct batch_position *position, size_t positions)
{
    for (size_t i = 0; i < positions; i++) {
        size_t at = 0;

        while (at < s->positions && strcmp(s->position[at].source, position[i].source) != 0)
            at++;
        if (at == BATCH_SOURCES_MAX)
            continue;
        s->position[at] = position[i];
        s->positions += at == s->positions;
    }
}

static void batch_found(struct scan *scan, const struct batch *b, size_t offset)
{
    const struct spool_place place = {scan->file, (int64_t)offset, b->total};

    positions_take(scan->spool, b->position, b->positions);
    if (b->number == 0)
        return;
    scan->file->batches++;
    scan->fn(scan->ctx, b, &place);
}

static void file_scan(struct scan *scan, const char *data, size_t len)
{
    char name[SPOOL_NAME_BUF];

    spool_file_name(name, scan->file->number);
    for (size_t at = 0; at < len;) {
        struct batch b;
        int rc = batch_read(&b, data + at, len - at);
        size_t skip;

        if (rc == -2)
            log_oom();
        if (rc == 1) {
            batch_found(scan, &b, at);
            at += b.total;
            batch_clear(&b);
            continue;
        }
        skip = 1 + batch_find(data + at + 1, len - at - 1);
        scan->spool->broken++;
        log_warning("spool-broken", "folder=%s file=%s offset=%zu octets=%zu action=%s", scan->spool->folder, name, at,
                    skip, "skip");
        at += skip;
    }
}

static int file_load(struct scan *scan, uint64_t number, struct err *e)
{
    struct spool *s = scan->spool;
    struct buf data;
    int fd, rc;

    buf_init(&data, SPOOL_FILE_MAX);
    fd = spool_file_load(s->folder_fd, number, &data, e);
    if (fd < 0) {
        buf_clear(&data);
        return -1;
    }
    scan->file = file_add(s, number, fd, (int64_t)data.len);
    s->number = number;
    file_scan(scan, buf_text(&data), data.len);
    rc = 0;
    buf_clear(&data);
    return rc;
}

static int files_load(struct scan *scan, struct err *e)
{
    uint64_t *number;
    size_t count;
    int rc = spool_files_list(scan->spool->folder, &number, &count, e);

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = file_load(scan, number[i], e);
    free(number);
    return rc;
}

/* --- writing --- */

/* What was begun there is not safe: away with it, or the file is left as it is and another begun. */
static void current_spoilt(struct spool *s)
{
    struct spool_file *f = s->current;

    if (f == NULL || (ftruncate(f->fd, f->octets) == 0 && fdatasync(f->fd) == 0))
        return;
    s->current = NULL;
}

static int append(struct spool *s, const char *octets, size_t len, struct err *e)
{
    struct spool_file *f = s->current;

    if (spool_file_write(f->fd, f->octets, octets, len) != 0) {
        err_set(e, "%s: %s", s->folder, strerror(errno));
        current_spoilt(s);
        return -1;
    }
    f->octets += (int64_t)len;
    s->octets += (int64_t)len;
    return 0;
}

/* The next file begins with the positions, so that older ones may go. */
static int file_begin(struct spool *s, struct err *e)
{
    struct batch_writer none;
    struct buf head;
    int fd = spool_file_make(s->folder_fd, s->number + 1), rc;

    if (fd < 0)
        return err_set(e, "%s: %s", s->folder, strerror(errno));
    s->number++;
    s->current = file_add(s, s->number, fd, 0);
    batch_begin(&none);
    buf_init(&head, BATCH_READ_MAX);
    batch_end(&head, &none, s->lane, 0, s->position, s->positions);
    if (!buf_ok(&head))
        log_oom();
    rc = append(s, head.data, head.len, e);
    if (rc == 0 && fsync(s->folder_fd) != 0)
        rc = err_set(e, "%s: %s", s->folder, strerror(errno));
    if (rc != 0) { /* an empty file, or one without a name that is safe, is no place for batches */
        struct spool_file *spoilt = TAILQ_LAST(&s->files, spool_list);

        s->current = NULL;
        file_remove(s, spoilt);
    }
    buf_clear(&head);
    batch_writer_clear(&none);
    return rc;
}

static bool file_ends(const struct spool *s)
{
    const struct spool_file *f = s->current;

    return f == NULL || f->octets >= FILE_OCTETS || (f->batches == 0 && f->octets >= SMALL_OCTETS);
}

int spool_write(struct spool *s, struct spool_place *place, const char *octets, size_t len, size_t batches,
                const struct batch_position *position, size_t positions, struct err *e)
{
    if (s->octets + (int64_t)len > s->max)
        return err_set(e, "%s: it has all of its %" PRId64 " octets", s->folder, s->max);
    if (file_ends(s) && file_begin(s, e) != 0)
        return -1;
    *place = (struct spool_place){s->current, s->current->octets, len};
    if (append(s, octets, len, e) != 0)
        return -1;
    place->file->batches += batches;
    positions_take(s, position, positions);
    files_tidy(s);
    return 0;
}

/* --- the rest --- */

int spool_read(struct spool *s, struct buf *out, const struct spool_place *place, struct err *e)
{
    char name[SPOOL_NAME_BUF];

    if (spool_file_read(place->file->fd, place->offset, place->len, out) == 0)
        return 0;
    spool_file_name(name, place->file->number);
    return err_set(e, "%s/%s: %s", s->folder, name, strerror(errno));
}

void spool_forget(struct spool *s, const struct spool_place *place)
{
    place->file->batches--;
    files_tidy(s);
}

const char *spool_position(const struct spool *s, const char *source)
{
    for (size_t i = 0; i < s->positions; i++)
        if (strcmp(s->position[i].source, source) == 0)
            return s->position[i].position;
    return NULL;
}

int64_t spool_octets(const struct spool *s)
{
    return s->octets;
}

uint64_t spool_broken(const struct spool *s)
{
    return s->broken;
}

void spool_close(struct spool *s)
{
    struct spool_file *f;

    if (s == NULL)
        return;
    while ((f = TAILQ_FIRST(&s->files)) != NULL) {
        TAILQ_REMOVE(&s->files, f, link);
        close(f->fd);
        free(f);
    }
    if (s->folder_fd >= 0)
        close(s->folder_fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
}

/* A full disk may get room again; what else keeps us from writing is for the operator to mend before it starts. */
static int first_file(struct spool *s, struct err *e)
{
    if (file_begin(s, e) == 0)
        return 0;
    if (errno != ENOSPC && errno != EDQUOT)
        return -1;
    log_warning("spool-full", "folder=%s error=%s", s->folder, e->text);
    return 0;
}

struct spool *spool_open(const char *folder, const char *lane, int64_t max, spool_found_fn *fn, void *ctx,
                         struct err *e)
{
    struct spool *s = must_have(calloc(1, sizeof(*s)));
    struct scan scan = {.spool = s, .fn = fn, .ctx = ctx};

    s->folder_fd = s->lock_fd = -1;
    s->max = max;
    TAILQ_INIT(&s->files);
    (void)snprintf(s->lane, sizeof(s->lane), "%s", lane);
    if (snprintf(s->folder, sizeof(s->folder), "%s", folder) >= (int)sizeof(s->folder))
        err_set(e, "%s: the name is too long", folder);
    else if ((s->folder_fd = spool_folder_open(folder, e)) >= 0 &&
             (s->lock_fd = spool_folder_lock(s->folder_fd, folder, e)) >= 0 && files_load(&scan, e) == 0 &&
             first_file(s, e) == 0) {
        files_tidy(s);
        return s;
    }
    spool_close(s);
    return NULL;
}
