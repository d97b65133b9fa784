/*
 * tally_nodes.h - the hash table of a tally (tally.c): nodes of any kind, each found by 128 bits of SipHash over what
 * it is known by, under a secret key: two different texts never have the same. Pure.
 */
#ifndef POSTERN_TALLY_NODES_H
#define POSTERN_TALLY_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "siphash.h"

struct node_name {
    uint64_t first, second;
};

/* Stands first in each node. */
struct node {
    struct node *chain; /* of the same slot */
    struct node_name name;
};

struct nodes {
    uint8_t key[2][SIPHASH_KEY];
    struct node **slot;
    size_t slots, count;
    size_t memory; /* octets that the nodes take */
};

/* Returns 0, or -1 without memory, nothing to clear. */
int nodes_init(struct nodes *n, const uint8_t key[SIPHASH_KEY]);
void nodes_clear(struct nodes *n);

/* All nodes are freed. */
void nodes_forget(struct nodes *n);

struct node_name node_name(const struct nodes *n, const void *data, size_t len);

/* NULL: there is none. */
struct node *node_find(const struct nodes *n, struct node_name name);

/* A new node of `size` octets, zeros, with a text behind them. NULL without memory. */
void *node_add(struct nodes *n, struct node_name name, size_t size, const char *text);

#endif
