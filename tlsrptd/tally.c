/*
 * tally.c - one hash table (tally_nodes.h) holds nodes of three kinds: a day's domain, a policy of it, a failure of
 * that. Nodes stay after they were taken, with nothing counted, so that their texts need not be made again; when they
 * have taken half of the memory, all go.
 */
#include "tally.h"
#include "counts.h"
#include "tally_nodes.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX  65536 /* octets of what a node is found by */
#define MEMBER_SPARE 4     /* so that a character that passes a limit is there whole, and left out */

struct detail {
    struct node node;
    struct detail *next; /* with sessions */
    struct policy *policy;
    uint64_t sessions;
    enum tlsrpt_result result;
    char text[];
};

struct policy {
    struct node node;
    struct policy *next; /* with something counted */
    struct domain *domain;
    struct detail *counted;
    uint64_t successful, failed;
    bool listed, left_out;
    char id[COUNTS_ID_BUF];
    char text[];
};

struct domain {
    struct node node;
    struct domain *next;
    struct policy *counted;
    uint64_t left_out;
    size_t policies, details;
    int32_t day;
    bool listed;
    char name[];
};

struct tally {
    struct nodes nodes;
    size_t memory_max;
    uint64_t events;
    struct domain *counted;
    struct buf members, text;
};

struct tally *tally_new(const uint8_t key[SIPHASH_KEY], size_t memory)
{
    struct tally *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    if (nodes_init(&t->nodes, key) != 0) {
        free(t);
        return NULL;
    }
    t->memory_max = memory;
    buf_init(&t->members, MEMBERS_MAX);
    buf_init(&t->text, COUNTS_TEXT_MAX);
    return t;
}

void tally_free(struct tally *t)
{
    if (t == NULL)
        return;
    nodes_clear(&t->nodes);
    buf_clear(&t->members);
    buf_clear(&t->text);
    free(t);
}

bool tally_full(const struct tally *t)
{
    return t->nodes.memory >= t->memory_max;
}

uint64_t tally_events(const struct tally *t)
{
    return t->events;
}

/* --- what nodes are found by --- */

static void member(struct buf *out, const char *text, size_t max)
{
    if (text != NULL)
        buf_add(out, text, strnlen(text, max + MEMBER_SPARE));
    buf_char(out, '\0');
}

static void member_list(struct buf *out, const char *const *text, size_t count, size_t max)
{
    size_t begin = out->len;

    for (size_t i = 0; i < count && out->len - begin <= max; i++)
        member(out, text[i], max);
    buf_char(out, '\xff');
}

