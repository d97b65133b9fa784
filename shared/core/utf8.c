/* utf8.c - the one place that knows which octets are UTF-8. */
#include "utf8.h"

/* By its lead octet; 0 for an octet that begins none. */
static size_t expected_len(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* The second octet settles whether a sequence is overlong, a surrogate or beyond the last code point. */
static int second_fits(unsigned char lead, unsigned char second)
{
    unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

    return second >= least && second <= most;
}

size_t utf8_measure(const char *s, size_t len)
{
    unsigned char lead = (unsigned char)s[0];
    size_t want = expected_len(lead);

    if (want < 2)
        return want;
    if (want > len || !second_fits(lead, (unsigned char)s[1]))
        return 0;
    for (size_t i = 2; i < want; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
    return want;
}

uint32_t utf8_code(const char *s, size_t octets)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)s[0] & lead_bits[octets];

    for (size_t i = 1; i < octets; i++)
        code = code << 6 | ((unsigned char)s[i] & 0x3f);
    return code;
}

size_t utf8_write(char out[UTF8_MAX], uint32_t code)
{
    static const unsigned char lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t octets = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    for (size_t i = octets - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[octets] | code);
    return octets;
}
