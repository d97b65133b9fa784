/* whole_file.c - see whole_file.h. */
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640

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

/* The folder of a file, and the file's name there. Returns a descriptor, or -1 with errno. */
static int folder_open(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    *name = slash == NULL ? path : slash + 1;
    free(folder);
    return fd;
}

static void close_quietly(int fd)
{
    int why = errno;

    close(fd);
    errno = why;
}

int whole_file_sync_name(const char *path)
{
    const char *name;
    int folder = folder_open(path, &name), rc;

    if (folder < 0)
        return -1;
    rc = fsync(folder);
    close_quietly(folder);
    return rc;
}

static int name_fresh(char out[NAME_MAX + 1], const char *name, const char *suffix)
{
    int len = snprintf(out, NAME_MAX + 1, "%s%s", name, suffix);

    errno = ENAMETOOLONG;
    return len > 0 && len <= NAME_MAX ? 0 : -1;
}

/* Put the file in the place of the old one, and close fd; why: the errno of a failure so far. Returns 0, or -1. */
static int take_place(int folder, const char *name, const char *fresh, int fd, int why)
{
    if (why == 0 && fsync(fd) != 0)
        why = errno;
    if (close(fd) != 0 && why == 0)
        why = errno;
    if (why == 0 && renameat(folder, fresh, folder, name) != 0)
        why = errno;
    if (why == 0)
        return fsync(folder);
    (void)unlinkat(folder, fresh, 0);
    errno = why;
    return -1;
}

int whole_file_replace(const char *path, const char *data, size_t len)
{
    char fresh[NAME_MAX + 1];
    const char *name;
    int folder = folder_open(path, &name), fd, rc = -1;

    if (folder < 0)
        return -1;
    fd = name_fresh(fresh, name, ".new") != 0
             ? -1
             : openat(folder, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0)
        rc = take_place(folder, name, fresh, fd, whole_file_write(fd, data, len) != 0 ? errno : 0);
    close_quietly(folder);
    return rc;
}

static int own(int fd, const struct whole_file_owner *owner)
{
    if ((owner->uid != (uid_t)-1 || owner->gid != (gid_t)-1) && fchown(fd, owner->uid, owner->gid) != 0)
        return -1;
    return fchmod(fd, owner->mode);
}

int whole_file_put_at(int folder, const char *name, const char *data, size_t len, const struct whole_file_owner *owner)
{
    char fresh[NAME_MAX + 1];
    int fd;

    if (name_fresh(fresh, name, WHOLE_FILE_FRESH) != 0 || (unlinkat(folder, fresh, 0) != 0 && errno != ENOENT))
        return -1;
    fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    return take_place(folder, name, fresh, fd, whole_file_write(fd, data, len) != 0 || own(fd, owner) != 0 ? errno : 0);
}

int whole_file_put(const char *path, const char *data, size_t len, const struct whole_file_owner *owner)
{
    const char *name;
    int folder = folder_open(path, &name), rc;

    if (folder < 0)
        return -1;
    rc = whole_file_put_at(folder, name, data, len, owner);
    close_quietly(folder);
    return rc;
}
