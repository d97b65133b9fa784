/* list_rows.h - the entries of one list, in order, and what differs between two of them. Pure. */
#ifndef POSTERN_LIST_ROWS_H
#define POSTERN_LIST_ROWS_H

#include "list.h"

struct list_row {
    char *pattern;            /* as it stands in Redis, cut */
    size_t line;              /* of the file that it was read from; 0: none */
    struct list_entry *entry; /* NULL: cannot be read, */
    char *why;                /* and why */
};

struct list_rows {
    struct list_row *row;
    size_t count, room;
    bool failed; /* no memory: sticks */
};

void list_rows_clear(struct list_rows *rows);

/* Add a field and its value from Redis; what cannot be read becomes a row that says why. */
void list_rows_add_json(struct list_rows *rows, enum list_id list, const char *field, size_t field_len,
                        const char *json, size_t json_len);

/* Add an entry, the rows' own from now on. */
void list_rows_add(struct list_rows *rows, struct list_entry *entry, size_t line);

/* Sort by pattern, those of one pattern by line. */
void list_rows_sort(struct list_rows *rows);

/* Of sorted rows of one pattern keep the last. */
void list_rows_unique(struct list_rows *rows);

/* Two entries say the same: value, override, end and comment, whoever wrote them and when. */
bool list_entry_same(const struct list_entry *a, const struct list_entry *b);

enum list_change { LIST_ADDED, LIST_CHANGED, LIST_REMOVED, LIST_KEPT, LIST_CHANGES };

/*
 * Walk two sorted lists of rows without doubles: fn gets each pattern, with the row before and the row after (NULL:
 * none). LIST_KEPT: the same in all, or only before.
 * replace: what is only before is removed.
 */
typedef void list_change_fn(void *ctx, enum list_change change, const struct list_row *before,
                            const struct list_row *after);
void list_rows_compare(const struct list_rows *before, const struct list_rows *after, bool replace, list_change_fn *fn,
                       void *ctx);

/*
 * Rows of a file that do not say who wrote them and when (no author, created 0) take that from what is there of the
 * same pattern and says the same, else from what is given. Both are sorted and without doubles; the texts must outlive
 * the rows.
 */
void list_rows_sign(struct list_rows *rows, const struct list_rows *before, const char *author, int64_t created);

#endif
