/* probe_print.c - see probe.h: what is published, a table for each MX host, and what is wrong. */
#include "probe.h"

#include "print.h"
#include "probe_findings.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS 8
#define INDENT  2
#define WIDTH   96 /* columns of a line of text */
#define NAMES   8  /* of a certificate that are shown */

/* --- what is published --- */

static void print_sts(struct buf *out, const struct probe *p)
{
    const struct dest_sts *sts = &p->dest->sts;

    buf_str(out, "MTA-STS  ");
    if (!dest_sts_live(sts, p->now)) {
        buf_printf(out, "%s\n",
                   sts->record == DEST_STS_NONE   ? "none"
                   : sts->record == DEST_STS_TEMP ? "not known now"
                                                  : "no policy");
        return;
    }
    buf_printf(out, "%s, kept for ", sts_mode_name(sts->policy.mode));
    print_span(out, sts->policy.max_age);
    buf_printf(out, ", id %s, names", sts->policy_id);
    for (size_t i = 0; i < sts->policy.mx_count && i < NAMES; i++)
        buf_printf(out, "%s %s", i == 0 ? "" : ",", sts->policy.mx[i]);
    buf_str(out, sts->policy.mx_count > NAMES ? " …\n" : "\n");
}

static const char *mx_words(enum dest_mx mx)
{
    static const char *const words[] = {[DEST_MX_TEMP] = "not known now",
                                        [DEST_MX_NODOMAIN] = "there is no such domain",
                                        [DEST_MX_NULL] = "null: the domain takes no mail",
                                        [DEST_MX_IMPLICIT] = "none: the domain is its own host",
                                        [DEST_MX_LIST] = "published"};

    return words[mx];
}

static void print_published(struct buf *out, const struct probe *p)
{
    const struct dest *d = p->dest;

    if (p->alone) {
        buf_printf(out, "Host     %s alone\n\n", d->domain);
        return;
    }
    buf_printf(out, "Domain   %s\nMX       %s, %s\n", d->domain, mx_words(d->mx),
               d->mx_secure ? "authenticated (DNSSEC)" : "not authenticated");
    print_sts(out, p);
    buf_str(out, "TLSRPT   ");
    print_text(out, d->tlsrpt[0] != '\0' ? d->tlsrpt : "none", d->tlsrpt[0] != '\0' ? strlen(d->tlsrpt) : 4);
    buf_str(out, "\n\n");
}

/* --- the table --- */

static enum tint tint_of(enum probe_verdict v)
{
    return v == PROBE_GOOD ? TINT_GOOD : v == PROBE_BAD ? TINT_BAD : TINT_WARN;
}

static const char *pkix_words(const struct probe_address *at)
{
    switch (at->pkix.result) {
    case TLS_CLIENT_VERIFIED:
        return "trusted";
    case TLS_CLIENT_EXPIRED:
        return at->chain_count > 0 && at->looked < at->chain[0].not_before ? "not yet" : "expired";
    case TLS_CLIENT_NAME:
        return "other name";
    case TLS_CLIENT_UNTRUSTED:
        return at->chain_count > 0 && at->chain[0].self_issued ? "self-signed" : "untrusted";
    default:
        return "-";
    }
}

static void add_tls(struct table *t, const struct probe_address *at)
{
    if (at->version[0] != '\0')
        table_add(t, TINT_NONE, at->version);
    else if (at->stage == PROBE_GREETED && !at->offers_starttls && !at->later)
        table_add(t, TINT_BAD, "none");
    else
        table_add(t, TINT_WARN, at->unrouted ? "no way" : at->stage == PROBE_UNREACHABLE ? "away" : "failed");
}

static void add_ends(struct table *t, const struct probe_address *at, int64_t warn_before)
{
    int64_t left = at->chain_count > 0 ? at->chain[0].not_after - at->looked : 0;

    if (at->chain_count == 0)
        table_add(t, TINT_NONE, "-");
    else
        table_addf(t, left < 0 ? TINT_BAD : left < warn_before ? TINT_WARN : TINT_NONE, "%" PRId64 " d", left / 86400);
}

static void add_sts(struct table *t, const struct probe *p, const struct probe_host *host,
                    const struct probe_address *at)
{
    struct err none;
    enum probe_verdict v = probe_sts(host, at, &none);

    if (!dest_sts_live(&p->dest->sts, p->now) || p->dest->sts.policy.mode == STS_MODE_NONE)
        table_add(t, TINT_NONE, "-");
    else
        table_add(t, tint_of(v),
                  !host->in_policy  ? "not named"
                  : v == PROBE_GOOD ? "yes"
                  : v == PROBE_BAD  ? "no"
                                    : "?");
}

static void add_dane(struct table *t, const struct probe_host *host, const struct probe_address *at)
{
    static const char *const words[] = {"yes", "no", "?"};
    struct err none;
    enum probe_verdict v = probe_dane(host, at, &none);

    if (host->host->dane == DEST_DANE_NONE)
        table_add(t, TINT_NONE, "-");
    else if (host->host->dane == DEST_DANE_UNUSABLE)
        table_add(t, TINT_WARN, "unusable");
    else
        table_add(t, tint_of(v), words[v]);
}

