/*
 * list.c - one list, indexed: a table by pattern. A name is looked for itself and then by each parent, an address by
 * each prefix length that occurs, so a look-up costs a few hash look-ups however long the list is.
 */
#include "list.h"

#include "cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_NETWORK (2 + 16) /* family, prefix, octets */
#define EXPIRES_MIN 16

struct list {
    struct cache *entries;    /* struct list_entry by pattern, networks by their octets */
    unsigned char v4[32 + 1]; /* whether a prefix of that length occurs */
    unsigned char v6[128 + 1];
    int64_t holds_until; /* when the last entry expires */
    int64_t *expires;    /* of each entry that does */
    size_t expires_count, expires_room;
};

struct list *list_new(const uint8_t secret[16])
{
    struct list *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->entries = cache_new(0, free, secret);
    if (l->entries == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void list_free(struct list *l)
{
    if (l == NULL)
        return;
    cache_free(l->entries);
    free(l->expires);
    free(l);
}

void list_shrink(struct list *l, size_t by)
{
    cache_shrink(l->entries, by);
}

size_t list_count(const struct list *l)
{
    return cache_count(l->entries);
}

/* No name has such a first octet. */
static size_t network_key(char out[KEY_NETWORK], const struct list_address *a, unsigned prefix)
{
    out[0] = a->bits == 32 ? '\4' : '\6';
    out[1] = (char)prefix;
    memcpy(out + 2, a->octet, a->bits / 8);
    return 2 + a->bits / 8;
}

static int note_expiry(struct list *l, int64_t expires)
{
    size_t room = l->expires_room == 0 ? EXPIRES_MIN : l->expires_room * 2;
    int64_t *more;

    if (l->expires_count == l->expires_room) {
        more = realloc(l->expires, room * sizeof(*more));
        if (more == NULL)
            return -1;
        l->expires = more;
        l->expires_room = room;
    }
    l->expires[l->expires_count++] = expires;
    return 0;
}

int list_put(struct list *l, struct list_entry *entry)
{
    struct list_pattern pattern;
    char key[KEY_NETWORK];

    if (entry->expires != 0 && note_expiry(l, entry->expires) != 0)
        return -1;
    if (entry->expires == 0)
        l->holds_until = INT64_MAX;
    else if (entry->expires > l->holds_until)
        l->holds_until = entry->expires;
    if (entry->form != LIST_NETWORK)
        return cache_put(l->entries, entry->pattern, strlen(entry->pattern), entry);
    if (list_pattern_parse(&pattern, entry->pattern, strlen(entry->pattern), NULL) != 0)
        return -1;
    (pattern.network.bits == 32 ? l->v4 : l->v6)[pattern.prefix] = 1;
    return cache_put(l->entries, key, network_key(key, &pattern.network, pattern.prefix), entry);
}

static const struct list_entry *find(const struct list *l, const char *key, size_t len, int64_t now)
{
    const struct list_entry *entry = cache_peek(l->entries, key, len);

    return entry != NULL && list_entry_live(entry, now) ? entry : NULL;
}

const struct list_entry *list_match_name(const struct list *l, const char *name, int64_t now)
{
    const struct list_entry *entry;
    const char *parent;

    if (cache_count(l->entries) == 0)
        return NULL;
    entry = find(l, name, strlen(name), now);
    for (parent = strchr(name, '.'); entry == NULL && parent != NULL; parent = strchr(parent + 1, '.'))
        entry = find(l, parent, strlen(parent), now);
    return entry;
}

const struct list_entry *list_match_nexthop(const struct list *l, const char *inside, int64_t now)
{
    char key[LIST_PATTERN_BUF];
    size_t len = strlen(inside);

    if (cache_count(l->entries) == 0 || len > sizeof(key) - 3)
        return NULL;
    snprintf(key, sizeof(key), "[%s]", inside);
    return find(l, key, len + 2, now);
}

const struct list_entry *list_match_address(const struct list *l, const struct list_address *a, int64_t now)
{
    const unsigned char *occurs = a->bits == 32 ? l->v4 : l->v6;
    const struct list_entry *entry = NULL;
    struct list_address masked = *a;
    char key[KEY_NETWORK];

    for (int prefix = (int)a->bits; prefix >= 0 && entry == NULL; prefix--) {
        if (!occurs[prefix])
            continue;
        list_address_mask(&masked, (unsigned)prefix);
        entry = find(l, key, network_key(key, &masked, (unsigned)prefix), now);
    }
    return entry;
}

const struct list_entry *list_next(const struct list *l, const void **cursor)
{
    const char *key;

    return cache_next(l->entries, cursor, &key);
}

bool list_holds(const struct list *l, int64_t now)
{
    return now < l->holds_until;
}

int64_t list_next_expiry(const struct list *l, int64_t now)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < l->expires_count; i++)
        if (l->expires[i] > now && l->expires[i] < first)
            first = l->expires[i];
    return first;
}
