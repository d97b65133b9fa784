/* decide_lists.c - what the operator's lists and the fallback state make of a decision. */
#include "decide_lists.h"

#include "list_line.h"

#include <stdio.h>
#include <string.h>

#define SIGNATURE_BUF (LIST_AUTHOR_MAX + 48)

static const struct lists_hit *hit(const struct decide_told *told, enum list_id list)
{
    return told->match.hit[list].entry == NULL ? NULL : &told->match.hit[list];
}

static bool overrides(const struct lists_hit *h)
{
    return h != NULL && h->entry->override && h->by == LISTS_BY_NEXTHOP;
}

/* " by anna on 2026-11-21": who added it and when, as far as the entry says. */
static void signature(char out[SIGNATURE_BUF], const struct list_entry *entry)
{
    bool signed_by = entry->author[0] != '\0';
    char at[32] = "";

    if (entry->created != 0)
        list_time_format(at, entry->created);
    at[strcspn(at, "T")] = '\0';
    snprintf(out, SIGNATURE_BUF, "%s%s%s%s", signed_by ? " by " : "", entry->author, at[0] != '\0' ? " on " : "", at);
}

/* "list exclude: .example.com by anna on 2026-11-21, MX host mx.example.com: none" */
static void say(struct decision *d, enum list_id list, const struct lists_hit *h, const char *effect)
{
    const struct list_entry *entry = h->entry;
    char by[SIGNATURE_BUF];

    signature(by, entry);
    if (h->by == LISTS_BY_NEXTHOP)
        decide_reason(d, "list %s: %s%s%s%s: %s", list_name(list), entry->pattern,
                      entry->value_text[0] != '\0' ? " " : "", entry->value_text, by, effect);
    else
        decide_reason(d, "list %s: %s%s%s%s, %s %s: %s", list_name(list), entry->pattern,
                      entry->value_text[0] != '\0' ? " " : "", entry->value_text, by, lists_by_name(h->by), h->what,
                      effect);
}

struct decide_options decide_lists_options(const struct decide_options *options, const struct decide_told *told)
{
    struct decide_options out = *options;

    if (overrides(hit(told, LIST_STS_EXCLUDE)))
        out.sts = false;
    return out;
}

static bool binds(const struct decision *d)
{
    return d->temp || d->level >= LEVEL_ENCRYPT;
}

/* `dane` lets hosts without TLSA records go unverified, and in plain text, which no level that is required does. */
static enum tls_level strongest(const struct decision *facts, enum tls_level required)
{
    if (facts->level == LEVEL_DANE)
        return facts->dane_verifies ? LEVEL_DANE_ONLY : required;
    return facts->level > required ? facts->level : required;
}

static void set_none(struct decision *d, enum decide_by by)
{
    d->temp = false;
    d->by = by;
    d->level = LEVEL_NONE;
    d->use_sts = false;
}

static void apply_sts_exclude(struct decision *d, const struct lists_hit *h)
{
    if (h == NULL)
        return;
    if (!overrides(h)) {
        say(d, LIST_STS_EXCLUDE, h,
            d->sts_testing       ? "the policy in testing mode is not reported on"
            : h->entry->override ? "an enforced policy goes on all the same, as override counts only by next hop"
                                 : "an enforced policy goes on all the same, as the entry does not say override");
        d->sts_testing = false;
        return;
    }
    d->overridden = true;
    say(d, LIST_STS_EXCLUDE, h, "MTA-STS does not count (override)");
}

static void apply_require(struct decision *d, const struct lists_hit *h)
{
    enum tls_level level;

    if (h == NULL)
        return;
    level = strongest(d, h->entry->value.level);
    if (d->temp) {
        say(d, LIST_REQUIRE, h, "goes when the facts are known");
        return;
    }
    say(d, LIST_REQUIRE, h, level == d->level ? "no more than what goes already" : tls_level_name(level));
    if (level != d->level)
        d->by = DECIDE_BY_REQUIRE;
    d->level = level;
}

/* Returns true when that settles it. */
static bool apply_override(struct decision *d, const struct lists_hit *h, bool required)
{
    if (!overrides(h))
        return false;
    if (required) {
        say(d, LIST_EXCLUDE, h, "ignored, as the list require has the destination too");
        return false;
    }
    d->overridden = d->overridden || binds(d);
    set_none(d, DECIDE_BY_EXCLUDE);
    say(d, LIST_EXCLUDE, h, "none, whatever the destination publishes (override)");
    return true;
}

/* Nothing binds. Returns true when the lists say plain. */
static bool apply_plain_lists(struct decision *d, const struct decide_told *told)
{
    const struct lists_hit *only = hit(told, LIST_ONLY);
    const struct lists_hit *exclude = hit(told, LIST_EXCLUDE);

    if (told->match.only && only == NULL) {
        set_none(d, DECIDE_BY_ONLY);
        decide_reason(d, "list only: the destination is not on it: none");
        return true;
    }
    if (told->match.only) {
        say(d, LIST_ONLY, only, "TLS may be used");
        return false;
    }
    if (exclude == NULL)
        return false;
    set_none(d, DECIDE_BY_EXCLUDE);
    say(d, LIST_EXCLUDE, exclude, "none");
    return true;
}

