/*
 * decide.c - the decision. What binds is found first (`weigh`), then the level, then how long the answer may be given;
 * the reasons are written on the way, in the order in which things were looked at.
 */
#include "decide.h"

#include "ascii.h"
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The facts as far as the options let them count. */
struct weight {
    const struct dest *dest;
    size_t hosts; /* MX hosts for which DANE counts: 0 unless the MX look-up was authenticated */
    size_t usable;
    size_t unusable;
    size_t temp;
    bool enforced;    /* an enforce policy is live */
    bool sts_unknown; /* there may be one, and the caller wants to know */
    bool stale;       /* newer facts cannot be had */
};

struct decide_options decide_options_default(void)
{
    struct decide_options options = {.dane = true, .sts = true, .sts_unknown_hold = 14400, .stale_max = 3600};

    return options;
}

/* Foreign text may be among the arguments: only printable ASCII goes on. */
void decide_reason(struct decision *out, const char *fmt, ...)
{
    char *text;
    va_list ap;

    if (out->reason_count >= DECIDE_REASONS_MAX)
        return;
    text = out->reason[out->reason_count++];
    va_start(ap, fmt);
    if (vsnprintf(text, DECIDE_REASON_MAX, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    ascii_make_printable(text);
    if (text[0] == '\0')
        memcpy(text, "?", 2);
}

static void format_time(char *out, size_t size, int64_t at)
{
    time_t t = (time_t)at;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, size, "%lld", (long long)at);
}

static void weigh_hosts(struct weight *w, const struct dest *d, const struct decide_options *options)
{
    if (!options->dane || !d->mx_secure || (d->mx != DEST_MX_LIST && d->mx != DEST_MX_IMPLICIT))
        return;
    w->hosts = d->host_count;
    for (size_t i = 0; i < d->host_count; i++) {
        enum dest_dane dane = d->host[i].dane;

        w->usable += dane == DEST_DANE_USABLE ? 1 : 0;
        w->unusable += dane == DEST_DANE_UNUSABLE ? 1 : 0;
        w->temp += dane == DEST_DANE_TEMP ? 1 : 0;
    }
}

static void weigh_sts(struct weight *w, const struct dest_sts *sts, const struct decide_options *options, int64_t now)
{
    bool live = dest_sts_live(sts, now);

    if (!options->sts)
        return;
    w->enforced = live && sts->policy.mode == STS_MODE_ENFORCE;
    w->sts_unknown = !live && (options->sts_elsewhere ||
                               (sts->record == DEST_STS_TEMP && now - sts->temp_since < options->sts_unknown_hold));
}

static void explain_mx(struct decision *out, const struct dest *d)
{
    switch (d->mx) {
    case DEST_MX_TEMP:
        decide_reason(out, "MX: the look-up failed for now: %s", d->mx_why[0] != '\0' ? d->mx_why : "no cause known");
        break;
    case DEST_MX_NODOMAIN:
        decide_reason(out, "MX: there is no such domain");
        break;
    case DEST_MX_NULL:
        decide_reason(out, "MX: the domain takes no mail (null MX, RFC 7505)");
        break;
    case DEST_MX_IMPLICIT:
        decide_reason(out, "MX: no records, the domain itself is the host");
        break;
    case DEST_MX_LIST:
        decide_reason(out, "MX: %zu %s%s", d->host_count, d->host_count == 1 ? "host" : "hosts",
                      d->mx_truncated ? ", and more that were left out" : "");
        break;
    }
}

static void explain_dane(struct decision *out, const struct weight *w, const struct decide_options *options)
{
    const struct dest *d = w->dest;

    if (!options->dane)
        decide_reason(out, options->other_port ? "DANE: does not count, only TLSA records of port 25 are looked up"
                                               : "DANE: switched off");
    else if (d->host_count == 0 || (d->mx != DEST_MX_LIST && d->mx != DEST_MX_IMPLICIT))
        decide_reason(out, "DANE: no MX host is known");
    else if (!d->mx_secure)
        decide_reason(out, "DANE: does not count, the MX look-up is not authenticated by DNSSEC");
    else if (w->usable == w->hosts && !d->mx_truncated)
        decide_reason(out, "DANE: every MX host (%zu) has usable TLSA records, authenticated by DNSSEC", w->hosts);
    else if (w->usable + w->unusable + w->temp == 0)
        decide_reason(out, "DANE: none of %zu MX hosts has TLSA records", w->hosts);
    else
        decide_reason(
            out,
            "DANE: of %zu MX hosts, TLSA records are usable at %zu, unusable at %zu, absent at %zu, not known now "
            "at %zu",
            w->hosts, w->usable, w->unusable, w->hosts - w->usable - w->unusable - w->temp, w->temp);
}

static void explain_policy(struct decision *out, const struct dest_sts *sts, int64_t now)
{
    char until[40];

    format_time(until, sizeof until, sts->expires);
    if (now < sts->expires)
        decide_reason(out, "MTA-STS: policy id %s says %s, max_age %lu, expires %s", sts->policy_id,
                      sts_mode_name(sts->policy.mode), (unsigned long)sts->policy.max_age, until);
    else
        decide_reason(out, "MTA-STS: policy id %s expired %s", sts->policy_id, until);
}

static void explain_sts(struct decision *out, const struct dest_sts *sts, bool on, int64_t now)
{
    if (!on) {
        decide_reason(out, "MTA-STS: switched off");
        return;
    }
    if (sts->record == DEST_STS_NONE)
        decide_reason(out, "MTA-STS: no record");
    else if (sts->record == DEST_STS_INVALID)
        decide_reason(out, "MTA-STS: no valid record%s%s", sts->why[0] != '\0' ? ": " : "", sts->why);
    else if (sts->record == DEST_STS_TEMP)
        decide_reason(out, "MTA-STS: the record cannot be looked up now");
    else if (!sts->has_policy || strcmp(sts->id, sts->policy_id) != 0)
        decide_reason(out, "MTA-STS: record id %s, no policy for it", sts->id);
    if (sts->failure != DEST_STS_OK)
        decide_reason(out, "MTA-STS: the last fetch failed: %s%s%s", dest_sts_failure_name(sts->failure),
                      sts->why[0] != '\0' ? ": " : "", sts->why);
    if (sts->has_policy)
        explain_policy(out, sts, now);
}

const char *decide_by_name(enum decide_by by)
{
    static const char *const names[DECIDE_BYS] = {
        "nothing", "no-domain", "dane",         "mta-sts",      "require",       "exclude",
        "only",    "protocols", "fallback",     "implicit-tls", "default-level", "temp-unknown",
        "temp-mx", "temp-tlsa", "temp-mta-sts", "temp-stale",   "temp-lists"};

    return names[by];
}

static void set_temp(struct decision *out, enum decide_by by, const char *why)
{
    out->temp = true;
    out->by = by;
    out->level = LEVEL_DEFAULT;
    out->use_sts = false;
    decide_reason(out, "%s", why);
}

static void set_level(struct decision *out, const struct weight *w, enum tls_level level, const char *why)
{
    out->level = level;
    out->by = level == LEVEL_SECURE ? DECIDE_BY_STS : DECIDE_BY_DANE;
    out->use_sts = w->enforced;
    out->dane_verifies = w->usable + w->temp > 0 || w->dest->mx_truncated;
    decide_reason(out, "%s: %s", tls_level_name(level), why);
}

/* Some hosts have TLSA records, or may have; none is known to be usable. Returns true when that settles it. */
static bool decide_unusable_dane(struct decision *out, const struct weight *w)
{
    if (w->temp > 0 && (w->temp == w->hosts || w->enforced || w->sts_unknown))
        set_temp(out, DECIDE_TEMP_TLSA,
                 "temporary: TLSA records of an MX host cannot be looked up now, and no host has usable ones");
    else if (w->unusable > 0 && w->sts_unknown)
        set_temp(out, DECIDE_TEMP_STS,
                 "temporary: the MTA-STS record cannot be looked up now, and no MX host has usable TLSA records");
    else if (w->unusable + w->temp > 0 && !w->enforced)
        set_level(out, w, LEVEL_DANE,
                  "each MX host by its TLSA records; a host whose records cannot be looked up is left out by the MTA");
    else if (w->hosts > 0 && w->dest->mx_truncated && !w->enforced && !w->sts_unknown)
        set_level(out, w, LEVEL_DANE, "MX hosts that were left out may have TLSA records");
    else
        return false;
    return true;
}

static bool decide_some_dane(struct decision *out, const struct weight *w)
{
    if (w->usable == 0)
        return decide_unusable_dane(out, w);
    if (w->enforced)
        set_level(out, w, LEVEL_DANE_ONLY,
                  "the MTA-STS policy forbids the hosts without usable TLSA records to go unverified");
    else if (w->sts_unknown)
        set_level(out, w, LEVEL_DANE_ONLY,
                  "an MTA-STS policy, which cannot be looked up now, may forbid the other hosts");
    else
        set_level(out, w, LEVEL_DANE, "each MX host with TLSA records by these, the others as the MTA does without");
    return true;
}

static bool decide_dane(struct decision *out, const struct weight *w)
{
    if (w->hosts > 0 && w->usable == w->hosts && !w->dest->mx_truncated) {
        set_level(out, w, LEVEL_DANE_ONLY, "every MX host must be verified by DANE (RFC 7672)");
        return true;
    }
    return decide_some_dane(out, w);
}

static void decide_default(struct decision *out, const struct weight *w, const struct decide_options *options,
                           int64_t now)
{
    if (w->stale && now - w->dest->valid_until >= options->stale_max)
        set_temp(out, DECIDE_TEMP_STALE, "temporary: the facts are too old, and newer ones cannot be had now");
    else
        decide_reason(out, "nothing binds: the MTA's own level goes");
}

static void decide_level(struct decision *out, const struct weight *w, const struct decide_options *options,
                         int64_t now)
{
    bool mx_temp = options->dane && w->dest->mx == DEST_MX_TEMP;

    if (decide_dane(out, w))
        return;
    if (mx_temp && w->dest->dane_before)
        set_temp(out, DECIDE_TEMP_MX,
                 "temporary: the MX records cannot be looked up now, and DANE went for the domain before");
    else if (w->enforced && !(mx_temp && w->dest->mx_never_known))
        set_level(out, w, LEVEL_SECURE, "every MX host must be verified as the MTA-STS policy says (RFC 8461)");
    else if (mx_temp)
        set_temp(out, DECIDE_TEMP_MX, "temporary: the MX records cannot be looked up now, so DANE is not known");
    else if (w->sts_unknown)
        set_temp(out, DECIDE_TEMP_STS, "temporary: the MTA-STS record cannot be looked up now, and no policy is kept");
    else
        decide_default(out, w, options, now);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t answer_until(const struct decision *out, const struct weight *w, const struct decide_options *options,
                            int64_t now)
{
    const struct dest *d = w->dest;
    int64_t until = d->valid_until;

    if (until <= now) /* gathered just now with a TTL of 0, or stale */
        until = now + (w->stale ? RESOLVE_TEMP_TTL : 1);
    if (out->temp || w->stale)
        until = least(until, now + RESOLVE_TEMP_TTL);
    if (options->sts && dest_sts_live(&d->sts, now))
        until = least(until, d->sts.expires);
    if (w->stale && !out->temp && out->level == LEVEL_DEFAULT && options->stale_max > 0)
        until = least(until, d->valid_until + least(options->stale_max, DEST_TIME_MAX));
    return until;
}

void decide(struct decision *out, const struct dest *dest, enum decide_age age, const struct decide_options *options,
            int64_t now)
{
    struct weight w = {.dest = dest, .stale = age == DECIDE_STALE};

    *out = (struct decision){.protocols = "", .ciphers = ""};
    if (dest == NULL) {
        set_temp(out, DECIDE_TEMP_UNKNOWN,
                 "temporary: nothing is known about this destination, and nothing can be had now");
        out->valid_until = now + RESOLVE_TEMP_TTL;
        return;
    }
    weigh_hosts(&w, dest, options);
    weigh_sts(&w, &dest->sts, options, now);
    out->sts_testing = options->sts && dest_sts_live(&dest->sts, now) && dest->sts.policy.mode == STS_MODE_TESTING;
    explain_mx(out, dest);
    explain_dane(out, &w, options);
    explain_sts(out, &dest->sts, options->sts, now);
    if (w.stale)
        decide_reason(out, "the facts are old: newer ones were asked for and cannot be had now");
    decide_level(out, &w, options, now);
    out->binds = !out->temp && out->level >= LEVEL_ENCRYPT;
    out->valid_until = answer_until(out, &w, options, now);
}

void decide_fixed(struct decision *out, const char *why, int64_t valid_until)
{
    *out = (struct decision){.by = DECIDE_BY_HOP, .protocols = "", .ciphers = ""};
    decide_reason(out, "%s", why);
    out->valid_until = valid_until;
}
