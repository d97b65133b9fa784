/* input_io.c - files that a person names. */
#include "input_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns 1 at the end of the file, 0 when out is full, -1 with errno. */
static int read_all(struct buf *out, int fd)
{
    char part[8192];

    for (;;) {
        ssize_t n = read(fd, part, sizeof(part));

        if (n == 0)
            return 1;
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            buf_add(out, part, (size_t)n);
        if (!buf_ok(out))
            return 0;
    }
}

int input_read(struct buf *out, const char *path, struct err *e)
{
    bool std = strcmp(path, "-") == 0;
    int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc = fd >= 0 ? read_all(out, fd) : -1;

    if (rc < 0)
        err_set(e, "cannot read %.200s: %s", std ? "standard input" : path, strerror(errno));
    if (fd >= 0 && !std)
        close(fd);
    return rc;
}

int input_readable(const char *path, struct err *e)
{
    struct stat st;

    /* Not opened: a pipe, as from <(...), can be read once only. */
    if (access(path, R_OK) != 0 || stat(path, &st) != 0)
        return err_set(e, "cannot read %.200s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(e, "cannot read %.200s: %s", path, strerror(EISDIR));
    return 0;
}
