/* report_sample.h - reports in the manner of several reporters, and around them what a mail has. */
#ifndef POSTERN_T_REPORT_SAMPLE_H
#define POSTERN_T_REPORT_SAMPLE_H

#include "buf.h"

#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

/* As ours are (J2 to J13). */
#define SAMPLE_OWN                                                                                                   \
    "{\"organization-name\":\"Sender GmbH\",\"date-range\":{\"start-datetime\":\"2026-11-22T00:00:00Z\","            \
    "\"end-datetime\":\"2026-11-22T23:59:59Z\"},\"contact-info\":\"tls@sender.example\","                            \
    "\"report-id\":\"20261122.good.example.1\",\"policies\":[{\"policy\":{\"policy-type\":\"sts\","                  \
    "\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: *.good.example\",\"max_age: 86400\"],"            \
    "\"policy-domain\":\"good.example\",\"mx-host\":[\"*.good.example\"]},\"summary\":"                              \
    "{\"total-successful-session-count\":5,\"total-failure-session-count\":2},\"failure-details\":["                 \
    "{\"result-type\":\"certificate-expired\",\"sending-mta-ip\":\"192.0.2.1\",\"receiving-mx-hostname\":"           \
    "\"mx.good.example\",\"receiving-ip\":\"192.0.2.25\",\"failed-session-count\":2}]},"                             \
    "{\"policy\":{\"policy-type\":\"tlsa\",\"policy-string\":[\"3 1 1 00\"],\"policy-domain\":\"mx.good.example\"}," \
    "\"summary\":{\"total-successful-session-count\":7,\"total-failure-session-count\":0},\"failure-details\":[]}]}"

/* Others': no zone, no policy-string (Microsoft), mx-host as the example of RFC 8460 has it, counts as text. */
#define SAMPLE_LAX                                                                                                \
    "\xef\xbb\xbf{\"organization-name\":\"Big Corp\",\"date-range\":{\"start-datetime\":\"2026-11-22T00:00:00\"," \
    "\"end-datetime\":\"2026-11-22T23:59:59\"},\"contact-info\":\"tlsrpt-noreply@big.example\",\"report-id\":17," \
    "\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"good.example\","                      \
    "\"mx-host\":\"*.good.example\"},\"summary\":{\"total-successful-session-count\":\"5\","                      \
    "\"total-failure-session-count\":1.0},\"failure-details\":{\"result-type\":\"validation-failure\","           \
    "\"receiving-ip\":\"\",\"sending-mta-ip\":null,\"failed-session-count\":1}},"                                 \
    "{\"policy\":{\"policy-type\":\"no-policy-found\",\"policy-domain\":\"good.example\"},\"summary\":null,"      \
    "\"failure-details\":null}]}\r\n"

/* Append octets as one gzip member. */
static inline void sample_gzip(struct buf *out, const void *octets, size_t len)
{
    z_stream z = {0};
    size_t room = len + len / 100 + 1000;
    unsigned char *to = malloc(room);

    if (to == NULL || deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (const Bytef *)octets;
    z.avail_in = (uInt)len;
    z.next_out = to;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    buf_add(out, to, room - z.avail_out);
    deflateEnd(&z);
    free(to);
}

/* Append octets in base64, in lines of 76. */
static inline void sample_base64(struct buf *out, const void *octets, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *o = octets;

    for (size_t i = 0; i < len; i += 3) {
        unsigned left = len - i >= 3 ? 3 : (unsigned)(len - i);
        unsigned long v = (unsigned long)o[i] << 16 | (left > 1 ? (unsigned long)o[i + 1] << 8 : 0) |
                          (left > 2 ? (unsigned long)o[i + 2] : 0);

        for (unsigned k = 0; k < 4; k++)
            buf_char(out, k <= left ? digits[v >> (18 - 6 * k) & 63] : '=');
        if (i % 57 == 54)
            buf_str(out, "\r\n");
    }
    buf_str(out, "\r\n");
}

#endif
