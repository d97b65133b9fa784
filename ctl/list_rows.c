/* list_rows.c - the entries of one list, in order. */
#include "list_rows.h"

#include <stdlib.h>
#include <string.h>

void list_rows_clear(struct list_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->row[i].pattern);
        free(rows->row[i].entry);
        free(rows->row[i].why);
    }
    free(rows->row);
    *rows = (struct list_rows){0};
}

/* A new row at the end, or NULL with the rows marked as failed. */
static struct list_row *row_new(struct list_rows *rows, const char *pattern, size_t len)
{
    char *copy = strndup(pattern, len);

    if (rows->count == rows->room) {
        size_t room = rows->room > 0 ? rows->room * 2 : 64;
        struct list_row *grown = reallocarray(rows->row, room, sizeof(*grown));

        if (grown != NULL) {
            rows->row = grown;
            rows->room = room;
        }
    }
    if (copy == NULL || rows->count == rows->room) {
        free(copy);
        rows->failed = true;
        return NULL;
    }
    rows->row[rows->count] = (struct list_row){.pattern = copy};
    return &rows->row[rows->count++];
}

void list_rows_add_json(struct list_rows *rows, enum list_id list, const char *field, size_t field_len,
                        const char *json, size_t json_len)
{
    struct list_row *row = row_new(rows, field, field_len);
    struct err e = {""};

    if (row == NULL)
        return;
    row->entry = list_entry_from_json(list, field, field_len, json, json_len, &e);
    if (row->entry == NULL && (row->why = strdup(e.text)) == NULL)
        rows->failed = true;
}

void list_rows_add(struct list_rows *rows, struct list_entry *entry, size_t line)
{
    struct list_row *row = row_new(rows, entry->pattern, strlen(entry->pattern));

    if (row == NULL) {
        free(entry);
        return;
    }
    row->entry = entry;
    row->line = line;
}

static int by_pattern(const void *a, const void *b)
{
    const struct list_row *x = a;
    const struct list_row *y = b;
    int order = strcmp(x->pattern, y->pattern);

    if (order != 0)
        return order;
    return x->line < y->line ? -1 : x->line > y->line;
}

void list_rows_sort(struct list_rows *rows)
{
    if (rows->count > 0)
        qsort(rows->row, rows->count, sizeof(rows->row[0]), by_pattern);
}

void list_rows_unique(struct list_rows *rows)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++) {
        struct list_row *row = &rows->row[i];

        if (i + 1 < rows->count && strcmp(row->pattern, row[1].pattern) == 0) {
            free(row->pattern);
            free(row->entry);
            free(row->why);
        } else {
            rows->row[kept++] = *row;
        }
    }
    rows->count = kept;
}

bool list_entry_same(const struct list_entry *a, const struct list_entry *b)
{
    return strcmp(a->value_text, b->value_text) == 0 && a->override == b->override && a->expires == b->expires &&
           strcmp(a->comment, b->comment) == 0;
}

static bool same_in_all(const struct list_entry *a, const struct list_entry *b)
{
    return a != NULL && b != NULL && list_entry_same(a, b) && strcmp(a->author, b->author) == 0 &&
           a->created == b->created;
}

/* Step through both, the smaller pattern first; true while there is anything. */
static bool next_pair(const struct list_rows *before, const struct list_rows *after, size_t at[2],
                      const struct list_row *pair[2])
{
    const struct list_row *b = at[0] < before->count ? &before->row[at[0]] : NULL;
    const struct list_row *a = at[1] < after->count ? &after->row[at[1]] : NULL;
    int order = b == NULL ? 1 : a == NULL ? -1 : strcmp(b->pattern, a->pattern);

    pair[0] = order <= 0 ? b : NULL;
    pair[1] = order >= 0 ? a : NULL;
    at[0] += order <= 0;
    at[1] += order >= 0;
    return b != NULL || a != NULL;
}

void list_rows_compare(const struct list_rows *before, const struct list_rows *after, bool replace, list_change_fn *fn,
                       void *ctx)
{
    const struct list_row *pair[2];
    size_t at[2] = {0, 0};

    while (next_pair(before, after, at, pair)) {
        if (pair[0] == NULL)
            fn(ctx, LIST_ADDED, NULL, pair[1]);
        else if (pair[1] == NULL)
            fn(ctx, replace ? LIST_REMOVED : LIST_KEPT, pair[0], NULL);
        else
            fn(ctx, same_in_all(pair[0]->entry, pair[1]->entry) ? LIST_KEPT : LIST_CHANGED, pair[0], pair[1]);
    }
}

void list_rows_sign(struct list_rows *rows, const struct list_rows *before, const char *author, int64_t created)
{
    const struct list_row *pair[2];
    size_t at[2] = {0, 0};

    while (next_pair(before, rows, at, pair)) {
        struct list_entry *entry = pair[1] != NULL ? pair[1]->entry : NULL;
        const struct list_entry *old = pair[0] != NULL ? pair[0]->entry : NULL;

        if (entry == NULL)
            continue;
        if (old != NULL && entry->author[0] == '\0' && entry->created == 0 && list_entry_same(old, entry)) {
            entry->author = old->author;
            entry->created = old->created;
            continue;
        }
        if (entry->author[0] == '\0')
            entry->author = author;
        if (entry->created == 0)
            entry->created = created;
    }
}
