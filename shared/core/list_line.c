/* list_line.c - lists as text, a line an entry. */
#include "list_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLANKS " \t"

/* A line taken apart. The text is that of `copy`. */
struct parts {
    char copy[LIST_LINE_MAX + 1];
    char value[LIST_VALUE_MAX + 1];
    char *pattern;
    char *comment;
    struct list_entry_in in;
};

int list_time_parse(int64_t *out, const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (end == NULL || *end != '\0')
        return -1;
    *out = (int64_t)timegm(&tm);
    return *out > 0 ? 0 : -1;
}

void list_time_format(char out[32], int64_t at)
{
    time_t t = (time_t)at;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, 32, "0");
}

/* Copy the line, cut off its comment. Returns whether anything is left, or -1. */
static int parts_begin(struct parts *p, const char *line, size_t len, struct err *e)
{
    static char nothing[] = "";
    char *hash;

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len > LIST_LINE_MAX)
        return err_set(e, "the line is longer than %d octets", LIST_LINE_MAX);
    if (memchr(line, '\0', len) != NULL)
        return err_set(e, "a NUL octet in the line");
    memcpy(p->copy, line, len);
    p->copy[len] = '\0';
    p->comment = nothing;
    hash = p->copy + strspn(p->copy, BLANKS);
    if (*hash != '#')
        while ((hash = strchr(hash, '#')) != NULL && strchr(BLANKS, hash[-1]) == NULL)
            hash++;
    if (hash != NULL) {
        p->comment = hash + 1 + strspn(hash + 1, BLANKS);
        *hash = '\0';
    }
    p->pattern = p->copy + strspn(p->copy, BLANKS);
    return *p->pattern != '\0';
}

/* The next word, cut out; NULL: none. */
static char *word_next(char **at)
{
    char *word = *at;

    if (word == NULL)
        return NULL;
    word += strspn(word, BLANKS);
    if (*word == '\0')
        return NULL;
    *at = word + strcspn(word, BLANKS);
    if (**at != '\0')
        *(*at)++ = '\0';
    return word;
}

static int value_add(char *value, const char *word, struct err *e)
{
    size_t have = strlen(value);

    if (have + strlen(word) + 1 > LIST_VALUE_MAX)
        return err_set(e, "the value is longer than %d octets", LIST_VALUE_MAX);
    snprintf(value + have, LIST_VALUE_MAX + 1 - have, "%s%s", have > 0 ? " " : "", word);
    return 0;
}

static int time_word(int64_t *out, const char *what, const char *text, struct err *e)
{
    if (list_time_parse(out, text) == 0)
        return 0;
    return err_set(e, "%s=%.40s: not a time such as 2026-11-21T10:00:00Z", what, text);
}

/* A word behind the pattern. */
static int parts_word(struct parts *p, const char *word, struct err *e)
{
    if (strcmp(word, "override") == 0)
        p->in.override = true;
    else if (strncmp(word, "by=", 3) == 0)
        p->in.author = word + 3;
    else if (strncmp(word, "created=", 8) == 0)
        return time_word(&p->in.created, "created", word + 8, e);
    else if (strncmp(word, "expires=", 8) == 0)
        return time_word(&p->in.expires, "expires", word + 8, e);
    else
        return value_add(p->value, word, e);
    return 0;
}

static enum list_line entry_make(struct list_entry **out, enum list_id list, struct parts *p, struct err *e)
{
    struct list_pattern pattern;

    p->in.value = p->value;
    p->in.comment = p->comment;
    if (list_pattern_parse(&pattern, p->pattern, strlen(p->pattern), e) != 0) {
        err_prefix(e, "%.80s", p->pattern);
        return LIST_LINE_BAD;
    }
    *out = list_entry_new(list, &pattern, &p->in, e);
    if (*out == NULL)
        err_prefix(e, "%.80s", p->pattern);
    return *out == NULL ? LIST_LINE_BAD : LIST_LINE_ENTRY;
}

