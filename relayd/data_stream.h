/*
 * data_stream.h - the octets of a message between DATA and its final dot, passed on as they come (RFC 5321 4.1.1.4,
 * 4.5.2). Pure; keeps no octets. Dots at the beginning of lines stay doubled: the next server undoes that.
 *
 * The end is <CRLF>.<CRLF> and nothing else, also over the borders of pieces. CR and LF alone may not be in a message
 * (RFC 5321 2.3.8): servers differ in what they take for an end of line, and a message in a message could be smuggled
 * to one that takes <LF>.<LF> for the end. MTAs never send them by LMTP, so such a message is refused, not mended.
 *
 * A line may have DATA_LINE_MAX octets. RFC 5321 4.5.3.1.6 grants 1,000, Postfix sends 998 and CRLF unless it is told
 * otherwise (smtp_line_length_limit); the next server says itself what it does not take. The limit is there so that an
 * endless line is none: nothing is kept for it.
 */
#ifndef POSTERN_DATA_STREAM_H
#define POSTERN_DATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smtp_refusal.h"

#define DATA_LINE_MAX (1 << 20) /* octets of a line with its CRLF */

/* {0} when DATA was answered with 354. */
struct data_stream {
    uint64_t octets; /* of the message so far, its final ".CRLF" included */
    bool ended;
    struct smtp_refusal broken; /* code 0: it is not */

    int place;   /* how much of CRLF.CRLF there is */
    size_t line; /* octets of the line so far */
};

/*
 * Look at the next octets. Returns 1 when the message ends in them, 0 when there is more to come. *took is how many
 * belong to the message: all on 0, and on 1 those up to its end; what follows is the MTA's next command.
 *
 * While s->broken.code is 0 the octets taken are to be passed on. When it is not (554 5.6.0, said once the end is
 * there), neither they nor any later ones may be: the next server is left without the final dot, by closing the
 * connection. The end is still looked for, so that the MTA gets its replies.
 */
int data_stream_take(size_t *took, struct data_stream *s, const char *octets, size_t len);

#endif
