/* publish_tlsrpt_io.c - posternctl publish tlsrpt: the record by which a domain asks for TLS reports. */
#include "ctl.h"
#include "dns_lookup_io.h"
#include "output_io.h"
#include "publish_io.h"
#include "publish_tlsrpt.h"
#include "zone_text.h"

#include "conf.h"

#include <stdio.h>
#include <string.h>

#define NAME_BUF (sizeof("_smtp._tls.") + DOMAIN_BUF)

/* --- the record --- */

struct wanted {
    char name[NAME_BUF];
    struct buf text;
    struct tlsrpt_record record;
    struct verdicts notes;
};

static void wanted_clear(struct wanted *w)
{
    buf_clear(&w->text);
    verdicts_clear(&w->notes);
}

/* Where reports go when nobody has said: to whom ours answer, or to an address that is to be made. */
static int default_uri(char out[TLSRPT_URI_MAX + 1], struct verdicts *notes, const struct conf *conf,
                       const char *domain, struct err *e)
{
    char address[RUA_ADDRESS_BUF];

    if (conf->tlsrptd.contact[0] != '\0')
        return tlsrpt_mailto(out, conf->tlsrptd.contact, e) == 0 ? 0 : err_prefix(e, "tlsrptd.contact");
    (void)snprintf(address, sizeof(address), "tls-reports@%s", domain);
    verdicts_add(notes, VERDICT_WARN, "reports go to",
                 "%s, as neither --rua nor tlsrptd.contact says where: see that this address takes mail", address);
    return tlsrpt_mailto(out, address, e);
}

/* Returns 0, or -1 with the reason. wanted_clear in any case. */
static int make_record(struct wanted *w, const struct ctl *ctl, const struct conf *conf, const char *domain,
                       struct err *e)
{
    char uri[TLSRPT_URI_MAX + 1];
    const char *only = uri;
    int rc;

    memset(w, 0, sizeof(*w));
    (void)snprintf(w->name, sizeof(w->name), "_smtp._tls.%s", domain);
    buf_init(&w->text, TLSRPT_RECORD_MAX);
    if (ctl->rua.count > 0)
        rc = tlsrpt_text(&w->text, &w->record, ctl->rua.value, ctl->rua.count, e);
    else if (default_uri(uri, &w->notes, conf, domain, e) == 0)
        rc = tlsrpt_text(&w->text, &w->record, &only, 1, e);
    else
        rc = -1;
    if (rc == 0)
        tlsrpt_advise(&w->notes, domain, &w->record);
    return rc;
}

static void zone_of(struct buf *zone, const struct wanted *w)
{
    publish_comments(zone, &w->notes);
    zone_txt(zone, w->name, TLSRPT_TTL, buf_text(&w->text), w->text.len);
}

int publish_tlsrpt_zone(struct buf *zone, const struct ctl *ctl, const struct conf *conf, const char *domain,
                        struct err *e)
{
    struct wanted w;
    int rc = make_record(&w, ctl, conf, domain, e);

    if (rc == 0)
        zone_of(zone, &w);
    wanted_clear(&w);
    return rc;
}

static int print_record(const struct ctl *ctl, const char *domain, const struct wanted *w)
{
    struct buf zone;
    int rc;

    buf_init(&zone, PUBLISH_ZONE_MAX);
    zone_of(&zone, w);
    if (!(ctl->options & CTL_JSON))
        return output_and_clear(&zone);
    rc = output_json(json_pack("{s:s, s:s, s:i, s:s, s:s, s:o}", "domain", domain, "name", w->name, "ttl", TLSRPT_TTL,
                               "record", buf_text(&w->text), "zone", buf_text(&zone), "notes",
                               verdicts_json(&w->notes)));
    buf_clear(&zone);
    return rc;
}

/* --- live --- */

struct looking {
    struct verdicts *v;
    const char *name;
    const struct tlsrpt_record *want;
    struct tlsrpt_record live;
    bool there;
};

static void on_record(void *ctx, const struct dns_answer *answer)
{
    struct looking *l = ctx;

    l->there = tlsrpt_compare(l->v, &l->live, l->name, answer, l->want);
}

static void on_mail_domain(void *ctx, const struct dns_answer *answer)
{
    struct looking *l = ctx;

    tlsrpt_mail_domain(l->v, l->name, answer);
}

static void look(struct looking *l, const struct conf *conf, enum dns_type type, dns_lookup_fn *fn)
{
    struct err e = {""};

    if (dns_lookup(&conf->stsd, l->name, type, fn, l, &e) != 0)
        verdicts_add(l->v, VERDICT_UNKNOWN, "TLSRPT record", "%s: %s", l->name, e.text);
}

static void check_mail_domains(struct looking *l, const struct conf *conf)
{
    char address[RUA_ADDRESS_BUF];
    const char *at;

    for (size_t i = 0; i < l->live.rua_count; i++) {
        const char *uri = l->live.rua[i];

        if (rua_mailto_address(address, uri, strlen(uri), NULL) == 0 && (at = strrchr(address, '@')) != NULL) {
            l->name = at + 1;
            look(l, conf, DNS_MX, on_mail_domain);
        }
    }
}

static void check_record(struct verdicts *v, const struct conf *conf, const char *domain, const struct wanted *w,
                         bool any)
{
    struct looking l = {.v = v, .name = w->name, .want = any ? NULL : &w->record};

    look(&l, conf, DNS_TXT, on_record);
    if (l.there) {
        tlsrpt_advise(v, domain, &l.live);
        check_mail_domains(&l, conf);
    }
}

void publish_tlsrpt_check(struct verdicts *v, const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    struct err e = {""};
    struct wanted w;

    if (make_record(&w, ctl, conf, domain, &e) != 0)
        verdicts_add(v, VERDICT_BAD, "TLSRPT record", "%s", e.text);
    else
        check_record(v, conf, domain, &w, ctl->rua.count == 0);
    wanted_clear(&w);
}

/* --- the command --- */

static int with_record(const struct ctl *ctl, const struct conf *conf, const char *domain, const struct wanted *w)
{
    struct verdicts v = {0};
    int rc;

    if (!(ctl->options & CTL_CHECK))
        return print_record(ctl, domain, w);
    check_record(&v, conf, domain, w, ctl->rua.count == 0);
    rc = publish_verdicts(ctl, &v, json_pack("{s:s, s:s}", "domain", domain, "name", w->name));
    verdicts_clear(&v);
    return rc;
}

int run_publish_tlsrpt(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    char domain[DOMAIN_BUF];
    struct err e = {""};
    int rc = CTL_USAGE;
    struct wanted w;

    if (conf != NULL && publish_domain(domain, ctl) == 0) {
        if (make_record(&w, ctl, conf, domain, &e) == 0)
            rc = with_record(ctl, conf, domain, &w);
        else
            report_error("%s", e.text);
        wanted_clear(&w);
    }
    conf_free(conf);
    return rc;
}