static void add_row(struct table *t, const struct probe *p, const struct probe_host *host,
                    const struct probe_address *at)
{
    static const char *const words[] = {"good", "bad", "not now"};
    struct err none;
    enum probe_verdict v = probe_published(p, host, at, &none);

    table_add(t, TINT_NONE, at->address);
    add_tls(t, at);
    table_add(t, TINT_NONE, pkix_words(at));
    add_ends(t, at, p->warn_before);
    add_sts(t, p, host, at);
    add_dane(t, host, at);
    table_add(t, TINT_NONE, at->stage == PROBE_DONE ? at->offers_requiretls ? "yes" : "no" : "-");
    table_add(t, at->unrouted ? TINT_NONE : tint_of(v), at->unrouted ? "-" : words[v]);
}

/* --- what one address showed --- */

static void print_names(struct buf *out, const struct cert_facts *c)
{
    size_t begun = out->len;

    for (size_t i = 0; i < c->names && i < NAMES && out->len - begun < WIDTH / 2; i++)
        buf_printf(out, "%s %s", i == 0 ? " for" : ",", c->name[i]);
    if (c->names > NAMES || c->odd_names > 0)
        buf_printf(out, " (%zu names%s)", c->names + c->odd_names, c->odd_names > 0 ? ", some are none" : "");
}

static void print_chain(struct buf *out, const struct probe_address *at)
{
    for (size_t i = 0; i < at->chain_count; i++) {
        const struct cert_facts *c = &at->chain[i];

        buf_printf(out, "    %zu ", i + 1);
        print_cut(out, c->subject, WIDTH / 2);
        buf_printf(out, ", %s", c->key);
        if (i == 0)
            print_names(out, c);
        buf_str(out, "\n      until ");
        print_time(out, c->not_after, at->looked);
        buf_str(out, c->self_issued ? ", signed by itself" : ", issued by ");
        if (!c->self_issued)
            print_cut(out, c->issuer, WIDTH / 2);
        buf_char(out, '\n');
    }
}

static void print_address(struct buf *out, const struct probe_host *host, size_t n)
{
    const struct probe_address *at = &host->at[n];

    if (at->stage < PROBE_GREETED)
        return;
    buf_printf(out, "  %s", at->address);
    if (at->greeting[0] != '\0') {
        buf_str(out, " calls itself ");
        print_cut(out, at->greeting, WIDTH / 2);
    }
    if (at->cipher[0] != '\0')
        buf_printf(out, ": %s, %s", at->cipher, at->group);
    buf_char(out, '\n');
    for (size_t i = 0; i < n; i++)
        if (at->chain_count > 0 && probe_chain_same(at, &host->at[i])) {
            buf_printf(out, "    the certificates of %s\n", host->at[i].address);
            return;
        }
    print_chain(out, at);
}

static void print_host(struct buf *out, const struct probe *p, const struct probe_host *host, bool colour)
{
    static const char *const head[COLUMNS] = {"ADDRESS", "TLS",  "CERTIFICATE", "ENDS",
                                              "MTA-STS", "DANE", "REQUIRETLS",  "MAIL"};
    struct table *t = host->count > 0 ? table_new_headed(head, COLUMNS) : NULL;

    if (p->dest->mx == DEST_MX_LIST)
        buf_printf(out, "%u ", host->host->preference);
    print_tinted(out, host->host->name, TINT_HEAD, colour);
    if (host->host->dane != DEST_DANE_NONE)
        buf_printf(out, ", %zu TLSA record%s, %s", host->host->tlsa_count, host->host->tlsa_count == 1 ? "" : "s",
                   dest_dane_name(host->host->dane));
    buf_char(out, '\n');
    for (size_t i = 0; i < host->count; i++)
        add_row(t, p, host, &host->at[i]);
    if (host->count > 0)
        table_print(out, t, INDENT, colour);
    table_free(t);
    for (size_t i = 0; i < host->count; i++)
        print_address(out, host, i);
    buf_char(out, '\n');
}

/* --- what is wrong --- */

struct printing {
    struct buf *out;
    bool colour;
    size_t count;
};

static void print_finding(void *ctx, const struct probe_finding *f)
{
    static const char *const words[] = {"note", "wrong", "not now"};
    struct printing *c = ctx;

    print_tinted(c->out, words[f->verdict], f->verdict == PROBE_GOOD ? TINT_NONE : tint_of(f->verdict), c->colour);
    buf_printf(c->out, ": %s: ", f->subject);
    print_text(c->out, f->why.text, strlen(f->why.text));
    if (f->to_do.text[0] != '\0') {
        buf_str(c->out, "\n      -> ");
        print_text(c->out, f->to_do.text, strlen(f->to_do.text));
    }
    buf_char(c->out, '\n');
    c->count++;
}

static void print_verdict(struct buf *out, const struct probe *p, bool colour)
{
    static const char *const words[] = {"good", "bad", "not known now"};
    struct err why = {""};
    enum probe_verdict v = probe_all(p, &why);

    print_tinted(out, words[v], tint_of(v), colour);
    if (v == PROBE_GOOD)
        buf_str(out, ": every address is as what is published demands.");
    else
        buf_str(out, ": ");
    print_text(out, why.text, strlen(why.text));
    if (v == PROBE_GOOD && probe_ending(p, &why)) {
        buf_str(out, " But ");
        print_text(out, why.text, strlen(why.text));
        buf_str(out, ", so the exit code is 1 (--warn).");
    }
    buf_char(out, '\n');
}

void probe_print(struct buf *out, const struct probe *p, bool colour)
{
    struct printing c = {out, colour, 0};

    print_published(out, p);
    for (size_t i = 0; i < p->hosts; i++)
        print_host(out, p, &p->host[i], colour);
    probe_findings(p, print_finding, &c);
    if (c.count > 0)
        buf_char(out, '\n');
    print_verdict(out, p, colour);
}
