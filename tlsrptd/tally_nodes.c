/* tally_nodes.c - see tally_nodes.h. */
#include "tally_nodes.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024

int nodes_init(struct nodes *n, const uint8_t key[SIPHASH_KEY])
{
    *n = (struct nodes){.slots = SLOTS_FIRST};
    memcpy(n->key[0], key, SIPHASH_KEY);
    for (size_t i = 0; i < SIPHASH_KEY; i++)
        n->key[1][i] = key[i] ^ 0x5aU;
    n->slot = calloc(n->slots, sizeof(struct node *));
    return n->slot != NULL ? 0 : -1;
}

void nodes_forget(struct nodes *n)
{
    for (size_t i = 0; i < n->slots; i++)
        while (n->slot[i] != NULL) {
            struct node *first = n->slot[i];

            n->slot[i] = first->chain;
            free(first);
        }
    n->count = 0;
    n->memory = 0;
}

void nodes_clear(struct nodes *n)
{
    nodes_forget(n);
    free(n->slot);
}

struct node_name node_name(const struct nodes *n, const void *data, size_t len)
{
    return (struct node_name){siphash(n->key[0], data, len), siphash(n->key[1], data, len)};
}

static struct node **slot_of(struct node **slot, size_t slots, struct node_name name)
{
    return &slot[name.first & (slots - 1)];
}

struct node *node_find(const struct nodes *n, struct node_name name)
{
    for (struct node *one = *slot_of(n->slot, n->slots, name); one != NULL; one = one->chain)
        if (one->name.first == name.first && one->name.second == name.second)
            return one;
    return NULL;
}

/* Longer chains are slower, and nothing else: without memory it stays as it is. */
static void slots_grow(struct nodes *n)
{
    size_t slots = n->slots * 2;
    struct node **slot = calloc(slots, sizeof(struct node *));

    if (slot == NULL)
        return;
    for (size_t i = 0; i < n->slots; i++)
        while (n->slot[i] != NULL) {
            struct node *one = n->slot[i];
            struct node **to = slot_of(slot, slots, one->name);

            n->slot[i] = one->chain;
            one->chain = *to;
            *to = one;
        }
    free(n->slot);
    n->slot = slot;
    n->slots = slots;
}

void *node_add(struct nodes *n, struct node_name name, size_t size, const char *text)
{
    size_t len = strlen(text) + 1;
    struct node *one = calloc(1, size + len);
    struct node **to;

    if (one == NULL)
        return NULL;
    if (n->count >= n->slots)
        slots_grow(n);
    memcpy((char *)one + size, text, len);
    one->name = name;
    to = slot_of(n->slot, n->slots, name);
    one->chain = *to;
    *to = one;
    n->count++;
    n->memory += size + len + 2 * sizeof(void *) + sizeof(struct node *);
    return one;
}
