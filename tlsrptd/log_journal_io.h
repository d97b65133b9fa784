/*
 * log_journal_io.h - follows systemd's journal: entries of facility mail that came through syslog(3) from processes
 * that run as root or as the user "postfix". The journal knows from the kernel who wrote an entry, so that, unlike in
 * a file, no other local user can put words into Postfix's mouth; a Postfix with another mail_owner, or in a container
 * whose users have other numbers, is therefore not heard. Process id and time are the kernel's and the journal's, too.
 */
#ifndef POSTERN_LOG_JOURNAL_IO_H
#define POSTERN_LOG_JOURNAL_IO_H

#include "log_taker.h"

#define LOG_JOURNAL_WARM_UP 2000 /* entries before the position, and with it, that are given again, as seen */

struct log_journal;

/* folder: of journal files, or NULL for this machine's. taker: the caller's, kept. See log_source_open. */
struct log_journal *log_journal_new(struct event_base *base, const char *folder, const struct log_position *position,
                                    struct log_taker *taker, struct err *e);
void log_journal_resume(struct log_journal *j);
void log_journal_free(struct log_journal *j);

/* At the last entry that was read, "" before the first; valid until the next call. */
const char *log_journal_position(struct log_journal *j);

#endif
