/* lists_match.c - which entry of each list goes for a destination. */
#include "lists_match.h"

#include <string.h>

int lists_init(struct lists *lists, const uint8_t secret[16])
{
    *lists = (struct lists){0};
    for (size_t i = 0; i < LISTS; i++) {
        lists->list[i] = list_new(secret);
        if (lists->list[i] == NULL) {
            lists_clear(lists);
            return -1;
        }
    }
    return 0;
}

void lists_clear(struct lists *lists)
{
    for (size_t i = 0; i < LISTS; i++)
        list_free(lists->list[i]);
    *lists = (struct lists){0};
}

size_t lists_count(const struct lists *lists)
{
    size_t count = 0;

    for (size_t i = 0; i < LISTS; i++)
        count += list_count(lists->list[i]);
    return count;
}

const char *lists_by_name(enum lists_by by)
{
    static const char *const names[] = {"next hop", "MX host", "address"};

    return (size_t)by < sizeof(names) / sizeof(names[0]) ? names[by] : "?";
}

static bool asks_for_more(enum list_id list)
{
    return list == LIST_ONLY || list == LIST_REQUIRE;
}

static bool by_hop_alone(enum list_id list)
{
    return list == LIST_LOCAL || list == LIST_REQUIRETLS;
}

static bool hit_set(struct lists_hit *hit, const struct list_entry *entry, enum lists_by by, const char *what)
{
    if (entry != NULL)
        *hit = (struct lists_hit){.entry = entry, .by = by, .what = what};
    return entry != NULL;
}

static bool match_address(struct lists_hit *hit, const struct list *l, const char *text, enum lists_by by, int64_t now)
{
    struct list_address a;

    return list_address_parse(&a, text) == 1 && hit_set(hit, list_match_address(l, &a, now), by, text);
}

static bool match_hop(struct lists_hit *hit, const struct list *l, const struct nexthop *hop, int64_t now)
{
    if (hop->kind == NEXTHOP_DOMAIN)
        return hit_set(hit, list_match_name(l, hop->name, now), LISTS_BY_NEXTHOP, hop->name);
    if (hit_set(hit, list_match_nexthop(l, hop->name, now), LISTS_BY_NEXTHOP, hop->name))
        return true;
    if (hop->kind == NEXTHOP_HOST)
        return hit_set(hit, list_match_name(l, hop->name, now), LISTS_BY_HOST, hop->name);
    return hop->kind == NEXTHOP_ADDRESS && match_address(hit, l, hop->name, LISTS_BY_ADDRESS, now);
}

/* By its addresses: by any of them, or by all. */
static bool match_addresses(struct lists_hit *hit, const struct list *l, const struct dest_host *host, bool any,
                            int64_t now)
{
    struct lists_hit first = {0};

    for (size_t i = 0; i < host->address_count; i++) {
        struct lists_hit one = {0};
        bool found = match_address(&one, l, host->address[i], LISTS_BY_ADDRESS, now);

        if (found && first.entry == NULL)
            first = one;
        if (!found && !any)
            return false;
        if (found && any)
            break;
    }
    if (first.entry != NULL)
        *hit = first;
    return first.entry != NULL;
}

static bool match_host(struct lists_hit *hit, const struct list *l, const struct dest_host *host, bool any, int64_t now)
{
    return hit_set(hit, list_match_name(l, host->name, now), LISTS_BY_HOST, host->name) ||
           match_addresses(hit, l, host, any, now);
}

static void match_hosts(struct lists_hit *hit, const struct list *l, const struct dest *dest, bool any, int64_t now)
{
    struct lists_hit first = {0};

    for (size_t i = 0; i < dest->host_count; i++) {
        struct lists_hit one = {0};
        bool found = match_host(&one, l, &dest->host[i], any, now);

        if (found && first.entry == NULL)
            first = one;
        if (!found && !any)
            return;
        if (found && any)
            break;
    }
    *hit = first;
}

void lists_match(struct lists_match *out, const struct lists *lists, const struct nexthop *hop, const struct dest *dest,
                 int64_t now)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < LISTS; i++) {
        enum list_id id = (enum list_id)i;
        const struct list *l = lists->list[i];
        bool any = asks_for_more(id);

        if (list_count(l) == 0 || list_is_inbound(id) || match_hop(&out->hit[i], l, hop, now) || by_hop_alone(id))
            continue;
        if (dest != NULL && dest->host_count > 0 && (any || !dest->mx_truncated))
            match_hosts(&out->hit[i], l, dest, any, now);
    }
    out->only = list_holds(lists->list[LIST_ONLY], now);
}

const struct list_entry *lists_match_hop(const struct lists *lists, enum list_id id, const struct nexthop *hop,
                                         int64_t now)
{
    struct lists_hit hit = {0};

    return match_hop(&hit, lists->list[id], hop, now) ? hit.entry : NULL;
}

const struct list_entry *lists_match_client(const struct lists *lists, enum list_id id, const struct nexthop *client,
                                            int64_t now)
{
    struct list_address address;

    if (client->kind == NEXTHOP_DOMAIN)
        return list_match_name(lists->list[id], client->name, now);
    if (client->kind != NEXTHOP_ADDRESS || list_address_parse(&address, client->name) != 1)
        return NULL;
    return list_match_address(lists->list[id], &address, now);
}

const struct list_entry *lists_match_what(const struct lists *lists, enum list_id id, const char *what, size_t len,
                                          int64_t now)
{
    struct nexthop read = {.kind = NEXTHOP_ADDRESS};

    if (!list_is_inbound(id))
        return nexthop_parse(&read, what, len, NULL) == 0 ? lists_match_hop(lists, id, &read, now) : NULL;
    if (address_normalise(read.name, what, len) != 1) {
        read.kind = NEXTHOP_DOMAIN;
        if (domain_normalise(read.name, what, len, NULL) != 0)
            return NULL;
    }
    return lists_match_client(lists, id, &read, now);
}

int64_t lists_match_until(const struct lists_match *m)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < LISTS; i++)
        if (m->hit[i].entry != NULL && m->hit[i].entry->expires != 0 && m->hit[i].entry->expires < first)
            first = m->hit[i].entry->expires;
    return first;
}
