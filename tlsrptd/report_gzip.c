/* report_gzip.c - see report_gzip.h. */
#include "report_gzip.h"

#include "unguarded.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* the largest window, and zlib's sign for gzip */
#define GZIP_MEMORY 8         /* zlib's default */

int report_gzip(struct buf *out, const char *text, size_t len)
{
    z_stream z;
    uLong bound;
    int rc;

    memset(&z, 0, sizeof(z));
    if (len > INT_MAX ||
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return -1;
    bound = deflateBound(&z, (uLong)len);
    if (!buf_reserve(out, bound)) {
        (void)deflateEnd(&z);
        return -1;
    }
    z.next_in = (Bytef *)unguarded(text);
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)(out->data + out->len);
    z.avail_out = (uInt)bound;
    rc = deflate(&z, Z_FINISH);
    out->len += z.total_out;
    out->data[out->len] = '\0';
    (void)deflateEnd(&z);
    return rc == Z_STREAM_END ? 0 : -1;
}
