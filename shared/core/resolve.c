/*
 * resolve.c - the machine that gathers the facts about a domain D. The order of its steps:
 *
 *   at once     MX D; TXT _mta-sts.D; TXT _smtp._tls.D
 *   MX          found: its hosts; no data: D is the host; null MX or no such domain: no hosts
 *   each host   AAAA and A; further only when the MX look-up was authenticated and one of them is there:
 *                 one failed: DANE is temp
 *                 all authenticated: TLSA at the end of the CNAME chain, if there is one,
 *                   and where that gives no authenticated records, TLSA at the name
 *                 not authenticated, behind an alias: CNAME of the name, and if that is authenticated, TLSA at the name
 *   MX and TXT  when the record asks for a fetch: AAAA and A of mta-sts.D, then the fetch
 *
 * Each step is done at most once, so there are at most RESOLVE_ACTIONS_MAX actions: 3 at once, 3 for the policy, 5 per
 * host (of which no host takes all: CNAME and TLSA at the end exclude each other). Hosts and DANE are in resolve_mx.c,
 * MTA-STS is in resolve_sts.c; here are the queue of steps, the TLSRPT record and the end.
 */
#include "resolve.h"

#include "ascii.h"
#include "resolve_internal.h"
#include "sts_http.h"
#include "tlsrpt_record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resolve_options resolve_options_default(void)
{
    return (struct resolve_options){
        .dane = true, .sts = true, .ttl_min = 0, .refetch_after = 86400, .retry_after = 300};
}

void resolve_want(struct resolve *r, unsigned slot)
{
    if (r->step[slot] == STEP_IDLE) {
        r->step[slot] = STEP_WANTED;
        r->open++;
    }
}

void resolve_rest_on(struct resolve *r, const struct dns_answer *answer)
{
    if (answer->status != DNS_FAILED && answer->ttl < r->ttl)
        r->ttl = answer->ttl;
}

void resolve_say(char out[DEST_WHY_MAX], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(out, DEST_WHY_MAX, fmt, ap) < 0)
        out[0] = '\0';
    va_end(ap);
    ascii_make_printable(out);
}

void resolve_family_set(struct resolve_family *out, const struct dns_answer *answer)
{
    memset(out, 0, sizeof(*out));
    out->status = answer->status;
    out->unheard = answer->unheard;
    out->secure = answer->secure;
    out->aliased = answer->aliased;
    memcpy(out->end, answer->name, sizeof(out->end));
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count && out->count < DEST_ADDRESSES_MAX; i++)
        memcpy(out->address[out->count++], answer->rr[i].address, ADDRESS_BUF);
}

size_t resolve_addresses_merge(char out[DEST_ADDRESSES_MAX][ADDRESS_BUF], const struct resolve_addresses *from)
{
    size_t count = 0;

    for (size_t i = 0; i < DEST_ADDRESSES_MAX; i++) {
        if (i < from->v6.count && count < DEST_ADDRESSES_MAX)
            memcpy(out[count++], from->v6.address[i], ADDRESS_BUF);
        if (i < from->v4.count && count < DEST_ADDRESSES_MAX)
            memcpy(out[count++], from->v4.address[i], ADDRESS_BUF);
    }
    return count;
}

int resolve_tlsa_name(char out[DOMAIN_BUF], const char *base)
{
    static const char prefix[] = "_25._tcp.";
    size_t len = strlen(base);

    if (len > DOMAIN_BUF - sizeof(prefix))
        return -1;
    memcpy(out, prefix, sizeof(prefix) - 1);
    memcpy(out + sizeof(prefix) - 1, base, len + 1);
    return 0;
}

