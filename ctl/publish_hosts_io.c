/* publish_hosts_io.c - see publish_hosts_io.h. */
#include "publish_hosts_io.h"

#include "dns_lookup_io.h"
#include "probe_io.h"
#include "publish_io.h"
#include "publish_key_io.h"
#include "publish_tlsrpt.h"
#include "publish_view_io.h"
#include "zone_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 16 /* of one host: certificates of each kind of key, and their next ones */

#define MORE_HOSTS "%s has more than %d MX hosts, and the others were not looked at"

/* --- MX hosts --- */

struct hosts {
    char name[DEST_HOSTS_MAX][DOMAIN_BUF];
    size_t count;
    bool more;      /* than can be looked at */
    bool secure;    /* the answer was validated by DNSSEC */
    struct err why; /* they cannot be looked up now */
};

static bool known(const struct hosts *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->name[i], name) == 0)
            return true;
    return false;
}

static void hosts_add(struct hosts *h, const char *name)
{
    if (name[0] == '\0' || known(h, name))
        return;
    if (h->count < DEST_HOSTS_MAX)
        (void)snprintf(h->name[h->count++], DOMAIN_BUF, "%s", name);
    else
        h->more = true;
}

static void on_mx(void *ctx, const struct dns_answer *answer)
{
    struct hosts *h = ctx;

    h->secure = answer->secure;
    if (answer->status == DNS_FAILED)
        (void)err_set(&h->why, "its MX records cannot be looked up now: %s", answer->why);
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        hosts_add(h, answer->rr[i].name);
    if (answer->status == DNS_NODATA)
        hosts_add(h, answer->name); /* RFC 5321 5.1 */
    if (answer->status == DNS_NXDOMAIN)
        (void)err_set(&h->why, "there is no such domain in DNS yet: its MX hosts are not known");
}

/* NULL with the reason. */
static struct hosts *hosts_get(const struct conf *conf, const char *domain, struct err *e)
{
    struct hosts *h = calloc(1, sizeof(*h));

    if (h == NULL) {
        (void)err_set(e, "out of memory");
        return NULL;
    }
    if (dns_lookup(&conf->stsd, domain, DNS_MX, on_mx, h, e) == 0 && h->why.text[0] == '\0')
        return h;
    if (h->why.text[0] != '\0')
        *e = h->why;
    (void)err_prefix(e, "%s", domain);
    free(h);
    return NULL;
}

/* --- keys of a host --- */

struct keys {
    struct tlsa_key key[KEYS_MAX];
    size_t count;
};

static void keys_clear(struct keys *k)
{
    for (size_t i = 0; i < k->count; i++)
        tlsa_key_clear(&k->key[i]);
    k->count = 0;
}

static int add_entry(struct keys *k, const struct conf *conf, const char *name, struct err *e)
{
    struct cert_entry entry;
    int rc = publish_key_read(&k->key[k->count], &entry, conf, name, e);

    if (rc == 0) {
        k->count++;
        rc = publish_key_next(&k->key[k->count], conf, &entry, e);
        k->count += rc > 0;
    }
    cert_entry_clear(&entry);
    return rc < 0 ? -1 : 0;
}

/* Of all entries of the store that are for the host. */
static int keys_get(struct keys *k, const struct conf *conf, const struct cert_entries *all, const char *host,
                    struct err *e)
{
    int rc = 0;

    k->count = 0;
    for (size_t i = 0; i < all->count && rc == 0 && k->count + 2 <= KEYS_MAX; i++)
        if (all->entry[i].live.count > 0 && cert_facts_name(&all->entry[i].leaf, host))
            rc = add_entry(k, conf, all->entry[i].name, e);
    return rc;
}

/* Its certificate may be for any host. */
static bool unread(const struct cert_entry *entry)
{
    return entry->live.count == 0 && entry->trouble[0] != '\0';
}

static bool of_keys(const struct keys *k, const struct cert_facts *leaf)
{
    for (size_t i = 0; i < k->count; i++)
        if (memcmp(k->key[i].digest, leaf->spki_sha256, CERT_DIGEST_LEN) == 0)
            return true;
    return false;
}

/* An address of the host that shows none of these keys; NULL: there is none, as far as can be seen now. */
static const struct probe_address *stranger(const struct keys *k, const struct probe *p)
{
    for (size_t h = 0; p != NULL && h < p->hosts; h++)
        for (size_t i = 0; i < p->host[h].count; i++)
            if (p->host[h].at[i].chain_count > 0 && !of_keys(k, &p->host[h].at[i].chain[0]))
                return &p->host[h].at[i];
    return NULL;
}

