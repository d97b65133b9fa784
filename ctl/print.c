/* print.c - text for people: foreign octets made harmless, times, colours. */
#include "print.h"

#include "utf8.h"

#include <string.h>
#include <time.h>

#define YEAR_10000 INT64_C(253402300800) /* the first second of it */

struct range {
    uint32_t first, last;
};

/* Characters that act on a terminal, or that reorder or break the line around them. */
static const struct range acting[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x061c, 0x061c}, {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static const struct range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f}, {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static const struct range wide[] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

#define IN(table, c) in_ranges(table, sizeof(table) / sizeof((table)[0]), c)

static bool in_ranges(const struct range *r, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

/* Read one UTF-8 character. Returns its octets, or 0 when there is none. */
static size_t char_read(uint32_t *out, const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = utf8_measure(text, len);

    *out = n <= 1 ? s[0] : s[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        *out = *out << 6 | (s[i] & 0x3fU);
    return n;
}

void print_text(struct buf *out, const char *text, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += n) {
        uint32_t c = 0;

        n = char_read(&c, text + i, len - i);
        if (n > 0 && !IN(acting, c)) {
            buf_add(out, text + i, n);
            continue;
        }
        n = n > 0 ? n : 1;
        for (size_t k = 0; k < n; k++)
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[i + k]);
    }
}

size_t print_width(const char *text, size_t len)
{
    size_t width = 0;
    size_t n;

    for (size_t i = 0; i < len; i += n) {
        uint32_t c = 0;

        n = char_read(&c, text + i, len - i);
        if (n == 0)
            n = 1;
        else if (IN(combining, c))
            continue;
        width += IN(wide, c) ? 2 : 1;
    }
    return width;
}

/* The octets of a harmless text that fit, with the combining marks behind them. */
static size_t octets_in(const char *text, size_t len, size_t columns)
{
    size_t end = 0;

    for (size_t n = 0; end < len; end += n) {
        n = utf8_measure(text + end, len - end);
        n = n > 0 ? n : 1;
        if (print_width(text, end + n) > columns)
            break;
    }
    return end;
}

void print_cut(struct buf *out, const char *text, size_t columns)
{
    struct buf harmless;

    buf_init(&harmless, 4 * strlen(text) + 1);
    print_text(&harmless, text, strlen(text));
    if (!buf_ok(&harmless)) {
        out->failed = true;
    } else if (print_width(buf_text(&harmless), harmless.len) <= columns) {
        buf_str(out, buf_text(&harmless));
    } else if (columns > 0) {
        buf_add(out, harmless.data, octets_in(harmless.data, harmless.len, columns - 1));
        buf_char(out, '~');
    }
    buf_clear(&harmless);
}

void print_tinted(struct buf *out, const char *text, enum tint tint, bool colour)
{
    static const char *const code[] = {"", "\033[32m", "\033[33m", "\033[31m", "\033[1m"};

    if (!colour || tint == TINT_NONE) {
        buf_str(out, text);
        return;
    }
    buf_str(out, code[tint]);
    buf_str(out, text);
    buf_str(out, "\033[0m");
}

void print_span(struct buf *out, int64_t seconds)
{
    int64_t s = seconds > 0 ? seconds : 0;

    if (s < 60)
        buf_printf(out, "%d s", (int)s);
    else if (s < 3600)
        buf_printf(out, "%d m", (int)(s / 60));
    else if (s < 2 * INT64_C(86400))
        buf_printf(out, "%d h", (int)(s / 3600));
    else
        buf_printf(out, "%lld d", (long long)(s / 86400));
}

/* How far off, without passing the range of the type. */
static int64_t distance(int64_t a, int64_t b)
{
    int64_t d;

    return __builtin_sub_overflow(a, b, &d) ? INT64_MAX : d;
}

void print_time(struct buf *out, int64_t when, int64_t now)
{
    time_t t = (time_t)when;
    struct tm tm;
    char iso[32];

    if (when >= 0 && when < YEAR_10000 && gmtime_r(&t, &tm) != NULL &&
        strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        buf_str(out, iso);
    else
        buf_printf(out, "%lld", (long long)when);
    if (when == now) {
        buf_str(out, " (now)");
    } else if (when > now) {
        buf_str(out, " (in ");
        print_span(out, distance(when, now));
        buf_str(out, ")");
    } else {
        buf_str(out, " (");
        print_span(out, distance(now, when));
        buf_str(out, " ago)");
    }
}
