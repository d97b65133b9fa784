/* acme_tlsa_io.c - see acme_tlsa_io.h. */
#include "acme_tlsa_io.h"
#include "acme_dns_io.h"
#include "clock.h"
#include "dns_lookup_io.h"
#include "tlsa_match.h"
#include "tlsa_rollover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINES_MAX 65536
#define NAME_BUF  (sizeof("_25._tcp.") + DOMAIN_BUF)

/* One host. */
struct looking {
    struct acme_tlsa *out;
    const struct acme_entry *a;
    bool installed;
    bool any;            /* there are records */
    char name[NAME_BUF]; /* where the records stand */
    struct tlsa_rollover judged;
};

static void judge(void *ctx, const struct dns_answer *answer)
{
    struct looking *l = ctx;
    const struct acme_entry *a = l->a;
    const struct tlsa_rollover_facts facts = {
        .status = answer->status,
        .rr = answer->rr,
        .count = answer->count,
        .ttl = answer->ttl,
        .live_key = a->has_live ? a->live_key : NULL,
        .next_key = a->has_next ? a->next_key : NULL,
        .old_key = a->has_old && l->installed ? a->old_key : NULL,
        .live_fits = answer->status == DNS_FOUND && tlsa_set_fits(answer->rr, answer->count, &a->entry.live),
        .next_fits = answer->status == DNS_FOUND && a->waits && tlsa_set_fits(answer->rr, answer->count, &a->pending),
        .pending = a->waits,
        .next_seen = a->entry.about.tlsa_seen,
        .switched = a->switched,
        .now = now_seconds(),
        .tlsa_ttl = a->conf->certs.tlsa_ttl};

    tlsa_rollover_judge(&l->judged, &facts);
    l->any = answer->status == DNS_FOUND && answer->count > 0;
    if (answer->aliased && answer->name[0] != '\0')
        (void)snprintf(l->name, sizeof(l->name), "%s", answer->name);
    if (answer->status == DNS_FAILED)
        err_set(&l->out->why, "the TLSA records of %s cannot be looked up now: %s", l->name, answer->why);
}

/* The record of a key: by the hook, or told to the operator. */
static void change_record(struct looking *l, bool add, const uint8_t *key)
{
    const struct conf_certs *certs = &l->a->conf->certs;
    struct acme_tlsa *out = l->out;
    struct tlsa rr = tlsa_of_digest(key);
    char data[TLSA_TEXT_BUF(CERT_DIGEST_LEN)];

    tlsa_format(data, &rr);
    if (certs->dns_hook[0] == '\0') {
        buf_printf(add ? &out->wanted : &out->spare, "%s. %" PRId64 " IN TLSA %s\n", l->name, certs->tlsa_ttl, data);
    } else if (acme_dns_hook(l->a->conf, add ? "add" : "del", l->name, "TLSA", certs->tlsa_ttl, data, &out->why) == 0) {
        buf_printf(&out->did, "%s %s. TLSA %s\n", add ? "published" : "withdrawn", l->name, data);
        out->published = out->published || add;
    }
}

static void take_step(struct looking *l)
{
    const struct tlsa_rollover *r = &l->judged;
    struct acme_tlsa *out = l->out;

    if (r->publish_live)
        change_record(l, true, l->a->live_key);
    if (r->publish_next)
        change_record(l, true, l->a->next_key);
    if (r->withdraw_old)
        change_record(l, false, l->a->old_key);
    out->activate = out->activate && r->step == TLSA_ACTIVATE;
    out->stopped = out->stopped || r->step == TLSA_STOP;
    if (r->step == TLSA_WAIT && r->until > out->until)
        out->until = r->until;
}

/* Seen is what is seen at all hosts that have records. */
static void add_seen(struct looking *l, bool *missed)
{
    int64_t seen = l->judged.next_seen;

    *missed = *missed || (l->any && seen == 0);
    l->out->seen = seen > l->out->seen ? seen : l->out->seen;
}

void acme_tlsa_step(struct acme_tlsa *out, const struct acme_entry *a, bool installed)
{
    const struct cert_about *about = &a->entry.about;
    bool missed = false;

    *out = (struct acme_tlsa){.activate = a->waits};
    buf_init(&out->did, LINES_MAX);
    buf_init(&out->wanted, LINES_MAX);
    buf_init(&out->spare, LINES_MAX);
    for (size_t i = 0; i < about->host_count; i++) {
        struct looking l = {.out = out, .a = a, .installed = installed};

        if (about->host[i][0] == '*') /* which hosts there are nobody says */
            continue;
        (void)snprintf(l.name, sizeof(l.name), "_25._tcp.%s", about->host[i]);
        l.judged.step = TLSA_STOP;
        l.judged.next_seen = about->tlsa_seen;
        (void)dns_lookup(&a->conf->stsd, l.name, DNS_TLSA, judge, &l, &out->why);
        take_step(&l);
        add_seen(&l, &missed);
    }
    if (missed)
        out->seen = 0;
}

void acme_tlsa_clear(struct acme_tlsa *t)
{
    buf_clear(&t->did);
    buf_clear(&t->wanted);
    buf_clear(&t->spare);
}
