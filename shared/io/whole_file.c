/* whole_file.c - see whole_file.h. */
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE 0640
#define PATH_TEXT 512

/* Returns 0, or -1 with errno. */
static int read_all(struct buf *out, int fd)
{
    char part[65536];
    ssize_t got;

    while ((got = read(fd, part, sizeof(part))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        buf_add(out, part, (size_t)got);
        if (!buf_ok(out)) {
            errno = EFBIG;
            return -1;
        }
    }
    return 0;
}

int whole_file_read(struct buf *out, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = 1;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(e, "%s: %s", path, strerror(errno));
    if (read_all(out, fd) != 0)
        rc = err_set(e, "%s: %s", path, strerror(errno));
    close(fd);
    return rc;
}

int whole_file_write(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, data, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        data += done;
        len -= (size_t)done;
    }
    return 0;
}

int whole_file_sync_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int rc = fd >= 0 ? fsync(fd) : -1;

    if (fd >= 0)
        close(fd);
    free(folder);
    return rc;
}

int whole_file_replace(const char *path, const char *data, size_t len)
{
    char fresh[PATH_TEXT];
    int fd, failed;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return -1;
    failed = whole_file_write(fd, data, len) != 0 || fsync(fd) != 0;
    failed = close(fd) != 0 || failed;
    if (!failed && rename(fresh, path) == 0)
        return whole_file_sync_name(path);
    failed = errno;
    unlink(fresh);
    errno = failed;
    return -1;
}
