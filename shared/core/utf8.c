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
