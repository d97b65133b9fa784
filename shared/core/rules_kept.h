/*
 * rules_kept.h - the rules that were last in Redis as the octets of a file, which the milter keeps for the time when it
 * starts without Redis. Pure.
 *
 *   postern-rules 1
 *   stamp TAB GENERATION TAB COUNT                "" and 0: no stamp
 *   …                                             the text of the rules, as rule_set_read takes it
 *   end TAB CHECKSUM                              16 hex digits: SipHash-1-3 of all before it, under a fixed key
 *
 * The checksum finds damage, not forgery: who can write the file can write the milter's rules.
 */
#ifndef POSTERN_RULES_KEPT_H
#define POSTERN_RULES_KEPT_H

#include "buf.h"
#include "err.h"
#include "lists_stamp.h"

#define RULES_TEXT_MAX (1 << 20) /* octets of the text of a set: no more than one reply of Redis may have */
#define RULES_KEPT_MAX (RULES_TEXT_MAX + 200)

/*
 * Append the file; the limit is that of the buffer, which should be RULES_KEPT_MAX. A text whose last line has no end
 * is given one.
 */
void rules_kept_write(struct buf *out, const struct lists_stamp *stamp, const char *text, size_t len);

/*
 * Read it back: *stamp, and the text appended to `text`. The rules themselves are not looked at. Returns 0; or -1 with
 * the reason in e, no stamp and nothing appended, when the file is cut off, damaged, of another version, too long, or
 * the text does not fit into its buffer.
 */
int rules_kept_read(struct lists_stamp *stamp, struct buf *text, const char *data, size_t len, struct err *e);

#endif
