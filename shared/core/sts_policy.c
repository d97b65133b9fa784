/*
 * sts_policy.c - the MTA-STS policy file, read strictly by the grammar of RFC 8461 3.2: what it does not allow makes
 * the whole policy invalid, so that no trick with line ends or repeated keys can turn "enforce" into something weaker.
 */
#include "sts_policy.h"

#include "ascii.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX        32
#define MAX_AGE_DIGITS 10
#define SHOWN_MAX      80 /* octets of a foreign value that an error text repeats */
#define MX_START_CAP   8

static const char *const mode_names[] = {"none", "testing", "enforce"};

/* One line, cut: "key: value". */
struct entry {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
};

struct reader {
    struct sts_policy *out;
    size_t mx_cap;
    size_t mx_lines;
    bool has_version;
    bool has_mode;
    bool has_max_age;
};

static int shown_len(size_t len)
{
    return (int)(len < SHOWN_MAX ? len : SHOWN_MAX);
}

const char *sts_mode_name(enum sts_mode mode)
{
    return mode_names[mode];
}

int sts_mode_from_name(enum sts_mode *out, const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++) {
        if (strlen(mode_names[i]) == len && memcmp(mode_names[i], word, len) == 0) {
            *out = (enum sts_mode)i;
            return 1;
        }
    }
    return 0;
}

int sts_policy_line(const char **line, size_t *line_len, size_t *pos, const char *body, size_t len)
{
    const char *lf;
    size_t end;

    if (*pos >= len)
        return 0;
    lf = memchr(body + *pos, '\n', len - *pos);
    end = lf == NULL ? len : (size_t)(lf - body);
    *line = body + *pos;
    *line_len = end - *pos;
    if (lf != NULL && *line_len > 0 && (*line)[*line_len - 1] == '\r')
        (*line_len)--;
    *pos = lf == NULL ? len : end + 1;
    return 1;
}

static int refuse_octet(size_t at, char octet, struct err *e)
{
    if (octet == '\r')
        return err_set(e, "octet %zu: CR without LF: lines end with LF or CRLF", at);
    if (octet == '\0')
        return err_set(e, "octet %zu: NUL", at);
    if ((unsigned char)octet >= 0x80)
        return err_set(e, "octet %zu: 0x%02x is no UTF-8", at, (unsigned)(unsigned char)octet);
    return err_set(e, "octet %zu: control octet 0x%02x", at, (unsigned)(unsigned char)octet);
}

/* Only what sts-policy-ext-value allows: visible characters, UTF-8, and SP between them. */
static int check_value(const struct entry *entry, size_t value_at, struct err *e)
{
    for (size_t i = 0; i < entry->value_len;) {
        const char *at = entry->value + i;
        size_t n = utf8_measure(at, entry->value_len - i);
        if (n == 0 || (n == 1 && *at != ' ' && !ascii_is_visible(*at)))
            return refuse_octet(value_at + i, *at, e);
        i += n;
    }
    return 0;
}

static size_t measure_key(const char *line, size_t len)
{
    size_t n = 0;

    while (n < len && (ascii_is_alnum(line[n]) || (n > 0 && (line[n] == '_' || line[n] == '-' || line[n] == '.'))))
        n++;
    return n;
}

static int cut_key(struct entry *out, const char *line, size_t len, struct err *e)
{
    if (len == 0)
        return err_set(e, "the line is empty, but each must be \"name: value\"");
    if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
        return err_set(e, "a byte order mark is not allowed");
    out->key = line;
    out->key_len = measure_key(line, len);
    if (out->key_len == 0 || out->key_len == len || line[out->key_len] != ':')
        return err_set(e, "\"%.*s\" is not \"name: value\"", shown_len(len), line);
    if (out->key_len > KEY_MAX)
        return err_set(e, "the name has %zu octets, but at most %d are allowed", out->key_len, KEY_MAX);
    return 0;
}

