/* err.c - the sentence that goes back to whoever can show it to a person. Long sentences are cut, also within a UTF-8
 * sequence. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A foreign line feed or escape sequence must not forge a log line or paint a terminal. */
static void mask_controls(char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f)
            *s = '?';
    }
}

static void format_masked(char out[ERR_MAX], const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void format_masked(char out[ERR_MAX], const char *fmt, va_list ap)
{
    if (vsnprintf(out, ERR_MAX, fmt, ap) < 0)
        out[0] = '\0';
    mask_controls(out);
}

int err_set(struct err *e, const char *fmt, ...)
{
    char text[ERR_MAX]; /* not e->text at once: it may be among the arguments */
    va_list ap;

    if (e == NULL)
        return -1;
    va_start(ap, fmt);
    format_masked(text, fmt, ap);
    va_end(ap);
    memcpy(e->text, text, strlen(text) + 1);
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    char prefix[ERR_MAX];
    va_list ap;

    if (e == NULL)
        return -1;
    va_start(ap, fmt);
    format_masked(prefix, fmt, ap);
    va_end(ap);
    if (e->text[0] == '\0')
        return err_set(e, "%s", prefix);
    return err_set(e, "%s: %s", prefix, e->text);
}
