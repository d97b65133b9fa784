/* report_table.h - TLS reports, ours and anybody's, and what they are made of, as text for people. Pure. */
#ifndef POSTERN_REPORT_TABLE_H
#define POSTERN_REPORT_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Append a report in the form of report_normal.h: who reports, on which time, and its policies. All of it is foreign
 * text. */
void report_print(struct buf *out, const json_t *report, bool colour);

/*
 * Append the array "policies" of a report: each with its counts, and its failures in a table. A member "record" of an
 * entry, which ours have while they are counts, is shown, too.
 */
void report_print_policies(struct buf *out, const json_t *policies, bool colour);

#endif
