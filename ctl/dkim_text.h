/* dkim_text.h - the DNS records of DKIM keys, and what was found of them, as text. Pure. */
#ifndef POSTERN_DKIM_TEXT_H
#define POSTERN_DKIM_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "buf.h"

/*
 * Append a TXT record as a line of a zone file: its name, and the text in strings of at most 255 octets. domain "": the
 * name is relative to the zone. The record is as dkim_record writes it.
 */
void dkim_zone_line(struct buf *out, const char *selector, const char *domain, const char *record);

/* A table of an array of {"key","name","state","why"}. state: "fits", "weak" (with why), "wrong", "missing", "unknown".
 */
void dkim_checks_print(struct buf *out, const json_t *keys, bool colour);

#endif
