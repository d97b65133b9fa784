/* rules_kept.c - see rules_kept.h. */
#include "rules_kept.h"

#include "kept_text.h"

static const struct kept_kind rules = {.name = "postern-rules", .what = "file of rules", .max = RULES_KEPT_MAX};

void rules_kept_write(struct buf *out, const struct lists_stamp *stamp, const char *text, size_t len)
{
    kept_text_write(out, &rules, stamp, text, len);
}

int rules_kept_read(struct lists_stamp *stamp, struct buf *text, const char *data, size_t len, struct err *e)
{
    struct span found;

    if (kept_text_read(&found, stamp, &rules, data, len, e) != 0)
        return -1;
    buf_add(text, found.at, found.len);
    if (buf_ok(text))
        return 0;
    *stamp = (struct lists_stamp){.count = 0};
    return err_set(e, "no memory for the file of rules, or too long a text in it");
}
