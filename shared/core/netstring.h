/*
 * netstring.h - the one netstring codec (http://cr.yp.to/proto/netstrings.txt): `LENGTH:DATA,`.
 * Used by Postfix socketmap (socketmap_table(5)) and by Postern's own call protocol (call.h).
 */
#ifndef POSTERN_NETSTRING_H
#define POSTERN_NETSTRING_H

#include <stddef.h>

/* Room that the frame takes besides the data: up to 9 digits, ':' and ','. */
#define NETSTRING_OVERHEAD 11
#define NETSTRING_MAX      999999999U

struct netstring {
    const char *data; /* within the caller's buffer */
    size_t len;
    size_t total; /* octets of the buffer that the whole frame took */
};

/*
 * Look for one netstring at the start of buf[0..len).
 * Returns 1: found, *out filled; 0: more octets are needed; -1: this can never become a netstring of at most max octets
 * of data (no digit, leading zero, no ':' after the digits, too long, no ',' at the end). An endless run of digits is
 * refused as soon as the number passes max; a wrong octet is refused as soon as it is seen.
 */
int netstring_parse(struct netstring *out, const char *buf, size_t len, size_t max);

/*
 * Write the "LENGTH:" that comes before the data, unterminated, for frames that are put together from parts. Returns
 * the octets written, or 0 when len is above NETSTRING_MAX.
 */
size_t netstring_head(char out[NETSTRING_OVERHEAD], size_t len);

/*
 * Frame data[0..len) into out[0..cap). Returns the octets written, or 0 when they do not fit. data may not overlap out.
 */
size_t netstring_write(char *out, size_t cap, const char *data, size_t len);

#endif
