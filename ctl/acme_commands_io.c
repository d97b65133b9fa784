/* acme_commands_io.c - posternctl cert acme: certificates that an authority signs by itself (RFC 8555). */
#include "acme_entry_io.h"
#include "acme_key.h"
#include "acme_renew_io.h"
#include "acme_text.h"
#include "clock.h"
#include "ctl.h"
#include "member.h"
#include "output_io.h"

#include "conf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef void rows_print_fn(struct buf *out, const json_t *rows, int64_t now, bool colour);

/* Takes rows. rc: of what was done. */
static int print_rows(const struct ctl *ctl, json_t *rows, rows_print_fn *print, int rc)
{
    struct buf text;
    int printed;

    if (ctl->options & CTL_JSON) {
        printed = output_json(json_pack("{s:o}", "certificates", rows));
        return rc == CTL_YES ? printed : rc;
    }
    buf_init(&text, CTL_OUTPUT_MAX);
    print(&text, rows, now_seconds(), ctl->colour);
    json_decref(rows);
    printed = output_and_clear(&text);
    return rc == CTL_YES ? printed : rc;
}

/* --- new --- */

/* The names of the command line in their one form. */
static int add_hosts(struct cert_about *about, const struct ctl *ctl, struct err *e)
{
    bool dns = (ctl->options & CTL_DNS) != 0;

    if (ctl->word_count - 1 > CERT_HOSTS_MAX)
        return err_set(e, "%zu host names: a certificate has %d at most", ctl->word_count - 1, CERT_HOSTS_MAX);
    for (size_t i = 1; i < ctl->word_count; i++) {
        const char *word = ctl->word[i];
        size_t star = strncmp(word, "*.", 2) == 0 ? 2 : 0;
        char name[2 + DOMAIN_BUF] = "*.";

        if (domain_normalise(name + star, word + star, strlen(word + star), e) != 0)
            return err_prefix(e, "\"%.100s\" is no host name", word);
        if (star != 0 && !dns)
            return err_set(e, "%.100s: an authority gives a wildcard for a record in DNS alone: --dns", word);
        if (cert_about_set(&about->host[about->host_count], name) != 0)
            return err_set(e, "no memory");
        about->host_count++;
    }
    return 0;
}

static int describe(struct cert_about *about, const struct ctl *ctl, const struct conf *conf, struct err *e)
{
    const char *type = ctl->type != NULL ? ctl->type : "p256";
    bool dns = (ctl->options & CTL_DNS) != 0;

    if (!cert_name_valid(ctl->word[0], e))
        return -1;
    if (!acme_key_type_valid(type, e))
        return err_prefix(e, "--type");
    if (dns && conf->certs.dns_hook[0] == '\0')
        return err_set(e, "--dns: certs.dns_hook is not set: it puts the record of the challenge into DNS");
    about->created = now_seconds();
    if (cert_about_set(&about->title, ctl->title != NULL ? ctl->title : "") != 0 ||
        cert_about_set(&about->source, "acme") != 0 ||
        cert_about_set(&about->challenge, dns ? "dns-01" : "http-01") != 0 ||
        cert_about_set(&about->key_type, type) != 0 || cert_about_set(&about->trouble, "") != 0)
        return err_set(e, "no memory");
    return add_hosts(about, ctl, e);
}

/* With the store held: it must not be there. */
static int make_entry(const struct conf *conf, const char *name, const struct cert_about *about, struct err *e)
{
    struct cert_entry there;
    int rc = cert_entry_read(&there, conf->certs.folder, name, e);

    if (rc == 1) {
        cert_entry_clear(&there);
        return err_set(e, "there is a certificate %s already; posternctl cert show %s tells of it", name, name);
    }
    return rc < 0 ? -1 : cert_about_save(conf->certs.folder, name, about, conf->policyd.user, e);
}

static int add_entry(const struct conf *conf, const char *name, const struct cert_about *about, struct err *e)
{
    int lock = cert_store_lock(conf->certs.folder, e);
    int rc = lock >= 0 ? make_entry(conf, name, about, e) : -1;

    if (lock >= 0)
        close(lock);
    return rc;
}

static int print_plan(const struct ctl *ctl, const struct conf *conf, const char *name, const struct cert_about *about)
{
    struct buf text;

    if (ctl->options & CTL_JSON)
        return output_json(json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", name, "key", about->key_type, "authority",
                                     conf->certs.acme_url, "challenge", about->challenge, "hosts",
                                     string_array(about->host, about->host_count)));
    buf_init(&text, CTL_OUTPUT_MAX);
    buf_printf(&text, "%s: a key (%s) and a certificate by %s, proved by %s, for\n", name, about->key_type,
               conf->certs.acme_url, about->challenge);
    for (size_t i = 0; i < about->host_count; i++)
        buf_printf(&text, "  %s\n", about->host[i]);
    return output_and_clear(&text);
}

/* What cannot be read may be one by ACME: it is told, rather than passed over as none. */
static int tell_unread(const struct cert_entry *entry)
{
    bool closed = entry->trouble_errno == EACCES;

    if (!entry->about_unread)
        return 0;
    report_error("%s: %s%s", entry->name, entry->trouble, closed ? "; do it as root" : "");
    return -1;
}

