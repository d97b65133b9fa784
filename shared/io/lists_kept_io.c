/* lists_kept_io.c - see lists_kept_io.h. */
#include "lists_kept_io.h"
#include "log.h"
#include "whole_file.h"

static int load_text(struct lists *out, struct lists_stamp *stamp, const struct buf *text, const char *path,
                     const uint8_t secret[16], struct err *e)
{
    struct lists_left_out left_out;

    if (lists_kept_read(out, stamp, &left_out, buf_text(text), text->len, secret, e) != 0)
        return -1;
    if (left_out.count > 0)
        log_warning("lists-file", "file=%s left_out=%zu first=%s", path, left_out.count, left_out.first.text);
    return 1;
}

int lists_kept_load(struct lists *out, struct lists_stamp *stamp, const char *path, const uint8_t secret[16],
                    struct err *e)
{
    struct buf text;
    int rc;

    buf_init(&text, LISTS_KEPT_MAX);
    rc = whole_file_read(&text, path, e);
    if (rc == 1 && (rc = load_text(out, stamp, &text, path, secret, e)) < 0)
        err_prefix(e, "%s", path);
    buf_clear(&text);
    return rc;
}
