/*
 * fuzz_list_pattern.c - a pattern that is read has one form, which is read the same again, and an entry of it goes for
 * what it stands for.
 */
#include "list.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct list_entry *look_up(const struct list *l, const struct list_pattern *p)
{
    char name[LIST_PATTERN_BUF + 2];
    size_t len = strlen(p->text);

    switch (p->form) {
    case LIST_NAME:
        return list_match_name(l, p->text, 1);
    case LIST_BELOW:
        demand(list_match_name(l, p->text + 1, 1) == NULL); /* not itself */
        (void)snprintf(name, sizeof(name), "x%s", p->text);
        return list_match_name(l, name, 1);
    case LIST_NEXTHOP:
        demand(p->text[0] == '[' && p->text[len - 1] == ']');
        (void)snprintf(name, sizeof(name), "%.*s", (int)len - 2, p->text + 1);
        return list_match_nexthop(l, name, 1);
    case LIST_NETWORK:
        return list_match_address(l, &p->network, 1);
    }
    return NULL;
}

static void demand_goes(const struct list_pattern *p)
{
    static const uint8_t secret[16] = {1};
    const struct list_entry_in in = {.value = "", .author = "", .comment = ""};
    struct list *l = list_new(secret);
    struct list_entry *entry = list_entry_new(LIST_EXCLUDE, p, &in, NULL);

    demand(l != NULL && entry != NULL && list_put(l, entry) == 0);
    demand(look_up(l, p) == entry);
    list_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct list_pattern p, again;
    struct err e = {""};

    if (list_pattern_parse(&p, (const char *)data, size, &e) != 0) {
        demand(e.text[0] != '\0');
        return 0;
    }
    demand(list_pattern_parse(&again, p.text, strlen(p.text), NULL) == 0);
    demand(again.form == p.form && strcmp(again.text, p.text) == 0 && again.prefix == p.prefix);
    demand(memcmp(&again.network, &p.network, sizeof(p.network)) == 0);
    demand(p.form != LIST_NETWORK || !list_address_mask(&again.network, p.prefix));
    demand_goes(&p);
    return 0;
}
