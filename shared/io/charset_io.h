/*
 * charset_io.h - charsets of mail by iconv of the C library, for what mime_charset.h does not know. Threads may call
 * it.
 *
 * Names that mail uses for a charset's larger brother, or that iconv does not have, are taken for what is meant: gb2312
 * is GB18030, shift_jis is CP932, ks_c_5601-1987 is UHC. No name opens anything but a charset.
 */
#ifndef POSTERN_CHARSET_IO_H
#define POSTERN_CHARSET_IO_H

#include "mime_charset.h"

/*
 * A mime_convert. Octets that the charset does not have become U+FFFD each, or each unit of UTF-16 and the like, and it
 * goes on behind them: where ASCII is itself in a charset without shifts, they hide none and there is no doubt. With
 * shifts (ISO-2022-JP) only what is a pair without a character leaves none; anything else broken, and in charsets where
 * ASCII is not itself, is MIME_DOUBT_OCTETS, as is UTF-16 or the like that does not say its byte order.
 */
unsigned charset_convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len);

#endif
