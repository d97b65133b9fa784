/* setup_sendmail_commands.h - the commands of a plan for Sendmail. Pure. */
#ifndef POSTERN_SETUP_SENDMAIL_COMMANDS_H
#define POSTERN_SETUP_SENDMAIL_COMMANDS_H

#include "setup_sendmail.h"

#define SETUP_SENDMAIL_WORDS  20
#define SETUP_SENDMAIL_DELETE "/^dnl >>> postern/,/^dnl <<< postern/d"

/* Have the file end with these lines, and have no others of ours. now: its text. */
void setup_sendmail_add(const char *out[SETUP_SENDMAIL_WORDS], const char *file, const char *now,
                        const struct setup_sendmail_lines *lines);

/* Make sendmail.cf, unless Sendmail does not take it. bare: without our lines in sendmail.mc. */
void setup_sendmail_make(const char *out[SETUP_SENDMAIL_WORDS], const struct setup_sendmail_facts *facts, bool bare);

#endif
