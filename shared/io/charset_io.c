/* charset_io.c - see charset_io.h. Opening a charset is 1 us if its table is loaded, else 50: nothing is kept open. */
#include "charset_io.h"

#include "ascii.h"
#include "unguarded.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_OCTETS 40
#define PIECE           4096
#define PROBE_MAX       96
#define NO_CHARACTER    "\xef\xbf\xbd"

/* --- names --- */

static const struct {
    const char *said, *meant;
} meant[] = {
    {"gb2312", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"cn-gb", "GB18030"},
    {"x-gbk", "GB18030"},
    {"gbk", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"cn-big5", "BIG5-HKSCS"},
    {"x-x-big5", "BIG5-HKSCS"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"x-sjis", "CP932"},
    {"euc-jp", "EUC-JP-MS"},
    {"x-euc-jp", "EUC-JP-MS"},
    {"euc-kr", "UHC"},
    {"ks_c_5601-1987", "UHC"},
    {"ks_c_5601-1989", "UHC"},
    {"ks_c_5601", "UHC"},
    {"ksc5601", "UHC"},
    {"korean", "UHC"},
    {"windows-949", "UHC"},
    {"tis-620", "CP874"},
    {"iso-8859-11", "CP874"},
    {"iso-8859-6-e", "ISO-8859-6"},
    {"iso-8859-6-i", "ISO-8859-6"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"koi8r", "KOI8-R"},
    {"cp-1251", "CP1251"},
    {"win-1251", "CP1251"},
    {"x-mac-cyrillic", "MAC-CYRILLIC"},
    {"x-mac-roman", "MACINTOSH"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"x-unicode-2-0-utf-7", "UTF-7"},
};

/* "" is the locale's to iconv, and "//" begins an option. */
static bool name_copy(char out[NAME_MAX_OCTETS + 1], const char *name, size_t len)
{
    if (len == 0 || len > NAME_MAX_OCTETS)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alnum(name[i]) && (name[i] == '\0' || strchr("-_.:", name[i]) == NULL))
            return false;
    memcpy(out, name, len);
    out[len] = '\0';
    return true;
}

static bool is_open(iconv_t cd)
{
    return (intptr_t)cd != -1;
}

static iconv_t open_name(const char *name)
{
    for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++)
        if (strcasecmp(name, meant[i].said) == 0) {
            iconv_t cd = iconv_open("UTF-8", meant[i].meant);

            return is_open(cd) ? cd : iconv_open("UTF-8", name);
        }
    return iconv_open("UTF-8", name);
}

/* --- what a charset is like --- */

struct conversion {
    iconv_t cd;
    size_t unit; /* octets that a character has at least */
    bool ascii;  /* what is printable ASCII is itself, but for \ and ~, which are money and a line in the Far East */
    bool shifts; /* until something shifts to another meaning */
    bool broken;
};

/* From its first state. Returns what iconv does, errno with it; *len: octets that came out. */
static size_t probe(iconv_t cd, char out[PROBE_MAX], size_t *len, const char *in, size_t in_len)
{
    char *from = unguarded(in), *to = out;
    size_t room = PROBE_MAX, rc;
    int why;

    iconv(cd, NULL, NULL, NULL, NULL);
    rc = iconv(cd, &from, &in_len, &to, &room);
    why = errno;
    if (rc != (size_t)-1)
        iconv(cd, NULL, NULL, &to, &room);
    errno = why;
    *len = PROBE_MAX - room;
    return rc;
}

static const char shifts[] = {0x0e, 0x0f, 0x1b};

static bool is_itself(iconv_t cd, const char *in, size_t in_len)
{
    char out[PROBE_MAX];
    size_t len;

    return probe(cd, out, &len, in, in_len) != (size_t)-1 && len == in_len && memcmp(out, in, len) == 0;
}

static size_t unit_of(iconv_t cd)
{
    static const char zeros[4];
    char out[PROBE_MAX];
    size_t unit = 1, len;

    while (unit < sizeof(zeros) && probe(cd, out, &len, zeros, unit) == (size_t)-1 && errno == EINVAL)
        unit *= 2;
    return unit;
}