static int cut_entry(struct entry *out, const char *line, size_t len, struct err *e)
{
    size_t at, end = len;

    if (cut_key(out, line, len, e) < 0)
        return -1;
    at = out->key_len + 1;
    while (at < end && ascii_is_blank(line[at]))
        at++;
    while (end > at && ascii_is_blank(line[end - 1]))
        end--;
    if (at == end)
        return err_set(e, "\"%.*s\" has no value", (int)out->key_len, out->key);
    out->value = line + at;
    out->value_len = end - at;
    return check_value(out, at + 1, e);
}

static bool is_address(const char *text, size_t len)
{
    char address[ADDRESS_BUF];

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    return address_normalise(address, text, len) == 1;
}

int sts_pattern_normalise(char out[DOMAIN_BUF], const char *text, size_t len, struct err *e)
{
    char name[DOMAIN_BUF];
    size_t skip = len >= 2 && memcmp(text, "*.", 2) == 0 ? 2 : 0;

    out[0] = '\0';
    if (is_address(text, len))
        return err_set(e, "mx pattern \"%.*s\" is an address, but only host names are allowed", shown_len(len), text);
    if (len > skip && memchr(text + skip, '*', len - skip) != NULL) {
        return err_set(e, "mx pattern \"%.*s\": '*' is only allowed as the whole left-most label", shown_len(len),
                       text);
    }
    if (domain_normalise(name, text + skip, len - skip, e) < 0)
        return err_prefix(e, "mx pattern \"%.*s\"", shown_len(len), text);
    if (strlen(name) + skip > DOMAIN_MAX)
        return err_set(e, "mx pattern \"%.*s...\" is longer than a host name can be", shown_len(len), text);
    memcpy(out, text, skip);
    memcpy(out + skip, name, strlen(name) + 1);
    return 0;
}

/*
 * In a policy an mx value is ["*."] Domain of RFC 5321: A-labels, no '_', no final dot. sts_pattern_normalise, which
 * also reads what people type, is more lenient.
 */
static int check_mx_grammar(const struct entry *entry, struct err *e)
{
    const char *s = entry->value;
    size_t len = entry->value_len;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] >= 0x80) {
            return err_set(e, "mx pattern \"%.*s\": international names must be written as A-labels (xn--...)",
                           shown_len(len), s);
        }
    }
    if (memchr(s, '_', len) != NULL)
        return err_set(e, "mx pattern \"%.*s\": a host name cannot have '_'", shown_len(len), s);
    if (s[len - 1] == '.')
        return err_set(e, "mx pattern \"%.*s\" ends with a dot", shown_len(len), s);
    return 0;
}

static int grow_mx(struct reader *r, struct err *e)
{
    size_t cap = r->mx_cap == 0 ? MX_START_CAP : r->mx_cap * 2;
    char **mx = realloc(r->out->mx, cap * sizeof *mx);

    if (mx == NULL)
        return err_set(e, "out of memory");
    r->out->mx = mx;
    r->mx_cap = cap;
    return 0;
}

static int add_mx(struct reader *r, const char *pattern, struct err *e)
{
    struct sts_policy *p = r->out;

    for (size_t i = 0; i < p->mx_count; i++)
        if (strcmp(p->mx[i], pattern) == 0)
            return 0;
    if (p->mx_count == r->mx_cap && grow_mx(r, e) < 0)
        return -1;
    p->mx[p->mx_count] = strdup(pattern);
    if (p->mx[p->mx_count] == NULL)
        return err_set(e, "out of memory");
    p->mx_count++;
    return 0;
}

static int take_mx(struct reader *r, const struct entry *entry, struct err *e)
{
    char pattern[DOMAIN_BUF];

    if (++r->mx_lines > STS_MX_PATTERN_MAX)
        return err_set(e, "more than %d mx lines", STS_MX_PATTERN_MAX);
    if (check_mx_grammar(entry, e) < 0 || sts_pattern_normalise(pattern, entry->value, entry->value_len, e) < 0)
        return -1;
    return add_mx(r, pattern, e);
}

static int take_version(struct reader *r, const struct entry *entry, struct err *e)
{
    if (entry->value_len != 5 || memcmp(entry->value, "STSv1", 5) != 0)
        return err_set(e, "version is \"%.*s\", not STSv1", shown_len(entry->value_len), entry->value);
    r->has_version = true;
    return 0;
}

