/* cache_text.c - what policyd says of its cache, for people. */
#include "cache_text.h"

#include "explain.h"
#include "member.h"
#include "print.h"
#include "table.h"

static void add_until(struct table *t, const json_t *entry, int64_t now)
{
    struct buf text;

    buf_init(&text, 100);
    if (member_number(entry, "valid_until") == 0)
        buf_str(&text, "to be looked up again");
    else
        print_time(&text, member_number(entry, "valid_until"), now);
    table_add(t, TINT_NONE, buf_text(&text));
    buf_clear(&text);
}

static void add_answer(struct table *t, const json_t *entry)
{
    const char *answer = member_text(entry, "answer");

    table_add(t, answer_tint(answer), answer);
}

void cache_print_list(struct buf *out, const json_t *cache, int64_t now, bool colour)
{
    const json_t *domains = json_object_get(cache, "domains");
    bool workers = json_object_get(json_array_get(domains, 0), "worker") != NULL;
    struct table *t = table_new(workers ? 5 : 4);

    table_add(t, TINT_HEAD, "DOMAIN");
    if (workers)
        table_add(t, TINT_HEAD, "WORKER");
    table_add(t, TINT_HEAD, "HITS");
    table_add(t, TINT_HEAD, "VALID UNTIL");
    table_add(t, TINT_HEAD, "ANSWER");
    for (size_t i = 0; i < json_array_size(domains); i++) {
        const json_t *entry = json_array_get(domains, i);

        table_add(t, TINT_NONE, member_text(entry, "domain"));
        if (workers)
            table_addf(t, TINT_NONE, "%lld", (long long)member_number(entry, "worker"));
        table_addf(t, TINT_NONE, "%lld", (long long)member_number(entry, "hits"));
        add_until(t, entry, now);
        add_answer(t, entry);
    }
    if (json_array_size(domains) > 0)
        table_print(out, t, 0, colour);
    table_free(t);
    if (workers && json_object_get(cache, "limit") == NULL) /* one domain was asked for, of several workers */
        return;
    if (json_array_size(domains) > 0)
        buf_char(out, '\n');
    buf_printf(out, "%lld of at most %lld entries%s\n", (long long)member_number(cache, "entries"),
               (long long)member_number(cache, "limit"),
               json_is_true(json_object_get(cache, "more")) ? "; not all are shown" : "");
}

void cache_print_entry(struct buf *out, const json_t *entry, int64_t now, bool colour)
{
    struct table *t = table_new(2);

    table_add(t, TINT_NONE, "domain");
    table_add(t, TINT_HEAD, member_text(entry, "domain"));
    table_add(t, TINT_NONE, "answer");
    add_answer(t, entry);
    table_add(t, TINT_NONE, "hits");
    table_addf(t, TINT_NONE, "%lld", (long long)member_number(entry, "hits"));
    table_add(t, TINT_NONE, "valid until");
    add_until(t, entry, now);
    table_print(out, t, 0, colour);
    table_free(t);
}

void cache_print_flushed(struct buf *out, const json_t *flushed, int64_t now, bool colour)
{
    int64_t n = member_number(flushed, "flushed");

    (void)now; /* the shape that all printers of policyd's answers have */
    (void)colour;
    buf_printf(out, "%lld %s forgotten\n", (long long)n, n == 1 ? "answer" : "answers");
}
