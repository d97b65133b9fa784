/* list_text.c - the operator's lists for people, and as JSON. */
#include "list_text.h"

#include "list_line.h"
#include "member.h"
#include "print.h"
#include "table.h"

#include <string.h>

#define LINE_MAX_OCTETS ((size_t)8 * LIST_LINE_MAX)

static const char *const purposes[LISTS] = {
    [LIST_EXCLUDE] = "no TLS to these",
    [LIST_ONLY] = "TLS only to these, everything else plain",
    [LIST_REQUIRE] = "TLS required, at the level of the entry",
    [LIST_STS_EXCLUDE] = "MTA-STS is ignored for these",
    [LIST_PROTOCOLS] = "TLS versions and ciphers",
    [LIST_SMTPS] = "implicit TLS, port 465",
    [LIST_INBOUND_EXCLUDE] = "clients to which STARTTLS is not offered",
    [LIST_INBOUND_REQUIRE] = "clients that must use STARTTLS",
    [LIST_LOCAL] = "our own domains",
    [LIST_FALLBACK] = "what to do when TLS fails",
    [LIST_REQUIRETLS] = "what Postfix 3.11 does with REQUIRETLS mail",
};

/* --- which there are --- */

void lists_print(struct buf *out, const int64_t count[LISTS], bool colour)
{
    struct table *t = table_new_headed((const char *[]){"LIST", "ENTRIES", "FOR"}, 3);

    for (size_t i = 0; i < LISTS; i++) {
        table_add(t, TINT_NONE, list_name((enum list_id)i));
        if (count[i] >= 0)
            table_addf(t, TINT_NONE, "%lld", (long long)count[i]);
        else
            table_add(t, TINT_BAD, "no list");
        table_add(t, TINT_NONE, purposes[i]);
    }
    table_print(out, t, 0, colour);
    table_free(t);
}

json_t *lists_json(const int64_t count[LISTS])
{
    json_t *all = json_array();

    for (size_t i = 0; i < LISTS; i++)
        json_array_append_new(all, json_pack("{s:s, s:o, s:s}", "list", list_name((enum list_id)i), "entries",
                                             count[i] >= 0 ? json_integer(count[i]) : json_null(), "for", purposes[i]));
    return json_pack("{s:o}", "lists", all);
}

/* --- one list --- */

static void add_created(struct table *t, int64_t created)
{
    char text[32];

    list_time_format(text, created);
    table_add(t, TINT_NONE, created != 0 ? text : NULL);
}

static void add_expires(struct table *t, const struct list_entry *entry, int64_t now)
{
    struct buf text;

    buf_init(&text, 100);
    if (entry->expires != 0)
        print_time(&text, entry->expires, now);
    if (!list_entry_live(entry, now))
        buf_str(&text, ": ended");
    table_add(t, list_entry_live(entry, now) ? TINT_NONE : TINT_WARN, buf_text(&text));
    buf_clear(&text);
}

static void add_row(struct table *t, const struct list_row *row, int64_t now)
{
    const struct list_entry *entry = row->entry;

    table_add(t, TINT_NONE, row->pattern[0] != '\0' ? row->pattern : "\"\"");
    if (entry == NULL) {
        table_addf(t, TINT_BAD, "unreadable: %s", row->why);
    } else {
        table_addf(t, TINT_NONE, "%s%s%s", entry->value_text,
                   entry->override && entry->value_text[0] != '\0' ? " " : "", entry->override ? "override" : "");
        table_add(t, TINT_NONE, entry->author);
        add_created(t, entry->created);
        add_expires(t, entry, now);
        table_add(t, TINT_NONE, entry->comment);
    }
    table_end_row(t);
}

void list_print(struct buf *out, enum list_id list, const struct list_rows *rows, int64_t now, bool colour)
{
    static const char *const heads[] = {"PATTERN", "VALUE", "BY", "CREATED", "EXPIRES", "COMMENT"};
    struct table *t = table_new_headed(heads, sizeof(heads) / sizeof(heads[0]));

    buf_printf(out, "%s (%s): %zu %s\n", list_name(list), purposes[list], rows->count,
               rows->count == 1 ? "entry" : "entries");
    for (size_t i = 0; i < rows->count; i++)
        add_row(t, &rows->row[i], now);
    if (rows->count > 0)
        table_print(out, t, 0, colour);
    table_free(t);
}

