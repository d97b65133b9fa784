/* conf_edit.c - see conf_edit.h: a scanner for what libconfuse reads, and three ways to use it. */
#include "conf_edit.h"

#include "ascii.h"

#include <stdbool.h>
#include <string.h>

enum token { END, WORD, OPEN, CLOSE, EQUALS, COMMENT, OTHER };

struct scanner {
    const char *text;
    size_t len, at;
    size_t begin; /* of the token; at is behind it */
};

/* Where a setting is, or where it would go. */
struct place {
    bool set; /* it is there: from begin, its value from value to end */
    size_t begin, value, end;
    bool hinted;     /* the comment "# key = …" is there */
    size_t hint;     /* its first octet */
    size_t hint_end; /* behind it, before the line feed */
    bool section;    /* the section is there */
    size_t close;    /* its last closing brace */
};

static bool in_word(char c)
{
    return c != '\0' && strchr(" \t\r\n\"'={}()+,", c) == NULL;
}

static bool begins(const struct scanner *s, const char *word)
{
    size_t len = strlen(word);

    return s->len - s->at >= len && memcmp(s->text + s->at, word, len) == 0;
}

static void skip_line(struct scanner *s)
{
    while (s->at < s->len && s->text[s->at] != '\n')
        s->at++;
}

static enum token take_comment(struct scanner *s)
{
    if (!begins(s, "/*")) {
        skip_line(s);
        return COMMENT;
    }
    for (s->at += 2; s->at < s->len && !begins(s, "*/"); s->at++)
        ;
    s->at += s->at < s->len ? 2 : 0;
    return COMMENT;
}

static enum token take_quoted(struct scanner *s)
{
    char quote = s->text[s->at++];

    while (s->at < s->len && s->text[s->at] != quote)
        s->at += s->text[s->at] == '\\' && s->at + 1 < s->len ? 2 : 1;
    s->at += s->at < s->len;
    return WORD;
}

static enum token next_token(struct scanner *s)
{
    char c;

    while (s->at < s->len && (ascii_is_blank(s->text[s->at]) || s->text[s->at] == '\n' || s->text[s->at] == '\r'))
        s->at++;
    s->begin = s->at;
    if (s->at >= s->len)
        return END;
    c = s->text[s->at];
    if (c == '#' || begins(s, "//") || begins(s, "/*"))
        return take_comment(s);
    if (c == '"' || c == '\'')
        return take_quoted(s);
    if (in_word(c)) {
        while (s->at < s->len && in_word(s->text[s->at]))
            s->at++;
        return WORD;
    }
    s->at++;
    return c == '{' ? OPEN : c == '}' ? CLOSE : c == '=' || c == '+' ? EQUALS : OTHER;
}

static bool token_is(const struct scanner *s, const char *word)
{
    size_t len = strlen(word);

    return s->at - s->begin == len && memcmp(s->text + s->begin, word, len) == 0;
}

/* What is behind the equals sign: a word, or all to the brace that ends a list. */
static size_t take_value(struct scanner *s)
{
    enum token t = next_token(s);
    size_t begin;

    while (t == COMMENT || t == EQUALS)
        t = next_token(s);
    begin = s->begin;
    if (t == OPEN)
        while (t != END && t != CLOSE)
            t = next_token(s);
    return begin;
}

/* "# key = …" */
static bool is_hint(const struct scanner *s, const char *key)
{
    struct scanner inner = {.text = s->text, .len = s->at, .at = s->begin + 1};

    return s->text[s->begin] == '#' && next_token(&inner) == WORD && token_is(&inner, key) &&
           next_token(&inner) == EQUALS;
}

static void look_in_section(struct scanner *s, const char *key, struct place *out)
{
    bool ours = false; /* the last word was the key */
    size_t begin = 0;  /* of that word */
    enum token t;

    while ((t = next_token(s)) != END && t != CLOSE) {
        if (t == COMMENT && is_hint(s, key)) {
            out->hinted = true;
            out->hint = s->begin;
            out->hint_end = s->at;
        } else if (t == WORD) {
            begin = s->begin;
            ours = token_is(s, key);
        } else if (t == EQUALS) {
            size_t value = take_value(s);
            if (ours)
                *out = (struct place){.set = true, .begin = begin, .value = value, .end = s->at};
            ours = false;
        }
    }
    out->section = true;
    out->close = t == CLOSE ? s->begin : s->len;
}

