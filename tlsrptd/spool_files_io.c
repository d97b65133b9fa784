/* spool_files_io.c - see spool_files_io.h. */
#include "spool_files_io.h"
#include "ascii.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0750
#define FILE_MODE   0640
#define LOCK_NAME   "lock"
#define ENDING      ".batches"
#define DIGITS_MAX  18

void spool_file_name(char out[SPOOL_NAME_BUF], uint64_t number)
{
    (void)snprintf(out, SPOOL_NAME_BUF, "%08" PRIu64 ENDING, number);
}

/* Returns 0 when it is the name of none. */
static uint64_t number_of(const char *name)
{
    uint64_t number = 0;
    size_t i = 0;
    char again[SPOOL_NAME_BUF];

    for (; i < DIGITS_MAX && ascii_is_digit(name[i]); i++)
        number = number * 10 + (uint64_t)(name[i] - '0');
    spool_file_name(again, number);
    return strcmp(again, name) == 0 ? number : 0;
}

int spool_folder_open(const char *folder, struct err *e)
{
    int fd;

    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST)
        return err_set(e, "%s: it cannot be made: %s", folder, strerror(errno));
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? fd : err_set(e, "%s: %s", folder, strerror(errno));
}

int spool_folder_lock(int folder_fd, const char *folder, struct err *e)
{
    int fd = openat(folder_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

    if (fd < 0)
        return err_set(e, "%s/" LOCK_NAME ": %s", folder, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        err_set(e, "%s: another process has it; each postern-tlsrptd wants a spool of its own", folder);
    else
        err_set(e, "%s/" LOCK_NAME ": %s", folder, strerror(errno));
    close(fd);
    return -1;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int spool_files_list(const char *folder, uint64_t **number, size_t *count, struct err *e)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t room = 0;

    *number = NULL;
    *count = 0;
    if (dir == NULL)
        return err_set(e, "%s: %s", folder, strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        uint64_t n = number_of(entry->d_name);

        if (n == 0)
            continue;
        if (*count == room) {
            room = room * 2 + 64;
            *number = must_have(realloc(*number, room * sizeof(**number)));
        }
        (*number)[(*count)++] = n;
    }
    closedir(dir);
    if (*count > 0)
        qsort(*number, *count, sizeof(**number), by_number);
    return 0;
}

int spool_file_load(int folder_fd, uint64_t number, struct buf *out, struct err *e)
{
    char name[SPOOL_NAME_BUF];
    struct stat st;
    int fd;

    spool_file_name(name, number);
    fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= SPOOL_FILE_MAX && S_ISREG(st.st_mode) &&
        spool_file_read(fd, 0, (size_t)st.st_size, out) == 0)
        return fd;
    err_set(e, "spool file %s: %s", name, fd >= 0 && errno == 0 ? "no file of batches" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

int spool_file_make(int folder_fd, uint64_t number)
{
    char name[SPOOL_NAME_BUF];

    spool_file_name(name, number);
    return openat(folder_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
}

int spool_file_write(int fd, int64_t offset, const char *octets, size_t len)
{
    while (len > 0) {
        ssize_t done = pwrite(fd, octets, len, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        octets += done;
        offset += done;
        len -= (size_t)done;
    }
    return fdatasync(fd);
}

int spool_file_read(int fd, int64_t offset, size_t len, struct buf *out)
{
    char part[65536];

    errno = 0;
    while (len > 0) {
        ssize_t got = pread(fd, part, len < sizeof(part) ? len : sizeof(part), (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return -1;
        }
        buf_add(out, part, (size_t)got);
        offset += got;
        len -= (size_t)got;
    }
    if (!buf_ok(out))
        log_oom();
    return 0;
}
