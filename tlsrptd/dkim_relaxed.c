/* dkim_relaxed.c - the relaxed canonical forms of dkim.h (RFC 6376 3.4.2, 3.4.4). */
#include "dkim.h"

#include "ascii.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Append text with each run of blanks as one, and none at its end. */
static void add_reduced(struct buf *out, const char *text, size_t len)
{
    size_t pos = 0;

    while (pos < len && buf_ok(out)) {
        size_t blanks = 0, others = 0;

        while (pos + blanks < len && ascii_is_blank(text[pos + blanks]))
            blanks++;
        pos += blanks;
        while (pos + others < len && !ascii_is_blank(text[pos + others]))
            others++;
        if (blanks > 0 && others > 0)
            buf_char(out, ' ');
        buf_add(out, text + pos, others);
        pos += others;
    }
}

/* The value without its line ends, which is all that unfolding takes away, blanks at its ends dropped. */
static void add_value(struct buf *out, const char *value, size_t len)
{
    struct buf line;
    size_t begin = 0;

    buf_init(&line, len);
    (void)buf_reserve(&line, len);
    for (size_t i = 0; i < len; i++)
        if (value[i] != '\r' && value[i] != '\n')
            buf_char(&line, value[i]);
    while (begin < line.len && ascii_is_blank(line.data[begin]))
        begin++;
    add_reduced(out, buf_text(&line) + begin, line.len - begin);
    out->failed = out->failed || line.failed;
    buf_clear(&line);
}

void dkim_relaxed_header(struct buf *out, const char *field, size_t len)
{
    const char *colon = len > 0 ? memchr(field, ':', len) : NULL;
    size_t name_len = colon != NULL ? (size_t)(colon - field) : len;
    size_t behind = colon != NULL ? name_len + 1 : len;

    while (name_len > 0 && ascii_is_blank(field[name_len - 1]))
        name_len--;
    for (size_t i = 0; i < name_len; i++)
        buf_char(out, lower(field[i]));
    buf_char(out, ':');
    add_value(out, field + behind, len - behind);
    buf_str(out, "\r\n");
}

/* The octets up to the next CR LF, or the end. */
static size_t line_length(const char *text, size_t len)
{
    const char *cr = text, *end = text + len;

    while (cr < end && (cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL) {
        if (cr + 1 < end && cr[1] == '\n')
            return (size_t)(cr - text);
        cr++;
    }
    return len;
}

void dkim_relaxed_body(struct buf *out, const char *body, size_t len)
{
    size_t empty = 0; /* lines that count only when another follows */

    for (size_t pos = 0; pos < len;) {
        size_t line = line_length(body + pos, len - pos), before = out->len;

        for (size_t kept = line; line > 0 && kept > 0; kept--) {
            if (ascii_is_blank(body[pos + kept - 1]))
                continue;
            for (; empty > 0; empty--)
                buf_str(out, "\r\n");
            add_reduced(out, body + pos, line);
            buf_str(out, "\r\n");
            break;
        }
        empty += out->len == before ? 1 : 0;
        pos += line + 2;
    }
}
