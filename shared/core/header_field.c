/* header_field.c - reads header fields. */
#include "header_field.h"

#include "ascii.h"
#include "mime_transfer.h"

#include <string.h>

#define ESCAPE 0x1b

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* --- a block of fields --- */

/* Behind the LF of the line at `at`, or the end. */
static size_t line_after(size_t at, const char *block, size_t len)
{
    while (at < len && block[at] != '\n')
        at++;
    return at < len ? at + 1 : len;
}

/* The colon of the field that begins here, or NULL. */
static const char *field_colon(const char *line, size_t len)
{
    size_t name = 0, i;

    while (name < len && ascii_is_visible(line[name]) && line[name] != ':')
        name++;
    for (i = name; i < len && ascii_is_blank(line[i]); i++)
        ;
    return name > 0 && i < len && line[i] == ':' ? line + i : NULL;
}

static bool at_empty_line(const char *line, size_t len)
{
    return len > 0 && (line[0] == '\n' || (line[0] == '\r' && len > 1 && line[1] == '\n'));
}

int header_field_next(struct header_field *out, size_t *pos, const char *block, size_t len)
{
    const char *line = block + *pos;
    const char *colon = field_colon(line, len - *pos);
    size_t end;

    if (colon == NULL) {
        if (at_empty_line(line, len - *pos))
            *pos = line_after(*pos, block, len);
        return 0;
    }
    end = line_after(*pos, block, len);
    while (end < len && ascii_is_blank(block[end]))
        end = line_after(end, block, len);
    *pos = end;
    while (end > 0 && block + end > colon + 1 && is_line_end(block[end - 1]))
        end--;
    out->name = line;
    out->name_len = (size_t)(colon - line);
    while (ascii_is_blank(line[out->name_len - 1]))
        out->name_len--;
    out->value = colon + 1;
    out->value_len = (size_t)(block + end - out->value);
    return 1;
}

bool header_field_is(const struct header_field *f, const char *name)
{
    return f->name_len == strlen(name) && strncasecmp(f->name, name, f->name_len) == 0;
}

/* --- one value --- */

/* Drop the blanks at the end of what was appended since `before`. */
static void trim(struct buf *out, size_t before)
{
    if (out->data == NULL)
        return;
    while (out->len > before && ascii_is_blank(out->data[out->len - 1]))
        out->len--;
    out->data[out->len] = '\0';
}

/* An octet of a value on one line: a blank for NUL and a lone line end; 0: it goes. */
static char unfolded_octet(const char *value, size_t len, size_t i)
{
    if (value[i] == '\0')
        return ' ';
    if (!is_line_end(value[i]))
        return value[i];
    i++;
    return i == len || is_line_end(value[i]) || ascii_is_blank(value[i]) ? '\0' : ' ';
}

void header_unfold(struct buf *out, const char *value, size_t len)
{
    size_t before = out->len;

    for (size_t i = 0; i < len; i++) {
        char c = unfolded_octet(value, len, i);

        if (c == '\0' || (ascii_is_blank(c) && out->len == before))
            continue;
        buf_char(out, c);
    }
    trim(out, before);
}

/* Where in a value we are. */
struct comment_walk {
    unsigned depth; /* comments within comments */
    bool quoted;    /* in a quoted string */
    bool pair;      /* behind a backslash */
};

/* Step over an octet. Returns whether it belongs to a comment. */
static bool comment_step(struct comment_walk *w, char c)
{
    bool inside = w->depth > 0;

    if (w->pair) {
        w->pair = false;
        return inside;
    }
    w->pair = c == '\\' && (inside || w->quoted);
    if (c == '"' && !inside)
        w->quoted = !w->quoted;
    else if (c == '(' && !w->quoted)
        w->depth++;
    else if (c == ')' && inside)
        w->depth--;
    return inside || w->depth > 0;
}

int header_uncomment(struct buf *out, const char *value, size_t len)
{
    struct comment_walk w = {0};
    size_t before = out->len;

    for (size_t i = 0; i < len; i++) {
        char c = unfolded_octet(value, len, i);
        bool was = w.depth > 0;

        if (c == '\0')
            continue;
        if (comment_step(&w, c))
            c = ' ';
        if (c == ' ' && (was || out->len == before))
            continue;
        if (!ascii_is_blank(c) || out->len > before)
            buf_char(out, c);
    }
    trim(out, before);
    if (w.depth == 0 && !w.quoted)
        return 0;
    out->len = before;
    if (out->data != NULL)
        out->data[before] = '\0';
    return -1;
}

