/* list_import.h - a file of entries read whole: which there are, and what is wrong with which line. Pure. */
#ifndef POSTERN_LIST_IMPORT_H
#define POSTERN_LIST_IMPORT_H

#include "buf.h"
#include "list_rows.h"

#define LIST_IMPORT_FILE_MAX ((size_t)256 << 20) /* octets */
#define LIST_IMPORT_NAMED    20                  /* lines that are named, of those wrong and of those left out */

struct list_import {
    struct list_rows rows; /* sorted, one a pattern; without author and created where the line does not say them */
    size_t bad;            /* lines that are wrong, */
    struct buf errors;     /* the first of them, each "NAME:LINE: reason\n" */
    size_t left_out;       /* lines (of Postfix's table) of which something could not be carried over, */
    struct buf notes;      /* the first of them, as above */
    size_t others;         /* entries (of Postfix's table) that other lists can have */
};

/*
 * Read the text of a file. name: for messages. A pattern that stands twice is wrong if the lines say different things.
 * A byte order mark at the beginning is passed over. postfix: the text is a TLS policy table, where a line that begins
 * with a blank goes on with the one before.
 */
void list_import_read(struct list_import *out, enum list_id list, const char *text, size_t len, bool postfix,
                      const char *name);
void list_import_clear(struct list_import *i);

/* The lists to which a Postfix table can give entries. */
bool list_import_takes_postfix(enum list_id list);

#endif
