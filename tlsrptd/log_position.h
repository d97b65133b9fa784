/*
 * log_position.h - a place in the mail log, and its text, which is kept with what was counted and read again as
 * foreign text:
 *
 *     file 1 DEVICE INODE OFFSET FINGERPRINT CHANGED
 *     journal 1 CURSOR
 *
 * A file is known by its inode, and by what stands before the place: a file that was copied, or restored, has another
 * inode, and a new file can have an old one's. Pure.
 */
#ifndef POSTERN_LOG_POSITION_H
#define POSTERN_LOG_POSITION_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define LOG_POSITION_MAX    511 /* octets of the text */
#define LOG_CURSOR_MAX      400 /* octets of a cursor; those of systemd 252 have about 150 */
#define LOG_FINGERPRINT_LEN 256 /* octets before the place that a fingerprint is of, or as many as there are */

enum log_position_kind { LOG_POSITION_NONE, LOG_POSITION_FILE, LOG_POSITION_JOURNAL };

struct log_position {
    enum log_position_kind kind;
    uint64_t device, inode;
    int64_t offset; /* octets of the file before the place, which is always behind a line's end, or 0 */
    uint64_t fingerprint;
    int64_t changed;                 /* nanoseconds since the epoch: when the file had been changed last */
    char cursor[LOG_CURSOR_MAX + 1]; /* of the journal */
};

/* Of the min(LOG_FINGERPRINT_LEN, offset) octets before the place. The same on every machine. */
uint64_t log_fingerprint(const void *before, size_t len);

/* The text; "" for kind NONE. */
void log_position_write(char out[LOG_POSITION_MAX + 1], const struct log_position *p);

/* Returns 0, or -1 with the reason; "" is a position of kind NONE. */
int log_position_read(struct log_position *out, const char *text, struct err *e);

#endif
