/* cert_live_io.c - see cert_live_io.h. */
#include "cert_live_io.h"

#include "cert_guard.h"
#include "cert_install_io.h"
#include "cert_make.h"
#include "cert_tlsa_io.h"
#include "cert_trust_io.h"
#include "clock.h"
#include "output_io.h"
#include "print.h"

#include <string.h>
#include <unistd.h>

/* Who uses it and who renews it is not known then: neither must be taken for nobody. */
static int check_about(const struct cert_held *h)
{
    if (!h->entry.about_unread || (h->ctl->options & CTL_FORCE) != 0)
        return CTL_YES;
    report_error(
        "%s: %s; so it is not known who uses it and whether \"posternctl cert acme\" renews it; mend that file, "
        "or go on with --force, as if nobody did",
        h->name, h->entry.trouble);
    return CTL_NO;
}

int cert_hold(struct cert_held *h, const struct ctl *ctl, const char *name)
{
    struct err e = {""};
    int rc;

    *h = (struct cert_held){.ctl = ctl, .name = name, .lock = -1};
    if (!cert_name_valid(name, &e)) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    h->conf = read_conf(ctl);
    if (h->conf == NULL)
        return CTL_USAGE;
    h->folder = h->conf->certs.folder;
    h->lock = cert_store_lock(h->folder, &e);
    rc = h->lock < 0 ? -1 : cert_entry_read(&h->entry, h->folder, name, &e);
    if (rc == 0 && cert_about_read(&h->entry.about, "{}", 2, &e) != 0)
        rc = -1;
    h->known = rc == 1;
    if (rc >= 0)
        return check_about(h);
    report_error("%s", e.text);
    return CTL_NO;
}

void cert_release(struct cert_held *h)
{
    cert_entry_clear(&h->entry);
    if (h->lock >= 0)
        close(h->lock);
    h->lock = -1;
    conf_free(h->conf);
    h->conf = NULL;
}

int cert_about_put(struct cert_held *h)
{
    struct err e = {""};
    int rc = cert_about_save(h->folder, h->name, &h->entry.about, h->conf->policyd.user, &e);

    if (rc != 0)
        report_error("%s", e.text);
    return rc;
}

/* The mail servers that use it take the new one. */
static int cert_live_changed(const struct cert_held *h)
{
    struct err e = {""};
    struct buf said;
    int rc;

    if (h->entry.about.uses == 0)
        return CTL_YES;
    buf_init(&said, CTL_OUTPUT_MAX);
    rc = cert_install(h->conf, h->name, &said, &e);
    (void)output_and_clear(&said);
    if (rc != 0)
        report_error("%s", e.text);
    return rc == 0 ? CTL_YES : CTL_NO;
}

static void print_names(struct buf *out, const struct cert_facts *leaf)
{
    for (size_t i = 0; i < leaf->names; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : ", ", leaf->name[i]);
    if (leaf->names == 0)
        buf_str(out, "no host name");
}

/* What is live now, and what a stranger would have against it. */
static int print_live(const struct cert_held *h, const struct cert_chain *c, const struct cert_facts *leaf)
{
    X509_STORE *trust = cert_system_trust();
    struct err e = {""};
    struct buf out;

    buf_init(&out, CTL_OUTPUT_MAX);
    buf_printf(&out, "%s: ", h->name);
    print_names(&out, leaf);
    buf_printf(&out, "; %s, issued by %s, until ", leaf->key, leaf->self_issued ? "itself" : leaf->issuer);
    print_time(&out, cert_chain_end(c), now_seconds());
    buf_char(&out, '\n');
    if (c->mended)
        buf_str(&out, "the certificates were not in order, and are now\n");
    if (trust != NULL && cert_chain_judge(c, NULL, trust, now_seconds(), &e) != CERT_GOOD)
        buf_printf(&out, "senders under MTA-STS would not take it: %s\n", e.text);
    X509_STORE_free(trust);
    if (h->conf->policyd.sni_listen[0] != NULL)
        buf_str(&out, "policyd shows it to whoever asks for one of its names (sni_listen)\n");
    else if (h->entry.about.uses == 0)
        buf_printf(&out, "no mail server uses it: posternctl cert use %s\n", h->name);
    return output_and_clear(&out);
}

/* All of the chain in its order, behind the key that goes first. */
static void write_in_order(struct buf *out, const struct cert_chain *c)
{
    cert_pem_key(out, c->key);
    for (size_t i = 0; i < c->count; i++)
        cert_pem_cert(out, c->cert[i]);
}

static int replace(const struct cert_held *h, const struct cert_chain *c, struct err *e)
{
    struct buf pem;
    int rc;

    buf_init(&pem, CERT_PEM_MAX);
    write_in_order(&pem, c);
    if (!buf_ok(&pem))
        rc = err_set(e, "the chain cannot be written as PEM");
    else
        rc = cert_file_write(h->folder, h->name, CERT_FILE_FRESH, buf_text(&pem), pem.len, h->conf->policyd.user, e);
    buf_wipe(&pem);
    if (rc == 0 && cert_fresh_activate(h->folder, h->name, e) != 0) {
        (void)cert_file_remove(h->folder, h->name, CERT_FILE_FRESH, NULL);
        rc = -1;
    }
    return rc;
}

static int set_about(struct cert_held *h, const char *source)
{
    struct cert_about *a = &h->entry.about;

    if ((h->ctl->title != NULL && cert_about_set(&a->title, h->ctl->title) != 0) ||
        cert_about_set(&a->source, source) != 0) {
        report_error("no memory");
        return -1;
    }
    a->created = now_seconds();
    a->pending_since = 0;
    return cert_about_put(h);
}

