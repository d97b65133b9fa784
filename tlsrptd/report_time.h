/* report_time.h - the date-times of reports (RFC 3339; check J3). Pure. */
#ifndef POSTERN_REPORT_TIME_H
#define POSTERN_REPORT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Read "2026-11-22T00:00:00Z", also with a fraction, which is dropped, with an offset, in small letters, with a blank
 * for the T, and without a zone, which then is UTC. *zone: it has one. Returns 0, or -1.
 */
int report_time(int64_t *out, bool *zone, const char *text);

#define REPORT_TIME_BUF 24

/* "2026-11-22T00:00:00Z"; "" before 1970 and after 9999. */
void report_time_text(char out[REPORT_TIME_BUF], int64_t at);

#endif