static void put_entry(json_t *to, const struct list_entry *entry, int64_t now)
{
    if (entry->value_text[0] != '\0')
        json_object_set_new(to, "value", json_string(entry->value_text));
    if (entry->override)
        json_object_set_new(to, "override", json_true());
    if (entry->author[0] != '\0')
        json_object_set_new(to, "by", json_string(entry->author));
    if (entry->created != 0)
        json_object_set_new(to, "created", json_integer(entry->created));
    if (entry->expires != 0)
        json_object_set_new(to, "expires", json_integer(entry->expires));
    if (entry->comment[0] != '\0')
        json_object_set_new(to, "comment", json_string(entry->comment));
    json_object_set_new(to, "live", json_boolean(list_entry_live(entry, now)));
}

json_t *list_json(enum list_id list, const struct list_rows *rows, int64_t now)
{
    json_t *entries = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        const struct list_row *row = &rows->row[i];
        json_t *one = json_pack("{s:o}", "pattern", harmless_string(row->pattern));

        if (row->entry != NULL)
            put_entry(one, row->entry, now);
        else
            json_object_set_new(one, "unreadable", harmless_string(row->why));
        json_array_append_new(entries, one);
    }
    return json_pack("{s:s, s:s, s:o}", "list", list_name(list), "for", purposes[list], "entries", entries);
}

/* --- lines --- */

void list_row_print(struct buf *out, const struct list_row *row)
{
    struct buf line;

    if (row->entry == NULL) {
        print_text(out, row->pattern, strlen(row->pattern));
        buf_str(out, " (unreadable: ");
        print_text(out, row->why, strlen(row->why));
        buf_char(out, ')');
        return;
    }
    buf_init(&line, LINE_MAX_OCTETS);
    list_line_write(&line, row->entry);
    print_text(out, buf_text(&line), line.len > 0 ? line.len - 1 : 0);
    buf_clear(&line);
}

size_t list_export_print(struct buf *out, const struct list_rows *rows)
{
    size_t unreadable = 0;

    for (size_t i = 0; i < rows->count; i++) {
        if (rows->row[i].entry != NULL)
            list_line_write(out, rows->row[i].entry);
        else
            unreadable++;
    }
    return unreadable;
}

/* --- what changes --- */

struct changes {
    size_t count[LIST_CHANGES];
    struct buf named[LIST_CHANGES];
};

static void name_change(struct buf *to, enum list_change change, const struct list_row *before,
                        const struct list_row *after)
{
    static const char *const marks[LIST_CHANGES] = {"  + ", "  ~ ", "  - ", ""};

    buf_str(to, marks[change]);
    list_row_print(to, after != NULL ? after : before);
    if (change == LIST_CHANGED) {
        buf_str(to, "\n    was: ");
        list_row_print(to, before);
    }
    buf_char(to, '\n');
}

static void count_change(void *ctx, enum list_change change, const struct list_row *before,
                         const struct list_row *after)
{
    struct changes *c = ctx;

    if (++c->count[change] <= LIST_CHANGES_NAMED && change != LIST_KEPT)
        name_change(&c->named[change], change, before, after);
    else if (c->count[change] == LIST_CHANGES_NAMED + 1 && change != LIST_KEPT)
        buf_str(&c->named[change], "    ...\n");
}

void list_changes_print(struct buf *out, enum list_id list, const struct list_rows *before,
                        const struct list_rows *after, bool replace, bool named)
{
    struct changes c = {.count = {0}};

    for (size_t i = 0; i < LIST_CHANGES; i++)
        buf_init(&c.named[i], LINE_MAX_OCTETS * 4 * (LIST_CHANGES_NAMED + 1));
    list_rows_compare(before, after, replace, count_change, &c);
    buf_printf(out, "%s: %zu added, %zu changed, %zu removed, %zu as they were\n", list_name(list), c.count[LIST_ADDED],
               c.count[LIST_CHANGED], c.count[LIST_REMOVED], c.count[LIST_KEPT]);
    for (size_t i = 0; i < LIST_CHANGES; i++) {
        if (named)
            buf_str(out, buf_text(&c.named[i]));
        buf_clear(&c.named[i]);
    }
}
