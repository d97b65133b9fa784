/* fallback_text.c - the fallback states for people, and as JSON. */
#include "fallback_text.h"

#include "print.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

static void row_clear(struct fallback_row *row)
{
    free(row->nexthop);
    free(row->host);
    free(row->why);
}

void fallback_rows_clear(struct fallback_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        row_clear(&rows->row[i]);
    free(rows->row);
    *rows = (struct fallback_rows){0};
}

/* A new row at the end, or NULL with the rows marked as failed. */
static struct fallback_row *row_new(struct fallback_rows *rows, const char *nexthop, const char *host, size_t host_len)
{
    struct fallback_row row = {.nexthop = strdup(nexthop), .host = strndup(host, host_len)};

    if (rows->count == rows->room) {
        size_t room = rows->room > 0 ? rows->room * 2 : 64;
        struct fallback_row *grown = reallocarray(rows->row, room, sizeof(*grown));

        if (grown != NULL) {
            rows->row = grown;
            rows->room = room;
        }
    }
    if (row.nexthop == NULL || row.host == NULL || rows->count == rows->room) {
        row_clear(&row);
        rows->failed = true;
        return NULL;
    }
    rows->row[rows->count] = row;
    return &rows->row[rows->count++];
}

static void row_wrong(struct fallback_rows *rows, struct fallback_row *row, const char *why)
{
    row->why = strdup(why);
    if (row->why == NULL)
        rows->failed = true;
}

void fallback_rows_add_json(struct fallback_rows *rows, const char *nexthop, const char *host, size_t host_len,
                            const char *json, size_t json_len)
{
    struct fallback_row *row = row_new(rows, nexthop, host, host_len);
    struct err e = {""};

    if (row != NULL && fallback_from_json(&row->state, json, json_len, &e) != 0)
        row_wrong(rows, row, e.text);
}

void fallback_rows_add_wrong(struct fallback_rows *rows, const char *nexthop, const char *why)
{
    struct fallback_row *row = row_new(rows, nexthop, "", 0);

    if (row != NULL)
        row_wrong(rows, row, why);
}

static int by_name(const void *a, const void *b)
{
    const struct fallback_row *x = a;
    const struct fallback_row *y = b;
    int order = strcmp(x->nexthop, y->nexthop);

    return order != 0 ? order : strcmp(x->host, y->host);
}

void fallback_rows_sort(struct fallback_rows *rows)
{
    size_t kept = 0;

    if (rows->count > 0)
        qsort(rows->row, rows->count, sizeof(rows->row[0]), by_name);
    for (size_t i = 0; i < rows->count; i++) {
        if (i + 1 < rows->count && by_name(&rows->row[i], &rows->row[i + 1]) == 0)
            row_clear(&rows->row[i]);
        else
            rows->row[kept++] = rows->row[i];
    }
    rows->count = kept;
}

/* --- for people --- */

static void add_time(struct table *t, int64_t at, int64_t now)
{
    struct buf text;

    buf_init(&text, 100);
    if (at != 0)
        print_time(&text, at, now);
    else
        buf_char(&text, '-');
    table_add(t, TINT_NONE, buf_text(&text));
    buf_clear(&text);
}

static void add_row(struct table *t, const struct fallback_row *row, int64_t now)
{
    table_add(t, TINT_NONE, row->nexthop);
    table_add(t, TINT_NONE, row->host);
    if (row->why != NULL) {
        table_addf(t, TINT_BAD, "unreadable: %s", row->why);
    } else {
        add_time(t, row->state.handshake_failed, now);
        add_time(t, row->state.later_failed, now);
        add_time(t, row->state.tls_done, now);
        add_time(t, row->state.plain_done, now);
    }
    table_end_row(t);
}

void fallback_print(struct buf *out, const struct fallback_rows *rows, int64_t now, bool colour)
{
    static const char *const heads[] = {"NEXT HOP",     "MX HOST",       "HANDSHAKE FAILED",
                                        "FAILED LATER", "TLS WENT WELL", "PLAIN ATTEMPT"};
    struct table *t = table_new_headed(heads, sizeof(heads) / sizeof(heads[0]));

    for (size_t i = 0; i < rows->count; i++)
        add_row(t, &rows->row[i], now);
    if (rows->count > 0)
        table_print(out, t, 0, colour);
    else
        buf_str(out, "no TLS outcome is known\n");
    table_free(t);
}

/* --- JSON --- */

/* Foreign octets as a JSON string. */
static void put_text(json_t *to, const char *name, const char *text)
{
    struct buf out;

    buf_init(&out, 4096);
    print_text(&out, text, strlen(text));
    json_object_set_new(to, name, json_string(buf_text(&out)));
    buf_clear(&out);
}

static void put_time(json_t *to, const char *name, int64_t at)
{
    if (at != 0)
        json_object_set_new(to, name, json_integer(at));
}

json_t *fallback_json(const struct fallback_rows *rows)
{
    json_t *all = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        const struct fallback_row *row = &rows->row[i];
        json_t *one = json_object();

        put_text(one, "nexthop", row->nexthop);
        put_text(one, "host", row->host);
        put_time(one, "handshake", row->state.handshake_failed);
        put_time(one, "later", row->state.later_failed);
        put_time(one, "tls", row->state.tls_done);
        put_time(one, "plain", row->state.plain_done);
        if (row->why != NULL)
            put_text(one, "unreadable", row->why);
        json_array_append_new(all, one);
    }
    return json_pack("{s:o}", "fallback", all);
}