static int begin(struct resolve *r, const struct dest *previous)
{
    char name[DOMAIN_BUF];

    if (previous != NULL && !domain_equal(previous->domain, r->d->domain))
        previous = NULL;
    if (previous != NULL) {
        memcpy(r->d->tlsrpt, previous->tlsrpt, sizeof(r->d->tlsrpt));
        r->dane_before = dest_has_dane(previous);
        r->mx_known = previous->mx != DEST_MX_TEMP || !previous->mx_never_known;
    }
    if (resolve_sts_begin(r, previous == NULL ? NULL : &previous->sts) != 0)
        return -1;
    if (previous != NULL && r->now - previous->resolved > RESOLVE_TEMP_FORGET)
        r->temp_since = 0; /* another failure, not the same one */
    resolve_say(r->d->mx_why, RESOLVE_LATE);
    resolve_want(r, SLOT_MX);
    if (r->options.sts && sts_record_name(name, r->d->domain) == 0) {
        resolve_want(r, SLOT_TXT);
    } else {
        r->d->sts.record = DEST_STS_NONE;
        r->d->sts.why[0] = '\0';
    }
    if (tlsrpt_record_name(name, r->d->domain) == 0)
        resolve_want(r, SLOT_TLSRPT);
    return 0;
}

struct resolve *resolve_new(const char *domain, const struct dest *previous, bool force, int64_t now,
                            const struct resolve_options *options)
{
    struct resolve *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->options = *options;
    r->now = now;
    r->force = force;
    r->ttl = RESOLVE_TTL_MAX;
    r->d = dest_new(domain);
    if (r->d == NULL || begin(r, previous) != 0) {
        resolve_free(r);
        return NULL;
    }
    return r;
}

void resolve_free(struct resolve *r)
{
    if (r == NULL)
        return;
    dest_free(r->d);
    free(r->host);
    free(r);
}

static const enum dns_type host_types[HOST_STEPS] = {
    [HOST_AAAA] = DNS_AAAA,      [HOST_A] = DNS_A, [HOST_CNAME] = DNS_CNAME, [HOST_TLSA_END] = DNS_TLSA,
    [HOST_TLSA_NAME] = DNS_TLSA,
};

static void host_action(struct resolve_action *out, const struct resolve *r, unsigned slot)
{
    size_t i = (slot - SLOT_HOSTS) / HOST_STEPS;
    unsigned step = (slot - SLOT_HOSTS) % HOST_STEPS;
    const char *name = r->d->host[i].name;

    out->type = host_types[step];
    if (step == HOST_TLSA_END || step == HOST_TLSA_NAME) {
        (void)resolve_tlsa_name(out->name,
                                step == HOST_TLSA_END ? r->host[i].end : name); /* fits, or it were not wanted */
    } else {
        memcpy(out->name, name, DOMAIN_BUF);
    }
}

static void fill_action(struct resolve_action *out, const struct resolve *r, unsigned slot)
{
    const char *domain = r->d->domain;

    memset(out, 0, sizeof(*out));
    out->slot = slot;
    out->what = slot == SLOT_FETCH ? RESOLVE_FETCH : RESOLVE_QUERY;
    switch (slot) {
    case SLOT_MX:
        out->type = DNS_MX;
        memcpy(out->name, domain, DOMAIN_BUF);
        break;
    case SLOT_TXT:
        out->type = DNS_TXT;
        (void)sts_record_name(out->name, domain);
        break;
    case SLOT_TLSRPT:
        out->type = DNS_TXT;
        (void)tlsrpt_record_name(out->name, domain);
        break;
    case SLOT_STS_AAAA:
    case SLOT_STS_A:
        out->type = slot == SLOT_STS_A ? DNS_A : DNS_AAAA;
        (void)sts_policy_host(out->name, domain);
        break;
    case SLOT_FETCH:
        (void)sts_policy_host(out->name, domain);
        out->address_count = resolve_addresses_merge(out->address, &r->policy_host);
        break;
    default:
        host_action(out, r, slot);
    }
}

int resolve_next(struct resolve *r, struct resolve_action *out)
{
    unsigned slots;

    if (resolve_done(r))
        return 0;
    slots = r->host == NULL ? SLOT_HOSTS : SLOT_HOSTS + (unsigned)r->d->host_count * HOST_STEPS;
    for (unsigned slot = 0; slot < slots; slot++) {
        if (r->step[slot] == STEP_WANTED) {
            r->step[slot] = STEP_STARTED;
            fill_action(out, r, slot);
            return 1;
        }
    }
    return 0;
}

struct sts_txt *resolve_txt_list(const struct dns_answer *answer)
{
    struct sts_txt *txt = calloc(answer->count + 1, sizeof(*txt));

