/*
 * conf_text.c - the lexical rules that libconfuse does not have. By itself it accepts a file whose last comment, string
 * or section never ends, passes over octets that fit nowhere, takes no comments within lists, miscounts lines after a C
 * comment, and puts environment variables in; here the first two are errors, comments become blanks and ${ is refused.
 */
#include "conf_text.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 8

struct scan {
    char *text;
    size_t len;
    size_t at;
    unsigned line;
    unsigned open[DEPTH_MAX]; /* lines of the braces that are open */
    unsigned depth;
};

static bool at_text(const struct scan *s, const char *word)
{
    size_t n = strlen(word);

    return s->len - s->at >= n && memcmp(s->text + s->at, word, n) == 0;
}

/* "//" begins a comment only where a word could begin, so that it may stand in a URL. */
static bool at_line_comment(const struct scan *s)
{
    if (s->text[s->at] == '#')
        return true;
    return at_text(s, "//") && (s->at == 0 || strchr(" \t\r\n{}=,", s->text[s->at - 1]) != NULL);
}

static void blank_line(struct scan *s)
{
    while (s->at < s->len && s->text[s->at] != '\n')
        s->text[s->at++] = ' ';
}

static int blank_comment(struct scan *s, struct err *e)
{
    const char *end = memmem(s->text + s->at + 2, s->len - s->at - 2, "*/", 2);
    size_t stop;

    if (end == NULL)
        return err_set(e, "this comment never ends; write */ after it");
    for (stop = (size_t)(end - s->text) + 2; s->at < stop; s->at++)
        if (s->text[s->at] == '\n')
            s->line++;
        else
            s->text[s->at] = ' ';
    return 0;
}

/* A string in quotes of either kind; it stays as it is. */
static int skip_string(struct scan *s, struct err *e)
{
    char quote = s->text[s->at++];

    for (; s->at < s->len && s->text[s->at] != '\n'; s->at++) {
        if (s->text[s->at] == quote) {
            s->at++;
            return 0;
        }
        if (quote == '"' && at_text(s, "${"))
            return err_set(e, "environment variables are not read; write the value, or '...' around it for a plain ${");
        if (s->text[s->at] == '\\' && s->at + 1 < s->len && s->text[s->at + 1] != '\n')
            s->at++;
    }
    return err_set(e, "this string has no end on its line; write %c after it", quote);
}

static int take_brace(struct scan *s, struct err *e)
{
    if (s->text[s->at] == '{') {
        if (s->depth == DEPTH_MAX)
            return err_set(e, "too many braces within each other");
        s->open[s->depth++] = s->line;
    } else if (s->depth == 0) {
        return err_set(e, "this } closes nothing; take it out");
    } else {
        s->depth--;
    }
    s->at++;
    return 0;
}

static int take_octet(struct scan *s, struct err *e)
{
    unsigned char c = (unsigned char)s->text[s->at];

    if (c == '*' || (c == '+' && !at_text(s, "+=")) || c > 0x7e)
        return err_set(e, "a value that is not only letters, digits and ./:_-[] needs quotes; write \"...\"");
    if (at_text(s, "${"))
        return err_set(e, "environment variables are not read; write the value");
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
        return err_set(e, "a control character stands here; take it out");
    s->line += c == '\n';
    s->at++;
    return 0;
}

static int take_next(struct scan *s, struct err *e)
{
    char c = s->text[s->at];

    if (at_line_comment(s)) {
        blank_line(s);
        return 0;
    }
    if (at_text(s, "/*"))
        return blank_comment(s, e);
    if (c == '"' || c == '\'')
        return skip_string(s, e);
    return c == '{' || c == '}' ? take_brace(s, e) : take_octet(s, e);
}

int conf_text_clean(char *text, size_t len, unsigned *line, struct err *e)
{
    struct scan s = {.text = text, .len = len, .line = 1};

    if (memchr(text, '\0', len) != NULL) {
        *line = 1;
        return err_set(e, "this is no text file: there is a NUL in it");
    }
    while (s.at < len) {
        if (take_next(&s, e) != 0) {
            *line = s.line;
            return -1;
        }
    }
    if (s.depth > 0) {
        *line = s.open[s.depth - 1];
        return err_set(e, "this { is never closed; write } where it ends");
    }
    return 0;
}
