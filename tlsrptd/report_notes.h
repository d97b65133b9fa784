/*
 * report_notes.h - what is wrong with a report that could be read all the same: where subject, file name and header
 * differ from the body, which is what counts (RFC 8460 5.6), and where the body is not as RFC 8460 4.4
 * wants it. Pure.
 */
#ifndef POSTERN_REPORT_NOTES_H
#define POSTERN_REPORT_NOTES_H

#include "report_read.h"

/* Called for each; the text may have foreign octets in it. */
typedef void report_note_fn(void *ctx, const char *note);

void report_notes(const struct report_found *f, report_note_fn *fn, void *ctx);

#endif
