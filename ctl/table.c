/* table.c - text in aligned columns. */
#include "table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP      2
#define CELL_MAX ((size_t)1 << 20) /* octets of one cell */

struct cell {
    char *text; /* harmless; NULL: empty */
    size_t width;
    enum tint tint;
};

struct table {
    size_t columns;
    struct cell *cell;
    size_t count, room;
    bool failed;
};

struct table *table_new(size_t columns)
{
    struct table *t = calloc(1, sizeof(*t));

    if (t != NULL)
        t->columns = columns < 1 ? 1 : columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX;
    return t;
}

struct table *table_new_headed(const char *const *head, size_t columns)
{
    struct table *t = table_new(columns);

    for (size_t i = 0; i < columns; i++)
        table_add(t, TINT_HEAD, head[i]);
    return t;
}

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->cell[i].text);
    free(t->cell);
    free(t);
}

/* A new cell at the end, or NULL with the table marked as failed. */
static struct cell *cell_new(struct table *t)
{
    if (t == NULL || t->failed)
        return NULL;
    if (t->count == t->room) {
        size_t room = t->room > 0 ? t->room * 2 : 32;
        struct cell *grown = room <= SIZE_MAX / sizeof(*grown) ? realloc(t->cell, room * sizeof(*grown)) : NULL;

        if (grown == NULL) {
            t->failed = true;
            return NULL;
        }
        t->cell = grown;
        t->room = room;
    }
    memset(&t->cell[t->count], 0, sizeof(t->cell[0]));
    return &t->cell[t->count++];
}

void table_add(struct table *t, enum tint tint, const char *text)
{
    struct cell *c = cell_new(t);
    struct buf harmless;

    if (c == NULL || text == NULL || text[0] == '\0')
        return;
    buf_init(&harmless, CELL_MAX);
    print_text(&harmless, text, strlen(text));
    if (!buf_ok(&harmless)) {
        t->failed = true;
        buf_clear(&harmless);
        return;
    }
    c->width = print_width(harmless.data, harmless.len);
    c->tint = tint;
    c->text = harmless.data; /* the cell's own from now on */
}

void table_addf(struct table *t, enum tint tint, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        if (t != NULL)
            t->failed = true;
        return;
    }
    table_add(t, tint, text);
    free(text);
}

void table_end_row(struct table *t)
{
    while (t != NULL && !t->failed && t->count % t->columns != 0)
        cell_new(t);
}

static void measure(size_t width[TABLE_COLUMNS_MAX], const struct table *t)
{
    memset(width, 0, TABLE_COLUMNS_MAX * sizeof(width[0]));
    for (size_t i = 0; i < t->count; i++) {
        size_t *w = &width[i % t->columns];

        if (t->cell[i].width > *w && t->cell[i].width <= TABLE_ALIGN_MAX)
            *w = t->cell[i].width;
    }
}

static void print_row(struct buf *out, const struct cell *cell, size_t count, const size_t *width, size_t indent,
                      bool colour)
{
    size_t owed = indent; /* blanks before the next text; none are written at the end of a row */

    for (size_t i = 0; i < count; i++) {
        if (cell[i].text != NULL) {
            buf_printf(out, "%*s", (int)owed, "");
            print_tinted(out, cell[i].text, cell[i].tint, colour);
            owed = 0;
        }
        owed +=
            (cell[i].width < width[i] ? width[i] - cell[i].width : 0) + (width[i] > 0 || cell[i].width > 0 ? GAP : 0);
    }
    buf_char(out, '\n');
}

void table_print(struct buf *out, const struct table *t, size_t indent, bool colour)
{
    size_t width[TABLE_COLUMNS_MAX];

    if (t == NULL || t->failed) {
        out->failed = true;
        return;
    }
    measure(width, t);
    for (size_t i = 0; i < t->count; i += t->columns) {
        size_t left = t->count - i < t->columns ? t->count - i : t->columns;

        print_row(out, t->cell + i, left, width, indent, colour);
    }
}
