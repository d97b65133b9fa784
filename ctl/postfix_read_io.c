/* postfix_read_io.c - see postfix_read_io.h. */
#include "postfix_read_io.h"

#include "input_io.h"
#include "postfix_run_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A table; a pipe or a device is none, and is not waited for. */
int postfix_read_table(void *ctx, const char *path, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    char name[64];
    int rc = -1;

    (void)ctx;
    if (fd < 0)
        return err_set(e, "cannot read it: %s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        err_set(e, "is no regular file");
    } else {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        rc = input_read(out, name, e);
        if (rc == 0)
            err_set(e, "longer than %zu octets, and not read", out->max);
        rc = rc == 1 ? 0 : -1;
    }
    close(fd);
    return rc;
}

static int run_postconf(struct buf *out, const char *dir, const char *what, struct err *e)
{
    buf_init(out, POSTFIX_TEXT_MAX);
    if (postfix_run(out, dir, "postconf", (const char *[]){what, NULL}, e) == 0)
        return 0;
    return err_prefix(e, "Postfix's configuration cannot be read");
}

int postfix_read(struct postfix_conf *out, const char *dir, struct err *e)
{
    static const char *const what[] = {"-x", "-M", "-Px"};
    struct buf text[3];
    int rc = 0;

    for (size_t i = 0; i < 3; i++)
        buf_init(&text[i], 0);
    for (size_t i = 0; i < 3 && rc == 0; i++)
        rc = run_postconf(&text[i], dir, what[i], e);
    if (rc == 0)
        rc = postfix_conf_read(out, (struct postfix_printed){buf_text(&text[0]), text[0].len},
                               (struct postfix_printed){buf_text(&text[1]), text[1].len},
                               (struct postfix_printed){buf_text(&text[2]), text[2].len}, e);
    for (size_t i = 0; i < 3; i++)
        buf_clear(&text[i]);
    return rc;
}
