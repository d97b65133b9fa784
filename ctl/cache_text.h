/* cache_text.h - what policyd says of its cache, for people. Pure. Members that are missing or of another type are
 * passed over. */
#ifndef POSTERN_CACHE_TEXT_H
#define POSTERN_CACHE_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* Append the answer to "cache-show": a table of the entries, with whose they are if that is told, and how many there
 * are. Errors stick in out, as in those below. */
void cache_print_list(struct buf *out, const json_t *cache, int64_t now, bool colour);

/* The answer to "cache-get": one entry. */
void cache_print_entry(struct buf *out, const json_t *entry, int64_t now, bool colour);

/* The answer to "cache-flush". */
void cache_print_flushed(struct buf *out, const json_t *flushed, int64_t now, bool colour);

#endif
