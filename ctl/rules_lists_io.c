/* rules_lists_io.c - lists, read one by one. */
#include "rules_lists_io.h"

#include "list_store_io.h"
#include "output_io.h"

#include <string.h>

int rules_lists_init(struct rules_lists *l, struct redis_ask *ask, bool configured, int64_t now)
{
    static const uint8_t secret[16] = {0}; /* the names are the operator's own */

    memset(l, 0, sizeof(*l));
    l->ask = ask;
    l->none = !configured;
    l->now = now;
    return lists_init(&l->lists, secret);
}

void rules_lists_clear(struct rules_lists *l)
{
    lists_clear(&l->lists);
}

/* The rows' entries become the list's. What cannot be read is left out, as the daemons do. */
static int take_rows(struct list *list, struct list_rows *rows, struct err *e)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->row[i].entry == NULL)
            continue;
        if (list_put(list, rows->row[i].entry) != 0)
            return err_set(e, "no memory");
        rows->row[i].entry = NULL;
    }
    return 0;
}

static void read_list(struct rules_lists *l, enum list_id id)
{
    struct list_rows rows = {0};
    struct err e = {""};

    l->read[id] = true;
    l->failed[id] = l->ask == NULL && !l->none;
    if (l->ask == NULL)
        return;
    if (list_store_read(l->ask, id, &rows, &e) != 0 || take_rows(l->lists.list[id], &rows, &e) != 0) {
        l->failed[id] = true;
        report_error("list %s: %s", list_name(id), e.text);
    }
    list_rows_clear(&rows);
}

int rules_lists_ask(void *lists, enum list_id list, const char *what, size_t len)
{
    struct rules_lists *l = lists;

    if (!l->read[list])
        read_list(l, list);
    return l->failed[list] ? -1 : lists_match_what(&l->lists, list, what, len, l->now) != NULL;
}

bool rules_lists_local(void *lists, const char *domain, size_t len)
{
    return rules_lists_ask(lists, LIST_LOCAL, domain, len) == 1;
}

bool rules_lists_missed(const struct rules_lists *l)
{
    for (size_t i = 0; i < LISTS; i++)
        if (l->failed[i])
            return true;
    return false;
}