enum list_line list_line_read(struct list_entry **out, enum list_id list, const char *line, size_t len,
                              const char *author, int64_t created, struct err *e)
{
    struct parts p = {.in = {.author = author, .created = created}};
    int rc = parts_begin(&p, line, len, e);
    char *at, *word;

    if (rc <= 0)
        return rc < 0 ? LIST_LINE_BAD : LIST_LINE_EMPTY;
    at = p.pattern;
    p.pattern = word_next(&at);
    while ((word = word_next(&at)) != NULL)
        if (parts_word(&p, word, e) != 0)
            return LIST_LINE_BAD;
    return entry_make(out, list, &p, e);
}

/* --- Postfix's table --- */

/* The level of a line for a list: 1 an entry, 0 none for this list, -1 nothing that any list holds. */
static int postfix_level(struct parts *p, enum list_id list, const char *level)
{
    static const char *const required[] = {"encrypt", "verify", "secure", "dane-only"};

    if (strcasecmp(level, "none") == 0)
        return list == LIST_EXCLUDE;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (strcasecmp(level, required[i]) != 0)
            continue;
        if (list == LIST_REQUIRE)
            snprintf(p->value, sizeof(p->value), "%s", required[i]);
        return list == LIST_REQUIRE;
    }
    return -1;
}

/* An attribute: 1 taken, 0 for another list, -1 left out. */
static int postfix_attribute(struct parts *p, enum list_id list, char *word, struct err *e)
{
    bool protocols = strncmp(word, "protocols=", 10) == 0;

    if (!protocols && strncmp(word, "ciphers=", 8) != 0)
        return -1;
    if (list != LIST_PROTOCOLS)
        return 0;
    for (char *c = word; *c != '\0'; c++)
        if (*c == ',' || *c == ';')
            *c = ':';
    return value_add(p->value, protocols ? word + 10 : word, e) == 0 ? 1 : -1;
}

enum list_line list_line_read_postfix(struct list_entry **out, enum list_id list, const char *line, size_t len,
                                      const char *author, int64_t created, struct err *e)
{
    struct parts p = {.in = {.author = author, .created = created}};
    struct err left_out = {""};
    char *at, *word;
    int rc = parts_begin(&p, line, len, e);
    bool taken;

    if (rc <= 0)
        return rc < 0 ? LIST_LINE_BAD : LIST_LINE_EMPTY;
    at = p.pattern;
    p.pattern = word_next(&at);
    word = word_next(&at);
    if (word == NULL) {
        err_set(e, "%.80s: no level behind it", p.pattern);
        return LIST_LINE_BAD;
    }
    rc = postfix_level(&p, list, word);
    if (rc < 0 && list != LIST_PROTOCOLS)
        err_set(&left_out, "%.80s: level %.40s has no list", p.pattern, word);
    taken = rc == 1;
    while ((word = word_next(&at)) != NULL) {
        rc = postfix_attribute(&p, list, word, &left_out);
        taken = taken || rc == 1;
        if (rc < 0 && left_out.text[0] == '\0')
            err_set(&left_out, "%.80s: %.80s is left out", p.pattern, word);
    }
    if (taken && entry_make(out, list, &p, e) == LIST_LINE_BAD)
        return LIST_LINE_BAD;
    if (e != NULL)
        *e = left_out;
    return taken ? LIST_LINE_ENTRY : LIST_LINE_OTHER;
}

/* --- writing --- */

void list_line_write(struct buf *out, const struct list_entry *entry)
{
    char time[32];

    buf_str(out, entry->pattern);
    if (entry->value_text[0] != '\0')
        buf_printf(out, " %s", entry->value_text);
    if (entry->override)
        buf_str(out, " override");
    if (entry->author[0] != '\0')
        buf_printf(out, " by=%s", entry->author);
    if (entry->created != 0) {
        list_time_format(time, entry->created);
        buf_printf(out, " created=%s", time);
    }
    if (entry->expires != 0) {
        list_time_format(time, entry->expires);
        buf_printf(out, " expires=%s", time);
    }
    if (entry->comment[0] != '\0')
        buf_printf(out, " # %s", entry->comment);
    buf_char(out, '\n');
}
