/*
 * log_line.c - the text of a log line. The few conversions are read here, as printf could not quote a value. A reader
 * can undo the escapes: within a value a backslash and a quote are written with a backslash before them.
 */
#include "log_line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CUT "..." /* ends a value that was cut */

struct line {
    char *text;
    size_t len;
};

static void add(struct line *l, const char *text, size_t len)
{
    if (len > LOG_LINE_MAX - l->len)
        len = LOG_LINE_MAX - l->len;
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

/* The octet as it is shown. Returns the length. */
static size_t escape(char out[5], unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    if (c < 0x20 || c > 0x7e) {
        out[0] = '\\';
        out[1] = 'x';
        out[2] = hex[c >> 4];
        out[3] = hex[c & 15];
        return 4;
    }
    if (c == '\\' || c == '"') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    out[0] = (char)c;
    return 1;
}

/* Escape the value into out; cut between two octets of it, never within an escape. */
static size_t escape_value(char out[LOG_VALUE_MAX], const char *value)
{
    const size_t room = LOG_VALUE_MAX - (sizeof(CUT) - 1);
    size_t len = 0;
    size_t fits = 0; /* what may stay when it has to be cut */
    char one[5];

    for (; *value != '\0'; value++) {
        size_t n = escape(one, (unsigned char)*value);

        if (len + n > LOG_VALUE_MAX) {
            memcpy(out + fits, CUT, sizeof(CUT) - 1);
            return fits + sizeof(CUT) - 1;
        }
        memcpy(out + len, one, n);
        len += n;
        if (len <= room)
            fits = len;
    }
    return len;
}

static void add_value(struct line *l, const char *value)
{
    char text[LOG_VALUE_MAX];
    bool quoted;
    size_t len;

    if (value == NULL) {
        add(l, "-", 1);
        return;
    }
    quoted = value[0] == '\0' || strpbrk(value, " \"=") != NULL;
    len = escape_value(text, value);
    if (quoted)
        add(l, "\"", 1);
    add(l, text, len);
    if (quoted)
        add(l, "\"", 1);
}

enum conversion {
    CONV_STRING,
    CONV_INT,
    CONV_UINT,
    CONV_LONG,
    CONV_ULONG,
    CONV_LLONG,
    CONV_ULLONG,
    CONV_SIZE,
    CONV_HEX,
    CONV_DOUBLE,
    CONV_NONE
};

/* The conversion after a '%', and its length. */
static enum conversion conversion_read(const char *at, size_t *len)
{
    static const char *const words[] = {"s", "d", "u", "ld", "lu", "lld", "llu", "zu", "x", ".3f"};
    size_t i;

    for (i = 0; i < CONV_NONE; i++) {
        *len = strlen(words[i]);
        if (strncmp(at, words[i], *len) == 0)
            return (enum conversion)i;
    }
    *len = 0;
    return CONV_NONE;
}

/* Writes the conversion into a line; takes its argument from ap, which a pointer hands back to the caller advanced. */
static void add_conversion(struct line *l, enum conversion conv, va_list *ap)
{
    char text[340]; /* the longest double has 309 digits before its point */
    int n = 0;

    switch (conv) {
    case CONV_STRING:
        add_value(l, va_arg(*ap, const char *));
        return;
    case CONV_INT:
        n = snprintf(text, sizeof(text), "%d", va_arg(*ap, int));
        break;
    case CONV_UINT:
        n = snprintf(text, sizeof(text), "%u", va_arg(*ap, unsigned));
        break;
    case CONV_LONG:
        n = snprintf(text, sizeof(text), "%ld", va_arg(*ap, long));
        break;
    case CONV_ULONG:
        n = snprintf(text, sizeof(text), "%lu", va_arg(*ap, unsigned long));
        break;
    case CONV_LLONG:
        n = snprintf(text, sizeof(text), "%lld", va_arg(*ap, long long));
        break;
    case CONV_ULLONG:
        n = snprintf(text, sizeof(text), "%llu", va_arg(*ap, unsigned long long));
        break;
    case CONV_SIZE:
        n = snprintf(text, sizeof(text), "%zu", va_arg(*ap, size_t));
        break;
    case CONV_HEX:
        n = snprintf(text, sizeof(text), "%x", va_arg(*ap, unsigned));
        break;
    case CONV_DOUBLE:
        n = snprintf(text, sizeof(text), "%.3f", va_arg(*ap, double));
        break;
    case CONV_NONE:
        return;
    }
    add(l, text, n > 0 ? (size_t)n : 0);
}

void log_line(char out[LOG_LINE_MAX + 1], const char *event, const char *fmt, va_list ap)
{
    struct line l = {out, 0};
    va_list args;

    va_copy(args, ap);
    add(&l, event, strlen(event));
    if (fmt != NULL && fmt[0] != '\0')
        add(&l, " ", 1);
    while (fmt != NULL && *fmt != '\0') {
        size_t plain = strcspn(fmt, "%");
        enum conversion conv;
        size_t len;

        add(&l, fmt, plain);
        fmt += plain;
        if (*fmt == '\0')
            break;
        conv = conversion_read(fmt + 1, &len);
        if (conv == CONV_NONE) {
            add(&l, "?", 1); /* the argument's type is not known, so none of the later ones can be fetched */
            break;
        }
        add_conversion(&l, conv, &args);
        fmt += 1 + len;
    }
    va_end(args);
    out[l.len] = '\0';
}
