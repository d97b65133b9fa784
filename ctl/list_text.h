/* list_text.h - the operator's lists for people, and as JSON. Pure. */
#ifndef POSTERN_LIST_TEXT_H
#define POSTERN_LIST_TEXT_H

#include <jansson.h>

#include "list_rows.h"

#define LIST_TEXT_MAX ((size_t)1 << 30) /* octets of a list as text */

/* Which lists there are. count: of each its entries; -1: what is there is no list. */
void lists_print(struct buf *out, const int64_t count[LISTS], bool colour);
json_t *lists_json(const int64_t count[LISTS]); /* NULL without memory, as all here */

/* One list as a table. Entries that have ended, and rows that cannot be read, are marked. */
void list_print(struct buf *out, enum list_id list, const struct list_rows *rows, int64_t now, bool colour);
json_t *list_json(enum list_id list, const struct list_rows *rows, int64_t now);

/* A row on one line, as in a file of entries, without its end; harmless. */
void list_row_print(struct buf *out, const struct list_row *row);

/* The file of the rows that can be read, as list_line.h has it. Returns how many cannot. */
size_t list_export_print(struct buf *out, const struct list_rows *rows);

#define LIST_CHANGES_NAMED 10 /* of each kind */

/* What an import changes: "LIST: 3 added, …", then the first of each kind if `named`, a line each. */
void list_changes_print(struct buf *out, enum list_id list, const struct list_rows *before,
                        const struct list_rows *after, bool replace, bool named);

#endif
