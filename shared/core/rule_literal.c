/*
 * rule_literal.c - reads regular expressions as far as it needs to. PCRE2 has taken them, so that nothing here looks
 * for mistakes. Whatever is assumed to fit more than it does makes fewer texts known, and is safe.
 */
#include "rule_literal.h"

#include <string.h>

#include "ascii.h"
#include "literal_part.h"
#include "utf8.h"
#include "utf8_fold.h"

#define CLASS_MAX  5  /* different characters of a class that are taken one by one */
#define GROUPS_MAX 50 /* within one another; PCRE2 was told the same */

struct reader {
    const char *text;
    size_t len;
    size_t at;
    bool shapes;
    bool doubt; /* something was not understood */
    unsigned groups;
};

static const char *const odd[] = {
    "\xc2\xb5",     "\xc5\xbf",     "\xcd\x85",     "\xcf\x90",     "\xcf\x91",     "\xcf\x95",
    "\xcf\x96",     "\xcf\xb0",     "\xcf\xb1",     "\xcf\xb4",     "\xcf\xb5",     "\xe1\xb2\x80",
    "\xe1\xb2\x81", "\xe1\xb2\x82", "\xe1\xb2\x83", "\xe1\xb2\x84", "\xe1\xb2\x85", "\xe1\xb2\x86",
    "\xe1\xb2\x87", "\xe1\xba\x9e", "\xe1\xbe\xbe", "\xe2\x84\xa6", "\xe2\x84\xaa", "\xe2\x84\xab",
};

const char *rule_literal_odd(size_t i)
{
    return i < sizeof(odd) / sizeof(odd[0]) ? odd[i] : NULL;
}

/* Characters beyond ASCII whose case utf8_fold knows as PCRE2 does, but for the odd ones, or that have none. */
static const struct {
    uint16_t first;
    uint16_t last;
} plain[] = {
    {0x00a1, 0x00b4}, {0x00b6, 0x017e}, {0x0388, 0x038f}, {0x0391, 0x03af}, {0x03b1, 0x03ce},
    {0x0400, 0x052f}, {0x2010, 0x20bf}, {0x3000, 0x9fff}, {0xac00, 0xd7a3},
};

static bool is_plain(const char *c, size_t octets)
{
    const uint32_t code = octets == 1 ? (unsigned char)c[0] : utf8_code(c, octets);

    if (code < 0x80)
        return code != '?'; /* which may be what is no UTF-8, see rule_eval.h */
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (code >= plain[i].first && code <= plain[i].last)
            return true;
    return false;
}

/* --- reading --- */

static bool at_char(const struct reader *r, char c)
{
    return r->at < r->len && r->text[r->at] == c;
}

static bool skip_char(struct reader *r, char c)
{
    if (!at_char(r, c))
        return false;
    r->at++;
    return true;
}

