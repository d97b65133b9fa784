/* orcpt.c - ORCPT and its two encodings. */
#include "orcpt.h"

#include "address_tag.h"
#include "ascii.h"
#include "utf8.h"

#include <string.h>

#define RFC822 "rfc822;"
#define UTF_8  "utf-8;"

/* xchar (RFC 3461 4): printable ASCII but '+' and '='. */
static bool is_xchar(char c)
{
    return ascii_is_visible(c) && c != '+' && c != '=';
}

void xtext_encode(struct buf *out, const char *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (is_xchar(octets[i]))
            buf_char(out, octets[i]);
        else
            buf_printf(out, "+%02X", (unsigned char)octets[i]);
    }
}

/* Undo what was appended since `before`, and say why. */
static int take_back(struct buf *out, size_t before, struct err *e, const char *why)
{
    out->len = before;
    if (out->data != NULL)
        out->data[before] = '\0';
    return err_set(e, "%s", why);
}

static int whole(struct buf *out, size_t before, struct err *e)
{
    return buf_ok(out) ? 0 : take_back(out, before, e, "no room for it");
}

int xtext_decode(struct buf *out, const char *text, size_t len, struct err *e)
{
    size_t before = out->len;

    for (size_t i = 0; i < len; i++) {
        int octet;

        if (is_xchar(text[i])) {
            buf_char(out, text[i]);
            continue;
        }
        if (text[i] != '+')
            return take_back(out, before, e, "an octet that xtext may not have");
        octet = ascii_hex_pair(text + i + 1, len - i - 1);
        if (octet < 0)
            return take_back(out, before, e, "'+' without two hexadecimal digits in xtext");
        buf_char(out, (char)octet);
        i += 2;
    }
    return whole(out, before, e);
}

/* utf-8-addr-xtext (RFC 6533 3): as xtext, but \x{HEX} for what is not plain. */
static int unicode_encode(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0, octets; i < len; i += octets) {
        octets = utf8_measure(text + i, len - i);
        if (octets == 0)
            return -1;
        if (is_xchar(text[i]) && text[i] != '\\')
            buf_char(out, text[i]);
        else
            buf_printf(out, "\\x{%02X}", (unsigned)utf8_code(text + i, octets));
    }
    return 0;
}

/* \x{HEX}: returns its octets, 0 when it is none. */
static size_t embedded_read(uint32_t *code, const char *text, size_t len)
{
    size_t i = 3;
    int digit;

    if (len < 5 || memcmp(text, "\\x{", 3) != 0)
        return 0;
    *code = 0;
    for (; i < len && i < 9 && (digit = ascii_hex_value(text[i])) >= 0; i++)
        *code = *code << 4 | (uint32_t)digit;
    return i > 3 && i < len && text[i] == '}' && *code != 0 ? i + 1 : 0;
}

/* The 7-bit form, and the one that has UTF-8 itself in it. */
static int unicode_decode(struct buf *out, const char *text, size_t len, struct err *e)
{
    size_t before = out->len;

    for (size_t i = 0, octets; i < len; i += octets) {
        char plain[UTF8_MAX];
        uint32_t code;

        octets = utf8_measure(text + i, len - i);
        if (octets > 1 || (is_xchar(text[i]) && text[i] != '\\')) {
            buf_add(out, text + i, octets);
            continue;
        }
        octets = embedded_read(&code, text + i, len - i);
        if (octets == 0 || utf8_write(plain, code) == 0)
            return take_back(out, before, e, "neither UTF-8 nor \\x{HEX} in an address of type utf-8");
        buf_add(out, plain, utf8_write(plain, code));
    }
    return whole(out, before, e);
}

int orcpt_make(struct buf *out, const char *address, size_t len, struct err *e)
{
    size_t before = out->len;
    struct address_split s;
    const char *text;
    bool ascii = true;

    if (address_split(&s, address, len, e) != 0)
        return -1;
    text = address + s.local_at;
    len = s.domain_at + s.domain_len - s.local_at;
    for (size_t i = 0; i < len; i++)
        ascii = ascii && (unsigned char)text[i] < 0x80;
    buf_str(out, ascii ? RFC822 : UTF_8);
    if (ascii)
        xtext_encode(out, text, len);
    else if (unicode_encode(out, text, len) != 0)
        return take_back(out, before, e, "the address is not UTF-8");
    if (out->len - before > ORCPT_MAX)
        return take_back(out, before, e, "the address is too long for ORCPT");
    return whole(out, before, e);
}

int orcpt_read(struct buf *out, const char *value, size_t len, struct err *e)
{
    size_t before = out->len, type;

    type = strlen(RFC822);
    if (len > type && strncasecmp(value, RFC822, type) == 0) {
        if (xtext_decode(out, value + type, len - type, e) != 0)
            return -1;
        if (memchr(out->data + before, '\0', out->len - before) != NULL)
            return take_back(out, before, e, "NUL in an address");
        return 0;
    }
    type = strlen(UTF_8);
    if (len > type && strncasecmp(value, UTF_8, type) == 0)
        return unicode_decode(out, value + type, len - type, e);
    return err_set(e, "ORCPT is neither of type rfc822 nor utf-8, or empty");
}
