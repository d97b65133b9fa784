/* mime_transfer.h - Content-Transfer-Encoding (RFC 2045 6), and the encodings of RFC 2047's words. Pure. */
#ifndef POSTERN_MIME_TRANSFER_H
#define POSTERN_MIME_TRANSFER_H

#include "buf.h"

enum mime_transfer {
    MIME_TRANSFER_UNKNOWN,
    MIME_TRANSFER_NONE, /* 7bit, 8bit, binary */
    MIME_TRANSFER_BASE64,
    MIME_TRANSFER_QUOTED, /* quoted-printable */
    MIME_TRANSFER_Q       /* quoted-printable of an encoded word: '_' is a blank, blanks at the end count */
};

/* By the value of the field, unfolded and without comments, in any case; an empty one is NONE. */
enum mime_transfer mime_transfer_find(const char *value, size_t len);

/*
 * Append the octets that the text stands for; never more than the text has. Nothing is an error, what is read is what
 * most readers make of it: octets that base64 does not have are passed over, and it goes on behind its '='; '=' without
 * two digits stands for itself. UNKNOWN is taken as it is. It ends when out is full.
 */
void mime_transfer_decode(struct buf *out, enum mime_transfer transfer, const char *text, size_t len);

#endif