static void look_at(struct conversion *c)
{
    static const char printable[] = "\t\n\r !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                                    "abcdefghijklmnopqrstuvwxyz{|}";
    _Static_assert(sizeof(printable) <= PROBE_MAX + 1, "all of it fits");
    c->unit = unit_of(c->cd);
    c->ascii = is_itself(c->cd, printable, sizeof(printable) - 1);
    c->shifts = c->ascii && !is_itself(c->cd, shifts, sizeof(shifts));
    iconv(c->cd, NULL, NULL, NULL, NULL);
}

/* Does the name, or a mark at the beginning, say which octet comes first? */
static bool order_is_said(const char *name, const char *octets, size_t len)
{
    size_t name_len = strlen(name);
    const char *end = name_len < 2 ? name : name + name_len - 2;

    return strcasecmp(end, "BE") == 0 || strcasecmp(end, "LE") == 0 ||
           (len >= 2 && (memcmp(octets, "\xfe\xff", 2) == 0 || memcmp(octets, "\xff\xfe", 2) == 0)) ||
           (len >= 4 && memcmp(octets, "\0\0\xfe\xff", 4) == 0);
}

/* --- conversion --- */

static bool is_graphic(char c)
{
    return c > 0x20 && c < 0x7f;
}

/* The octets here are no character. Returns how many they are. at_end: they begin one that could go on behind them. */
static size_t skip(struct conversion *c, const char *in, size_t left, bool at_end)
{
    bool pair = c->shifts && left > 1 && is_graphic(in[0]) && is_graphic(in[1]); /* one is itself if not shifted */

    if (!pair && !at_end && (c->shifts || !c->ascii))
        c->broken = true;
    if (pair)
        return 2;
    return left < c->unit ? left : c->unit;
}

/* What fits of a piece, and what is not converted yet. Returns as iconv. */
static size_t piece(struct conversion *c, struct buf *out, char **in, size_t *left)
{
    char text[PIECE], *to = text;
    size_t room = out->max - out->len < PIECE ? out->max - out->len : PIECE, before = *left;
    size_t rc = iconv(c->cd, in, left, &to, &room);
    int why = errno;

    if (rc == (size_t)-1 && why == E2BIG && to == text && *left == before)
        out->failed = true; /* not one more character fits */
    buf_add(out, text, (size_t)(to - text));
    for (size_t i = 0; c->shifts && i < sizeof(shifts); i++)
        if (memchr(text, shifts[i], (size_t)(to - text)) != NULL)
            c->broken = true; /* a shift that the C library does not know */
    errno = why;
    return rc;
}

static void convert(struct conversion *c, struct buf *out, const char *octets, size_t left)
{
    char *in = unguarded(octets);

    while (left > 0 && buf_ok(out)) {
        size_t n;
        int why;

        if (piece(c, out, &in, &left) != (size_t)-1)
            break;
        why = errno;
        if (why == E2BIG)
            continue;
        buf_str(out, NO_CHARACTER);
        n = skip(c, in, left, why == EINVAL);
        in += n;
        left -= n;
    }
    in = NULL;
    left = 0;
    if (buf_ok(out))
        piece(c, out, &in, &left); /* a character may be held back, for what follows could belong to it */
}

unsigned charset_convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len)
{
    char name[NAME_MAX_OCTETS + 1];
    struct conversion c = {0};

    if (!name_copy(name, charset, charset_len))
        return MIME_DOUBT_CHARSET;
    c.cd = open_name(name);
    if (!is_open(c.cd))
        return MIME_DOUBT_CHARSET;
    look_at(&c);
    if (c.unit > 1 && !order_is_said(name, octets, len))
        c.broken = true;
    convert(&c, out, octets, len);
    iconv_close(c.cd);
    return (c.broken ? MIME_DOUBT_OCTETS : 0U) | (c.ascii ? 0U : MIME_DOUBT_ASCII);
}
