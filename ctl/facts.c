/* facts.c - a destination record for people: one block of facts, and a table of the MX hosts. */
#include "facts.h"

#include "print.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define TLSA_SHOWN 80 /* octets of one TLSA record in text: a SHA-256 digest fits */

static void add_time(struct table *t, const char *name, int64_t when, int64_t now)
{
    struct buf text;

    buf_init(&text, 100);
    print_time(&text, when, now);
    table_add(t, TINT_NONE, name);
    table_add(t, TINT_NONE, buf_text(&text));
    buf_clear(&text);
}

static void add_mx(struct table *t, const struct dest *d)
{
    static const char *const words[] = {
        [DEST_MX_TEMP] = "not known now",
        [DEST_MX_NODOMAIN] = "no such domain",
        [DEST_MX_NULL] = "null MX: takes no mail",
        [DEST_MX_IMPLICIT] = "none: the domain itself is the host",
        [DEST_MX_LIST] = "",
    };
    const char *word = words[d->mx];

    table_add(t, TINT_NONE, "MX");
    if (d->mx == DEST_MX_TEMP) {
        table_addf(t, TINT_BAD, "%s%s%s", word, d->mx_why[0] != '\0' ? ": " : "", d->mx_why);
    } else {
        table_addf(t, TINT_NONE, "%s%s%s%s", word, word[0] != '\0' ? ", " : "",
                   d->mx_secure ? "DNSSEC-signed" : "not DNSSEC-signed",
                   d->mx_truncated ? ", more hosts than are kept" : "");
    }
}

static enum tint dane_tint(enum dest_dane dane)
{
    static const enum tint tints[] = {
        [DEST_DANE_NONE] = TINT_NONE,
        [DEST_DANE_USABLE] = TINT_GOOD,
        [DEST_DANE_UNUSABLE] = TINT_WARN,
        [DEST_DANE_TEMP] = TINT_BAD,
    };

    return tints[dane];
}

static void add_tlsa(struct table *t, const struct tlsa *rr)
{
    char *text = malloc(TLSA_TEXT_BUF(rr->len));
    bool usable = tlsa_usable(rr, NULL);

    if (text == NULL) {
        table_addf(t, TINT_BAD, "%u %u %u (no memory)", rr->usage, rr->selector, rr->matching_type);
        return;
    }
    tlsa_format(text, rr);
    if (strlen(text) > TLSA_SHOWN)
        table_addf(t, TINT_NONE, "%.*s... (%u octets)%s", TLSA_SHOWN, text, rr->len, usable ? "" : " unusable");
    else
        table_addf(t, TINT_NONE, "%s%s", text, usable ? "" : " unusable");
    free(text);
}

/* A host takes as many rows as its addresses or TLSA records need. */
static void add_host(struct table *t, const struct dest_host *h)
{
    size_t rows = h->address_count > h->tlsa_count ? h->address_count : h->tlsa_count;

    for (size_t i = 0; i == 0 || i < rows; i++) {
        if (i == 0) {
            table_addf(t, TINT_NONE, "%u", h->preference);
            table_add(t, TINT_NONE, h->name);
        } else {
            table_add(t, TINT_NONE, NULL);
            table_add(t, TINT_NONE, NULL);
        }
        table_add(t, TINT_NONE, i < h->address_count ? h->address[i] : i == 0 ? "none" : NULL);
        table_add(t, TINT_NONE, i > 0 ? NULL : h->address_secure ? "yes" : "no");
        table_add(t, dane_tint(h->dane), i > 0 ? NULL : dest_dane_name(h->dane));
        if (i < h->tlsa_count)
            add_tlsa(t, &h->tlsa[i]);
        table_end_row(t);
    }
}

static void print_hosts(struct buf *out, const struct dest *d, bool colour)
{
    static const char *const head[] = {"PREF", "HOST", "ADDRESS", "SIGNED", "DANE", "TLSA"};
    struct table *t = table_new_headed(head, sizeof(head) / sizeof(head[0]));

    for (size_t i = 0; i < d->host_count; i++)
        add_host(t, &d->host[i]);
    buf_char(out, '\n');
    table_print(out, t, 0, colour);
    table_free(t);
}

static void add_sts_record(struct table *t, const struct dest_sts *s)
{
    table_add(t, TINT_NONE, "MTA-STS record");
    switch (s->record) {
    case DEST_STS_FOUND:
        table_addf(t, TINT_NONE, "found, id %s", s->id);
        break;
    case DEST_STS_INVALID:
        table_addf(t, TINT_WARN, "invalid, counts as none%s%s", s->why[0] != '\0' ? ": " : "", s->why);
        break;
    case DEST_STS_TEMP:
        table_addf(t, TINT_BAD, "not known now%s%s", s->why[0] != '\0' ? ": " : "", s->why);
        break;
    default:
        table_add(t, TINT_NONE, "none");
    }
}

static void add_policy(struct table *t, const struct dest_sts *s, int64_t now)
{
    const char *mode = sts_mode_name(s->policy.mode);
    struct buf age;

    table_add(t, TINT_NONE, "MTA-STS policy");
    if (!s->has_policy) {
        table_add(t, TINT_NONE, "none");
        return;
    }
    buf_init(&age, 100);
    print_span(&age, s->policy.max_age);
    if (!dest_sts_live(s, now))
        table_addf(t, TINT_WARN, "%s, but expired", mode);
    else
        table_add(t, s->policy.mode == STS_MODE_ENFORCE ? TINT_GOOD : TINT_NONE, mode);
    table_add(t, TINT_NONE, "  id");
    table_add(t, TINT_NONE, s->policy_id);
    table_add(t, TINT_NONE, "  max_age");
    table_addf(t, TINT_NONE, "%lu (%s)", (unsigned long)s->policy.max_age, buf_text(&age));
    buf_clear(&age);
    for (size_t i = 0; i < s->policy.mx_count; i++) {
        table_add(t, TINT_NONE, i == 0 ? "  mx" : NULL);
        table_add(t, TINT_NONE, s->policy.mx[i]);
    }
    add_time(t, "  fetched", s->fetched, now);
    add_time(t, "  expires", s->expires, now);
}

/* The last fetch, when it failed. */
static void add_failure(struct table *t, const struct dest_sts *s, int64_t now)
{
    if (s->failure == DEST_STS_OK)
        return;
    table_add(t, TINT_NONE, "  last error");
    table_addf(t, TINT_BAD, "%s%s%s", dest_sts_failure_name(s->failure), s->why[0] != '\0' ? ": " : "", s->why);
    add_time(t, "  last attempt", s->attempted, now);
}

void facts_print(struct buf *out, const struct dest *d, int64_t now, bool colour)
{
    struct table *t = table_new(2);

    table_add(t, TINT_NONE, "domain");
    table_add(t, TINT_HEAD, d->domain);
    add_mx(t, d);
    add_sts_record(t, &d->sts);
    add_policy(t, &d->sts, now);
    add_failure(t, &d->sts, now);
    table_add(t, TINT_NONE, "TLSRPT record");
    table_add(t, TINT_NONE, d->tlsrpt[0] != '\0' ? d->tlsrpt : "none");
    add_time(t, "resolved", d->resolved, now);
    add_time(t, "valid until", d->valid_until, now);
    table_print(out, t, 0, colour);
    table_free(t);
    if (d->host_count > 0)
        print_hosts(out, d, colour);
}
