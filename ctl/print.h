/* print.h - text for people: foreign octets made harmless, times, colours. Pure. */
#ifndef POSTERN_PRINT_H
#define POSTERN_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* What a text means; TINT_HEAD is for headings. */
enum tint { TINT_NONE, TINT_GOOD, TINT_WARN, TINT_BAD, TINT_HEAD };

/*
 * Append foreign text so that a terminal can only show it: valid UTF-8 stays as it is, octets that are not, and those
 * of control, bidirectional and line-separating characters, become \xNN. What is appended is always valid UTF-8 on one
 * line.
 */
void print_text(struct buf *out, const char *text, size_t len);

/* The columns that a text which print_text wrote takes: combining marks none, East Asian wide characters two. */
size_t print_width(const char *text, size_t len);

/* Append foreign text, made harmless, in so many columns at most; of a longer one the end is "~". */
void print_cut(struct buf *out, const char *text, size_t columns);

/* Append a harmless text in its colour, or as it is when colour is off. */
void print_tinted(struct buf *out, const char *text, enum tint tint, bool colour);

/* Append a length of time in its largest unit, rounded down: "45 s", "14 m", "3 h", "6 d". Less than 0 counts as 0. */
void print_span(struct buf *out, int64_t seconds);

/* Append "2025-11-21T18:00:00Z (in 14 m)"; "(3 h ago)", "(now)". Years past 9999 are written as seconds since the
 * epoch. */
void print_time(struct buf *out, int64_t when, int64_t now);

#endif
