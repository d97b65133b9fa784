/*
 * orcpt.h - the parameter ORCPT of RCPT TO, which says for whom a message was before anybody changed the recipient
 * (RFC 3461 4 and 4.2; RFC 6533 3 for addresses in UTF-8). Pure.
 *
 *   rfc822;a+2Bx@example.com           xtext: printable ASCII, +XX for the rest
 *   utf-8;b\x{FC}cher@example.com      for addresses that are not ASCII
 */
#ifndef POSTERN_ORCPT_H
#define POSTERN_ORCPT_H

#include "buf.h"
#include "err.h"

#define ORCPT_MAX 500 /* octets of the value (RFC 3461 4.2) */

/* Append the octets as xtext; any octets can be. */
void xtext_encode(struct buf *out, const char *octets, size_t len);

/*
 * Append what the xtext stands for; hexadecimal digits may be in lower case. Returns 0, or -1 with nothing appended:
 * blanks, controls, '=', or octets that are not ASCII in it; '+' without two digits; out is full.
 */
int xtext_decode(struct buf *out, const char *text, size_t len, struct err *e);

/*
 * Append the value for an address as an envelope has it (address_tag.h); <> and source route are left out. Returns 0,
 * or -1 with nothing appended: no address, not UTF-8, a value longer than ORCPT_MAX, out is full.
 */
int orcpt_make(struct buf *out, const char *address, size_t len, struct err *e);

/*
 * Append the address of a value: of types rfc822 and utf-8, in any case; what it is an address of is not looked at.
 * Returns 0, or -1 with nothing appended: another type, broken xtext, a \x{} that stands for no character, NUL, out is
 * full.
 */
int orcpt_read(struct buf *out, const char *value, size_t len, struct err *e);

#endif
