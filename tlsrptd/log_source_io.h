/*
 * log_source_io.h - where the mail log comes from: a file that is followed, through rotation, truncation and restarts,
 * or systemd's journal. It has a position, a text to be saved with what was counted; a source that is opened at a saved
 * position goes on behind the entry that it stands for, so that none is lost or counted twice. As attempts are put
 * together from several lines, it first gives some that are before the position again, marked as seen.
 */
#ifndef POSTERN_LOG_SOURCE_IO_H
#define POSTERN_LOG_SOURCE_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "log_position.h"
#include "maillog.h"

struct log_source;

/*
 * One entry; seen: it was given before the position was saved, so what it ends is counted already. position: that
 * behind the entry, or, of a seen one, the one that was opened; valid during the call. Returns false to have no more
 * until log_source_resume; this entry was taken. May not call log_source_close.
 */
typedef bool log_source_fn(void *ctx, const struct maillog_entry *entry, bool seen, const char *position);

/*
 * where: a path (log_file_io.h), "journal" (log_journal_io.h), or "journal:FOLDER" of journal files. position: ""
 * begins at the end of what is there now, which then is the position, or, when no file is there, at the beginning of
 * the one that comes; text that is no position is as "", and logged. A file that is not there, or cannot be read, is
 * waited for, and that is logged; so is a position that is gone (lines between are lost, and it says so). clock_offset
 * is added to the clock where a line's time has no year. fn is called from the loop, never from here. NULL with the
 * reason in e: no journal, or something that is no file.
 */
struct log_source *log_source_open(struct event_base *base, const char *where, const char *position,
                                   int64_t clock_offset, log_source_fn *fn, void *ctx, struct err *e);
void log_source_resume(struct log_source *s);
void log_source_close(struct log_source *s); /* NULL-safe */

/*
 * Behind the last line that was read; valid until the next call. May be saved when all that was given is done with:
 * where few lines are given, the one that came with the last is soon far behind, and its file rotated away.
 */
const char *log_source_position(struct log_source *s);

struct log_source_stats {
    uint64_t lines, octets; /* given, or passed over as no program's */
    uint64_t lost;          /* times that a position, or a part of a file, was gone */
    int64_t all_read;       /* when there last was nothing more to read, seconds since the epoch; 0: not yet */
};
struct log_source_stats log_source_stats(const struct log_source *s);

#endif
