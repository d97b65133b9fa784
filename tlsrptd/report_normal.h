/*
 * report_normal.h - a report of anybody's in the one form of RFC 8460 4.4, so that who reads it has one form to know.
 * Pure.
 *
 * - Date-times that can be read get the form "2026-11-22T00:00:00Z"; some reporters give no zone.
 * - policy-string, mx-host and failure-details are arrays; one alone becomes one, a missing one is empty.
 * - Counts are integers, also those that were written as text.
 * - Members that are null are dropped, and so are those of failure details that are empty. Others stay as they are.
 */
#ifndef POSTERN_REPORT_NORMAL_H
#define POSTERN_REPORT_NORMAL_H

#include <jansson.h>

#include "err.h"

/* Returns 0; -1 with what is wrong: a member is of another type, "policies" or a "policy" is missing. */
int report_normalise(json_t *report, struct err *e);

#endif
