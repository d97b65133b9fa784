/* report_gunzip.c - see report_gunzip.h. */
#include "report_gunzip.h"

#define ZLIB_CONST /* it does not write to its input */
#include <zlib.h>

#define PART       65536
#define ONLY_GZIP  16 /* for inflateInit2: no zlib or raw stream */
#define FEED_LIMIT ((size_t)1 << 30)

bool report_is_gzip(const char *octets, size_t len)
{
    return len >= 2 && octets[0] == '\x1f' && octets[1] == '\x8b';
}

static int inflate_all(struct buf *out, z_stream *z, struct err *e)
{
    unsigned char part[PART];
    int rc = Z_OK;

    while (rc == Z_OK) {
        z->next_out = part;
        z->avail_out = sizeof(part);
        rc = inflate(z, Z_NO_FLUSH);
        buf_add(out, part, sizeof(part) - z->avail_out);
        if (!buf_ok(out))
            return err_set(e, "it holds more than %zu octets when decompressed, or there is no memory", out->max);
    }
    if (rc == Z_BUF_ERROR)
        return err_set(e, "its gzip ends in the middle");
    if (rc != Z_STREAM_END)
        return err_set(e, "its gzip is broken: %s", z->msg != NULL ? z->msg : "not to be read");
    return 0;
}

int report_gunzip(struct buf *out, size_t *behind, const char *octets, size_t len, struct err *e)
{
    z_stream z = {0};
    int rc;

    *behind = 0;
    if (len > FEED_LIMIT || inflateInit2(&z, MAX_WBITS + ONLY_GZIP) != Z_OK)
        return err_set(e, "too much to decompress, or no memory");
    z.next_in = (const Bytef *)octets;
    z.avail_in = (uInt)len;
    rc = inflate_all(out, &z, e);
    while (z.avail_in > 0 && octets[len - 1] == '\0') {
        z.avail_in--;
        len--;
    }
    *behind = z.avail_in;
    inflateEnd(&z);
    return rc;
}
