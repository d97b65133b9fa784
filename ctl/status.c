/* status.c - what the daemons say of themselves, for people. Whatever members a daemon sends are shown, in its order.
 */
#include "status.h"

#include "print.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

static enum tint word_tint(const char *word)
{
    if (strcmp(word, "down") == 0)
        return TINT_BAD;
    return strcmp(word, "up") == 0 ? TINT_GOOD : TINT_NONE;
}

static void add_number(struct table *t, const char *name, int64_t n)
{
    struct buf span;

    if (strcmp(name, "uptime") != 0 || n < 60) {
        table_addf(t, TINT_NONE, "%lld%s", (long long)n, strcmp(name, "uptime") == 0 ? " s" : "");
        return;
    }
    buf_init(&span, 100);
    print_span(&span, n);
    table_add(t, TINT_NONE, buf_text(&span));
    buf_clear(&span);
}

static void add_value(struct table *t, const char *name, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        table_add(t, word_tint(json_string_value(value)), json_string_value(value));
    } else if (json_is_integer(value)) {
        add_number(t, name, (int64_t)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        table_add(t, TINT_NONE, json_is_true(value) ? "yes" : "no");
    } else {
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        table_add(t, TINT_NONE, text != NULL ? text : "?");
        free(text);
    }
}

/* --- the operator's lists --- */

static const char *word_of(const json_t *object, const char *name)
{
    const char *word = json_string_value(json_object_get(object, name));

    return word == NULL ? "" : word;
}

static void add_list(struct table *t, const char *name, const json_t *list)
{
    long long entries = json_integer_value(json_object_get(list, "entries"));
    long long bad = json_integer_value(json_object_get(list, "bad"));
    const char *problem = word_of(list, "problem");

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
    const char *from = word_of(lists, "from"), *redis = word_of(lists, "redis");
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
    add_problem(t, "    file", word_of(lists, "file_problem"));
    add_problem(t, "    Redis", word_of(lists, "read_problem"));
    for (i = json_object_iter(all); i != NULL; i = json_object_iter_next(all, i))
        add_list(t, json_object_iter_key(i), json_object_iter_value(i));
}

void status_print(struct buf *out, const char *program, const char *address, const json_t *status, bool colour)
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
        table_addf(t, TINT_NONE, "  %s", json_object_iter_key(i));
        add_value(t, json_object_iter_key(i), json_object_iter_value(i));
    }
    table_print(out, t, 0, colour);
    table_free(t);
}
