/* address_tag.c - the one place that knows where in a mail address its tag is. */
#include "address_tag.h"

#include <string.h>

/* A local part as written, octet by octet: quotes are passed over, a quoted pair is one octet. */
struct local_walk {
    const char *at;
    const char *end;
};

struct local_octet {
    const char *raw; /* where it begins */
    size_t raw_len;  /* 1, or 2 for a quoted pair */
};

static bool local_next(struct local_octet *out, struct local_walk *w)
{
    while (w->at < w->end && *w->at == '"')
        w->at++;
    if (w->at == w->end)
        return false;
    out->raw = w->at;
    out->raw_len = *w->at == '\\' && w->end - w->at > 1 ? 2 : 1;
    w->at += out->raw_len;
    return true;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Drop < and >. */
static int angle_strip(size_t *begin, size_t *end, const char *a, size_t len, struct err *e)
{
    bool opens = len > 0 && a[0] == '<';
    bool closes = len > 0 && a[len - 1] == '>';

    *begin = opens;
    *end = len - closes;
    if (len > ADDRESS_TAG_MAX)
        return err_set(e, "the address is longer than %d octets", ADDRESS_TAG_MAX);
    if (opens != closes)
        return err_set(e, "the address has only one of < and >");
    if (*begin >= *end)
        return err_set(e, "the address is empty");
    return 0;
}

/* "@a.example,@[IPv6:::1]:" */
static int route_skip(size_t *begin, size_t end, const char *a, struct err *e)
{
    bool literal = false;

    if (a[*begin] != '@')
        return 0;
    for (size_t i = *begin; i < end; i++) {
        if (a[i] == '[' || a[i] == ']')
            literal = a[i] == '[';
        if (a[i] == '"' || a[i] == '\\' || a[i] == ' ' || is_control(a[i]))
            return err_set(e, "an octet in the source route that may not be there");
        if (a[i] != ':' || literal)
            continue;
        *begin = i + 1;
        return 0;
    }
    return err_set(e, "nothing before the @ of the address");
}

/* Find the last @ outside of quotes; *at is end when there is none. */
static int at_find(size_t *at, size_t begin, size_t end, const char *a, struct err *e)
{
    bool quoted = false;

    *at = end;
    for (size_t i = begin; i < end; i++) {
        bool pair = a[i] == '\\';

        if (pair && ++i == end)
            return err_set(e, "the address ends in a backslash");
        if (is_control(a[i]))
            return err_set(e, "a control octet in the address");
        if (pair)
            continue;
        if (a[i] == '"')
            quoted = !quoted;
        else if (!quoted && (a[i] == ' ' || a[i] == '<' || a[i] == '>'))
            return err_set(e, "a blank or a bracket outside of quotes in the address");
        else if (!quoted && a[i] == '@')
            *at = i;
    }
    return quoted ? err_set(e, "a quote without its end in the address") : 0;
}

int address_split(struct address_split *out, const char *address, size_t len, struct err *e)
{
    struct local_walk w;
    struct local_octet o;
    size_t begin, end, at;

    memset(out, 0, sizeof(*out));
    if (angle_strip(&begin, &end, address, len, e) != 0 || route_skip(&begin, end, address, e) != 0 ||
        at_find(&at, begin, end, address, e) != 0)
        return -1;
    w = (struct local_walk){address + begin, address + at};
    if (!local_next(&o, &w))
        return err_set(e, "nothing before the @ of the address");
    if (at + 1 == end)
        return err_set(e, "nothing behind the @ of the address");
    *out = (struct address_split){begin, at - begin, at < end ? at + 1 : end, at < end ? end - at - 1 : 0};
    if (memchr(address + out->domain_at, '"', out->domain_len) != NULL ||
        memchr(address + out->domain_at, '\\', out->domain_len) != NULL)
        return err_set(e, "a quote in the domain of the address");
    return 0;
}

/* The octets of the local part, as they are meant. Returns how many. */
static size_t local_text(char out[ADDRESS_TAG_MAX], const char *address, const struct address_split *s)
{
    struct local_walk w = {address + s->local_at, address + s->local_at + s->local_len};
    struct local_octet o;
    size_t n = 0;

    while (local_next(&o, &w))
        out[n++] = o.raw[o.raw_len - 1];
    return n;
}

bool address_tag_ends(const struct address_tag *tag, const char *text, size_t n)
{
    size_t word = strlen(tag->word);

    return n > word + 1 && text[n - word - 1] == tag->delimiter && strncasecmp(text + n - word, tag->word, word) == 0;
}

/* How many of the n octets are left without the tags. */
static size_t untagged_len(size_t seen[], const struct address_tag tags[], size_t count, const char *text, size_t n)
{
    size_t i = 0;

    memset(seen, 0, count * sizeof(seen[0]));
    while (i < count) {
        if (!address_tag_ends(&tags[i], text, n)) {
            i++;
            continue;
        }
        n -= strlen(tags[i].word) + 1;
        seen[i]++;
        i = 0;
    }
    return n;
}

int address_tag_has(const struct address_tag *tag, const char *address, size_t len, struct err *e)
{
    char text[ADDRESS_TAG_MAX];
    struct address_split s;

    if (address_split(&s, address, len, e) != 0)
        return -1;
    return address_tag_ends(tag, text, local_text(text, address, &s));
}

static int outcome(const struct buf *out, int rc, struct err *e)
{
    return buf_ok(out) ? rc : err_set(e, "no room for the address");
}

/* Is the last octet of the local part the end of a quoted string? */
static bool ends_quoted(const char *local, size_t len)
{
    size_t slashes = 0;

    if (local[len - 1] != '"')
        return false;
    while (slashes < len - 1 && local[len - 2 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 0;
}

int address_tag_add(struct buf *out, const struct address_tag *tag, const char *address, size_t len, struct err *e)
{
    int has = address_tag_has(tag, address, len, e);
    struct address_split s;
    size_t at;

    if (has < 0 || address_split(&s, address, len, e) != 0)
        return -1;
    at = s.local_at + s.local_len - ends_quoted(address + s.local_at, s.local_len);
    buf_reserve(out, has == 1 ? len : len + 1 + strlen(tag->word));
    buf_add(out, address, at);
    if (has == 0) {
        buf_char(out, tag->delimiter);
        buf_str(out, tag->word);
    }
    buf_add(out, address + at, len - at);
    return outcome(out, 0, e);
}

int address_tags_remove(struct buf *out, size_t seen[], const struct address_tag tags[], size_t count,
                        const char *address, size_t len, struct err *e)
{
    char text[ADDRESS_TAG_MAX];
    struct address_split s;
    struct local_walk w;
    struct local_octet o;
    const char *from;
    size_t keep;
    int removed = 0;

    if (address_split(&s, address, len, e) != 0)
        return -1;
    keep = untagged_len(seen, tags, count, text, local_text(text, address, &s));
    buf_reserve(out, len);
    w = (struct local_walk){address + s.local_at, address + s.local_at + s.local_len};
    from = address;
    for (size_t i = 0; local_next(&o, &w); i++) {
        if (i < keep)
            continue;
        buf_add(out, from, (size_t)(o.raw - from)); /* quotes among the octets of the tags stay */
        from = o.raw + o.raw_len;
    }
    buf_add(out, from, (size_t)(address + len - from));
    for (size_t i = 0; i < count; i++)
        removed += (int)seen[i];
    return outcome(out, removed, e);
}

int address_tag_remove(struct buf *out, const struct address_tag *tag, const char *address, size_t len, struct err *e)
{
    size_t seen;
    int removed = address_tags_remove(out, &seen, tag, 1, address, len, e);

    return removed > 0 ? 1 : removed;
}
