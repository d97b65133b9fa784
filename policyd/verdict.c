/* verdict.c - see verdict.h. */
#include "verdict.h"

#define FIXED_HOLDS 3600 /* seconds for which an answer without facts is given */
#define SMTPS_PORT  465

void verdict_rules(struct verdict_rules *out, const struct conf_policyd *conf)
{
    *out = (struct verdict_rules){
        .options = {.dane = conf->dane,
                    .sts = conf->sts,
                    .sts_unknown_hold = conf->sts_unknown_hold,
                    .stale_max = conf->stale_max},
        .fallback_keep = conf->fallback_keep,
    };
    (void)list_value_parse(&out->fallback, LIST_FALLBACK, conf->fallback,
                           NULL); /* conf_read has seen that it is right */
    if (conf->default_level[0] != '\0')
        out->options.default_level = conf->default_level[0] == 'm' ? LEVEL_MAY : LEVEL_ENCRYPT;
}

/* What the fallback state says, for decide_lists to take where nothing binds. */
static void tell_fallback(struct decide_told *told, const struct verdict_in *in, const struct verdict_rules *rules,
                          int64_t now)
{
    const struct list_entry *entry = told->match.hit[LIST_FALLBACK].entry;
    const struct list_value *value = entry != NULL ? &entry->value : &rules->fallback;
    int64_t keep = value->mode == FALLBACK_PLAIN_FOR ? value->seconds : rules->fallback_keep;

    told->mode = value->mode;
    if (in->states != NULL)
        told->plain = fallback_hosts_go_plain(in->states, in->dest, value->mode, keep, now, &told->plain_until);
}

static void decide_facts(struct decision *out, const struct verdict_in *in, const struct decide_options *options,
                         int64_t now)
{
    struct decide_options used = *options;

    used.sts_elsewhere = in->sts_elsewhere;
    used.other_port = options->dane && in->hop.port != 0 && in->hop.port != 25;
    used.dane = options->dane && !used.other_port;
    if (in->hop.kind == NEXTHOP_DOMAIN)
        decide(out, in->dest, in->age, &used, now);
    else
        decide_fixed(out, "a host or address is given, no MX look-up is made: MTA-STS does not apply",
                     now + FIXED_HOLDS);
}

static void hold(struct decision *out, const char *why)
{
    out->temp = true;
    out->by = DECIDE_TEMP_LISTS;
    out->level = LEVEL_DEFAULT;
    decide_reason(out, "temporary: %s", why);
}

/* Entries may demand TLS, so what the facts leave open must wait. `dane` leaves hosts without TLSA records open. */
static void without_lists(struct decision *out)
{
    if (!out->temp && (out->level < LEVEL_ENCRYPT || out->level == LEVEL_DANE))
        hold(out, "the operator's lists are not known, as Redis cannot be reached");
}

/* An entry may fit an MX host, and these are not known now. */
static void without_hosts(struct decision *out, const struct verdict_in *in, const struct lists_match *match,
                          int64_t now)
{
    if (!out->temp && out->level < LEVEL_ENCRYPT && in->dest != NULL && in->dest->mx == DEST_MX_TEMP &&
        match->hit[LIST_REQUIRE].entry == NULL && list_holds(in->lists->list[LIST_REQUIRE], now))
        hold(out, "the MX records cannot be looked up now, and the list require may have an entry for an MX host");
}

void verdict_lists(struct verdict_lists *out, const struct verdict_in *in, int64_t now)
{
    const struct decide_options options = {.sts = true};
    struct decide_told told = {0};
    const struct list_entry *require;

    *out = (struct verdict_lists){0};
    if (in->lists == NULL)
        return;
    lists_match(&told.match, in->lists, &in->hop, in->dest, now);
    require = told.match.hit[LIST_REQUIRE].entry;
    out->required = require == NULL ? LEVEL_DEFAULT : require->value.level;
    out->sts_ignored = !decide_lists_options(&options, &told).sts;
}

void verdict(struct decision *out, const struct verdict_in *in, const struct verdict_rules *rules, int64_t now)
{
    struct decide_told told = {.implicit_tls = in->hop.port == SMTPS_PORT};
    struct decide_options options;

    if (in->lists == NULL) {
        decide_facts(out, in, &rules->options, now);
        without_lists(out);
        return;
    }
    lists_match(&told.match, in->lists, &in->hop, in->dest, now);
    tell_fallback(&told, in, rules, now);
    options = decide_lists_options(&rules->options, &told);
    decide_facts(out, in, &options, now);
    without_hosts(out, in, &told.match, now);
    decide_lists(out, &told, &options);
}