/* Why not all that the host shows could be seen: an address that shows no certificate, but for those to which this
 * machine has no way, or no address at all. false: all was seen. */
static bool is_unseen(struct err *why, const struct publish_view *v)
{
    bool any = false;

    err_set(why, "%s", v->probe != NULL ? "it has no address that can be reached from here" : v->probe_why.text);
    for (size_t h = 0; v->probe != NULL && h < v->probe->hosts; h++)
        for (size_t i = 0; i < v->probe->host[h].count; i++) {
            const struct probe_address *at = &v->probe->host[h].at[i];

            any = any || at->chain_count > 0;
            if (at->chain_count > 0 || at->unrouted)
                continue;
            err_set(why, "at %s there is no certificate to be seen (%s)", at->address, at->why);
            return true;
        }
    return !any;
}

/* --- records --- */

/* Lines that are not to be loaded. */
static void add_commented(struct buf *zone, const struct buf *lines)
{
    const char *at = buf_text(lines);

    while (*at != '\0') {
        size_t n = strcspn(at, "\n");

        buf_printf(zone, "; %.*s\n", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

static void add_records(struct buf *zone, const struct conf *conf, const char *domain, const char *host,
                        const struct keys *k, bool fits)
{
    struct buf lines;

    buf_init(&lines, PUBLISH_ZONE_MAX);
    for (size_t i = 0; i < k->count; i++)
        publish_tlsa_zone(&lines, &k->key[i], conf, host);
    if (!buf_ok(&lines))
        zone->failed = true;
    else if (!fits)
        add_commented(zone, &lines);
    else if (domain_within(host, domain))
        buf_add(zone, lines.data, lines.len);
    else {
        zone_comment(zone, "%s is in another zone than %s; these belong there:", host, domain);
        add_commented(zone, &lines);
    }
    buf_clear(&lines);
}

static void add_notes(struct buf *zone, const struct publish_view *v, const struct keys *k,
                      const struct probe_address *other, const struct err *unseen)
{
    if (v->dns.status == DNS_FAILED)
        zone_comment(zone, "unknown: its TLSA records cannot be looked up now: %s", v->dns.why);
    else if (!v->dns.secure)
        zone_comment(zone,
                     "bad: its zone is not signed, or the resolver of stsd does not validate: without DNSSEC TLSA "
                     "records do nothing");
    if (unseen->text[0] != '\0')
        zone_comment(
            zone,
            "unknown: what it shows cannot be seen now: %s. Records of keys that it does not show stop its mail, "
            "so these are comments",
            unseen->text);
    if (other != NULL)
        zone_comment(zone,
                     "bad: at %s it shows another certificate than those in the store (%s): with these records alone "
                     "its mail would stop. Have it use the certificate first (posternctl cert use), or see "
                     "posternctl publish tlsa %s --cert FILE --next NAME",
                     other->address, other->chain[0].subject, v->host);
    if (k->count > 0)
        zone_comment(zone, "The steps in which a key changes: posternctl publish tlsa %s", v->host);
}

static int host_zone(struct buf *zone, const struct conf *conf, const struct cert_entries *all, const char *domain,
                     const char *host, struct err *e)
{
    const struct probe_address *other;
    struct err unseen = {""};
    struct publish_view v = {.dns = {.status = DNS_FAILED}};
    struct keys k = {.count = 0};
    int rc = keys_get(&k, conf, all, host, e);

    (void)snprintf(v.host, sizeof(v.host), "%s", host);
    if (rc == 0 && k.count == 0) {
        zone_comment(zone, "%s: no certificate of the store is for it; posternctl publish tlsa %s --cert FILE", host,
                     host);
    } else if (rc == 0 && (rc = publish_view_look(&v, conf, PROBE_PORT, e)) == 0) {
        zone_comment(zone, "%s", host);
        other = stranger(&k, v.probe);
        if (!is_unseen(&unseen, &v))
            unseen.text[0] = '\0';
        add_notes(zone, &v, &k, other, &unseen);
        add_records(zone, conf, domain, host, &k, other == NULL && unseen.text[0] == '\0');
        if (unseen.text[0] != '\0')
            rc = err_set(e, "what %s shows cannot be seen now: %s", host, unseen.text);
    }
    keys_clear(&k);
    publish_view_clear(&v);
    return rc;
}

/* Returns 0, or -1 when there is one. */
static int unread_zone(struct buf *zone, const struct cert_entries *all)
{
    int rc = 0;

    for (size_t i = 0; i < all->count; i++)
        if (unread(&all->entry[i])) {
            zone_comment(zone, "unknown: %s of the store cannot be read (as root?), and may be for one of these: %s",
                         all->entry[i].name, all->entry[i].trouble);
            rc = -1;
        }
    return rc;
}

int publish_hosts_zone(struct buf *zone, const struct conf *conf, const char *domain, struct err *e)
{
    struct hosts *h = hosts_get(conf, domain, e);
    struct cert_entries all;
    int rc = h != NULL ? cert_entries_read(&all, conf->certs.folder, e) : -1;

    if (rc == 0) {
        if (h->count == 0)
            zone_comment(zone, "%s takes no mail: it has no MX host", domain);
        for (size_t i = 0; i < h->count; i++) {
            struct err why = {""};

            if (host_zone(zone, conf, &all, domain, h->name[i], &why) != 0 && rc == 0)
                rc = err_set(e, "%s", why.text);
        }
        if (unread_zone(zone, &all) != 0)
            rc = err_set(e, "not all certificates of %.200s can be read", conf->certs.folder);
        if (h->more && rc == 0)
            rc = err_set(e, MORE_HOSTS, domain, DEST_HOSTS_MAX);
        cert_entries_clear(&all);
    }
    free(h);
    return rc;
}

/* --- live --- */

static void host_check(struct verdicts *v, const struct conf *conf, const char *host)
{
    struct verdicts lines = {0};
    struct publish_view view;
    struct err e = {""};
    char what[VERDICT_TEXT_MAX];
    int rc = publish_view_keys(&view, conf, host, NULL, NULL, &e);

    if (rc < 0) {
        verdicts_add(v, rc == PUBLISH_VIEW_SEVERAL ? VERDICT_WARN : VERDICT_UNKNOWN, host,
                     "its keys are not compared with the records: %s", e.text);
        tlsa_key_clear(&view.live); /* what the host shows is looked at all the same */
        tlsa_key_clear(&view.next);
    }
    if (publish_view_look(&view, conf, PROBE_PORT, &e) != 0)
        verdicts_add(v, VERDICT_UNKNOWN, host, "%s", e.text);
    else
        tlsa_check(&lines, &view.view, false);
    for (size_t i = 0; i < lines.count && !lines.failed; i++) {
        (void)snprintf(what, sizeof(what), "%s: %s", host, lines.line[i].what);
        verdicts_add(v, lines.line[i].level, what, "%s", lines.line[i].words);
    }
    v->failed = v->failed || lines.failed;
    verdicts_clear(&lines);
    publish_view_clear(&view);
}

/* The hosts themselves were looked at, so this is no more than a warning; a store without a way in was told of there.
 */
static void unread_check(struct verdicts *v, const struct conf *conf)
{
    struct cert_entries all;
    struct err e = {""};

    if (cert_entries_read(&all, conf->certs.folder, &e) != 0)
        return;
    for (size_t i = 0; i < all.count; i++)
        if (unread(&all.entry[i]))
            verdicts_add(v, VERDICT_WARN, "store", "%s cannot be read, and was not compared with the records: %s",
                         all.entry[i].name, all.entry[i].trouble);
    cert_entries_clear(&all);
}

void publish_hosts_check(struct verdicts *v, const struct conf *conf, const char *domain)
{
    struct err e = {""};
    struct hosts *h = hosts_get(conf, domain, &e);

    if (h == NULL)
        verdicts_add(v, VERDICT_UNKNOWN, "MX hosts", "%s", e.text);
    else if (h->count == 0)
        verdicts_add(v, VERDICT_WARN, "MX hosts", "%s takes no mail: it has none (%s)", domain,
                     verdict_dnssec(h->secure));
    else if (!h->more)
        verdicts_add(v, VERDICT_OK, "MX hosts", "%s has %zu (%s)", domain, h->count, verdict_dnssec(h->secure));
    for (size_t i = 0; h != NULL && i < h->count; i++)
        host_check(v, conf, h->name[i]);
    if (h != NULL && h->more)
        verdicts_add(v, VERDICT_UNKNOWN, "MX hosts", MORE_HOSTS, domain, DEST_HOSTS_MAX);
    if (h != NULL && h->count > 0)
        unread_check(v, conf);
    free(h);
}
