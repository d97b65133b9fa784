/*
 * lists_kept.h - all lists as the octets of a file, which policyd keeps for the time when it starts without Redis.
 * Pure.
 *
 *   postern-lists 1
 *   stamp TAB GENERATION TAB COUNT                "" and 0: no stamp
 *   LIST TAB PATTERN TAB JSON                     list_name, list_entry_to_json; for each entry
 *   end TAB ENTRIES TAB CHECKSUM                  16 hex digits: SipHash-1-3 of all before it, under a fixed key
 *
 * The checksum finds damage, not forgery: who can write the file can write policyd's lists.
 */
#ifndef POSTERN_LISTS_KEPT_H
#define POSTERN_LISTS_KEPT_H

#include "lists_match.h"
#include "lists_stamp.h"

#define LISTS_KEPT_MAX (256 << 20) /* octets: a million entries with long comments */

/* Append it; the limit is that of the buffer, which should be LISTS_KEPT_MAX. Entries that have expired are in it.
 */
void lists_kept_write(struct buf *out, const struct lists *lists, const struct lists_stamp *stamp);

/*
 * Its stamp and how many entries it has, without reading them: much faster. Returns 0, or -1 as lists_kept_read.
 */
int lists_kept_head(struct lists_stamp *stamp, size_t *entries, const char *data, size_t len, struct err *e);

/* Entries that are whole, but that this version does not take. */
struct lists_left_out {
    size_t count;
    struct err first; /* the first of them, and why */
};

/*
 * Read it back into new lists (secret: see list_new), lists_clear when done. Returns 0; or -1 with the reason in e and
 * no lists, when the file is cut off, damaged, of another version, too long, or there is no memory.
 */
int lists_kept_read(struct lists *out, struct lists_stamp *stamp, struct lists_left_out *left_out, const char *data,
                    size_t len, const uint8_t secret[16], struct err *e);

#endif
