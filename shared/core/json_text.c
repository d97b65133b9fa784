/* json_text.c - see json_text.h. */
#include "json_text.h"

#include "utf8.h"

#include <stdio.h>
#include <string.h>

#define ESCAPE_MAX 6 /* "\u001f" */

/* How one octet below 0x80 is written. Returns the octets. */
static size_t escape(char out[ESCAPE_MAX + 1], char c)
{
    static const char named[] = "\"\"\\\\\bb\tt\nn\ff\rr";

    for (const char *n = named; *n != '\0'; n += 2)
        if (*n == c) {
            out[0] = '\\';
            out[1] = n[1];
            return 2;
        }
    if ((unsigned char)c < 0x20 || c == 0x7f)
        return (size_t)snprintf(out, ESCAPE_MAX + 1, "\\u%04x", (unsigned)(unsigned char)c);
    out[0] = c;
    return 1;
}

/* The character at s as it is written. Returns how many octets of s it took. */
static size_t character(char out[ESCAPE_MAX + 1], size_t *len, const char *s, size_t left)
{
    size_t octets = utf8_measure(s, left);

    if (octets <= 1) {
        *len = escape(out, octets == 0 ? '?' : *s);
        return 1;
    }
    memcpy(out, s, octets);
    *len = octets;
    return octets;
}

bool json_text_add(struct buf *out, const char *text, size_t max)
{
    size_t left = strlen(text), written = 0;
    char one[ESCAPE_MAX + 1];

    while (left > 0) {
        size_t len = 0, took = character(one, &len, text, left);

        if (written + len > max)
            return false;
        buf_add(out, one, len);
        written += len;
        text += took;
        left -= took;
    }
    return true;
}

/* The octets that it takes when it is written, counted up to max + 1. */
static size_t measure(const char *text, size_t max)
{
    size_t left = strlen(text), written = 0;
    char one[ESCAPE_MAX + 1];

    while (left > 0 && written <= max) {
        size_t len = 0, took = character(one, &len, text, left);

        written += len;
        text += took;
        left -= took;
    }
    return written;
}

void json_text_member(struct buf *out, const char *before, const char *key, const char *text, size_t max)
{
    if (text == NULL || text[0] == '\0')
        return;
    buf_printf(out, "%s\"%s\": \"", before, key);
    (void)json_text_add(out, text, max);
    buf_char(out, '"');
}

void json_text_array(struct buf *out, const char *before, const char *key, const char *const *text, size_t count,
                     size_t max)
{
    size_t written = 0;

    if (count == 0)
        return;
    buf_printf(out, "%s\"%s\":[", before, key);
    for (size_t i = 0; i < count; i++) {
        size_t len = measure(text[i], max) + (i > 0 ? 3 : 2);

        if (written + len > max)
            break;
        written += len;
        buf_str(out, i > 0 ? ",\"" : "\"");
        (void)json_text_add(out, text[i], max);
        buf_char(out, '"');
    }
    buf_char(out, ']');
}