/* --- renew --- */

/* Returns 0, or -1: something has failed, and is in the row. */
static int renew_row(json_t *rows, const struct acme_client *client, const char *name, bool force)
{
    struct acme_renewal r;
    struct err e = {""};
    int rc = acme_renew(&r, client, name, force, &e);

    if (rc != 0)
        (void)json_array_append_new(rows, acme_renewal_json(name, &r, e.text));
    acme_renewal_clear(&r);
    return rc < 0 || r.failed ? -1 : 0;
}

/* One that fails keeps no other from being renewed. */
static int renew_all(json_t *rows, const struct acme_client *client, bool force, struct err *e)
{
    struct cert_entries all;
    int rc = 0;

    if (cert_entries_read(&all, client->conf->certs.folder, e) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        if (tell_unread(&all.entry[i]) != 0 ||
            (all.entry[i].about.host_count > 0 && renew_row(rows, client, all.entry[i].name, force) != 0))
            rc = -1;
    cert_entries_clear(&all);
    return rc;
}

/* name NULL: all of them. */
static int renew_locked(json_t *rows, const struct acme_client *client, const char *name, bool force, struct err *e)
{
    int rc = name != NULL ? renew_row(rows, client, name, force) : renew_all(rows, client, force, e);

    if (rc == 0 && name != NULL && json_array_size(rows) == 0)
        rc = err_set(e, "%s: there is no such certificate by ACME; posternctl cert acme list shows which there are",
                     name);
    return rc;
}

/* Is there anything to do at all? Where nothing is by ACME, no folder is made either. */
static bool any(const struct conf *conf)
{
    struct cert_entries all;
    bool found = false;

    if (cert_entries_read(&all, conf->certs.folder, NULL) != 0)
        return true; /* which is said then */
    for (size_t i = 0; i < all.count; i++)
        found = found || all.entry[i].about.host_count > 0 || all.entry[i].about_unread;
    cert_entries_clear(&all);
    return found;
}

static int renew_and_print(const struct ctl *ctl, const struct conf *conf, const char *name, bool force)
{
    const struct acme_client client = {.conf = conf, .conf_file = ctl->conf_file};
    struct err e = {""};
    json_t *rows = json_array();
    int lock, rc;

    if (name == NULL && !any(conf))
        return print_rows(ctl, rows, acme_renewals_print, CTL_YES);
    lock = acme_client_lock(&client, &e);
    rc = lock >= 0 ? renew_locked(rows, &client, name, force, &e) : -1;
    if (lock >= 0)
        close(lock);
    if (e.text[0] != '\0')
        report_error("%s", e.text);
    return print_rows(ctl, rows, acme_renewals_print, rc == 0 ? CTL_YES : CTL_NO);
}

int run_cert_acme_renew(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    int rc;

    if (conf == NULL)
        return CTL_USAGE;
    rc = renew_and_print(ctl, conf, ctl->word_count > 0 ? ctl->word[0] : NULL, (ctl->options & CTL_FORCE) != 0);
    conf_free(conf);
    return rc;
}

int run_cert_acme_new(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    struct cert_about about = {0};
    struct err e = {""};
    int rc = CTL_USAGE;

    if (conf == NULL)
        return CTL_USAGE;
    if (describe(&about, ctl, conf, &e) != 0) {
        report_error("cert acme new: %s", e.text);
    } else if (ctl->options & CTL_DRY_RUN) {
        rc = print_plan(ctl, conf, ctl->word[0], &about);
    } else if (add_entry(conf, ctl->word[0], &about, &e) != 0) {
        report_error("cert acme new: %s", e.text);
        rc = CTL_NO;
    } else {
        rc = renew_and_print(ctl, conf, ctl->word[0], true);
    }
    cert_about_clear(&about);
    conf_free(conf);
    return rc;
}

/* --- list --- */

/* Returns 0, or -1 with the reason reported. */
static int list_row(json_t *rows, const struct conf *conf, const char *name)
{
    struct acme_entry a;
    struct err e = {""};
    int rc = acme_entry_read(&a, conf, name, &e);

    if (rc < 0)
        report_error("%s", e.text);
    if (rc != 1)
        return rc;
    (void)json_array_append_new(rows, acme_entry_json(&a));
    acme_entry_clear(&a);
    return 0;
}

int run_cert_acme_list(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    struct cert_entries all = {0};
    json_t *rows;
    struct err e = {""};
    int rc = CTL_YES;

    if (conf == NULL)
        return CTL_USAGE;
    rows = json_array();
    if (cert_entries_read(&all, conf->certs.folder, &e) != 0) {
        report_error("%s", e.text);
        rc = CTL_NO;
    }
    for (size_t i = 0; i < all.count; i++)
        if (tell_unread(&all.entry[i]) != 0 ||
            (all.entry[i].about.host_count > 0 && list_row(rows, conf, all.entry[i].name) != 0))
            rc = CTL_NO;
    cert_entries_clear(&all);
    rc = print_rows(ctl, rows, acme_entries_print, rc);
    conf_free(conf);
    return rc;
}
