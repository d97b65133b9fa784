/* buf.c - a growing string with a limit and an error that sticks. Parts may not point into the buffer itself. */
#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void buf_init(struct buf *b, size_t max)
{
    memset(b, 0, sizeof(*b));
    /* The NUL needs room too, and nothing larger than this can be allocated anyway. */
    b->max = max < PTRDIFF_MAX - 1 ? max : PTRDIFF_MAX - 1;
}

void buf_clear(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->cap);
    buf_clear(b);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t len)
{
    size_t need;
    size_t cap;
    char *data;

    if (b->failed || len > b->max - b->len) {
        b->failed = true;
        return false;
    }
    need = b->len + len + 1;
    if (need <= b->cap)
        return true;
    cap = b->cap > 0 ? b->cap : FIRST_CAP;
    while (cap < need)
        cap *= 2; /* need is at most PTRDIFF_MAX, so this cannot wrap */
    if (cap > b->max + 1)
        cap = b->max + 1;
    data = realloc(b->data, cap);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    int n;

    if (!buf_reserve(b, 0))
        return;
    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
    if (n >= 0 && (size_t)n >= b->cap - b->len) {
        b->data[b->len] = '\0'; /* what fitted is not to be seen if no more room is had */
        n = buf_reserve(b, (size_t)n) ? vsnprintf(b->data + b->len, b->cap - b->len, fmt, again) : -1;
    }
    va_end(again);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        b->data[b->len] = '\0';
        return;
    }
    b->len += (size_t)n;
}

bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}
