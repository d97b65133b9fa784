/*
 * fuzz_published.c - a published policy as Redis has it: the domain, a line feed, the JSON. What is taken is the same
 * after it was written, and what is served of it is the same policy to a sender.
 */
#include "published.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_same(const struct sts_policy *a, const struct sts_policy *b)
{
    demand(a->mode == b->mode && a->max_age == b->max_age && a->mx_count == b->mx_count);
    for (size_t i = 0; i < a->mx_count; i++)
        demand(strcmp(a->mx[i], b->mx[i]) == 0);
}

static void demand_again(const struct published *p)
{
    struct published again;
    struct buf json;

    buf_init(&json, (size_t)2 * PUBLISHED_JSON_MAX);
    published_write(&json, p);
    demand(buf_ok(&json));
    if (json.len <= PUBLISHED_JSON_MAX) {
        demand(published_read(&again, p->domain, json.data, json.len, NULL) == 0);
        demand_same(&p->policy, &again.policy);
        demand(strcmp(p->id, again.id) == 0 && strcmp(p->by, again.by) == 0);
        demand(p->changed == again.changed && p->since == again.since);
        published_clear(&again);
    }
    buf_clear(&json);
}

static void demand_served(const struct published *p)
{
    struct sts_policy seen;
    struct buf body;

    buf_init(&body, STS_BODY_MAX);
    published_body(&body, &p->policy);
    demand(buf_ok(&body) && sts_policy_parse(&seen, body.data, body.len, NULL) == 0);
    demand_same(&p->policy, &seen);
    sts_policy_clear(&seen);
    buf_clear(&body);
}

static void demand_id(const struct published *p)
{
    struct sts_record record;
    char id[STS_ID_MAX + 1], txt[64];

    published_id(id, p->changed, p->id);
    demand(strcmp(id, p->id) != 0);
    (void)snprintf(txt, sizeof(txt), "v=STSv1; id=%s", id);
    demand(sts_record_parse(&record, txt, strlen(txt), NULL) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *lf = size == 0 ? NULL : memchr(data, '\n', size);
    char domain[300] = "";
    struct published p;
    struct err e = {""};
    int rc;

    if (lf == NULL || (size_t)(lf - (const char *)data) >= sizeof(domain))
        return 0;
    memcpy(domain, data, (size_t)(lf - (const char *)data));
    rc = published_read(&p, domain, lf + 1, size - (size_t)(lf + 1 - (const char *)data), &e);
    demand((rc == 0) == (e.text[0] == '\0') && (rc == 0) == (p.domain[0] != '\0'));
    if (rc != 0)
        return 0;
    demand_again(&p);
    demand_served(&p);
    demand_id(&p);
    published_clear(&p);
    return 0;
}