    for (size_t i = 0; txt != NULL && i < answer->count; i++) {
        txt[i].text = answer->rr[i].text;
        txt[i].len = answer->rr[i].text_len;
    }
    return txt;
}

/* A failed look-up leaves the text that was known: reports of the day need it. No valid record: no text. */
static void tlsrpt_answer(struct resolve *r, const struct dns_answer *answer)
{
    struct sts_txt *txt;
    size_t which = 0;

    if (answer->status == DNS_FAILED)
        return;
    r->d->tlsrpt[0] = '\0';
    if (answer->status != DNS_FOUND || answer->truncated)
        return;
    txt = resolve_txt_list(answer);
    if (txt == NULL) {
        r->failed = true;
        return;
    }
    if (tlsrpt_record_select(&which, txt, answer->count, NULL) == 1 && which < answer->count &&
        txt[which].len <= DEST_TLSRPT_MAX) {
        memcpy(r->d->tlsrpt, answer->rr[which].text, txt[which].len);
        r->d->tlsrpt[txt[which].len] = '\0';
    }
    free(txt);
}

/* The slot was started and waits for its result: now it is done. */
static bool close_slot(struct resolve *r, unsigned slot)
{
    if (r->d == NULL || r->failed || slot >= RESOLVE_ACTIONS_MAX || r->step[slot] != STEP_STARTED)
        return false;
    r->step[slot] = STEP_DONE;
    r->open--;
    return true;
}

void resolve_dns(struct resolve *r, unsigned slot, const struct dns_answer *answer)
{
    if (slot == SLOT_FETCH || !close_slot(r, slot))
        return;
    switch (slot) {
    case SLOT_MX:
        resolve_mx(r, answer);
        resolve_sts_consider(r);
        break;
    case SLOT_TXT:
        resolve_sts_txt(r, answer);
        resolve_sts_consider(r);
        break;
    case SLOT_TLSRPT:
        tlsrpt_answer(r, answer);
        break;
    case SLOT_STS_AAAA:
    case SLOT_STS_A:
        resolve_sts_address(r, (enum resolve_slot)slot, answer);
        break;
    default:
        resolve_host_answer(r, (slot - SLOT_HOSTS) / HOST_STEPS,
                            (enum resolve_host_step)((slot - SLOT_HOSTS) % HOST_STEPS), answer);
    }
}

void resolve_fetched(struct resolve *r, unsigned slot, const struct resolve_fetch *fetch, int64_t now)
{
    if (slot == SLOT_FETCH && close_slot(r, slot))
        resolve_sts_fetched(r, fetch, now);
}

bool resolve_done(const struct resolve *r)
{
    return r->d == NULL || r->failed || r->open == 0;
}

/* How long the record lives (B-6): at least one second, so that a flood of look-ups is one a second. */
static int64_t life(const struct resolve *r, int64_t now)
{
    int64_t due = resolve_sts_due(r);
    int64_t ttl = r->ttl;

    if (ttl < r->options.ttl_min)
        ttl = r->options.ttl_min;
    if (ttl > RESOLVE_TTL_MAX)
        ttl = RESOLVE_TTL_MAX;
    if (dest_temporary(r->d) && ttl > RESOLVE_TEMP_TTL)
        ttl = RESOLVE_TEMP_TTL;
    if (due > now && ttl > due - now)
        ttl = due - now;
    if (dest_sts_live(&r->d->sts, now) && ttl > r->d->sts.expires - now)
        ttl = r->d->sts.expires - now; /* then the answer is another one */
    return ttl < 1 ? 1 : ttl;
}

struct dest *resolve_take(struct resolve *r, int64_t now)
{
    struct dest *d = r->d;

    if (d == NULL || r->failed)
        return NULL;
    resolve_hosts_drop_gone(r);
    resolve_sts_end(r, now);
    d->dane_before = d->mx == DEST_MX_TEMP && r->dane_before;
    d->mx_never_known = d->mx == DEST_MX_TEMP && !r->mx_known;
    d->resolved = now;
    d->valid_until = now + life(r, now);
    r->d = NULL;
    return d;
}
