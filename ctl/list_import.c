/* list_import.c - a file of entries read whole. */
#include "list_import.h"

#include "ascii.h"
#include "list_line.h"
#include "nexthop.h"
#include "print.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX ((size_t)LIST_IMPORT_NAMED * 8192) /* octets */

struct reader {
    struct list_import *out;
    enum list_id list;
    bool postfix;
    const char *name;
    const char *at, *end;
    size_t line; /* the number of the next one */
};

static void message(struct buf *to, size_t *count, const struct reader *r, size_t line, const char *why)
{
    if ((*count)++ >= LIST_IMPORT_NAMED)
        return;
    print_text(to, r->name, strlen(r->name));
    buf_printf(to, ":%zu: ", line);
    print_text(to, why, strlen(why));
    buf_char(to, '\n');
}

/* Does a line of Postfix's table go for one port? Lists know no ports. */
static bool has_port(const char *line, size_t len)
{
    struct nexthop hop;
    size_t word = 0;

    while (word < len && !ascii_is_blank(line[word]))
        word++;
    return nexthop_parse(&hop, line, word, NULL) == 0 && hop.port != 0;
}

static void line_take(struct reader *r, size_t number, const char *line, size_t len)
{
    struct list_import *out = r->out;
    struct list_entry *entry = NULL;
    struct err e = {""};
    enum list_line what = r->postfix ? list_line_read_postfix(&entry, r->list, line, len, "", 0, &e)
                                     : list_line_read(&entry, r->list, line, len, "", 0, &e);

    if (what == LIST_LINE_BAD && r->postfix && has_port(line, len))
        message(&out->notes, &out->left_out, r, number, e.text);
    else if (what == LIST_LINE_BAD)
        message(&out->errors, &out->bad, r, number, e.text);
    else if (what == LIST_LINE_ENTRY)
        list_rows_add(&out->rows, entry, number);
    if ((what == LIST_LINE_ENTRY || what == LIST_LINE_OTHER) && e.text[0] != '\0')
        message(&out->notes, &out->left_out, r, number, e.text);
    else if (what == LIST_LINE_OTHER)
        out->others++;
}

/* The length of the line at r->at. */
static size_t line_len(const struct reader *r)
{
    const char *feed = memchr(r->at, '\n', (size_t)(r->end - r->at));

    return (size_t)((feed != NULL ? feed : r->end) - r->at);
}

/* The same, and step over it. */
static size_t line_next(struct reader *r)
{
    size_t len = line_len(r);

    r->at += len < (size_t)(r->end - r->at) ? len + 1 : len;
    r->line++;
    return len;
}

/* Nothing but blanks, or a comment. */
static bool line_is_idle(const char *line, size_t len)
{
    size_t i = 0;

    while (i < len && (ascii_is_blank(line[i]) || line[i] == '\r'))
        i++;
    return i == len || line[i] == '#';
}

/*
 * A line of Postfix's table with those that go on with it, put into one. Comments and empty lines may stand between.
 * Once it is too long it is so.
 */
static void logical_next(struct reader *r, struct buf *out)
{
    const char *line = r->at;
    size_t len = line_next(r);

    buf_reset(out);
    buf_add(out, line, len);
    while (r->at < r->end && (ascii_is_blank(*r->at) || line_is_idle(r->at, line_len(r)))) {
        line = r->at;
        len = line_next(r);
        if (line_is_idle(line, len))
            continue;
        while (out->len > 0 && out->data[out->len - 1] == '\r')
            out->data[--out->len] = '\0';
        buf_add(out, line, len);
    }
}

static void postfix_lines(struct reader *r)
{
    struct buf logical;

    buf_init(&logical, (size_t)8 * LIST_LINE_MAX);
    while (r->at < r->end) {
        size_t number = r->line;

        if (line_is_idle(r->at, line_len(r))) {
            line_next(r);
            continue;
        }
        logical_next(r, &logical);
        if (buf_ok(&logical))
            line_take(r, number, buf_text(&logical), logical.len);
        else
            message(&r->out->errors, &r->out->bad, r, number, "the line is too long");
    }
    buf_clear(&logical);
}

static void lines(struct reader *r)
{
    while (r->at < r->end) {
        const char *line = r->at;
        size_t number = r->line;

        line_take(r, number, line, line_next(r));
    }
}

/* Of lines of one pattern the last goes, if they say the same. */
static void doubles(struct reader *r)
{
    const struct list_rows *rows = &r->out->rows;
    struct err e;

    for (size_t i = 1; i < rows->count; i++) {
        const struct list_row *row = &rows->row[i];

        if (strcmp(row[-1].pattern, row->pattern) != 0 || list_entry_same(row[-1].entry, row->entry))
            continue;
        err_set(&e, "%s stands in line %zu already, and says something else there", row->pattern, row[-1].line);
        message(&r->out->errors, &r->out->bad, r, row->line, e.text);
    }
}

void list_import_read(struct list_import *out, enum list_id list, const char *text, size_t len, bool postfix,
                      const char *name)
{
    struct reader r = {.out = out, .list = list, .postfix = postfix, .name = name, .at = text, .end = text + len};

    *out = (struct list_import){0};
    buf_init(&out->errors, MESSAGES_MAX);
    buf_init(&out->notes, MESSAGES_MAX);
    r.line = 1;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.at += 3;
    if (postfix)
        postfix_lines(&r);
    else
        lines(&r);
    list_rows_sort(&out->rows);
    doubles(&r);
    list_rows_unique(&out->rows);
}

void list_import_clear(struct list_import *i)
{
    list_rows_clear(&i->rows);
    buf_clear(&i->errors);
    buf_clear(&i->notes);
}

bool list_import_takes_postfix(enum list_id list)
{
    return list == LIST_EXCLUDE || list == LIST_REQUIRE || list == LIST_PROTOCOLS;
}
