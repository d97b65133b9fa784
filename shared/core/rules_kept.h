/*
 * rules_kept.h - the rules that were last in Redis as the octets of a file, which the milter keeps for the time when it
 * starts without Redis: kept_text.h, "postern-rules", the text as rule_set_read takes it. Pure.
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
