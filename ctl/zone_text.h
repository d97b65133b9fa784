/* zone_text.h - records as lines of a zone file (RFC 1035 5.1), whatever octets are in them. Pure. */
#ifndef POSTERN_ZONE_TEXT_H
#define POSTERN_ZONE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "tlsa.h"

/* An owner name, absolute: "example.com" gives "example.com.". Octets that no name of ours has are written as \DDD. */
void zone_name(struct buf *out, const char *name);

/* The data of a TXT record: strings of at most 255 octets in quotes, a blank between them. An empty text is one empty
 * string. */
void zone_strings(struct buf *out, const char *text, size_t len);

/* "NAME. TTL IN TXT ..." and a line feed. */
void zone_txt(struct buf *out, const char *name, uint32_t ttl, const char *text, size_t len);

/* "_PORT._tcp.HOST. TTL IN TLSA 3 1 1 ..." and a line feed. */
void zone_tlsa(struct buf *out, const char *host, unsigned port, uint32_t ttl, const struct tlsa *rr);

/* "; TEXT" and a line feed, the text on lines of at most about 100 columns; foreign text is made harmless. */
void zone_comment(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
