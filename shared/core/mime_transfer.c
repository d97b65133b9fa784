/* mime_transfer.c - undoes transfer encodings. */
#include "mime_transfer.h"

#include "ascii.h"

#include <stdint.h>
#include <string.h>

enum mime_transfer mime_transfer_find(const char *value, size_t len)
{
    static const struct {
        const char *name;
        enum mime_transfer transfer;
    } names[] = {
        {"", MIME_TRANSFER_NONE},       {"7bit", MIME_TRANSFER_NONE},     {"8bit", MIME_TRANSFER_NONE},
        {"binary", MIME_TRANSFER_NONE}, {"base64", MIME_TRANSFER_BASE64}, {"quoted-printable", MIME_TRANSFER_QUOTED},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i].name) == len && strncasecmp(names[i].name, value, len) == 0)
            return names[i].transfer;
    return MIME_TRANSFER_UNKNOWN;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The octets of 2 to 4 digits. */
static void base64_group(struct buf *out, uint32_t bits, unsigned digits)
{
    char octet[3];

    bits <<= 6 * (4 - digits);
    for (int i = 0; i < 3; i++)
        octet[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    if (digits > 1)
        buf_add(out, octet, digits - 1);
}

static void base64_decode(struct buf *out, const char *text, size_t len)
{
    unsigned digits = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < len && buf_ok(out); i++) {
        int value = base64_value(text[i]);

        if (value >= 0) {
            bits = bits << 6 | (uint32_t)value;
            digits++;
        }
        if (digits == 4 || (text[i] == '=' && digits > 0)) {
            base64_group(out, bits, digits);
            bits = digits = 0;
        }
    }
    if (digits > 0)
        base64_group(out, bits, digits);
}

/* The octets of a line end here, 0 when there is none. */
static size_t line_end_len(const char *s, size_t len)
{
    if (len > 0 && s[0] == '\n')
        return 1;
    return len > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 0;
}

static size_t blanks_len(const char *s, size_t len)
{
    size_t n = 0;

    while (n < len && ascii_is_blank(s[n]))
        n++;
    return n;
}

/* What begins with '=': an octet, a soft line break, or only that. Returns how many octets of text it takes. */
static size_t quoted_escape(struct buf *out, const char *text, size_t len)
{
    size_t blanks = blanks_len(text + 1, len - 1);
    size_t line_end = line_end_len(text + 1 + blanks, len - 1 - blanks);
    int octet = ascii_hex_pair(text + 1, len - 1);

    if (line_end > 0 || 1 + blanks == len)
        return 1 + blanks + line_end;
    buf_char(out, octet < 0 ? '=' : (char)octet);
    return octet < 0 ? 1 : 3;
}

static void quoted_decode(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len && buf_ok(out); i += n) {
        n = blanks_len(text + i, len - i);
        if (n > 0) {
            if (i + n < len && line_end_len(text + i + n, len - i - n) == 0)
                buf_add(out, text + i, n);
        } else if (text[i] == '=') {
            n = quoted_escape(out, text + i, len - i);
        } else {
            buf_char(out, text[i]);
            n = 1;
        }
    }
}

static void q_decode(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len && buf_ok(out); i += n) {
        n = 1;
        if (text[i] == '=')
            n = quoted_escape(out, text + i, len - i);
        else
            buf_char(out, text[i] == '_' ? ' ' : text[i]);
    }
}

void mime_transfer_decode(struct buf *out, enum mime_transfer transfer, const char *text, size_t len)
{
    switch (transfer) {
    case MIME_TRANSFER_BASE64:
        base64_decode(out, text, len);
        break;
    case MIME_TRANSFER_QUOTED:
        quoted_decode(out, text, len);
        break;
    case MIME_TRANSFER_Q:
        q_decode(out, text, len);
        break;
    default:
        buf_add(out, text, len);
    }
}
