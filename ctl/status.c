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
        table_addf(t, TINT_NONE, "  %s", json_object_iter_key(i));
        add_value(t, json_object_iter_key(i), json_object_iter_value(i));
    }
    table_print(out, t, 0, colour);
    table_free(t);
}
