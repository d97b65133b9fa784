/* policyd.c - plays policyd: the ways of conn_io.c, lookup_io.c and lookup_end_io.c. */
#include "site_internal.h"

#include "choice.h"
#include "refresh.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One look-up. out NULL: in the background. */
struct lookup {
    struct site *site;
    struct node *node;
    const char *domain;
    struct dest *old; /* facts from Redis that are past their time */
    struct outcome *out;
};

/* --- what the mail server is told --- */

static struct strength strength_of(const char *text, bool use_sts)
{
    static const enum tls_level levels[] = {LEVEL_DANE_ONLY, LEVEL_SECURE, LEVEL_DANE, LEVEL_ENCRYPT};

    if (strncmp(text, "OK ", 3) != 0)
        return (struct strength){.temp = strncmp(text, "NOTFOUND", 8) != 0};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        const char *name = tls_level_name(levels[i]);
        size_t len = strlen(name);

        if (strncmp(text + 3, name, len) == 0 && (text[3 + len] == ' ' || text[3 + len] == '\0'))
            return (struct strength){.level = levels[i], .use_sts = use_sts};
    }
    return (struct strength){.level = LEVEL_NONE};
}

static void copy_text(char *out, size_t size, const struct answer *a, enum answer_map map)
{
    size_t len;
    const char *text = answer_text(a, map, &len);

    (void)snprintf(out, size, "%.*s", (int)len, text);
}

static void tell(const struct lookup *l, const struct answer *a, const struct decision *decision, const char *from)
{
    struct outcome *out = l->out;

    if (out == NULL)
        return;
    copy_text(out->text, sizeof(out->text), a, ANSWER_POSTFIX);
    copy_text(out->tlsrpt, sizeof(out->tlsrpt), a, ANSWER_TLSRPT);
    (void)snprintf(out->from, sizeof(out->from), "%s", from);
    out->valid_until = a->valid_until;
    out->stale_until = a->stale_until;
    out->refresh_at = a->refresh_at;
    out->strength = strength_of(out->text, a->policy_until != 0);
    if (decision != NULL)
        out->decision = *decision;
}

/* --- the end of a look-up --- */

/* beside: NULL, or the answer that knows an enforced policy of which the facts say nothing. */
static void from_facts(const struct lookup *l, const struct dest *dest, const struct answer *beside, const char *from)
{
    struct decide_options options = l->site->decide;
    int64_t now = node_now(l->site, l->node);
    struct memory *memory = &l->node->memory;
    struct decision decision;
    struct answer *a;

    options.sts_elsewhere = beside != NULL;
    decide(&decision, dest, strcmp(from, "stale") == 0 ? DECIDE_STALE : DECIDE_FRESH, &options, now);
    a = answer_new(&decision, dest, &options);
    if (a == NULL)
        abort();
    if (beside != NULL)
        answer_keep_policy(a, beside);
    (void)answer_due(a, now);
    tell(l, a, &decision, from);
    if (dest == NULL)
        free(a);
    else if (memory_put(memory, l->domain, strlen(l->domain), a) != 0)
        abort();
    else if (l->node->changed)
        memory_expire(memory, l->domain, strlen(l->domain));
}

static void finish_with(const struct lookup *l, const struct dest *dest, const char *from)
{
    const struct choice_in in = {
        .memory = &l->node->memory, .domain = l->domain, .len = strlen(l->domain), .options = &l->site->decide};
    struct answer *a;
    enum choice choice = choice_new(&a, &in, dest, node_now(l->site, l->node));

    if (choice == CHOICE_FACTS || choice == CHOICE_BESIDE)
        from_facts(l, dest, a, from);
    else
        tell(l, a, NULL, from);
}

static void finish_old(const struct lookup *l)
{
    const struct choice_in in = {
        .memory = &l->node->memory, .domain = l->domain, .len = strlen(l->domain), .options = &l->site->decide};
    struct answer *a;
    enum choice choice = choice_old(&a, &in, l->old, l->node->changed, node_now(l->site, l->node));

    if (choice == CHOICE_FACTS || choice == CHOICE_BESIDE)
        from_facts(l, l->old, a, "stale");
    else if (choice == CHOICE_NOTHING)
        from_facts(l, NULL, NULL, "none");
    else
        tell(l, a, NULL, "stale");
}

/* --- its way --- */

static void ask_stsd(const struct lookup *l)
{
    struct site *s = l->site;
    const struct record *record = l->node->stsd_up ? stsd_get(s, l->node, l->domain, RECORDS_USE) : NULL;

    if (record != NULL)
        finish_with(l, record->dest, "stsd");
    else
        finish_old(l);
}

static void look_up(struct lookup *l)
{
    struct dest *dest = redis_get(l->site, l->domain);

    l->node->changed = false;
    if (dest != NULL && refresh_holds(dest, node_now(l->site, l->node))) {
        finish_with(l, dest, "redis");
        dest_free(dest);
        return;
    }
    l->old = dest;
    ask_stsd(l);
    dest_free(l->old);
}

void policyd_refresh(struct site *s, struct node *n, const char *domain)
{
    struct lookup l = {.site = s, .node = n, .domain = domain};

    n->changed = false;
    ask_stsd(&l);
}

static void answer_domain(struct site *s, struct node *n, const struct nexthop *hop, struct outcome *out)
{
    struct lookup l = {.site = s, .node = n, .domain = hop->name, .out = out};
    struct answer *a = memory_get(&n->memory, hop->name, strlen(hop->name), node_now(s, n));

    if (a == NULL) {
        look_up(&l);
        return;
    }
    if (answer_due(a, node_now(s, n)))
        site_later(s, n, hop->name, true);
    tell(&l, a, NULL, "memory");
}

void policyd_mail(struct site *s, struct node *n, const char *key, struct outcome *out)
{
    char text[1100];
    struct request request;
    int len = snprintf(text, sizeof(text), "postfix %s", key);

    memset(out, 0, sizeof(*out));
    request_parse(&request, text, (size_t)len);
    (void)snprintf(out->from, sizeof(out->from), "key");
    out->asked = node_now(s, n);
    if (request.kind == REQUEST_BAD)
        (void)snprintf(out->text, sizeof(out->text), "PERM %s", request.why.text);
    else if (request.kind == REQUEST_NOTFOUND || request.hop.kind != NEXTHOP_DOMAIN) /* there are no lists here */
        (void)snprintf(out->text, sizeof(out->text), "NOTFOUND ");
    else if (request.hop.port != 0 && request.hop.port != 25)
        trouble(s->trouble, "the scenarios know port 25 only");
    else
        answer_domain(s, n, &request.hop, out);
    out->strength.temp = out->strength.temp || out->text[0] == 'P';
}
