/*
 * lists_match.h - what the operator's lists say about one destination: for each list the entry that goes, found by the
 * next hop, or else by the destination's MX hosts and their addresses. Pure.
 */
#ifndef POSTERN_LISTS_MATCH_H
#define POSTERN_LISTS_MATCH_H

#include "dest.h"
#include "list.h"
#include "nexthop.h"

struct lists {
    struct list *list[LISTS]; /* none is NULL */
};

/* Make them, all empty (secret: see list_new). Returns 0, or -1 without memory and with none made. */
int lists_init(struct lists *lists, const uint8_t secret[16]);

/* Free them and make them NULL. Safe on cleared lists. */
void lists_clear(struct lists *lists);

/* The entries of all lists together. */
size_t lists_count(const struct lists *lists);

enum lists_by { LISTS_BY_NEXTHOP, LISTS_BY_HOST, LISTS_BY_ADDRESS };

const char *lists_by_name(enum lists_by by); /* "next hop", "MX host", "address" */

struct lists_hit {
    const struct list_entry *entry; /* NULL: none */
    enum lists_by by;
    const char *what; /* the name or address that fits the pattern; the caller's or the record's */
};

struct lists_match {
    struct lists_hit hit[LISTS];
    bool only; /* the list `only` is in force: it has an entry that holds */
};

/*
 * The next hop goes before MX hosts, these before addresses; within each the most specific pattern (list.h). dest is
 * NULL, or the facts about the next hop's domain.
 *
 * Entries that ask for more (only, require) go when any MX host fits them. The others may take something away, so they
 * go only when every known MX host fits an entry of the list, and none was left out of the record; the entry is then
 * that of the first host. Entries of local and requiretls go by the next hop alone.
 *
 * The match points into lists, hop and dest and is valid as long as these.
 */
void lists_match(struct lists_match *out, const struct lists *lists, const struct nexthop *hop, const struct dest *dest,
                 int64_t now);

/* The entry of one list that is not inbound, found by the next hop alone. NULL: none. */
const struct list_entry *lists_match_hop(const struct lists *lists, enum list_id id, const struct nexthop *hop,
                                         int64_t now);

/*
 * The entry of an inbound list for a client: hop.name is its address, or a name that the mail server found for it
 * (hop.kind NEXTHOP_ADDRESS or NEXTHOP_DOMAIN). NULL: none.
 */
const struct list_entry *lists_match_client(const struct lists *lists, enum list_id id, const struct nexthop *client,
                                            int64_t now);

/*
 * The entry of any list for what a rule asks about (rule_in_list): of an inbound list for the address or name of a
 * client, of the others for a domain as it is written behind "@". NULL: none, or what is neither.
 */
const struct list_entry *lists_match_what(const struct lists *lists, enum list_id id, const char *what, size_t len,
                                          int64_t now);

/* When the first of the entries that go expires; INT64_MAX: none does. */
int64_t lists_match_until(const struct lists_match *m);

#endif
