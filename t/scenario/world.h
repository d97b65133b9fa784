/*
 * world.h - what is published: zones in the form of zone files, policy files, and what fails. Questions are answered as
 * a validating resolver and a policy host would, DNS by way of real packets, so that the rules about TTLs, negative
 * answers and CNAMEs are those of the programs.
 */
#ifndef POSTERN_T_WORLD_H
#define POSTERN_T_WORLD_H

#include "dns_msg.h"
#include "resolve.h"
#include "script.h"

#include <ldns/ldns.h>

#define ZONES_MAX    12
#define RRS_MAX      200
#define FAULTS_MAX   20
#define POLICIES_MAX 8
#define HEARD_MAX    120

struct zone {
    char name[DOMAIN_BUF];
    bool is_signed, bogus;
};

struct published {
    ldns_rr *rr;
    size_t zone;
    char owner[DOMAIN_BUF];
    unsigned line;
    bool asked_for;
};

struct fault {
    enum dns_type type;
    char name[DOMAIN_BUF];
    char what[16]; /* SERVFAIL, REFUSED, timeout, silent */
    unsigned line;
    bool asked_for;
};

enum policy_kind {
    POLICY_SERVED,      /* status, content type and body as given */
    POLICY_UNTRUSTED,   /* the certificate does not hold */
    POLICY_UNREACHABLE, /* no connection, or it breaks */
    POLICY_SILENT,      /* no answer before the deadline */
    POLICY_UNTRIED      /* a fault on our side */
};

struct policy {
    char domain[DOMAIN_BUF];
    enum policy_kind kind;
    long status;
    char content_type[64];
    char body[4000];
    unsigned line;
    bool fetched;
};

/* An answer that was made before; the same until the world changes. */
struct heard {
    char name[DOMAIN_BUF];
    enum dns_type type;
    struct dns_answer answer;
};

struct world {
    struct trouble *trouble;
    bool strict; /* what is never asked for is trouble */
    struct zone zone[ZONES_MAX];
    size_t zones;
    struct published rr[RRS_MAX];
    size_t rrs;
    struct fault fault[FAULTS_MAX];
    size_t faults;
    struct policy policy[POLICIES_MAX];
    size_t policies;
    struct heard heard[HEARD_MAX];
    size_t heards;
};

void world_init(struct world *w, struct trouble *t);
void world_clear(struct world *w);

/* Answers given before no longer go. */
void world_changed(struct world *w);

/* What is wrong with the arguments becomes trouble at the line carried out. */
struct zone *world_zone(struct world *w, const char *name);      /* a new one */
struct zone *world_find_zone(struct world *w, const char *name); /* of this very name */
void world_publish(struct world *w, struct zone *z, const char *text);
void world_change(struct world *w, struct zone *z, const char *text, bool first); /* in place of the RRset */
void world_remove(struct world *w, const char *type, const char *name);
void world_fail(struct world *w, const char *type, const char *name, const char *what);
void world_mend(struct world *w, const char *type, const char *name);
struct policy *world_policy(struct world *w, const char *domain); /* in place of the one that is there */

/* The answer as dns_reply_parse makes it, valid until the world changes; NULL: none ever comes. */
const struct dns_answer *world_ask(struct world *w, const char *name, enum dns_type type);

/* What comes of a fetch. e holds the reason; f points into the world and e. Returns false when nothing ever comes. */
bool world_fetch(struct world *w, const char *host, struct resolve_fetch *f, struct err *e);

/* Trouble for what was published and never asked for. */
void world_check_used(struct world *w);

#endif
