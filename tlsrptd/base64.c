/* base64.c - see base64.h. Encoded in pieces that each fill a line. */
#include "base64.h"

#include <openssl/evp.h>

#define PIECE ((size_t)BASE64_LINE / 4 * 3)

static void add(struct buf *out, const void *data, size_t len, const char *line_end)
{
    unsigned char line[BASE64_LINE + 1];
    const unsigned char *at = data;

    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < PIECE ? len - done : PIECE;
        buf_add(out, line, (size_t)EVP_EncodeBlock(line, at + done, (int)n));
        buf_str(out, line_end);
    }
}

void base64_add(struct buf *out, const void *data, size_t len)
{
    add(out, data, len, "");
}

void base64_add_lines(struct buf *out, const void *data, size_t len)
{
    add(out, data, len, "\r\n");
}
