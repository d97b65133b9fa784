/* list_known_io.c - the lists that this node knows, out of policyd's file. */
#include "list_known_io.h"

#include "input_io.h"
#include "output_io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WAYS_OUT                                                                                              \
    "put back what this node knows with \"posternctl list restore\", or begin anew with what Redis has with " \
    "\"posternctl list restore --discard\""

/* The file's octets, out is to be cleared. Returns 1, 0 when there is no file, or -1 with the reason in e. */
static int read_file(struct buf *out, const char *path, struct err *e)
{
    int rc;

    buf_init(out, LISTS_KEPT_MAX);
    if (path[0] == '\0' || (access(path, F_OK) != 0 && errno == ENOENT))
        return 0;
    rc = input_read(out, path, e);
    return rc == 0 ? err_set(e, "%s: longer than a snapshot can be", path) : rc;
}

int list_known_read(struct list_known *out, const char *path, struct err *e)
{
    static const uint8_t secret[16] = {0}; /* the names are the operator's own */
    struct buf data;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = read_file(&data, path, e);
    if (rc > 0 && lists_kept_read(&out->lists, &out->stamp, &out->left_out, buf_text(&data), data.len, secret, e) != 0)
        rc = err_prefix(e, "%.100s", path);
    out->there = rc > 0;
    buf_clear(&data);
    return rc < 0 ? -1 : 0;
}

/* What of it must be known before each edit. No file: no stamp and no entries. */
static int read_head(struct lists_stamp *stamp, size_t *entries, const char *path, struct err *e)
{
    struct buf data;
    int rc;

    *stamp = (struct lists_stamp){.count = 0};
    *entries = 0;
    rc = read_file(&data, path, e);
    if (rc > 0 && lists_kept_head(stamp, entries, buf_text(&data), data.len, e) != 0)
        rc = err_prefix(e, "%.100s", path);
    buf_clear(&data);
    return rc < 0 ? -1 : 0;
}

void list_known_clear(struct list_known *s)
{
    lists_clear(&s->lists);
}

/* What is there is known; the snapshot is not. */
static bool allows_unknown(const struct list_head *head, const char *why)
{
    if (head->stamp.generation[0] != '\0')
        return true;
    report_error("Redis has no lists, and whether it has lost them cannot be told: %s; " WAYS_OUT, why);
    return false;
}

static bool allows(const struct list_head *head, const struct lists_stamp *stamp, size_t known, const char *path)
{
    enum lists_stamp_verdict verdict = lists_stamp_judge(stamp, known, &head->stamp);

    if (verdict == LISTS_STAMP_ADOPT && head->stamp.generation[0] == '\0' && (head->g[0] != '\0' || head->n[0] != '\0'))
        report_error("the hash about the lists in Redis (\"list:\" behind the prefix) is broken: %s; make it anew with "
                     "\"posternctl list restore --discard\"",
                     head->why.text);
    else if (verdict != LISTS_STAMP_ADOPT)
        report_error("%s (%zu entries in %s), which policyd goes by: " WAYS_OUT,
                     verdict == LISTS_STAMP_KEEP_LOST ? "Redis has lost the lists that this node knows"
                                                      : "Redis has older lists than this node knows",
                     known, path);
    else
        return true;
    return false;
}

bool list_known_allows(struct redis_ask *a, const char *path)
{
    struct lists_stamp stamp;
    struct list_head head;
    struct err e = {""};
    size_t known;

    if (list_store_head(a, &head, &e) != 0) {
        report_error("%s; \"posternctl list restore --discard\" makes it anew", e.text);
        return false;
    }
    if (read_head(&stamp, &known, path, &e) != 0)
        return allows_unknown(&head, e.text);
    return allows(&head, &stamp, known, path);
}

/* The rows have the lists' own entries. */
static void rows_borrow(struct list_rows *out, const struct list *list)
{
    const void *cursor = NULL;
    const struct list_entry *entry;

    while ((entry = list_next(list, &cursor)) != NULL)
        list_rows_add(out, (struct list_entry *)entry, 0);
}

static void rows_give_back(struct list_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        rows->row[i].entry = NULL;
    list_rows_clear(rows);
}

int list_known_restore(struct redis_ask *a, const struct list_known *s, const struct list_head *seen, struct err *e)
{
    struct list_rows rows[LISTS] = {{0}};
    int rc = 0;

    for (size_t i = 0; i < LISTS; i++) {
        rows_borrow(&rows[i], s->lists.list[i]);
        if (rows[i].failed)
            rc = err_set(e, "no memory");
    }
    if (rc == 0)
        rc = list_store_restore(a, rows, &s->stamp, seen, e);
    for (size_t i = 0; i < LISTS; i++)
        rows_give_back(&rows[i]);
    return rc;
}
