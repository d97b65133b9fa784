/* zone_text.c - see zone_text.h. */
#include "zone_text.h"

#include "print.h"

#include "ascii.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_MAX  ((size_t)255) /* RFC 1035 3.3 */
#define COMMENT_MAX 2000
#define COLUMNS     100

static void add_decimal(struct buf *out, char c)
{
    buf_printf(out, "\\%03u", (unsigned)(unsigned char)c);
}

void zone_name(struct buf *out, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (ascii_is_alnum(*c) || *c == '-' || *c == '_' || *c == '.')
            buf_char(out, *c);
        else
            add_decimal(out, *c);
    }
    buf_char(out, '.');
}

/* In quotes only these two are special, and what is no printable ASCII is safe from every reader as a number. */
static void add_string(struct buf *out, const char *text, size_t len)
{
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_printf(out, "\\%c", text[i]);
        else if (text[i] >= ' ' && text[i] <= '~')
            buf_char(out, text[i]);
        else
            add_decimal(out, text[i]);
    }
    buf_char(out, '"');
}

void zone_strings(struct buf *out, const char *text, size_t len)
{
    size_t n = len < STRING_MAX ? len : STRING_MAX;

    add_string(out, text, n);
    for (size_t at = n; at < len; at += n) {
        n = len - at < STRING_MAX ? len - at : STRING_MAX;
        buf_char(out, ' ');
        add_string(out, text + at, n);
    }
}

void zone_txt(struct buf *out, const char *name, uint32_t ttl, const char *text, size_t len)
{
    zone_name(out, name);
    buf_printf(out, " %lu IN TXT ", (unsigned long)ttl);
    zone_strings(out, text, len);
    buf_char(out, '\n');
}

void zone_tlsa(struct buf *out, const char *host, unsigned port, uint32_t ttl, const struct tlsa *rr)
{
    char *text = malloc(TLSA_TEXT_BUF(rr->len));

    if (text == NULL) {
        out->failed = true;
        return;
    }
    tlsa_format(text, rr);
    buf_printf(out, "_%u._tcp.", port);
    zone_name(out, host);
    buf_printf(out, " %lu IN TLSA %s\n", (unsigned long)ttl, text);
    free(text);
}

/* Up to the last blank within the columns; a word that is longer stays whole. */
static size_t line_length(const char *text)
{
    const char *blank = strchr(text, ' ');

    if (strlen(text) <= COLUMNS || blank == NULL)
        return strlen(text);
    for (const char *c = blank; c != NULL && c - text <= COLUMNS; c = strchr(c + 1, ' '))
        blank = c;
    return (size_t)(blank - text);
}

void zone_comment(struct buf *out, const char *fmt, ...)
{
    char text[COMMENT_MAX];
    struct buf harmless;
    const char *at;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_init(&harmless, 4 * sizeof(text));
    print_text(&harmless, text, strlen(text));
    if (!buf_ok(&harmless))
        out->failed = true;
    at = buf_text(&harmless);
    do {
        size_t n = line_length(at);

        buf_printf(out, "; %.*s\n", (int)n, at);
        at += n;
        while (*at == ' ')
            at++;
    } while (*at != '\0');
    buf_clear(&harmless);
}