static void find_place(struct place *out, const char *text, size_t len, const char *section, const char *key)
{
    struct scanner s = {.text = text, .len = len};
    struct place elsewhere = {.set = false};
    bool ours = false;
    enum token t;

    *out = (struct place){.set = false};
    while ((t = next_token(&s)) != END) {
        if (t == OPEN)
            look_in_section(&s, key, ours ? out : &elsewhere);
        if (t != COMMENT)
            ours = t == WORD && token_is(&s, section);
    }
}

static size_t line_begin(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static int finish(const struct buf *out, struct err *e)
{
    return buf_ok(out) ? 0 : err_set(e, "it would be longer than %zu octets", out->max);
}

static void add_setting(struct buf *out, const char *key, const char *value)
{
    buf_str(out, key);
    buf_str(out, " = ");
    buf_str(out, value);
}

int conf_edit_get(struct buf *out, const char *text, size_t len, const char *section, const char *key)
{
    struct place p;

    find_place(&p, text, len, section, key);
    if (p.set)
        buf_add(out, text + p.value, p.end - p.value);
    return p.set ? 1 : 0;
}

/* Below the comment, as far from the margin. */
static size_t set_below(struct buf *out, const char *text, size_t len, const struct place *p, const char *key,
                        const char *value)
{
    size_t begin = line_begin(text, p->hint), end = p->hint_end;

    buf_add(out, text, end);
    buf_char(out, '\n');
    for (size_t i = begin; i < p->hint && ascii_is_blank(text[i]); i++)
        buf_char(out, text[i]);
    add_setting(out, key, value);
    buf_char(out, '\n');
    return end < len ? end + 1 : end;
}

/* Before the closing brace, in a line of its own if the brace has one. */
static size_t set_at_end(struct buf *out, const char *text, const struct place *p, const char *key, const char *value)
{
    size_t begin = line_begin(text, p->close), blank = begin;

    while (blank < p->close && ascii_is_blank(text[blank]))
        blank++;
    if (blank == p->close && begin > 0) {
        buf_add(out, text, begin);
        buf_str(out, "    ");
        add_setting(out, key, value);
        buf_char(out, '\n');
        return begin;
    }
    buf_add(out, text, p->close);
    if (p->close > 0 && !ascii_is_blank(text[p->close - 1]))
        buf_char(out, ' ');
    add_setting(out, key, value);
    buf_char(out, ' ');
    return p->close;
}

int conf_edit_set(struct buf *out, const char *text, size_t len, const char *section, const char *key,
                  const char *value, struct err *e)
{
    struct place p;
    size_t rest = len;

    find_place(&p, text, len, section, key);
    if (p.set) {
        buf_add(out, text, p.value);
        buf_str(out, value);
        rest = p.end;
    } else if (p.hinted) {
        rest = set_below(out, text, len, &p, key, value);
    } else if (p.section) {
        rest = set_at_end(out, text, &p, key, value);
    } else {
        buf_add(out, text, len);
        buf_str(out, len > 0 && text[len - 1] != '\n' ? "\n\n" : len > 0 ? "\n" : "");
        buf_printf(out, "%s {\n    ", section);
        add_setting(out, key, value);
        buf_str(out, "\n}\n");
    }
    buf_add(out, text + rest, len - rest);
    return finish(out, e);
}

int conf_edit_unset(struct buf *out, const char *text, size_t len, const char *section, const char *key, struct err *e)
{
    struct place p;
    size_t begin, end;

    find_place(&p, text, len, section, key);
    if (!p.set) {
        buf_add(out, text, len);
        return finish(out, e);
    }
    begin = line_begin(text, p.begin);
    end = p.end;
    while (begin < p.begin && ascii_is_blank(text[begin]))
        begin++;
    while (end < len && ascii_is_blank(text[end]))
        end++;
    if (begin == p.begin && (end == len || text[end] == '\n')) {
        begin = line_begin(text, p.begin);
        end += end < len;
    } else {
        begin = p.begin;
    }
    buf_add(out, text, begin);
    buf_add(out, text + end, len - end);
    return finish(out, e);
}
