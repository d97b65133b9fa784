/*
 * conf_edit.h - one setting in the text of postern.conf is read, set or taken out, and all else stays as it is: order,
 * comments, blanks. Pure. The text is as conf.h reads it; what is made of it should be read by conf_parse, too, before
 * it is used.
 */
#ifndef POSTERN_CONF_EDIT_H
#define POSTERN_CONF_EDIT_H

#include "buf.h"
#include "err.h"

/* Append the value of a setting as it is written there. Returns 1; 0: the text does not set it. */
int conf_edit_get(struct buf *out, const char *text, size_t len, const char *section, const char *key);

/*
 * Append the text with section.key = value, the value as it would be written there: "\"journal\"", "{\"a\", \"b\"}",
 * "no". A value that is there is replaced; else the line goes below that of the comment "# key = …" of the section, or
 * to the section's end, or into a new section at the end. Returns 0, or -1 with the reason: out is full.
 */
int conf_edit_set(struct buf *out, const char *text, size_t len, const char *section, const char *key,
                  const char *value, struct err *e);

/* Append the text without that setting; a line that has nothing else goes. Returns as conf_edit_set. */
int conf_edit_unset(struct buf *out, const char *text, size_t len, const char *section, const char *key, struct err *e);

#endif
