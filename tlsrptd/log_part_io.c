/* log_part_io.c - see log_part_io.h. */
#include "log_part_io.h"

#include <string.h>
#include <unistd.h>

const struct log_part log_no_part = {.fd = -1};

void log_part_close(struct log_part *part)
{
    if (part->fd >= 0)
        (void)close(part->fd);
    *part = log_no_part;
}

int log_part_open(struct log_part *out, const char *path, const struct stat *listed, int64_t start, struct err *e)
{
    struct stat st;

    *out = log_no_part;
    out->fd = log_file_open(path, &st, e);
    if (out->fd < 0)
        return -1;
    if (listed != NULL && (st.st_ino != listed->st_ino || st.st_dev != listed->st_dev)) {
        log_part_close(out);
        return err_set(e, "%s: it was rotated just now", path);
    }
    out->device = st.st_dev;
    out->inode = st.st_ino;
    out->changed = log_file_changed(&st);
    out->start = start;
    return 0;
}

void log_part_to_end(struct log_part *part)
{
    char last[65536];
    struct stat st;
    ssize_t len;
    const char *nl;

    if (fstat(part->fd, &st) != 0)
        return;
    part->start = st.st_size > (off_t)sizeof(last) ? st.st_size - (off_t)sizeof(last) : 0;
    len = pread(part->fd, last, sizeof(last), part->start);
    nl = len <= 0 ? NULL : memrchr(last, '\n', (size_t)len);
    if (nl != NULL) {
        part->start += nl + 1 - last;
    } else if (part->start > 0) {
        part->start = st.st_size;
        part->inside = true;
    }
}

bool log_part_open_last(struct log_part *out, const struct log_file_entry *file, int64_t octets)
{
    int64_t start = file->st.st_size - octets;

    if (octets <= 0 || file->packed || log_part_open(out, file->path, &file->st, start > 0 ? start : 0, NULL) != 0)
        return false;
    out->inside = start > 0;
    out->seen_until = INT64_MAX;
    return true;
}