/* As counts_domain does with what is ASCII; domains that differ in other ways are one in Redis. */
static void member_domain(struct buf *out, const char *text)
{
    size_t begin = out->len, len;

    member(out, text, TLSRPT_NAME_MAX);
    for (char *c = out->data + begin; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    len = out->len - begin - 1;
    if (len > 1 && out->data[out->len - 2] == '.' && out->data[out->len - 3] != '.') {
        out->data[out->len - 2] = '\0';
        out->len--;
    }
}

static struct node_name policy_name(struct tally *t, int32_t day, const struct tlsrpt_event *e,
                                    const struct tlsrpt_policy *p)
{
    struct buf *m = &t->members;

    buf_reset(m);
    buf_add(m, &day, sizeof(day));
    member_domain(m, e->domain);
    buf_char(m, (char)p->type);
    member(m, e->record, TLSRPT_RECORD_TEXT);
    member(m, p->domain, TLSRPT_NAME_MAX);
    member_list(m, p->string, p->strings, TLSRPT_STRINGS_MAX);
    member_list(m, p->mx, p->mx_count, TLSRPT_MX_MAX);
    return node_name(&t->nodes, m->data, m->len);
}

static struct node_name detail_name(struct tally *t, const struct policy *p, const struct tlsrpt_failure *f)
{
    struct buf *m = &t->members;
    int result = (int)f->result;

    buf_reset(m);
    buf_add(m, &p, sizeof(const struct policy *));
    buf_add(m, &result, sizeof(result));
    member(m, f->sending_ip, TLSRPT_ADDRESS_MAX);
    member(m, f->mx_name, TLSRPT_NAME_MAX);
    member(m, f->mx_helo, TLSRPT_HELO_MAX);
    member(m, f->receiving_ip, TLSRPT_ADDRESS_MAX);
    member(m, f->additional, TLSRPT_ADDITIONAL_MAX);
    member(m, f->reason, TLSRPT_REASON_MAX);
    return node_name(&t->nodes, m->data, m->len);
}

/* --- finding or making --- */

static struct domain *domain_of(struct tally *t, int32_t day, const char *text)
{
    struct {
        int32_t day;
        char name[DOMAIN_BUF];
    } members = {.day = day};
    size_t len = counts_domain(members.name, text);
    struct node_name name = node_name(&t->nodes, &members, offsetof(__typeof__(members), name) + len);
    struct domain *d = (struct domain *)node_find(&t->nodes, name);

    if (d != NULL)
        return d;
    d = node_add(&t->nodes, name, offsetof(struct domain, name), members.name);
    if (d != NULL)
        d->day = day;
    return d;
}

static struct policy *policy_make(struct tally *t, struct node_name name, struct domain *d, const char *record,
                                  const struct tlsrpt_policy *policy)
{
    bool left_out = d->policies >= COUNTS_POLICIES_MAX;
    struct policy *p;

    buf_reset(&t->text);
    if (!left_out)
        counts_policy_text(&t->text, record, policy);
    if (!buf_ok(&t->text))
        return NULL;
    p = node_add(&t->nodes, name, offsetof(struct policy, text), buf_text(&t->text));
    if (p == NULL || (!left_out && counts_id(p->id, t->text.data, t->text.len) != 0))
        return NULL;
    p->domain = d;
    p->left_out = left_out;
    d->policies++;
    return p;
}

static struct policy *policy_of(struct tally *t, int32_t day, const struct tlsrpt_event *e,
                                const struct tlsrpt_policy *policy)
{
    struct node_name name = policy_name(t, day, e, policy);
    struct policy *p = (struct policy *)node_find(&t->nodes, name);
    struct domain *d;

    if (p != NULL)
        return p;
    d = domain_of(t, day, e->domain);
    return d == NULL ? NULL : policy_make(t, name, d, e->record, policy);
}

static struct detail *detail_make(struct tally *t, struct node_name name, struct policy *p,
                                  const struct tlsrpt_failure *f)
{
    struct detail *d;

    buf_reset(&t->text);
    counts_detail_text(&t->text, f);
    if (!buf_ok(&t->text))
        return NULL;
    d = node_add(&t->nodes, name, offsetof(struct detail, text), t->text.data);
    if (d != NULL) {
        d->policy = p;
        d->result = f->result;
    }
    return d;
}

static struct detail *detail_of(struct tally *t, struct policy *p, const struct tlsrpt_failure *f)
{
    const struct tlsrpt_failure other = {.result = f->result, .reason = "other"};
    struct node_name name = detail_name(t, p, f);
    struct detail *d = (struct detail *)node_find(&t->nodes, name);

    if (d != NULL)
        return d;
    if (p->domain->details < COUNTS_DETAILS_MAX) {
        p->domain->details++;
        return detail_make(t, name, p, f);
    }
    name = detail_name(t, p, &other);
    d = (struct detail *)node_find(&t->nodes, name);
    return d != NULL ? d : detail_make(t, name, p, &other);
}

/* --- counting --- */

static void list_up(struct tally *t, struct policy *p)
{
    struct domain *d = p->domain;

    if (!p->listed) {
        p->listed = true;
        p->next = d->counted;
        d->counted = p;
    }
    if (!d->listed) {
        d->listed = true;
        d->next = t->counted;
        t->counted = d;
    }
}

static int policy_count(struct tally *t, struct policy *p, const struct tlsrpt_policy *policy)
{
    list_up(t, p);
    if (p->left_out) {
        p->domain->left_out++;
        return 0;
    }
    p->failed += policy->failed ? 1 : 0;
    p->successful += policy->failed ? 0 : 1;
    for (size_t i = 0; i < policy->failures; i++) {
        struct detail *d = detail_of(t, p, &policy->failure[i]);

        if (d == NULL)
            return -1;
        if (d->sessions++ == 0) {
            d->next = p->counted;
            p->counted = d;
        }
    }
    return 0;
}

int tally_add(struct tally *t, int32_t day, const struct tlsrpt_event *event)
{
    if (tally_full(t))
        return 1;
    if (event->domain == NULL || event->domain[0] == '\0')
        return 0;
    for (size_t i = 0; i < event->policies; i++) {
        struct policy *p = policy_of(t, day, event, &event->policy[i]);

        if (p == NULL || policy_count(t, p, &event->policy[i]) != 0)
            return -1;
    }
    t->events++;
    return 0;
}

/* --- taking --- */

static void details_take(struct tally *t, struct policy *p, struct batch_entry entry, tally_entry_fn *fn, void *ctx)
{
    entry.successful = 0;
    entry.failed = 0;
    while (p->counted != NULL) {
        struct detail *d = p->counted;

        p->counted = d->next;
        buf_reset(&t->text);
        counts_detail_other(&t->text, d->result);
        entry.detail = d->text;
        entry.other = buf_text(&t->text);
        entry.sessions = d->sessions;
        d->sessions = 0;
        fn(ctx, &entry);
    }
}

static void domain_take(struct tally *t, struct domain *d, tally_entry_fn *fn, void *ctx)
{
    struct batch_entry entry = {.day = d->day, .domain = d->name};

    if (d->left_out > 0) {
        entry.successful = d->left_out;
        d->left_out = 0;
        fn(ctx, &entry);
    }
    while (d->counted != NULL) {
        struct policy *p = d->counted;

        d->counted = p->next;
        p->listed = false;
        if (p->left_out)
            continue;
        entry.id = p->id;
        entry.policy = p->text;
        entry.successful = p->successful;
        entry.failed = p->failed;
        p->successful = p->failed = 0;
        fn(ctx, &entry);
        details_take(t, p, entry, fn, ctx);
    }
}

void tally_take(struct tally *t, tally_entry_fn *fn, void *ctx)
{
    while (t->counted != NULL) {
        struct domain *d = t->counted;

        t->counted = d->next;
        d->listed = false;
        domain_take(t, d, fn, ctx);
    }
    t->events = 0;
    if (t->nodes.memory > t->memory_max / 2)
        nodes_forget(&t->nodes);
}
