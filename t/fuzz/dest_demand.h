/*
 * dest_demand.h - what must hold of any destination record: it comes back from JSON as it was, and the decisions and
 * answers that it leads to are what Postfix takes and no weaker than what binds.
 */
#ifndef POSTERN_T_DEST_DEMAND_H
#define POSTERN_T_DEST_DEMAND_H

#include "decide_lists.h"
#include "dest.h"
#include "postfix_demand.h"
#include "recipe.h"

static inline void demand_same_tlsa(const struct tlsa *a, const struct tlsa *b)
{
    demand(a->usage == b->usage && a->selector == b->selector && a->matching_type == b->matching_type);
    demand(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

static inline void demand_same_host(const struct dest_host *a, const struct dest_host *b)
{
    demand(strcmp(a->name, b->name) == 0 && a->preference == b->preference && a->address_secure == b->address_secure);
    demand(a->dane == b->dane && strcmp(a->tlsa_base, b->tlsa_base) == 0);
    demand(a->tlsa_count == b->tlsa_count && a->address_count == b->address_count);
    for (size_t i = 0; i < a->tlsa_count; i++)
        demand_same_tlsa(&a->tlsa[i], &b->tlsa[i]);
    for (size_t i = 0; i < a->address_count; i++)
        demand(strcmp(a->address[i], b->address[i]) == 0);
}

static inline void demand_same_sts(const struct dest_sts *a, const struct dest_sts *b)
{
    demand(a->record == b->record && strcmp(a->id, b->id) == 0);
    demand(a->failure == b->failure && strcmp(a->why, b->why) == 0);
    demand(a->attempted == b->attempted && a->temp_since == b->temp_since && a->learnt == b->learnt);
    demand(a->has_policy == b->has_policy && strcmp(a->policy_id, b->policy_id) == 0);
    demand(a->body_len == b->body_len && (a->body_len == 0 || memcmp(a->body, b->body, a->body_len) == 0));
    demand(a->fetched == b->fetched && a->expires == b->expires);
    demand(a->policy.mode == b->policy.mode && a->policy.max_age == b->policy.max_age);
    demand(a->policy.mx_count == b->policy.mx_count);
    for (size_t i = 0; i < a->policy.mx_count; i++)
        demand(strcmp(a->policy.mx[i], b->policy.mx[i]) == 0);
}

static inline void demand_same_dest(const struct dest *a, const struct dest *b)
{
    demand(strcmp(a->domain, b->domain) == 0 && a->resolved == b->resolved && a->valid_until == b->valid_until);
    demand(a->mx == b->mx && a->mx_secure == b->mx_secure && a->mx_truncated == b->mx_truncated);
    demand(a->dane_before == b->dane_before && a->mx_never_known == b->mx_never_known);
    demand(strcmp(a->mx_why, b->mx_why) == 0);
    demand(strcmp(a->tlsrpt, b->tlsrpt) == 0 && a->host_count == b->host_count);
    for (size_t i = 0; i < a->host_count; i++)
        demand_same_host(&a->host[i], &b->host[i]);
    demand_same_sts(&a->sts, &b->sts);
}

/* A record that is not longer than one may be comes back the same, and gives the same JSON again. */
static inline void demand_round_trip(const struct dest *d)
{
    struct buf first, second;
    struct err e = {""};
    struct dest *back;

    buf_init(&first, DEST_JSON_MAX);
    buf_init(&second, DEST_JSON_MAX);
    dest_to_json(&first, d);
    if (buf_ok(&first)) {
        back = dest_from_json(first.data, first.len, &e);
        if (back == NULL)
            (void)fprintf(stderr, "%s\n%s\n", e.text, first.data);
        demand(back != NULL);
        demand_same_dest(d, back);
        dest_to_json(&second, back);
        demand(buf_ok(&second) && second.len == first.len && memcmp(first.data, second.data, first.len) == 0);
        dest_free(back);
    }
    buf_clear(&first);
    buf_clear(&second);
}

/* Is it short enough for JSON? What stsd makes is. */
static inline bool fits_json(const struct dest *d)
{
    struct buf b;
    bool fits;

    buf_init(&b, DEST_JSON_MAX);
    dest_to_json(&b, d);
    fits = buf_ok(&b);
    buf_clear(&b);
    return fits;
}

/* What binds: an enforced policy, and TLSA records of a host; or perhaps, where they cannot be looked up. */
static inline void demand_bound(const struct decision *decision, const struct dest *d,
                                const struct decide_options *options, int64_t now)
{
    bool enforced = options->sts && d->sts.has_policy && now < d->sts.expires && d->sts.policy.mode == STS_MODE_ENFORCE;
    bool hosts = options->dane && d->mx_secure && (d->mx == DEST_MX_LIST || d->mx == DEST_MX_IMPLICIT);
    bool tlsa = false;

    for (size_t i = 0; hosts && i < d->host_count; i++)
        tlsa = tlsa || d->host[i].dane != DEST_DANE_NONE;
    tlsa = tlsa || (options->dane && d->mx == DEST_MX_TEMP && d->dane_before);
    if (enforced)
        demand(decision->temp || decision->level == LEVEL_SECURE || decision->level == LEVEL_DANE_ONLY);
    if (tlsa)
        demand(decision->temp || decision->level == LEVEL_DANE || decision->level == LEVEL_DANE_ONLY ||
               (enforced && decision->level == LEVEL_SECURE));
    demand(enforced || tlsa || decision->temp || decision->level == LEVEL_DEFAULT ||
           (hosts && d->mx_truncated && d->host_count > 0));
    demand(!decision->use_sts || (enforced && !decision->temp));
}

static inline void demand_replies(const struct decision *decision, const struct dest *d)
{
    struct buf out;

    buf_init(&out, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    render_postfix(&out, decision, d);
    demand_reply_plain(&out, decision, d);
    buf_reset(&out);
    render_postfix_tlsrpt(&out, decision, d);
    demand_reply_tlsrpt(&out, decision, d);
    buf_clear(&out);
}

static inline void tell(struct decide_told *told, enum list_id list, const struct list_entry *entry)
{
    told->match.hit[list] = (struct lists_hit){.entry = entry, .by = LISTS_BY_NEXTHOP, .what = "d.example"};
}

/* Lists without override make no answer weaker than the facts do. how: bits 4 to 7 choose the entries. */
static inline void demand_listed(const struct decision *facts, const struct dest *d,
                                 const struct decide_options *options, unsigned how, int64_t now)
{
    static const struct list_entry exclude = {.pattern = "d.example", .value_text = "", .author = "", .comment = ""};
    static const struct list_entry require = {
        .value = {.level = LEVEL_VERIFY}, .pattern = "d.example", .value_text = "verify", .author = "a", .comment = ""};
    static const struct list_entry pins = {.value = {.protocols = ">=TLSv1.2:<=TLSv1.3", .ciphers = "high"},
                                           .pattern = "d.example",
                                           .value_text = ">=TLSv1.2:<=TLSv1.3 ciphers=high",
                                           .author = "",
                                           .comment = ""};
    struct decide_told told = {.plain = (how & 32) != 0, .plain_until = now + 9, .implicit_tls = (how & 128) != 0};
    struct decision decision = *facts;

    tell(&told, LIST_REQUIRE, (how & 16) != 0 ? &require : NULL);
    tell(&told, LIST_EXCLUDE, (how & 32) != 0 ? &exclude : NULL);
    tell(&told, LIST_PROTOCOLS, (how & 64) != 0 ? &pins : NULL);
    decide_lists(&decision, &told, options);
    demand(decision.reason_count >= facts->reason_count && decision.reason_count <= DECIDE_REASONS_MAX);
    demand(decision.temp == facts->temp && decision.valid_until > now && !decision.overridden);
    demand(decision.use_sts == facts->use_sts && decision.valid_until <= facts->valid_until);
    demand(decision.temp || facts->level < LEVEL_ENCRYPT || decision.level >= LEVEL_ENCRYPT);
    demand(decision.temp || facts->level < LEVEL_SECURE || decision.level >= facts->level);
    demand(decision.temp || (how & 16) == 0 || decision.level >= LEVEL_VERIFY);
    demand(decision.temp || (how & 128) == 0 || decision.level >= LEVEL_ENCRYPT);
    demand_replies(&decision, d);
}

static inline void demand_decision(const struct dest *d, enum decide_age age, const struct decide_options *options,
                                   unsigned how, int64_t now)
{
    struct decision decision;

    decide(&decision, d, age, options, now);
    demand(decision.valid_until > now);
    demand(decision.reason_count > 0 && decision.reason_count <= DECIDE_REASONS_MAX);
    demand(!decision.temp || (decision.level == LEVEL_DEFAULT && !decision.use_sts));
    demand(!options->sts || !dest_sts_live(&d->sts, now) || decision.valid_until <= d->sts.expires);
    demand_bound(&decision, d, options, now);
    demand_replies(&decision, d);
    demand_listed(&decision, d, options, how, now);
}

/* Before, at and after all times that the record names. how chooses the options and the age, bits 0 to 3, and what
 * lists say, bits 4 to 7. */
static inline void demand_decisions(const struct dest *d, unsigned how)
{
    const int64_t times[] = {0, d->resolved, d->valid_until, d->sts.expires - 1, d->sts.expires, d->valid_until + 3600};
    struct decide_options options = decide_options_default();

    options.dane = (how & 1) == 0;
    options.sts = (how & 2) == 0;
    options.sts_unknown_hold = (how & 4) == 0 ? 3600 : 0;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        demand_decision(d, (how & 8) == 0 ? DECIDE_FRESH : DECIDE_STALE, &options, how, times[i]);
}

#endif
