/* mime_param.c - parameters of MIME fields. */
#include "mime_param.h"

#include "ascii.h"
#include "header_field.h"

#include <string.h>

#define SECTIONS 100 /* of one parameter: name*0 to name*99 */

struct param {
    const char *name;
    size_t name_len;
    const char *value; /* what is between the quotes, quoted pairs as they are */
    size_t value_len;
    bool quoted;
    bool encoded; /* name*= or name*N*= */
};

/* Behind the quoted string that begins at `at`, or the end. */
static size_t quoted_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < len ? at + 1 : len;
}

/* The next ';' outside of quotes, or the end. */
static size_t semicolon(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] != ';')
        at = text[at] == '"' ? quoted_end(text, len, at) : at + 1;
    return at;
}

static size_t blanks_skip(const char *text, size_t len, size_t at)
{
    while (at < len && ascii_is_blank(text[at]))
        at++;
    return at;
}

/* A span without the blanks at its end. */
static size_t trimmed(const char *text, size_t from, size_t to)
{
    while (to > from && ascii_is_blank(text[to - 1]))
        to--;
    return to - from;
}

void mime_value_word(struct buf *out, const char *text, size_t len)
{
    size_t begin = blanks_skip(text, len, 0);
    size_t end = begin + trimmed(text, begin, semicolon(text, len, begin));

    for (size_t i = begin; i < end; i++)
        buf_char(out, text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i]);
}

static void param_value(struct param *p, const char *text, size_t at, size_t end)
{
    p->quoted = at < end && text[at] == '"';
    if (p->quoted) {
        size_t stop = quoted_end(text, end, at);

        p->value = text + at + 1;
        p->value_len = stop - at - 1;
        if (p->value_len > 0 && text[stop - 1] == '"') /* it may be cut off */
            p->value_len--;
        return;
    }
    p->value = text + at;
    p->value_len = trimmed(text, at, end);
}

/* The next parameter; *pos begins at the text's first octet. */
static bool param_next(struct param *p, size_t *pos, const char *text, size_t len)
{
    while ((*pos = semicolon(text, len, *pos)) < len) {
        size_t begin = blanks_skip(text, len, *pos + 1);
        size_t end = semicolon(text, len, begin);
        const char *equals = memchr(text + begin, '=', end - begin);

        *pos = end;
        if (equals == NULL)
            continue;
        *p = (struct param){.name = text + begin, .name_len = trimmed(text, begin, (size_t)(equals - text))};
        param_value(p, text, blanks_skip(text, end, (size_t)(equals - text) + 1), end);
        return true;
    }
    return false;
}

/* All that a text has of one parameter. */
struct found {
    struct param plain, encoded, section[SECTIONS]; /* value NULL: not there */
};

static void param_keep(struct param *slot, const struct param *p)
{
    if (slot->value == NULL)
        *slot = *p;
}

/* What is behind the name: "", "*", "*N", "*N*". */
static void found_add(struct found *f, struct param *p, const char *suffix, size_t len)
{
    size_t n = 0, i;

    p->encoded = len > 0 && suffix[len - 1] == '*';
    if (len == 0)
        param_keep(&f->plain, p);
    if (len == 1 && p->encoded)
        param_keep(&f->encoded, p);
    if (len < 2 || len > 4 || suffix[0] != '*')
        return;
    for (i = 1; i < len && ascii_is_digit(suffix[i]); i++)
        n = n * 10 + (size_t)(suffix[i] - '0');
    if (i > 1 && i == len - p->encoded && n < SECTIONS)
        param_keep(&f->section[n], p);
}

static void found_all(struct found *f, const char *text, size_t len, const char *name)
{
    size_t name_len = strlen(name), pos = 0;
    struct param p;

    memset(f, 0, sizeof(*f));
    while (param_next(&p, &pos, text, len))
        if (p.name_len >= name_len && strncasecmp(p.name, name, name_len) == 0)
            found_add(f, &p, p.name + name_len, p.name_len - name_len);
}

/* The octets of a value: without quoted pairs, without percent encoding. */
static void value_octets(struct buf *out, const struct param *p, size_t from)
{
    for (size_t i = from; i < p->value_len; i++) {
        const char *s = p->value + i;
        size_t left = p->value_len - i;

        int octet = p->encoded && *s == '%' ? ascii_hex_pair(s + 1, left - 1) : -1;

        if (octet >= 0) {
            buf_char(out, (char)octet);
            i += 2;
        } else if (p->quoted && *s == '\\' && left > 1) {
            buf_char(out, s[1]);
            i++;
        } else {
            buf_char(out, *s);
        }
    }
}

/* "utf-8'en'": returns its octets, 0 when it is not there. *charset_len: of its charset. */
static size_t charset_prefix(size_t *charset_len, const struct param *p)
{
    const char *first = memchr(p->value, '\'', p->value_len);
    const char *second;

    if (!p->encoded || first == NULL)
        return 0;
    second = memchr(first + 1, '\'', p->value_len - (size_t)(first + 1 - p->value));
    if (second == NULL)
        return 0;
    *charset_len = (size_t)(first - p->value);
    return (size_t)(second + 1 - p->value);
}

/* What the octets of a parameter are in. */
struct form {
    const char *charset;
    size_t charset_len;
    bool encoded; /* by percent encoding, which leaves no encoded words */
};

static int param_octets(struct buf *out, struct form *form, const char *text, size_t len, const char *name)
{
    const struct param *first;
    struct found f;

    found_all(&f, text, len, name);
    first = f.encoded.value != NULL ? &f.encoded : f.section[0].value != NULL ? &f.section[0] : &f.plain;
    if (first->value == NULL)
        return 0;
    *form = (struct form){.charset = first->value, .encoded = first->encoded};
    value_octets(out, first, charset_prefix(&form->charset_len, first));
    for (size_t i = 1; first == &f.section[0] && i < SECTIONS && f.section[i].value != NULL; i++)
        value_octets(out, &f.section[i], 0);
    return 1;
}

int mime_param_octets(struct buf *out, const char *text, size_t len, const char *name)
{
    struct form form;

    return param_octets(out, &form, text, len, name);
}

int mime_param(struct buf *out, const char *text, size_t len, const char *name, struct mime_converter *c)
{
    struct form form = {.charset = ""};
    struct buf octets;
    bool sure;
    int rc;

    buf_init(&octets, len);
    rc = param_octets(&octets, &form, text, len, name);
    if (form.encoded)
        sure = mime_charset_read(out, form.charset, form.charset_len, buf_text(&octets), octets.len, c) == 0;
    else
        sure = header_decode(out, buf_text(&octets), octets.len, c) == 0;
    out->failed = out->failed || !buf_ok(&octets);
    buf_clear(&octets);
    return rc == 1 && !sure ? 2 : rc;
}
