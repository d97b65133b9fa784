/* table.h - text in aligned columns. Pure; an allocation that fails shows when the table is printed. */
#ifndef POSTERN_TABLE_H
#define POSTERN_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "print.h"

#define TABLE_COLUMNS_MAX 10
#define TABLE_ALIGN_MAX   64 /* a wider cell pushes only its own row aside */

struct table;

/* 1 to TABLE_COLUMNS_MAX columns. NULL without memory. */
struct table *table_new(size_t columns);

/* The same, its first row these heads. */
struct table *table_new_headed(const char *const *head, size_t columns);

/* NULL-safe. */
void table_free(struct table *t);

/* The next cell, left to right and row after row; foreign text is escaped. NULL: an empty cell. t may be NULL. */
void table_add(struct table *t, enum tint tint, const char *text);
void table_addf(struct table *t, enum tint tint, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The cells of a row that are not filled stay empty; the next goes to a new row. */
void table_end_row(struct table *t);

/* Append the table, each row indented and on a line of its own, without blanks at its end. Errors stick in out. */
void table_print(struct buf *out, const struct table *t, size_t indent, bool colour);

#endif
