/* rules_known_io.c - files of rules. */
#include "rules_known_io.h"

#include "input_io.h"
#include "output_io.h"
#include "rules_kept.h"
#include "rules_text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define KEPT "postern-rules "

static int read_kept(struct buf *out, struct lists_stamp *stamp, const struct buf *data, const char *path,
                     struct err *e)
{
    return rules_kept_read(stamp, out, buf_text(data), data->len, e) == 0 ? 0 : err_prefix(e, "%.100s", path);
}

int rules_known_input(struct buf *out, const char *path, struct err *e)
{
    struct lists_stamp stamp;
    struct buf data;
    int rc;

    buf_init(&data, RULES_KEPT_MAX);
    rc = input_read(&data, path, e);
    if (rc == 0)
        err_set(e, "%.100s: longer than the rules may be, %d octets", path, RULES_TEXT_MAX);
    else if (rc == 1 && strncmp(buf_text(&data), KEPT, strlen(KEPT)) == 0)
        rc = read_kept(out, &stamp, &data, path, e) == 0 ? 1 : -1;
    else if (rc == 1)
        buf_add(out, buf_text(&data), data.len);
    if (rc == 1 && !buf_ok(out))
        rc = err_set(e, "%.100s: longer than the rules may be, %d octets", path, RULES_TEXT_MAX);
    buf_clear(&data);
    return rc == 1 ? 0 : -1;
}

/* The stamp of the milter's file, and how many rules it has; none when there is no file. */
static int read_known(struct lists_stamp *stamp, size_t *rules, const char *path, struct err *e)
{
    struct buf data, text;
    int rc;

    *stamp = (struct lists_stamp){.count = 0};
    *rules = 0;
    if (path[0] == '\0' || (access(path, F_OK) != 0 && errno == ENOENT))
        return 0;
    buf_init(&data, RULES_KEPT_MAX);
    buf_init(&text, RULES_TEXT_MAX);
    rc = input_read(&data, path, e);
    rc = rc == 1   ? read_kept(&text, stamp, &data, path, e)
         : rc == 0 ? err_set(e, "%.100s: longer than a file of rules can be", path)
                   : -1;
    *rules = rules_text_count(buf_text(&text), text.len);
    buf_clear(&text);
    buf_clear(&data);
    return rc;
}

bool rules_known_allows(const struct rules_stored *seen, const char *path)
{
    struct lists_stamp stamp;
    struct err e = {""};
    size_t known;
    enum lists_stamp_verdict verdict;

    if (seen->there && seen->stamp.generation[0] == '\0') {
        report_error("the hash of the rules in Redis (\"rules:\" behind the prefix) is broken: %s; --discard makes it "
                     "anew",
                     seen->why.text);
        return false;
    }
    if (read_known(&stamp, &known, path, &e) != 0) {
        if (seen->there)
            return true;
        report_error("Redis has no rules, and whether it has lost them cannot be told: %s; --discard begins anew",
                     e.text);
        return false;
    }
    verdict = lists_stamp_judge(&stamp, known, &seen->stamp);
    if (verdict == LISTS_STAMP_ADOPT)
        return true;
    report_error("%s (%zu in %s), which the milter goes by: put them back with \"posternctl rules load --discard %s\", "
                 "or go on from what Redis has with --discard",
                 verdict == LISTS_STAMP_KEEP_LOST ? "Redis has lost the rules that this node knows"
                                                  : "Redis has older rules than this node knows",
                 known, path, path);
    return false;
}
