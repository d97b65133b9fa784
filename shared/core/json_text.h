/* json_text.h - text within the quotes of a JSON string, of so many octets at most. Pure. */
#ifndef POSTERN_JSON_TEXT_H
#define POSTERN_JSON_TEXT_H

#include "buf.h"

/*
 * Append a text, escaped as libtlsrpt does (protocol version "1"), without quotes and in at most max octets; it is cut
 * at a whole character. For each octet that is not UTF-8, '?' is written. Returns whether that was all of it.
 */
bool json_text_add(struct buf *out, const char *text, size_t max);

/* before, then "key": "text"; nothing when the text is NULL or "". */
void json_text_member(struct buf *out, const char *before, const char *key, const char *text, size_t max);

/*
 * before, then "key":["text",…], in at most max octets, quotes and commas counted; texts that do not fit, and all
 * behind them, are left out. Nothing when count is 0.
 */
void json_text_array(struct buf *out, const char *before, const char *key, const char *const *text, size_t count,
                     size_t max);

#endif
