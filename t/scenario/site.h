/*
 * site.h - the programs of one mail site: nodes, each with a policyd (memory of answers) and a stsd (records known),
 * and the Redis that they share. What the shells (policyd/lookup_io.c, stsd/records_io.c, stsd/schedule_io.c) do with
 * sockets happens here one after the other; the rules are those of the pure files that they use.
 */
#ifndef POSTERN_T_SITE_H
#define POSTERN_T_SITE_H

#include "decide.h"
#include "gather.h"
#include "known.h"
#include "memory.h"

#define NODES_MAX   4
#define ENTRIES_MAX 8
#define JOBS_MAX    16
#define SITE_START  INT64_C(1795341600) /* 2026-11-22T10:00:00Z */
#define TICK        5                   /* seconds between two looks of the schedule */

struct node {
    char name[16];
    int64_t clock; /* seconds that its clock is ahead */
    bool stsd_up;
    bool changed; /* Redis has told of a change while a look-up is under way */
    struct memory memory;
    struct known known;
};

/* All of Redis about one domain. */
struct entry {
    char domain[DOMAIN_BUF];
    char *json;
    int64_t expires;
    int64_t refresh, used; /* scores; 0: not in the set */
};

/* A look-up that nobody waits for. */
struct job {
    struct node *node;
    bool from_policyd; /* else stsd's own, ahead of the end of the facts */
    char domain[DOMAIN_BUF];
};

/* How much an answer demands. */
struct strength {
    bool temp;
    enum tls_level level;
    bool use_sts;
};

/* What mail was told. */
struct outcome {
    char text[1200], tlsrpt[4000];
    char from[16]; /* memory, redis, stsd, stale, none; key: no look-up at all */
    int64_t asked, valid_until, stale_until, refresh_at;
    struct decision decision; /* reason_count 0: an answer out of memory */
    struct strength strength;
};

struct site {
    struct trouble *trouble;
    struct world world;
    struct gather gather;
    struct decide_options decide;
    int64_t refetch_after, retry_after, used_within;
    int64_t time, ticked;
    struct node node[NODES_MAX];
    size_t nodes;
    bool redis_up;
    struct entry entry[ENTRIES_MAX];
    size_t entries;
    struct job job[JOBS_MAX];
    size_t jobs;

    /* What was known when the fault of gather.meddle happened. */
    struct floor { /* all 0: nothing */
        struct strength strength;
        int64_t until; /* it binds so long */
        bool blank;    /* there were no facts that held, nor a policy that lived */
    } floor;
};

void site_init(struct site *s, struct trouble *t);
void site_clear(struct site *s);

/* After the settings have been changed. */
void site_configure(struct site *s);

struct node *site_node_new(struct site *s, const char *name, int64_t clock);
struct node *site_node(struct site *s, const char *name); /* "": the first; trouble when there is none */
void node_restart(struct site *s, struct node *n);        /* both programs, so memory is lost */
void stsd_restart(struct site *s, struct node *n);
int64_t node_now(const struct site *s, const struct node *n);

void redis_down(struct site *s);
void redis_flush(struct site *s); /* somebody empties it */
void redis_rise(struct site *s, bool empty);
struct entry *redis_entry(struct site *s, const char *domain); /* NULL: none, or Redis is away */

/* Mail asks for the key, as the smtp client does. What goes on in the background is done before it returns. */
void site_mail(struct site *s, struct node *n, const char *key, struct outcome *out);

/* posternctl refresh. */
void site_refresh(struct site *s, struct node *n, const char *domain);

/* Time passes, and the schedules of all nodes with it. */
void site_pass(struct site *s, int64_t until);

/* What is known of a domain now, in Redis or else on the node; free it. NULL: nothing. */
struct dest *site_record(struct site *s, struct node *n, const char *domain);

/* An answer lets mail go where the other would hold it or verify the host. */
bool weaker(const struct strength *a, const struct strength *than);

#endif