/* --- encoded words (RFC 2047) --- */

struct word {
    const char *charset;
    size_t charset_len;
    char encoding; /* 'B' or 'Q' in any case */
    const char *text;
    size_t text_len;
    size_t len; /* of the whole word */
};

/* "=?utf-8?q?text?=", "=?utf-8*en?B?dGV4dA==?=". Blanks in the text are let pass, as many write them. */
static bool word_read(struct word *out, const char *s, size_t len)
{
    size_t i = 2, language;

    if (len < 2 || s[0] != '=' || s[1] != '?')
        return false;
    while (i < len && ascii_is_visible(s[i]) && s[i] != '?' && s[i] != '=')
        i++;
    if (i == 2 || len - i < 3 || s[i] != '?' || s[i + 2] != '?' || strchr("BbQq", s[i + 1]) == NULL)
        return false;
    for (language = 2; language < i && s[language] != '*'; language++)
        ;
    *out = (struct word){.charset = s + 2, .charset_len = language - 2, .encoding = s[i + 1], .text = s + i + 3};
    for (i += 3; i < len && s[i] != '?'; i++)
        ;
    if (len - i < 2 || s[i + 1] != '=')
        return false;
    out->text_len = (size_t)(s + i - out->text);
    out->len = i + 2;
    return true;
}

/* Decoded words that are not yet characters: a character may go on in the next word. */
struct pending {
    struct buf octets;
    const char *charset;
    size_t charset_len;
    bool word; /* what came last was a word */
    struct mime_converter *converter;
    unsigned doubt; /* of all so far */
};

static void pending_flush(struct pending *p, struct buf *out)
{
    p->doubt |= mime_charset_read(out, p->charset, p->charset_len, buf_text(&p->octets), p->octets.len, p->converter);
    buf_reset(&p->octets);
    p->word = false;
}

/* A charset with shifts begins anew in each word (RFC 2047 3). */
static bool goes_on(const struct pending *p, const struct word *w)
{
    enum mime_charset charset = mime_charset_find(w->charset, w->charset_len);

    if (charset != MIME_CHARSET_UNKNOWN)
        return charset == mime_charset_find(p->charset, p->charset_len);
    return w->charset_len == p->charset_len && strncasecmp(w->charset, p->charset, w->charset_len) == 0 &&
           memchr(buf_text(&p->octets), ESCAPE, p->octets.len) == NULL;
}

static void pending_word(struct pending *p, struct buf *out, const struct word *w)
{
    if (p->word && !goes_on(p, w))
        pending_flush(p, out);
    p->charset = w->charset;
    p->charset_len = w->charset_len;
    p->word = true;
    mime_transfer_decode(&p->octets, w->encoding == 'B' || w->encoding == 'b' ? MIME_TRANSFER_BASE64 : MIME_TRANSFER_Q,
                         w->text, w->text_len);
}

static bool all_blank(const char *s, size_t len)
{
    while (len > 0 && ascii_is_blank(s[len - 1]))
        len--;
    return len == 0;
}

static void decode_line(struct buf *out, struct pending *p, const char *s, size_t len)
{
    struct word w;

    for (size_t i = 0, end; i < len; i = end) {
        if (word_read(&w, s + i, len - i)) {
            pending_word(p, out, &w);
            end = i + w.len;
            continue;
        }
        for (end = i + 1; end < len && (s[end] != '=' || end + 1 == len || s[end + 1] != '?'); end++)
            ;
        if (p->word && all_blank(s + i, end - i) && word_read(&w, s + end, len - end))
            continue;
        pending_flush(p, out);
        mime_charset_to_utf8(out, MIME_CHARSET_UTF8, s + i, end - i);
    }
    pending_flush(p, out);
}

int header_decode(struct buf *out, const char *value, size_t len, struct mime_converter *c)
{
    struct pending p = {.charset = "", .converter = c};
    struct buf line;

    buf_init(&line, len);
    buf_init(&p.octets, len);
    header_unfold(&line, value, len);
    decode_line(out, &p, buf_text(&line), line.len);
    out->failed = out->failed || !buf_ok(&line) || !buf_ok(&p.octets);
    buf_clear(&p.octets);
    buf_clear(&line);
    return p.doubt == 0 ? 0 : -1;
}
