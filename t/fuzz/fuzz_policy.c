/*
 * fuzz_policy.c - policy files from a recipe, with hostile lines and mx values, from the octets to the answer for
 * Postfix. A policy that is taken says what a second reading of its lines says; nothing of it but its patterns and, in
 * braces, its lines comes into the answer.
 */
#include "ascii.h"
#include "dest_demand.h"

#include <strings.h>

#define NOW       1795341600
#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {
    "version", "mode", "max_age", "mx", "mx", "mx", "MX", "mode ", "x-other", "", "\xef\xbb\xbfmode", "mx_host_pattern",
};

static const char *const values[] = {
    "mx.example",
    "STSv1",
    "enforce",
    "testing",
    "none",
    "604800",
    "*.example",
    "hostname",
    "nexthop",
    "dot-nexthop",
    "*.hostname",
    "MX.Example",
    "xn--bcher-kva.example",
    "b\303\274cher.example",
    "*",
    "*.",
    ".example",
    "*.*.example",
    "a.*.example",
    "mx.example:evil.example",
    "mx.example servername=evil",
    "mx.example,match=evil",
    "mx.example\tmatch=evil",
    "}",
    "{",
    "} match=evil { x = y",
    "a=b",
    "[192.0.2.1]",
    "192.0.2.1",
    "2001:db8::1",
    "_mx.example",
    "mx.example.",
    "a..b",
    "-a.example",
    "a.123",
    "\xe2\x80\xa8mode: none",
    "x\xc2\x85mode: none",
    "enforce\rmode: none",
    "0",
    "31557601",
    "9999999999",
    "99999999999",
    "-1",
    "4294967297",
};

static void put_value(struct buf *b, struct recipe *in)
{
    unsigned n = take(in);
    char raw[80];

    if (n < sizeof(values) / sizeof(values[0]))
        buf_str(b, values[n]);
    else
        buf_add(b, raw, take_octets(raw, n % sizeof(raw), in));
}

static void put_line(struct buf *b, struct recipe *in)
{
    static const char *const seps[] = {": ", ":", ":\t \t", " : ", "= "};
    static const char *const ends[] = {"\n", "\r\n", "\r", " \n", "\v\n", "\f", "\n\n", ""};
    unsigned n = take(in), how = take(in);

    buf_str(b, keys[n % (sizeof(keys) / sizeof(keys[0]))]);
    buf_str(b, how % 16 < 5 ? seps[how % 16] : seps[0]);
    put_value(b, in);
    buf_str(b, how >> 4 < 8 ? ends[how >> 4] : ends[0]);
}

/* Patterns by the thousand, so that the answer must leave things out. */
static void put_many(struct buf *b, struct recipe *in)
{
    unsigned n = take(in), count = n < 240 ? n % 16 : 900 + (n % 16) * 10;
    unsigned len = take(in) % 60;

    for (; count > 0; count--)
        buf_printf(b, "mx: m%u.%0*d.example\n", count, (int)len + 1, 0);
}

/* A good policy to begin with, of which a recipe may leave out each line. */
static void put_body(struct buf *b, struct recipe *in)
{
    static const char *const modes[] = {"enforce", "testing", "none", "Enforce"};
    unsigned n = take(in);

    if ((n & 1) == 0)
        buf_str(b, "version: STSv1\n");
    if ((n & 2) == 0)
        buf_printf(b, "mode: %s\n", modes[n >> 6]);
    if ((n & 4) == 0)
        buf_str(b, "max_age: 604800\n");
    if ((n & 16) == 0)
        buf_str(b, "mx: mx.example\n");
    for (unsigned i = take(in) % LINES_MAX; i > 0; i--)
        put_line(b, in);
    if ((n & 0x28) == 0x28)
        put_many(b, in);
}

/* --- a second reading --- */

struct line {
    const char *value;
    size_t len;
};

/* The value of the next line with this key, blanks at its ends dropped; *at moves behind the line. */
static bool next_value(struct line *out, const char **at, const char *end, const char *key)
{
    while (*at < end) {
        const char *begin = *at;
        const char *lf = memchr(begin, '\n', (size_t)(end - begin));
        const char *stop = lf == NULL ? end : lf;

        *at = lf == NULL ? end : lf + 1;
        if ((size_t)(stop - begin) <= strlen(key) || memcmp(begin, key, strlen(key)) != 0 || begin[strlen(key)] != ':')
            continue;
        begin += strlen(key) + 1;
        while (begin < stop && (*begin == ' ' || *begin == '\t'))
            begin++;
        while (stop > begin && strchr(" \t\r", stop[-1]) != NULL)
            stop--;
        *out = (struct line){begin, (size_t)(stop - begin)};
        return true;
    }
    return false;
}

static bool line_is(const struct line *l, const char *text)
{
    return l->len == strlen(text) && strncasecmp(l->value, text, l->len) == 0;
}

static void demand_mode(const struct sts_policy *p, const char *body, size_t len)
{
    const char *at = body;
    struct line l;

    demand(next_value(&l, &at, body + len, "mode"));
    demand(line_is(&l, sts_mode_name(p->mode)));
    at = body;
    demand(next_value(&l, &at, body + len, "version") && line_is(&l, "STSv1"));
}

static void demand_max_age(const struct sts_policy *p, const char *body, size_t len)
{
    const char *at = body;
    char digits[11];
    struct line l;
    unsigned long long age;

    demand(next_value(&l, &at, body + len, "max_age") && l.len < sizeof(digits));
    memcpy(digits, l.value, l.len);
    digits[l.len] = '\0';
    age = strtoull(digits, NULL, 10);
    demand(p->max_age == (age > STS_MAX_AGE_MAX ? STS_MAX_AGE_MAX : age));
}

/* Each mx line is a pattern, each pattern a line, the first of the same ones counts. */
static void demand_patterns(const struct sts_policy *p, const char *body, size_t len)
{
    const char *at = body;
    size_t count = 0;
    struct line l;

    while (next_value(&l, &at, body + len, "mx")) {
        size_t i = 0;

        while (i < count && !line_is(&l, p->mx[i]))
            i++;
        if (i < count)
            continue;
        demand(count < p->mx_count && line_is(&l, p->mx[count]));
        count++;
    }
    demand(count == p->mx_count);
}

static void try_body(const char *body, size_t len, unsigned how)
{
    struct dest *d = dest_new("d.example");
    struct err e = {""};

    demand(d != NULL);
    d->mx = DEST_MX_LIST;
    d->resolved = NOW;
    d->valid_until = NOW + 300;
    d->sts.record = (how & 16) == 0 ? DEST_STS_NONE : DEST_STS_TEMP;
    if (dest_sts_set_policy(&d->sts, "1", body, len, NOW, &e) == 0) {
        demand_mode(&d->sts.policy, body, len);
        demand_max_age(&d->sts.policy, body, len);
        demand_patterns(&d->sts.policy, body, len);
        demand(fits_json(d));
        demand_round_trip(d);
    } else {
        demand(e.text[0] != '\0' && !d->sts.has_policy);
    }
    demand_decisions(d, how);
    dest_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    unsigned how = take(&in);
    struct buf b;

    buf_init(&b, STS_BODY_MAX + 100);
    put_body(&b, &in);
    try_body(buf_text(&b), b.len, how);
    buf_clear(&b);
    return 0;
}
