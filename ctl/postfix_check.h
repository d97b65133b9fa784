/*
 * postfix_check.h - what in a Postfix's configuration would let flagged mail slip past postern-relayd, or mail past
 * postern-milter. Pure but for reading tables, which the caller does.
 *
 * Flagged addresses of many kinds are looked up as Postfix does: first as they are written, then without quotes, in
 * each map in turn. They come from a fixed set (each first letter and digit of a domain, capitals, quotes, IDN, address
 * literals), and from the expressions of the tables themselves, so that a line for one domain is met as well.
 *
 * Not looked at: maps of other types than regexp:, pcre: and static: (that they stand before the flag map is found),
 * access maps of smtpd restrictions (FILTER, REDIRECT, BCC), aliases and .forward, other milters, and what a running
 * Postfix has not reloaded.
 */
#ifndef POSTERN_POSTFIX_CHECK_H
#define POSTERN_POSTFIX_CHECK_H

#include "buf.h"
#include "conf.h"
#include "err.h"
#include "postfix_conf.h"
#include "postfix_finding.h"

/* Append a table's text to out, at most out->max octets. Returns 0, or -1 with the reason. */
typedef int (*postfix_reader)(void *ctx, const char *path, struct buf *out, struct err *e);

/* Returns 0, or -1 with the reason: no memory. */
int postfix_check(struct postfix_findings *out, const struct postfix_conf *postfix, const struct conf *postern,
                  postfix_reader reader, void *ctx, struct err *e);

#endif
