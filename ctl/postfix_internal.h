/* postfix_internal.h - what the files of postfix_check share. */
#ifndef POSTERN_POSTFIX_INTERNAL_H
#define POSTERN_POSTFIX_INTERNAL_H

#include "address_tag.h"
#include "postfix_check.h"
#include "postfix_table.h"

#define POSTFIX_MAPS_MAX 50 /* of one parameter; those behind are not looked at */
#define POSTFIX_WHERE    300
#define POSTFIX_VALUE    1024 /* of an answer, an address */

struct postfix_check {
    const struct postfix_conf *postfix;
    const struct conf *postern;
    postfix_reader reader;
    void *ctx;
    struct postfix_findings *out;
    struct address_tag tag, optional;
    bool *relaxed; /* of each service of *postfix: mail with TLS-Required: No goes there, and no other */
};

enum postfix_map_kind { POSTFIX_TABLE, POSTFIX_STATIC, POSTFIX_OTHER };

struct postfix_map {
    enum postfix_map_kind kind;
    char name[POSTFIX_WHERE];  /* "regexp:/etc/postfix/flags" */
    char where[POSTFIX_WHERE]; /* the file, or the parameter of an inline table */
    bool is_inline;
    struct postfix_table table; /* of POSTFIX_TABLE; empty when it cannot be read, which is then a finding */
    char value[POSTFIX_VALUE];  /* of POSTFIX_STATIC */
};

struct postfix_maps {
    struct postfix_map *map;
    size_t count;
};

/* What a map list answers. */
struct postfix_answer {
    size_t map;                      /* which one */
    const struct postfix_rule *rule; /* NULL of static: */
    char text[POSTFIX_VALUE];        /* "" also when it was too long */
};

/* postfix_maps.c */

/* Read the tables of a list; `where` is the parameter. Returns 0 (free with postfix_maps_free), or -1: no memory. */
int postfix_maps_open(struct postfix_maps *out, const struct postfix_check *c, const char *where, const char *list);
void postfix_maps_free(struct postfix_maps *m);

/* The first answer to the address as Postfix writes it in lookups. Returns false: none. */
bool postfix_maps_find(const struct postfix_maps *m, const char *address, bool substitution,
                       struct postfix_answer *out);

/* "FILE:LINE" of the answer, "PARAMETER: line N". */
void postfix_where(char out[POSTFIX_WHERE], const struct postfix_map *map, const struct postfix_rule *rule);

/* Where a parameter of a service is set: "master.cf: NAME/TYPE: -o NAME", or "main.cf: NAME". */
void postfix_where_set(char out[POSTFIX_WHERE], const struct postfix_conf *c, const struct postfix_service *service,
                       const char *name);

/*
 * An address that an expression is made for, with the tag: local part and domain that it has in plain letters.
 * n is 0 or 1: with the domain itself, or one below it. Returns false when there is none.
 */
bool postfix_sample(char out[POSTFIX_VALUE], const struct address_tag *tag, const char *expression, unsigned n);

/* Is this the address of one of these listeners? Service: which connects, NULL: a daemon before its chroot. */
bool postfix_same_address(const struct postfix_check *c, const struct postfix_service *service, const char *text,
                          const char *listen);

/* Is the domain of this address one for which this Postfix is the end, as far as main.cf has it in plain words? */
bool postfix_is_own(const struct postfix_check *c, const char *address);

/* postfix_check_milter.c: all about postern-milter. */
void postfix_check_milter(const struct postfix_check *c);

/* postfix_check_rewrite.c: what takes a flag off, or leads mail past transport_maps. Returns 0, or -1: no memory.
 */
int postfix_check_rewrite(const struct postfix_check *c);

/* Does this value of content_filter lead to a filter on this machine? It may well hand the mail back. */
bool postfix_filter_is_near(const char *filter);

/* postfix_check_service.c: the service to which a line leads flagged mail, and its next hop. */
void postfix_check_service(const struct postfix_check *c, const char *where, const struct postfix_service *service,
                           const char *nexthop);

#endif
