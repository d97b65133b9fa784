/* list_demand.h - entries of lists: the same after JSON, and after the text that export writes and import reads. */
#ifndef POSTERN_T_LIST_DEMAND_H
#define POSTERN_T_LIST_DEMAND_H

#include "list_line.h"
#include "recipe.h"

static inline void demand_same(const struct list_entry *a, const struct list_entry *b)
{
    demand(a != NULL && b != NULL);
    demand(strcmp(a->pattern, b->pattern) == 0 && a->form == b->form);
    demand(a->value.level == b->value.level && a->value.mode == b->value.mode);
    demand(a->value.seconds == b->value.seconds);
    demand(strcmp(a->value.protocols, b->value.protocols) == 0 && strcmp(a->value.ciphers, b->value.ciphers) == 0);
    demand(strcmp(a->author, b->author) == 0 && strcmp(a->comment, b->comment) == 0);
    demand(a->created == b->created && a->expires == b->expires && a->override == b->override);
}

static inline void demand_json(enum list_id list, const struct list_entry *entry)
{
    struct list_entry *again;
    struct buf json;

    buf_init(&json, LIST_JSON_MAX);
    list_entry_to_json(&json, entry);
    demand(buf_ok(&json));
    again = list_entry_from_json(list, entry->pattern, strlen(entry->pattern), json.data, json.len, NULL);
    demand_same(again, entry);
    demand(strcmp(again->value_text, entry->value_text) == 0);
    free(again);
    buf_clear(&json);
}

static inline void demand_line(enum list_id list, const struct list_entry *entry)
{
    struct list_entry *again = NULL;
    struct err e = {""};
    struct buf line;

    buf_init(&line, LIST_LINE_MAX + 1);
    list_line_write(&line, entry);
    demand(buf_ok(&line) && memchr(line.data, '\n', line.len) == line.data + line.len - 1);
    demand(list_line_read(&again, list, line.data, line.len - 1, "", 0, &e) == LIST_LINE_ENTRY);
    demand_same(again, entry);
    free(again);
    buf_clear(&line);
}

#endif