static void say_fallback(struct decision *d, const struct decide_told *told, const char *effect)
{
    const struct lists_hit *h = hit(told, LIST_FALLBACK);

    if (h != NULL)
        say(d, LIST_FALLBACK, h, effect);
    else
        decide_reason(d, "fallback %s: %s", fallback_mode_name(told->mode), effect);
}

static void apply_fallback(struct decision *d, const struct decide_told *told)
{
    if (!told->plain)
        return;
    set_none(d, DECIDE_BY_FALLBACK);
    d->ends = told->plain_until;
    if (told->plain_until < d->valid_until)
        d->valid_until = told->plain_until;
    say_fallback(d, told, "TLS has failed, the next attempt goes plain");
}

static bool is_implicit(const struct decide_told *told)
{
    return told->implicit_tls || hit(told, LIST_SMTPS) != NULL;
}

/* There is no plain form: what asks for it is named, and does not go. */
static void refuse_plain(struct decision *d, const struct decide_told *told)
{
    static const char why[] = "does not go: implicit TLS (port 465) has no plain form";
    const struct lists_hit *exclude = hit(told, LIST_EXCLUDE);

    if (exclude != NULL && (!told->match.only || overrides(exclude)))
        say(d, LIST_EXCLUDE, exclude, why);
    if (told->match.only && hit(told, LIST_ONLY) == NULL)
        decide_reason(d, "list only: %s", why);
    if (told->plain)
        say_fallback(d, told, why);
}

static void apply_implicit(struct decision *d, const struct decide_told *told)
{
    const struct lists_hit *smtps = hit(told, LIST_SMTPS);
    enum tls_level level;

    refuse_plain(d, told);
    if (d->temp)
        return;
    d->smtps = smtps != NULL;
    if (smtps != NULL)
        say(d, LIST_SMTPS, smtps, "implicit TLS, port 465");
    level = strongest(d, LEVEL_ENCRYPT);
    if (level == d->level)
        return;
    d->level = level;
    d->by = DECIDE_BY_IMPLICIT;
    decide_reason(d, "%s: implicit TLS (port 465) has no level below encrypt", tls_level_name(level));
}

/* TLS binds: what asks for plain is named, and does not go. */
static void name_plain(struct decision *d, const struct decide_told *told, bool required)
{
    const struct lists_hit *exclude = hit(told, LIST_EXCLUDE);

    if (exclude != NULL && !told->match.only && !overrides(exclude))
        say(d, LIST_EXCLUDE, exclude,
            required                   ? "does not go: TLS binds, and the list require has the destination"
            : exclude->entry->override ? "does not go: TLS binds, and override counts only by next hop"
                                       : "does not go: TLS binds, and the entry does not say override");
    if (told->plain)
        say_fallback(d, told, "does not go: TLS binds");
}

static void apply_plain(struct decision *d, const struct decide_told *told)
{
    bool required = hit(told, LIST_REQUIRE) != NULL;

    if (apply_override(d, hit(told, LIST_EXCLUDE), required))
        return;
    if (!binds(d)) {
        if (!apply_plain_lists(d, told))
            apply_fallback(d, told);
        return;
    }
    if (!d->temp)
        name_plain(d, told, required);
}

/* TLS is used, or may be: the level where none has been said yet, and how. */
static void apply_tls(struct decision *d, const struct decide_told *told, enum tls_level default_level)
{
    const struct lists_hit *pins = hit(told, LIST_PROTOCOLS);

    if (d->temp || d->level == LEVEL_NONE)
        return;
    if (d->level == LEVEL_DEFAULT && default_level != LEVEL_DEFAULT) {
        d->level = default_level;
        d->by = DECIDE_BY_DEFAULT_LEVEL;
        decide_reason(d, "%s: the default level of the configuration", tls_level_name(default_level));
    }
    if (pins == NULL)
        return;
    if (d->level == LEVEL_DEFAULT) {
        d->level = LEVEL_ENCRYPT;
        d->by = DECIDE_BY_PROTOCOLS;
        say(d, LIST_PROTOCOLS, pins, "encrypt, as TLS versions and ciphers need a level");
    } else {
        say(d, LIST_PROTOCOLS, pins, "goes with the level");
    }
    d->protocols = pins->entry->value.protocols;
    d->ciphers = pins->entry->value.ciphers;
}

void decide_lists(struct decision *d, const struct decide_told *told, const struct decide_options *options)
{
    int64_t until = lists_match_until(&told->match);
    size_t before = d->reason_count;

    apply_sts_exclude(d, hit(told, LIST_STS_EXCLUDE));
    apply_require(d, hit(told, LIST_REQUIRE));
    if (is_implicit(told))
        apply_implicit(d, told);
    else
        apply_plain(d, told);
    apply_tls(d, told, options->default_level);
    if (d->temp && d->reason_count > before) /* the MTA is told the last one */
        decide_reason(d, "%s", d->reason[before - 1]);
    if (until < d->valid_until)
        d->valid_until = until;
    if (d->level == LEVEL_NONE && (d->ends == 0 || until < d->ends))
        d->ends = until;
}
