/* utf8_fold.c - simple case folding of the scripts whose letters keep their length. */
#include "utf8_fold.h"

#include <stdint.h>

/* Letters first to last, each `step` apart, whose lower case is `away`. A pair of neighbours has step 2 and away 1. */
static const struct fold_range {
    uint16_t first;
    uint16_t last;
    uint8_t step;
    int16_t away;
} ranges[] = {
    {0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32}, {0x0100, 0x012e, 2, 1},    {0x0132, 0x0136, 2, 1},
    {0x0139, 0x0147, 2, 1},  {0x014a, 0x0176, 2, 1},  {0x0178, 0x0178, 1, -121}, {0x0179, 0x017d, 2, 1},
    {0x0386, 0x0386, 1, 38}, {0x0388, 0x038a, 1, 37}, {0x038c, 0x038c, 1, 64},   {0x038e, 0x038f, 1, 63},
    {0x0391, 0x03a1, 1, 32}, {0x03a3, 0x03ab, 1, 32}, {0x03c2, 0x03c2, 1, 1},    {0x0400, 0x040f, 1, 80},
    {0x0410, 0x042f, 1, 32}, {0x0460, 0x0480, 2, 1},  {0x048a, 0x04be, 2, 1},    {0x04c0, 0x04c0, 1, 15},
    {0x04c1, 0x04cd, 2, 1},  {0x04d0, 0x052e, 2, 1},
};

static unsigned fold_letter(unsigned c)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && c >= ranges[i].first; i++)
        if (c <= ranges[i].last && (c - ranges[i].first) % ranges[i].step == 0)
            return (unsigned)((int)c + ranges[i].away);
    return c;
}

void utf8_fold(char *out, const char *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char lead = (unsigned char)in[i];

        if (lead < 0x80) {
            out[i] = (char)(lead >= 'A' && lead <= 'Z' ? lead + ('a' - 'A') : lead);
        } else if (lead >= 0xc3 && lead <= 0xd4 && i + 1 < len && ((unsigned char)in[i + 1] & 0xc0) == 0x80) {
            unsigned c = fold_letter((lead & 0x1fU) << 6 | ((unsigned char)in[i + 1] & 0x3fU));

            out[i] = (char)(0xc0U | c >> 6);
            out[++i] = (char)(0x80U | (c & 0x3fU));
        } else {
            out[i] = (char)lead;
        }
    }
}
