/* rules_letter_io.h - a message out of a file, fed to what the milter keeps of messages (message.h). */
#ifndef POSTERN_RULES_LETTER_IO_H
#define POSTERN_RULES_LETTER_IO_H

#include "ctl.h"
#include "err.h"
#include "message.h"

#define RULES_LETTER_MAX (512 << 20) /* octets of a file */

/*
 * Feed the envelope that the options say (--sender, --rcpt; addresses with or without <>), and the file: header and
 * body, lines that end with LF or CR LF; a line "From …" at its beginning, as mailboxes have it, is passed over.
 * message_begin comes before. Returns 0, or -1 with the reason in e.
 */
int rules_letter_read(struct message *m, const char *path, const struct ctl *ctl, struct err *e);

#endif
