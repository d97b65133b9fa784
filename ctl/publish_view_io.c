/* publish_view_io.c - see publish_view_io.h. */
#include "publish_view_io.h"

#include "clock.h"
#include "dns_lookup_io.h"
#include "probe_io.h"
#include "publish_key_io.h"

#include <stdio.h>
#include <string.h>

#define PROBE_MS 15000
#define NAME_BUF (sizeof("_65535._tcp.") + DOMAIN_BUF)

/* --- keys --- */

/* The name of the one entry that is for the host. Returns how many there are, or -1. */
static int find_entry(char name[CERT_NAME_MAX + 1], const struct conf *conf, const char *host, struct err *e)
{
    struct cert_entries all;
    int found = 0;

    if (cert_entries_read(&all, conf->certs.folder, e) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++) {
        const struct cert_entry *entry = &all.entry[i];

        if (entry->live.count == 0 || !cert_facts_name(&entry->leaf, host))
            continue;
        (void)snprintf(name, CERT_NAME_MAX + 1, "%s", entry->name);
        found++;
    }
    cert_entries_clear(&all);
    return found;
}

static int next_key(struct publish_view *out, const struct conf *conf, const struct cert_entry *entry, const char *next,
                    struct err *e)
{
    struct cert_entry other = {.name = ""};
    int rc = 0;

    if (next != NULL && (entry->name[0] == '\0' || strcmp(next, entry->name) != 0)) {
        rc = publish_key_read(&out->next, &other, conf, next, e);
        (void)snprintf(out->next_name, sizeof(out->next_name), "%s", other.name);
        cert_entry_clear(&other);
    } else if (entry->name[0] != '\0') {
        rc = publish_key_next(&out->next, conf, entry, e);
        out->view.next_seen = rc > 0 ? entry->about.tlsa_seen : 0;
        if (rc == 0 && next != NULL)
            rc = err_set(e, "%s: it has no next key in the store", next);
    }
    return rc < 0 ? -1 : 0;
}

int publish_view_keys(struct publish_view *out, const struct conf *conf, const char *host, const char *cert,
                      const char *next, struct err *e)
{
    struct cert_entry entry = {.name = ""};
    char found[CERT_NAME_MAX + 1];
    int rc = 1;

    memset(out, 0, sizeof(*out));
    (void)snprintf(out->host, sizeof(out->host), "%s", host);
    if (cert == NULL) {
        rc = find_entry(found, conf, out->host, e);
        if (rc > 1) {
            (void)err_set(e, "%d certificates of the store are for %s: say which with --cert", rc, out->host);
            return PUBLISH_VIEW_SEVERAL;
        }
        cert = found;
    }
    if (rc > 0)
        rc = publish_key_read(&out->live, &entry, conf, cert, e) == 0 ? 1 : -1;
    if (rc >= 0 && next_key(out, conf, &entry, next, e) != 0)
        rc = -1;
    if (rc > 0 && out->next.there && memcmp(out->live.digest, out->next.digest, CERT_DIGEST_LEN) == 0)
        tlsa_key_clear(&out->next); /* the same key: one record is for both */
    cert_entry_clear(&entry);
    return rc;
}

/* --- DNS --- */

struct looking {
    struct tlsa_live *live;
    bool failed;
};

static void on_records(void *ctx, const struct dns_answer *answer)
{
    struct looking *l = ctx;

    l->failed = tlsa_live_copy(l->live, answer) != 0;
}

static void on_address(void *ctx, const struct dns_answer *answer)
{
    struct looking *l = ctx;

    if (answer->status == DNS_FAILED)
        (void)snprintf(l->live->address_why, sizeof(l->live->address_why), "%s", answer->why);
    else
        l->live->address_secure = l->live->address_secure && answer->secure;
}

/* Both kinds of addresses, or that there are none, must be secure. */
static int look_dns(struct publish_view *out, const struct conf *conf, uint16_t port, struct err *e)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    struct looking l = {.live = &out->dns};
    char name[NAME_BUF];

    (void)snprintf(name, sizeof(name), "_%u._tcp.%s", (unsigned)port, out->host);
    if (dns_lookup(&conf->stsd, name, DNS_TLSA, on_records, &l, e) != 0)
        return -1;
    if (l.failed)
        return err_set(e, "out of memory");
    out->dns.address_secure = true;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (dns_lookup(&conf->stsd, out->host, types[i], on_address, &l, e) != 0)
            return -1;
    return 0;
}

int publish_view_look(struct publish_view *out, const struct conf *conf, uint16_t port, struct err *e)
{
    char bracketed[DOMAIN_BUF + 2];

    if (look_dns(out, conf, port, e) != 0)
        return -1;
    (void)snprintf(bracketed, sizeof(bracketed), "[%s]", out->host);
    out->probe = probe_run(conf, bracketed, port, PROBE_MS, &out->probe_why);
    out->view.host = out->host;
    out->view.port = port;
    out->view.live = &out->live;
    out->view.next = &out->next;
    out->view.next_name = out->next_name;
    out->view.dns = &out->dns;
    out->view.probe = out->probe;
    out->view.probe_why = out->probe_why.text;
    out->view.tlsa_ttl = conf->certs.tlsa_ttl;
    out->view.now = now_seconds();
    return 0;
}

void publish_view_clear(struct publish_view *v)
{
    tlsa_key_clear(&v->live);
    tlsa_key_clear(&v->next);
    tlsa_live_clear(&v->dns);
    probe_free(v->probe);
    memset(v, 0, sizeof(*v));
}
