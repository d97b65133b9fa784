/* report_key_commands_io.c - posternctl report key: the keys that sign reports (dkim.h), and their DNS records. */
#include "ctl.h"
#include "dkim_text.h"
#include "dns_lookup_io.h"
#include "output_io.h"
#include "print.h"

#include "conf.h"
#include "dkim.h"
#include "dkim_key_io.h"

#include <stdio.h>
#include <string.h>

#define RECORD_MAX 4096
#define NAME_BUF   (64 + sizeof("._domainkey.") + DOMAIN_BUF)

void report_submitter(char *out, const struct conf *conf)
{
    const char *at = strrchr(conf->tlsrptd.contact, '@');

    if (at == NULL || domain_normalise(out, at + 1, strlen(at + 1), NULL) != 0)
        out[0] = '\0';
}

/* --- new --- */

static int key_type(enum dkim_key_type *out, const char *word)
{
    *out = word != NULL && strcmp(word, "ed25519") == 0 ? DKIM_ED25519 : DKIM_RSA;
    if (word == NULL || *out == DKIM_ED25519 || strcmp(word, "rsa") == 0)
        return 0;
    report_error("--type %.100s: there are rsa and ed25519", word);
    return -1;
}

static int print_key(const struct conf *conf, enum dkim_key_type type, EVP_PKEY *key, const char *path)
{
    bool rsa = type == DKIM_RSA;
    char domain[DOMAIN_BUF];
    struct err e = {""};
    struct buf record, text;

    report_submitter(domain, conf);
    buf_init(&record, RECORD_MAX);
    buf_init(&text, CTL_OUTPUT_MAX);
    if (dkim_record(&record, key, &e) == 0) {
        dkim_zone_line(&text, rsa ? conf->tlsrptd.rsa_selector : conf->tlsrptd.ed25519_selector, domain,
                       buf_text(&record));
        buf_printf(&text, "; when it is published: tlsrptd { %s = \"", rsa ? "rsa_key" : "ed25519_key");
        print_text(&text, path, strlen(path));
        buf_str(&text, "\" }\n");
    }
    buf_clear(&record);
    if (e.text[0] == '\0')
        return output_and_clear(&text);
    report_error("%s", e.text);
    buf_clear(&text);
    return CTL_NO;
}

int run_report_key_new(const struct ctl *ctl)
{
    enum dkim_key_type type;
    EVP_PKEY *key = NULL;
    struct err e = {""};
    struct conf *conf;
    int rc = CTL_NO;

    if (key_type(&type, ctl->type) != 0)
        return CTL_USAGE;
    conf = read_conf(ctl);
    if (conf == NULL)
        return CTL_USAGE;
    if (dkim_key_new(&key, type, ctl->word[0], &e) != 0)
        report_error("%s", e.text);
    else
        rc = print_key(conf, type, key, ctl->word[0]);
    EVP_PKEY_free(key);
    conf_free(conf);
    return rc;
}

/* --- check --- */

struct checking {
    EVP_PKEY *key;
    const char *state;
    struct err e;
};

static void compare(void *ctx, const struct dns_answer *a)
{
    struct checking *c = ctx;
    int rc;

    if (a->status == DNS_FAILED) {
        c->state = "unknown";
        err_set(&c->e, "the lookup failed: %s", a->why);
    } else if (a->status != DNS_FOUND || a->count == 0) {
        c->state = "missing";
        err_set(&c->e, "there is no TXT record");
    } else if (a->count > 1) {
        c->state = "wrong";
        err_set(&c->e, "there are %zu TXT records, and may be only one", a->count);
    } else {
        rc = dkim_record_check(a->rr[0].text, a->rr[0].text_len, c->key, &c->e);
        c->state = rc == 0 ? "fits" : rc == 1 ? "weak" : "wrong";
    }
}

/* One key; true: its record fits. */
static bool check_key(json_t *rows, const struct conf *conf, const char *domain, const char *kind, const char *path,
                      const char *selector)
{
    struct checking c = {.state = "unknown"};
    struct err warning = {""};
    char name[NAME_BUF];
    json_t *row;

    (void)snprintf(name, sizeof(name), "%s._domainkey.%s", selector, domain);
    if (dkim_key_read(&c.key, path, &warning, &c.e) == 0 &&
        dns_lookup(&conf->stsd, name, DNS_TXT, compare, &c, &c.e) == 0 && strcmp(c.state, "fits") == 0 &&
        warning.text[0] != '\0') {
        c.state = "weak";
        c.e = warning;
    }
    row = json_pack("{s:s, s:s, s:s}", "key", kind, "name", name, "state", c.state);
    if (c.e.text[0] != '\0')
        (void)json_object_set_new(row, "why", json_string(c.e.text));
    (void)json_array_append_new(rows, row);
    EVP_PKEY_free(c.key);
    return strcmp(c.state, "fits") == 0 || strcmp(c.state, "weak") == 0;
}

static int check_keys(const struct ctl *ctl, const struct conf *conf, const char *domain)
{
    const struct conf_tlsrptd *t = &conf->tlsrptd;
    json_t *rows = json_array();
    bool fits = true;
    struct buf text;
    int rc;

    if (t->rsa_key[0] != '\0')
        fits = check_key(rows, conf, domain, "rsa", t->rsa_key, t->rsa_selector);
    if (t->ed25519_key[0] != '\0')
        fits = check_key(rows, conf, domain, "ed25519", t->ed25519_key, t->ed25519_selector) && fits;
    if (ctl->options & CTL_JSON) {
        rc = output_json(json_pack("{s:O}", "keys", rows));
    } else {
        buf_init(&text, CTL_OUTPUT_MAX);
        dkim_checks_print(&text, rows, ctl->colour);
        rc = output_and_clear(&text);
    }
    json_decref(rows);
    return rc == CTL_YES && !fits ? CTL_NO : rc;
}

int run_report_key_check(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    char domain[DOMAIN_BUF];
    int rc = CTL_NO;

    if (conf == NULL)
        return CTL_USAGE;
    report_submitter(domain, conf);
    if (domain[0] == '\0')
        report_error("%s: tlsrptd.contact is not set: the keys are those of its domain", ctl->conf_file);
    else if (conf->tlsrptd.rsa_key[0] == '\0' && conf->tlsrptd.ed25519_key[0] == '\0')
        report_error("%s: tlsrptd has no rsa_key and no ed25519_key; \"posternctl report key new FILE\" makes one",
                     ctl->conf_file);
    else
        rc = check_keys(ctl, conf, domain);
    conf_free(conf);
    return rc;
}
