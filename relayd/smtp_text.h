/* smtp_text.h - octets of a command or a reply, where they stand, and how foreign ones are shown to people. Pure. */
#ifndef POSTERN_SMTP_TEXT_H
#define POSTERN_SMTP_TEXT_H

#include "buf.h"

/* Not terminated, and another's memory. at is NULL: there is none. */
struct smtp_text {
    const char *at;
    size_t len;
};

/* Is it this word, in any case (ASCII)? */
bool smtp_text_is(const struct smtp_text *text, const char *word);

/* No octet above 0x7f. */
bool smtp_text_is_ascii(const struct smtp_text *text);

/*
 * Append it as people may see it in a log or a reply: what is not printable ASCII becomes '?', a TAB a blank; blanks at
 * the end go.
 */
void smtp_text_clean(struct buf *out, const char *octets, size_t len);

#endif