static bool skip_word(struct reader *r, const char *word)
{
    const size_t len = strlen(word);

    if (r->len - r->at < len || memcmp(r->text + r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

/* One character, of so many octets, which the reader is behind. */
static void read_character(const struct reader *r, struct literal_part *p, const char *c, size_t octets)
{
    char folded[UTF8_MAX];

    literal_part_any(p);
    if (octets == 0 || octets > UTF8_MAX || !is_plain(c, octets))
        return;
    utf8_fold(folded, c, octets);
    if (r->shapes && ascii_is_alnum(folded[0]))
        folded[0] = ascii_is_digit(folded[0]) ? '0' : 'a';
    literal_part_text(p, folded, octets);
}

/* Every digit. */
static void part_digits(struct literal_part *p, const struct reader *r)
{
    literal_part_any(p);
    if (!r->shapes)
        return;
    literal_part_text(p, "0", 1);
    p->classes = true;
}

/* \x{…}, \p{…}: what is in the braces, if they are there. */
static void skip_braces(struct reader *r)
{
    const char *end;

    if (!at_char(r, '{'))
        return;
    end = memchr(r->text + r->at, '}', r->len - r->at);
    r->doubt = r->doubt || end == NULL;
    r->at = end == NULL ? r->len : (size_t)(end - r->text) + 1;
}

/* Behind the backslash of what stands for a character. Tells which, for a sign; '\0' when it may be many. */
static char read_escape(struct reader *r)
{
    const char c = r->at < r->len ? r->text[r->at++] : '\0';

    if (c > 0x20 && c < 0x7f && !ascii_is_alnum(c))
        return c;
    if (c == ' ')
        return c;
    if (c == 'x' && at_char(r, '{')) {
        skip_braces(r);
    } else if (c == 'x') {
        r->doubt = r->doubt || ascii_hex_pair(r->text + r->at, r->len - r->at) < 0;
        r->at += 2;
    } else if (c == 'p' || c == 'P') {
        if (at_char(r, '{'))
            skip_braces(r);
        else
            r->at++;
    } else if (c == '\0' || strchr("dDwWsShHvVtnrfea", c) == NULL) {
        r->doubt = true;
    }
    return '\0';
}

static void read_backslash(struct reader *r, struct literal_part *p)
{
    const char c = r->at < r->len ? r->text[r->at] : '\0';
    char sign;

    if (c != '\0' && strchr("bBAzZGK", c) != NULL) {
        r->at++;
        literal_part_empty(p);
        return;
    }
    if (c == 'd') {
        r->at++;
        part_digits(p, r);
        return;
    }
    literal_part_any(p);
    if (c == 'N' || c == 'R' || c == 'X') {
        r->at++;
        r->doubt = r->doubt || at_char(r, '{');
        return;
    }
    sign = read_escape(r);
    if (sign != '\0')
        read_character(r, p, &sign, 1);
}

/* --- classes: [a-f] --- */

struct class
{
    struct rule_literal_set set;
    bool wide;   /* has more than the set */
    bool ranges; /* of digits or letters */
};

static void class_add(struct class *k, const struct reader *r, char first, char last)
{
    for (int c = (unsigned char)first; c <= (unsigned char)last && !k->wide; c++) {
        struct literal_part p;
        const char sign = (char)c;

        read_character(r, &p, &sign, 1);
        k->ranges = k->ranges || (last > first && ascii_is_alnum(sign));
        k->wide = !p.whole || k->set.count > CLASS_MAX || !literal_set_unite(&k->set, &p.last);
    }
}

/* [:name:] behind its "[". A name that is not there makes it something else. */
static void read_posix(struct reader *r, struct class *k)
{
    size_t end;

    if (!at_char(r, ':') && !at_char(r, '.') && !at_char(r, '='))
        return;
    if (skip_word(r, ":digit:]")) {
        class_add(k, r, '0', '9');
        return;
    }
    end = r->at + 1;
    while (end < r->len && (ascii_is_alpha(r->text[end]) || r->text[end] == '^'))
        end++;
    r->doubt = r->doubt || end + 2 > r->len || r->text[end] != ':' || r->text[end + 1] != ']';
    r->at = end + 2;
    k->wide = true;
}

/* One member, or a range of them. A sign before or behind a "-" that makes no range is a member all the same. */
static void read_member(struct reader *r, struct class *k)
{
    const size_t octets = utf8_measure(r->text + r->at, r->len - r->at);
    char c = r->text[r->at];

    r->at += octets == 0 ? 1 : octets;
    if (c == '[' && (at_char(r, ':') || at_char(r, '.') || at_char(r, '='))) {
        read_posix(r, k);
        return;
    }
    if (c == '\\' && skip_char(r, 'd')) {
        class_add(k, r, '0', '9');
        return;
    }
    if (c == '\\' && at_char(r, 'b')) {
        r->at++;
        k->wide = true;
        return;
    }
    if (c == '\\')
        c = read_escape(r);
    k->wide = k->wide || (unsigned char)c >= 0x80 || c == '\0';
    if (r->len - r->at < 2 || r->text[r->at] != '-' || r->text[r->at + 1] == ']') {
        class_add(k, r, c, c);
        return;
    }
    if (strchr("[\\", r->text[r->at + 1]) != NULL || (unsigned char)r->text[r->at + 1] >= 0x80) {
        k->wide = true;
        return;
    }
    class_add(k, r, c, r->text[r->at + 1]);
    r->at += 2;
}

static void read_class(struct reader *r, struct literal_part *p)
{
    struct class k = {.set = {.count = 0}};
    bool first = true;

    k.wide = skip_char(r, '^');
    for (; !r->doubt && r->at < r->len && (first || !at_char(r, ']')); first = false)
        read_member(r, &k);
    r->doubt = r->doubt || !skip_char(r, ']');
    literal_part_any(p);
    if (k.wide || k.set.count == 0 || k.set.count > CLASS_MAX)
        return;
    p->whole = true;
    p->classes = k.ranges;
    p->last = k.set;
}

/* --- groups --- */

static void read_alternatives(struct reader *r, struct literal_part *out);

/* The name of a group, and what ends it. */
static void skip_name(struct reader *r, char end)
{
    while (r->at < r->len && (ascii_is_alnum(r->text[r->at]) || r->text[r->at] == '_'))
        r->at++;
    r->doubt = r->doubt || !skip_char(r, end);
}

/* "i", "-i": what stands between "(?" and ":" or ")". */
static bool skip_options(struct reader *r)
{
    while (r->at < r->len && strchr("imsUJ-", r->text[r->at]) != NULL)
        r->at++;
    return at_char(r, ':') || at_char(r, ')');
}

/* Behind "(?". Tells whether the group is one that only looks, or nothing but options, and ended. */
static bool read_group_kind(struct reader *r, bool *ended)
{
    static const char *const looks[] = {"=", "!", "<=", "<!"};

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (skip_word(r, looks[i]))
            return true;
    if (skip_char(r, '>') || skip_char(r, '|'))
        return false;
    if (skip_word(r, "P<") || skip_char(r, '<')) {
        skip_name(r, '>');
        return false;
    }
    if (skip_char(r, '\'')) {
        skip_name(r, '\'');
        return false;
    }
    r->doubt = r->doubt || !skip_options(r);
    *ended = !r->doubt && r->text[r->at++] == ')';
    return false;
}

/* Behind "(". */
static void read_group(struct reader *r, struct literal_part *p)
{
    bool looks = false, ended = false;

    literal_part_empty(p);
    if (at_char(r, '*') || ++r->groups > GROUPS_MAX)
        r->doubt = true;
    else if (skip_char(r, '?'))
        looks = read_group_kind(r, &ended);
    if (r->doubt || ended) {
        r->groups--;
        return;
    }
    read_alternatives(r, p);
    r->doubt = r->doubt || !skip_char(r, ')');
    if (looks)
        literal_part_empty(p);
    r->groups--;
}

/* --- sequences --- */

static void read_item(struct reader *r, struct literal_part *p)
{
    const char *c = r->text + r->at;
    const size_t octets = utf8_measure(c, r->len - r->at);

    r->at += octets == 0 ? 1 : octets;
    switch (*c) {
    case '(':
        read_group(r, p);
        return;
    case '[':
        read_class(r, p);
        return;
    case '\\':
        read_backslash(r, p);
        return;
    case '^':
    case '$':
        literal_part_empty(p);
        return;
    case '.':
        literal_part_any(p);
        return;
    default:
        r->doubt = r->doubt || *c == '{';
        read_character(r, p, c, octets);
    }
}

/* Digits, at least one: counts are three digits at most (RULE_COUNT_MAX). */
static unsigned read_number(struct reader *r)
{
    unsigned n = 0;
    const size_t began = r->at;

    while (r->at < r->len && r->at - began < 4 && ascii_is_digit(r->text[r->at]))
        n = n * 10 + (unsigned)(r->text[r->at++] - '0');
    r->doubt = r->doubt || r->at == began;
    return n;
}

/* "{2}", "{2,}", "{2,9}" behind the "{". */
static void read_count(struct reader *r, unsigned *least, unsigned *most)
{
    *least = *most = read_number(r);
    if (skip_char(r, ','))
        *most = at_char(r, '}') ? 0 : read_number(r);
    r->doubt = r->doubt || !skip_char(r, '}');
}

static void read_repeat(struct reader *r, unsigned *least, unsigned *most)
{
    *least = *most = 1;
    if (skip_char(r, '?'))
        *least = 0;
    else if (skip_char(r, '*'))
        *least = *most = 0;
    else if (skip_char(r, '+'))
        *most = 0;
    else if (skip_char(r, '{'))
        read_count(r, least, most);
    else
        return;
    if (!skip_char(r, '?'))
        skip_char(r, '+');
}

static void read_sequence(struct reader *r, struct literal_part *out)
{
    unsigned least, most;
    struct literal_part item;

    literal_part_empty(out);
    while (!r->doubt && r->at < r->len && !at_char(r, '|') && !at_char(r, ')')) {
        read_item(r, &item);
        read_repeat(r, &least, &most);
        literal_part_join_copies(out, &item, least, most, r->shapes);
    }
}

static void read_alternatives(struct reader *r, struct literal_part *out)
{
    struct literal_part other;
    bool first = true;

    do {
        read_sequence(r, &other);
        literal_part_or(out, &other, first, r->shapes);
        first = false;
    } while (!r->doubt && skip_char(r, '|'));
}

void rule_literals_find(struct rule_literals *out, const char *pattern, size_t len, bool shapes)
{
    struct reader r = {.text = pattern, .len = len, .shapes = shapes};
    struct literal_part all;

    read_alternatives(&r, &all);
    literal_part_settle(&all, shapes);
    out->count = 0;
    if (!r.doubt && r.at == len)
        *out = all.need;
}
