/* status.c - what the daemons say of themselves, for people. Whatever members a daemon sends are shown, in its order.
 */
#include "status.h"

#include "member.h"
#include "print.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX ((size_t)1 << 20)
#define TIMESTAMP "_timestamp_seconds"

static enum tint word_tint(const char *word)
{
    if (strcmp(word, "down") == 0)
        return TINT_BAD;
    return strcmp(word, "up") == 0 ? TINT_GOOD : TINT_NONE;
}

/* Said in a word before it. */
static bool is_said(const char *name)
{
    static const char *const said[] = {"redis_configured", "redis_up", "redis_tracking", "lists_current"};

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        if (strcmp(name, said[i]) == 0)
            return true;
    return false;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* "reports_sent_total" is "reports sent" to people. */
static void add_name(struct table *t, const char *name)
{
    static const char *const units[] = {TIMESTAMP, "_total"};
    size_t len = strlen(name);
    char text[100];

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (ends_with(name, units[i]))
            len -= strlen(units[i]);
    snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), name);
    for (char *p = text; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    table_addf(t, TINT_NONE, "  %s", text);
}

static void add_number(struct table *t, const char *name, int64_t n, int64_t now)
{
    struct buf text;

    buf_init(&text, 100);
    if (ends_with(name, TIMESTAMP) && n <= 0)
        buf_str(&text, "never");
    else if (ends_with(name, TIMESTAMP))
        print_time(&text, n, now);
    else if (strcmp(name, "uptime") == 0 && n >= 60)
        print_span(&text, n);
    else
        buf_printf(&text, "%lld%s", (long long)n, strcmp(name, "uptime") == 0 ? " s" : "");
    table_add(t, TINT_NONE, buf_text(&text));
    buf_clear(&text);
}

/* The kinds of one number: "log success 12, log failure 1". */
static void add_kinds(struct table *t, json_t *kinds)
{
    struct buf line;

    buf_init(&line, KINDS_MAX);
    for (void *i = json_object_iter(kinds); i != NULL; i = json_object_iter_next(kinds, i)) {
        char *text = json_dumps(json_object_iter_value(i), JSON_ENCODE_ANY | JSON_COMPACT);

        buf_printf(&line, "%s%s %s", line.len > 0 ? ", " : "", json_object_iter_key(i), text != NULL ? text : "?");
        free(text);
    }
    table_add(t, TINT_NONE, buf_text(&line));
    buf_clear(&line);
}

static void add_value(struct table *t, const char *name, json_t *value, int64_t now)
{
    char *text;

    if (json_is_string(value)) {
        table_add(t, word_tint(json_string_value(value)), json_string_value(value));
    } else if (json_is_integer(value)) {
        add_number(t, name, (int64_t)json_integer_value(value), now);
    } else if (json_is_boolean(value)) {
        table_add(t, TINT_NONE, json_is_true(value) ? "yes" : "no");
    } else if (json_is_object(value)) {
        add_kinds(t, value);
    } else {
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        table_add(t, TINT_NONE, text != NULL ? text : "?");
        free(text);
    }
}

/* --- the operator's lists --- */

static void add_list(struct table *t, const char *name, const json_t *list)
{
    long long entries = json_integer_value(json_object_get(list, "entries"));
    long long bad = json_integer_value(json_object_get(list, "bad"));
    const char *problem = member_text(list, "problem");

    table_addf(t, TINT_NONE, "    %s", name);
    if (problem[0] == '\0')
        table_addf(t, TINT_NONE, "%lld", entries);
    else if (bad == 0)
        table_addf(t, TINT_BAD, "%lld, as it was known; it cannot be read: %s", entries, problem);
    else
        table_addf(t, TINT_BAD, "%lld; %lld cannot be read, the first: %s", entries, bad, problem);
}

static void add_problem(struct table *t, const char *what, const char *problem)
{
    if (problem[0] == '\0')
        return;
    table_add(t, TINT_NONE, what);
    table_add(t, TINT_BAD, problem);
}

static void add_lists(struct table *t, const json_t *lists)
{
    const char *from = member_text(lists, "from"), *redis = member_text(lists, "redis");
    json_t *all = json_object_get(lists, "lists");
    bool kept = strcmp(redis, "lost") == 0 || strcmp(redis, "older") == 0;
    void *i;

    table_add(t, TINT_NONE, "  lists");
    if (kept)
        table_addf(t, TINT_BAD, "kept: Redis has %s; see posternctl list restore",
                   strcmp(redis, "lost") == 0 ? "lost them" : "older ones");
    else if (strcmp(from, "unknown") == 0)
        table_add(t, TINT_BAD, "not known: Redis cannot be reached; mail to which nothing binds waits");
    else
        table_addf(t, strcmp(from, "file") == 0 ? TINT_BAD : TINT_NONE, "%s",
                   strcmp(from, "none") == 0   ? "none, as there is no Redis"
                   : strcmp(from, "file") == 0 ? "from the file, as Redis cannot be reached"
                                               : "from Redis");
    add_problem(t, "    file", member_text(lists, "file_problem"));
    add_problem(t, "    Redis", member_text(lists, "read_problem"));
    for (i = json_object_iter(all); i != NULL; i = json_object_iter_next(all, i))
        add_list(t, json_object_iter_key(i), json_object_iter_value(i));
}

void status_print(struct buf *out, const char *program, const char *address, const json_t *status, int64_t now,
                  bool colour)
{
    struct table *t = table_new(2);
    void *i;

    table_add(t, TINT_HEAD, program);
    table_add(t, status != NULL ? TINT_GOOD : TINT_BAD, status != NULL ? "up" : "down");
    table_add(t, TINT_NONE, "  address");
    table_add(t, TINT_NONE, address);
    /* The iterator does not change the object; jansson's interface has no const here. */
    for (i = json_object_iter((json_t *)status); i != NULL; i = json_object_iter_next((json_t *)status, i)) {
        if (strcmp(json_object_iter_key(i), "lists") == 0 && json_is_object(json_object_iter_value(i))) {
            add_lists(t, json_object_iter_value(i));
            continue;
        }
        if (is_said(json_object_iter_key(i)))
            continue;
        add_name(t, json_object_iter_key(i));
        add_value(t, json_object_iter_key(i), json_object_iter_value(i), now);
    }
    table_print(out, t, 0, colour);
    table_free(t);
}
