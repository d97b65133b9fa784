/* site.c - the site as a whole: nodes, time, Redis. stsd.c and policyd.c play the programs. */
#include "site_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEMBERED 100

void site_init(struct site *s, struct trouble *t)
{
    struct resolve_options options = resolve_options_default();

    memset(s, 0, sizeof(*s));
    s->trouble = t;
    world_init(&s->world, t);
    s->gather.world = &s->world;
    s->gather.options = options;
    s->decide = decide_options_default();
    s->refetch_after = options.refetch_after;
    s->retry_after = options.retry_after;
    s->used_within = INT64_C(30) * 86400;
    s->time = s->ticked = SITE_START;
    s->redis_up = true;
    (void)site_node_new(s, "a", 0);
}

static void node_clear(struct node *n)
{
    memory_clear(&n->memory);
    known_clear(&n->known);
}

void site_clear(struct site *s)
{
    for (size_t i = 0; i < s->nodes; i++)
        node_clear(&s->node[i]);
    for (size_t i = 0; i < s->entries; i++)
        free(s->entry[i].json);
    world_clear(&s->world);
}

/* --- nodes --- */

void site_configure(struct site *s)
{
    s->gather.options.refetch_after = s->refetch_after;
    s->gather.options.retry_after = s->retry_after;
    for (size_t i = 0; i < s->nodes; i++) {
        s->node[i].known.refetch_after = s->refetch_after;
        s->node[i].known.retry_after = s->retry_after;
    }
}

static const uint8_t secret[16] = {5};

static void node_start(struct node *n)
{
    if (memory_init(&n->memory, REMEMBERED, secret) != 0 || known_init(&n->known, REMEMBERED, secret) != 0)
        abort();
}

struct node *site_node_new(struct site *s, const char *name, int64_t clock)
{
    struct node *n = &s->node[s->nodes];

    if (s->nodes == NODES_MAX) {
        trouble(s->trouble, "more than %d nodes", NODES_MAX);
        return NULL;
    }
    memset(n, 0, sizeof(*n));
    (void)snprintf(n->name, sizeof(n->name), "%s", name);
    n->clock = clock;
    n->stsd_up = true;
    node_start(n);
    s->nodes++;
    site_configure(s);
    return n;
}

struct node *site_node(struct site *s, const char *name)
{
    for (size_t i = 0; i < s->nodes; i++)
        if (*name == '\0' || strcmp(s->node[i].name, name) == 0)
            return &s->node[i];
    trouble(s->trouble, "there is no node %s", name);
    return NULL;
}

void node_restart(struct site *s, struct node *n)
{
    node_clear(n);
    node_start(n);
    site_configure(s);
}

void stsd_restart(struct site *s, struct node *n)
{
    known_clear(&n->known);
    if (known_init(&n->known, REMEMBERED, secret) != 0)
        abort();
    site_configure(s);
}

int64_t node_now(const struct site *s, const struct node *n)
{
    return s->time + n->clock;
}

/* --- Redis --- */

static struct entry *find_entry(struct site *s, const char *domain)
{
    for (size_t i = 0; i < s->entries; i++)
        if (strcmp(s->entry[i].domain, domain) == 0)
            return &s->entry[i];
    return NULL;
}

struct entry *redis_entry(struct site *s, const char *domain)
{
    struct entry *e = find_entry(s, domain);

    if (!s->redis_up)
        return NULL;
    if (e != NULL && e->json != NULL && e->expires <= s->time) { /* its clock is right */
        free(e->json);
        e->json = NULL;
    }
    return e;
}

struct entry *redis_new_entry(struct site *s, const char *domain)
{
    struct entry *e = redis_entry(s, domain);

    if (!s->redis_up || e != NULL)
        return e;
    if (s->entries == ENTRIES_MAX) {
        trouble(s->trouble, "more than %d domains in Redis", ENTRIES_MAX);
        return NULL;
    }
    e = &s->entry[s->entries++];
    memset(e, 0, sizeof(*e));
    (void)snprintf(e->domain, sizeof(e->domain), "%s", domain);
    return e;
}

struct dest *redis_get(struct site *s, const char *domain)
{
    const struct entry *e = redis_entry(s, domain);

    return e == NULL || e->json == NULL ? NULL : dest_from_json(e->json, strlen(e->json), NULL);
}

