/*
 * buf.h - a growing string with a limit. The first error (limit reached, no memory) sticks: add all you want, then ask
 * buf_ok() once. Nothing is added after the error, so what is there is never half of a later part.
 */
#ifndef POSTERN_BUF_H
#define POSTERN_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated whenever it is not NULL; the buffer's own */
    size_t len; /* without the NUL */
    size_t cap;
    size_t max; /* len never passes this */
    bool failed;
};

/* An empty buffer that will hold at most max octets. Allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Free the memory and make it empty again, the limit kept. Safe on a cleared or just initialised buffer. */
void buf_clear(struct buf *b);

/* The same for what may be a private key: overwritten first. (Copies that growing left in freed memory are not.) */
void buf_wipe(struct buf *b);

/* Forget the contents and the error, keep the memory. */
void buf_reset(struct buf *b);

/*
 * Make room for len more octets at once: when it returns true, additions of so much in all cannot fail, so a frame of
 * several parts goes in whole or not at all. False (and the error) when they would not fit.
 */
bool buf_reserve(struct buf *b, size_t len);

/*
 * Append octets, a text, an octet, a formatted text. What passes the limit, or has no memory, sets `failed` and adds
 * nothing, and nor does anything after it: look once, at the end, with buf_ok.
 */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* True when every addition went in. */
bool buf_ok(const struct buf *b);

/* The text, "" when nothing was added; valid until the next call on b. */
const char *buf_text(const struct buf *b);

#endif