bool cert_is_shown(const struct cert_held *h)
{
    return h->entry.about.uses > 0 || (h->entry.live.count > 0 && h->conf->policyd.sni_listen[0] != NULL);
}

/* The name of a server that uses it, which may stand behind a wildcard of it; "": of none. */
static void find_host(char out[DOMAIN_BUF], const struct cert_held *h)
{
    out[0] = '\0';
    for (size_t i = 0; i < h->entry.about.uses && out[0] == '\0'; i++) {
        cert_install_host(out, h->entry.about.use[i]);
        if (out[0] != '\0' && !cert_facts_name(&h->entry.leaf, out))
            out[0] = '\0';
    }
}

/*
 * What is shown to senders must fit the TLSA records of its hosts. policyd shows a certificate from the moment that it
 * is in the store, in place of another entry's for the same name: so a name that is new must fit, too.
 */
static enum cert_use_verdict judge_tlsa(struct buf *said, const struct cert_held *h, const struct cert_chain *c,
                                        const struct cert_facts *leaf)
{
    bool by_name = h->conf->policyd.sni_listen[0] != NULL;
    enum cert_use_verdict v = CERT_USE_GOOD;
    char host[DOMAIN_BUF];

    if (cert_is_shown(h) && h->entry.live.count > 0) {
        find_host(host, h);
        v = cert_tlsa_replace(said, h->conf, &h->entry, c, host);
    }
    if (by_name && v == CERT_USE_GOOD)
        v = cert_tlsa_look(said, h->conf, c, leaf, "", &h->entry.leaf);
    return v;
}

/* Each line of it is said. */
static void report_lines(const struct cert_held *h, const struct buf *said)
{
    for (const char *at = buf_text(said); *at != '\0';) {
        size_t len = strcspn(at, "\n");

        report_error("%s: %.*s", h->name, (int)len, at);
        at += len + (at[len] == '\n');
    }
}

/* CTL_YES: it may be replaced. */
static int fits_tlsa(const struct cert_held *h, const struct cert_chain *c, const struct cert_facts *leaf)
{
    enum cert_use_verdict v;
    struct buf said;

    buf_init(&said, CTL_OUTPUT_MAX);
    v = judge_tlsa(&said, h, c, leaf);
    if (v != CERT_USE_GOOD) {
        report_lines(h, &said);
        report_error("%s: nothing was changed; --force takes it all the same", h->name);
    }
    buf_clear(&said);
    return v == CERT_USE_GOOD ? CTL_YES : v == CERT_USE_LATER ? CTL_LATER : CTL_NO;
}

/* CTL_YES: nothing is lost by it, or --force. */
static int may_replace(const struct cert_held *h, const struct cert_chain *c, const struct cert_facts *leaf)
{
    X509_STORE *trust;
    struct err lost = {""};

    if ((h->ctl->options & CTL_FORCE) != 0)
        return CTL_YES;
    trust = cert_system_trust();
    cert_guard(&lost, &h->entry, c, leaf, trust, now_seconds());
    X509_STORE_free(trust);
    if (lost.text[0] == '\0')
        return fits_tlsa(h, c, leaf);
    report_error("%s: %s; --force takes it all the same", h->name, lost.text);
    return CTL_NO;
}

/* What cannot be served is not in use: the one before is again. */
static void put_back(const struct cert_held *h)
{
    struct err e = {""};

    if (replace(h, &h->entry.live, &e) != 0)
        report_error("%s: the one before is not back: %s", h->name, e.text);
    else if (cert_live_changed(h) == CTL_YES)
        report_error("%s: the one before is in use again; --force takes the new one all the same", h->name);
    else
        report_error(
            "%s: the one before is live again, and is not served either; --force takes the new one all the same",
            h->name);
}

static int put(struct cert_held *h, const struct cert_chain *c, const struct cert_facts *leaf, const char *source)
{
    struct err e = {""};
    int rc;

    if (c->key == NULL || !cert_key_works(c->key)) {
        report_error("%s: the private key does not sign: it is damaged", h->name);
        return CTL_NO;
    }
    rc = may_replace(h, c, leaf);
    if (rc != CTL_YES)
        return rc;
    if (replace(h, c, &e) != 0) {
        report_error("%s", e.text);
        return CTL_NO;
    }
    rc = print_live(h, c, leaf);
    if (cert_live_changed(h) != CTL_YES) {
        rc = CTL_NO;
        if ((h->ctl->options & CTL_FORCE) == 0 && h->entry.live.count > 0 && h->entry.live.key != NULL) {
            put_back(h);
            return rc;
        }
    }
    return set_about(h, source) == 0 ? rc : CTL_NO;
}

int cert_live_put(struct cert_held *h, const struct buf *pem, const char *source)
{
    struct cert_chain c;
    struct cert_facts leaf;
    struct err e = {""};
    int rc = CTL_USAGE;

    if (cert_chain_read(&c, buf_text(pem), pem->len, &e) != 0) {
        report_error("%s: %s", h->name, e.text);
        return CTL_USAGE;
    }
    if (cert_facts_read(&leaf, c.cert[0], &e) != 0)
        report_error("%s: %s", h->name, e.text);
    else
        rc = put(h, &c, &leaf, source);
    cert_facts_clear(&leaf);
    cert_chain_clear(&c);
    return rc;
}
