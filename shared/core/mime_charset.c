/* mime_charset.c - charsets to UTF-8. */
#include "mime_charset.h"

#include "utf8.h"

#include <stdint.h>
#include <string.h>

#define NO_CHARACTER 0xfffd

static const struct {
    const char *name;
    enum mime_charset charset;
} names[] = {
    {"utf-8", MIME_CHARSET_UTF8},
    {"utf8", MIME_CHARSET_UTF8},
    {"us-ascii", MIME_CHARSET_UTF8},
    {"ascii", MIME_CHARSET_UTF8},
    {"ansi_x3.4-1968", MIME_CHARSET_UTF8},
    {"unknown-8bit", MIME_CHARSET_UTF8},
    {"iso-8859-1", MIME_CHARSET_WINDOWS_1252},
    {"iso8859-1", MIME_CHARSET_WINDOWS_1252},
    {"iso_8859-1", MIME_CHARSET_WINDOWS_1252},
    {"latin1", MIME_CHARSET_WINDOWS_1252},
    {"l1", MIME_CHARSET_WINDOWS_1252},
    {"windows-1252", MIME_CHARSET_WINDOWS_1252},
    {"cp1252", MIME_CHARSET_WINDOWS_1252},
    {"x-cp1252", MIME_CHARSET_WINDOWS_1252},
    {"iso-8859-15", MIME_CHARSET_ISO_8859_15},
    {"iso8859-15", MIME_CHARSET_ISO_8859_15},
    {"iso_8859-15", MIME_CHARSET_ISO_8859_15},
    {"latin-9", MIME_CHARSET_ISO_8859_15},
    {"latin9", MIME_CHARSET_ISO_8859_15},
};

enum mime_charset mime_charset_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i].name) == len && strncasecmp(names[i].name, name, len) == 0)
            return names[i].charset;
    return MIME_CHARSET_UNKNOWN;
}

/* 0x80 to 0x9f of windows-1252. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

/* ISO-8859-15 differs from ISO-8859-1 in eight places. */
static uint32_t iso_8859_15(unsigned char octet)
{
    switch (octet) {
    case 0xa4:
        return 0x20ac;
    case 0xa6:
        return 0x0160;
    case 0xa8:
        return 0x0161;
    case 0xb4:
        return 0x017d;
    case 0xb8:
        return 0x017e;
    case 0xbc:
        return 0x0152;
    case 0xbd:
        return 0x0153;
    case 0xbe:
        return 0x0178;
    default:
        return octet < 0xa0 ? NO_CHARACTER : octet;
    }
}

static uint32_t code_of(enum mime_charset charset, unsigned char octet)
{
    if (octet == 0)
        return NO_CHARACTER;
    if (charset == MIME_CHARSET_ISO_8859_15)
        return iso_8859_15(octet);
    return octet >= 0x80 && octet < 0xa0 ? windows_1252[octet - 0x80] : octet;
}

/* The octets of the character here that can stay as they are. */
static size_t plain_len(enum mime_charset charset, const char *s, size_t len)
{
    unsigned char c = (unsigned char)s[0];

    if (c == 0 || (c == '\r' && len > 1 && s[1] == '\n'))
        return 0;
    if (c < 0x80)
        return 1;
    return charset == MIME_CHARSET_UTF8 || charset == MIME_CHARSET_UNKNOWN ? utf8_measure(s, len) : 0;
}

/* Append whole characters, as many as there is room for, then the error. */
static void put_plain(struct buf *out, const char *s, size_t len)
{
    size_t fit = out->max - out->len;

    if (len > fit) {
        while (fit > 0 && ((unsigned char)s[fit] & 0xc0) == 0x80)
            fit--;
        buf_add(out, s, fit);
        s += fit;
        len -= fit;
    }
    buf_add(out, s, len);
}

void mime_charset_to_utf8(struct buf *out, enum mime_charset charset, const char *octets, size_t len)
{
    size_t begin = 0, at = 0;

    while (at < len && buf_ok(out)) {
        size_t plain = plain_len(charset, octets + at, len - at);
        char text[UTF8_MAX];

        if (plain > 0) {
            at += plain;
            continue;
        }
        put_plain(out, octets + begin, at - begin);
        if (octets[at] != '\r')
            buf_add(out, text, utf8_write(text, code_of(charset, (unsigned char)octets[at])));
        begin = ++at;
    }
    put_plain(out, octets + begin, at - begin);
}

/* Room for all that fits in out, were every LF of it a CR LF. */
static size_t converted_max(const struct buf *out, size_t len)
{
    size_t room = out->max - out->len;
    size_t fits = room < SIZE_MAX / 4 ? 2 * room + UTF8_MAX : SIZE_MAX;

    return len < fits / MIME_CHARSET_GROWTH ? len * MIME_CHARSET_GROWTH : fits;
}

/* By the converter. What comes from it is made as all text is. */
static unsigned convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len,
                        struct mime_converter *c)
{
    struct buf text;
    unsigned doubt;

    if (c == NULL || c->convert == NULL)
        return MIME_DOUBT_CHARSET;
    if (c->left == 0) {
        mime_charset_to_utf8(out, MIME_CHARSET_UNKNOWN, octets, len);
        return MIME_DOUBT_OCTETS;
    }
    c->left--;
    buf_init(&text, converted_max(out, len));
    doubt = c->convert(&text, charset, charset_len, octets, len);
    if (!buf_ok(&text))
        doubt |= MIME_DOUBT_OCTETS;
    mime_charset_to_utf8(out, MIME_CHARSET_UTF8, buf_text(&text), text.len);
    buf_clear(&text);
    return doubt;
}

unsigned mime_charset_read(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len,
                           struct mime_converter *c)
{
    enum mime_charset known = charset_len == 0 ? MIME_CHARSET_UTF8 : mime_charset_find(charset, charset_len);
    unsigned doubt = MIME_DOUBT_CHARSET;

    if (known == MIME_CHARSET_UNKNOWN && len > 0)
        doubt = convert(out, charset, charset_len, octets, len, c);
    if (known == MIME_CHARSET_UNKNOWN && doubt != MIME_DOUBT_CHARSET)
        return doubt;
    mime_charset_to_utf8(out, known, octets, len);
    return known == MIME_CHARSET_UNKNOWN && len > 0 ? doubt : 0;
}