/* All policyds are told. */
void redis_set(struct site *s, struct entry *e, const struct dest *d, int64_t expires)
{
    struct buf json;

    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, d);
    free(e->json);
    e->json = strdup(buf_text(&json));
    e->expires = expires;
    buf_clear(&json);
    for (size_t i = 0; i < s->nodes; i++) {
        memory_expire(&s->node[i].memory, e->domain, strlen(e->domain));
        s->node[i].changed = true;
    }
}

void redis_down(struct site *s)
{
    s->redis_up = false;
}

void redis_flush(struct site *s)
{
    for (size_t i = 0; i < s->entries; i++)
        free(s->entry[i].json);
    s->entries = 0;
    for (size_t i = 0; i < s->nodes; i++)
        memory_expire_all(&s->node[i].memory);
}

void redis_rise(struct site *s, bool empty)
{
    if (empty)
        redis_flush(s);
    s->redis_up = true;
    for (size_t i = 0; i < s->nodes; i++) {
        memory_expire_all(&s->node[i].memory);
        stsd_give_back(s, &s->node[i]);
    }
}

struct dest *site_record(struct site *s, struct node *n, const char *domain)
{
    struct dest *d = redis_get(s, domain);
    const struct record *known = known_get(&n->known, domain);
    struct buf json;

    if (d != NULL || known == NULL)
        return d;
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, known->dest);
    d = dest_from_json(json.data, json.len, NULL);
    buf_clear(&json);
    return d;
}

/* --- what goes on in the background --- */

void site_later(struct site *s, struct node *n, const char *domain, bool from_policyd)
{
    struct job *job = &s->job[s->jobs];

    if (s->jobs == JOBS_MAX) {
        trouble(s->trouble, "more than %d look-ups in the background", JOBS_MAX);
        return;
    }
    job->node = n;
    job->from_policyd = from_policyd;
    (void)snprintf(job->domain, sizeof(job->domain), "%s", domain);
    s->jobs++;
}

static void work_off(struct site *s)
{
    for (size_t i = 0; i < s->jobs; i++) {
        struct job job = s->job[i];

        if (job.from_policyd)
            policyd_refresh(s, job.node, job.domain);
        else
            (void)stsd_work(s, job.node, job.domain, RECORDS_AHEAD);
    }
    s->jobs = 0;
}

void site_mail(struct site *s, struct node *n, const char *key, struct outcome *out)
{
    policyd_mail(s, n, key, out);
    work_off(s);
}

void site_refresh(struct site *s, struct node *n, const char *domain)
{
    (void)stsd_get(s, n, domain, RECORDS_FRESH);
    work_off(s);
}

/* --- time --- */

/* The next time at which a schedule may find something, or `until`. */
static int64_t next_look(const struct site *s, int64_t until)
{
    int64_t next = until;

    if (!s->redis_up)
        return s->ticked + TICK;
    for (size_t i = 0; i < s->entries; i++) {
        for (size_t k = 0; k < s->nodes; k++) {
            int64_t due = s->entry[i].refresh - s->node[k].clock;

            if (s->entry[i].refresh != 0 && due < next)
                next = due;
        }
    }
    return next;
}

void site_pass(struct site *s, int64_t until)
{
    for (;;) {
        int64_t next = next_look(s, until);
        int64_t ticks = next > s->ticked ? (next - s->ticked + TICK - 1) / TICK : 1;

        if (s->ticked + ticks * TICK > until || in_trouble(s->trouble))
            break;
        s->ticked += ticks * TICK;
        s->time = s->ticked;
        for (size_t i = 0; i < s->nodes; i++) {
            if (s->node[i].stsd_up)
                stsd_schedule(s, &s->node[i]);
            work_off(s);
        }
    }
    s->time = until;
}

/* --- strength --- */

bool weaker(const struct strength *a, const struct strength *than)
{
    if (a->temp)
        return false;
    if (than->temp)
        return a->level < LEVEL_ENCRYPT;
    switch (than->level) {
    case LEVEL_DANE_ONLY:
        return a->level != LEVEL_DANE_ONLY && (than->use_sts || a->level != LEVEL_DANE);
    case LEVEL_SECURE:
        return a->level != LEVEL_SECURE && a->level != LEVEL_DANE_ONLY;
    case LEVEL_DANE:
        return a->level != LEVEL_DANE && a->level != LEVEL_DANE_ONLY;
    default:
        return a->level < than->level;
    }
}