static int take_mode(struct reader *r, const struct entry *entry, struct err *e)
{
    if (sts_mode_from_name(&r->out->mode, entry->value, entry->value_len) == 0) {
        return err_set(e, "mode is \"%.*s\", not one of enforce, testing, none", shown_len(entry->value_len),
                       entry->value);
    }
    r->has_mode = true;
    return 0;
}

static int take_max_age(struct reader *r, const struct entry *entry, struct err *e)
{
    uint64_t seconds = 0;

    if (entry->value_len > MAX_AGE_DIGITS)
        return err_set(e, "max_age has more than %d digits", MAX_AGE_DIGITS);
    for (size_t i = 0; i < entry->value_len; i++) {
        if (!ascii_is_digit(entry->value[i])) {
            return err_set(e, "max_age is \"%.*s\", not a number of seconds", shown_len(entry->value_len),
                           entry->value);
        }
        seconds = seconds * 10 + (uint64_t)(entry->value[i] - '0');
    }
    r->out->max_age = seconds > STS_MAX_AGE_MAX ? STS_MAX_AGE_MAX : (uint32_t)seconds;
    r->has_max_age = true;
    return 0;
}

static bool key_is(const struct entry *entry, const char *key)
{
    return entry->key_len == strlen(key) && memcmp(entry->key, key, entry->key_len) == 0;
}

/* Of a repeated key the first counts; later ones need only fit the grammar, as unknown keys do. */
static int take_line(struct reader *r, const char *line, size_t len, struct err *e)
{
    struct entry entry = {"", 0, "", 0};

    if (cut_entry(&entry, line, len, e) < 0)
        return -1;
    if (key_is(&entry, "mx"))
        return take_mx(r, &entry, e);
    if (key_is(&entry, "version") && !r->has_version)
        return take_version(r, &entry, e);
    if (key_is(&entry, "mode") && !r->has_mode)
        return take_mode(r, &entry, e);
    if (key_is(&entry, "max_age") && !r->has_max_age)
        return take_max_age(r, &entry, e);
    return 0;
}

static int check_complete(const struct reader *r, struct err *e)
{
    if (!r->has_version)
        return err_set(e, "there is no version line");
    if (!r->has_mode)
        return err_set(e, "there is no mode line");
    if (!r->has_max_age)
        return err_set(e, "there is no max_age line");
    if (r->out->mode != STS_MODE_NONE && r->out->mx_count == 0)
        return err_set(e, "there is no mx line, but mode is %s", sts_mode_name(r->out->mode));
    return 0;
}

static int read_lines(struct reader *r, const char *body, size_t len, struct err *e)
{
    const char *line;
    size_t line_len, pos = 0;

    for (size_t n = 1; sts_policy_line(&line, &line_len, &pos, body, len) == 1; n++)
        if (take_line(r, line, line_len, e) < 0)
            return err_prefix(e, "line %zu", n);
    return check_complete(r, e);
}

int sts_policy_parse(struct sts_policy *out, const char *body, size_t len, struct err *e)
{
    struct reader r = {.out = out};

    memset(out, 0, sizeof *out);
    if (len > STS_BODY_MAX)
        return err_set(e, "the policy has %zu octets, but at most %d are allowed", len, STS_BODY_MAX);
    if (len == 0)
        return err_set(e, "the policy is empty");
    if (read_lines(&r, body, len, e) < 0) {
        sts_policy_clear(out);
        return -1;
    }
    return 0;
}

void sts_policy_clear(struct sts_policy *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->mx_count; i++)
        free(p->mx[i]);
    free(p->mx);
    memset(p, 0, sizeof *p);
}

bool sts_policy_equal(const struct sts_policy *a, const struct sts_policy *b)
{
    if (a->mode != b->mode || a->max_age != b->max_age || a->mx_count != b->mx_count)
        return false;
    for (size_t i = 0; i < a->mx_count; i++)
        if (strcmp(a->mx[i], b->mx[i]) != 0)
            return false;
    return true;
}
