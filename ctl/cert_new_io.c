/* cert_new_io.c - posternctl cert new: a key with a certificate of its own, or with a request for an authority. */
#include "cert_live_io.h"
#include "cert_make.h"
#include "clock.h"
#include "output_io.h"
#include "whole_file.h"

#include <stdlib.h>
#include <string.h>

#define DAYS 398 /* what authorities may give at most, too */

/* The name of the entry is the first host name when it can be one. */
static int read_wish(struct cert_wish *w, const struct ctl *ctl, struct err *e)
{
    char *end = NULL;

    *w = (struct cert_wish){.organization = ctl->organization, .country = ctl->country, .days = DAYS};
    (void)cert_wish_add(w, ctl->word[0], NULL);
    for (size_t i = 0; i < ctl->alt.count; i++)
        if (cert_wish_add(w, ctl->alt.value[i], e) != 0)
            return err_prefix(e, "--alt");
    if (w->hosts == 0)
        return err_set(e, "%.64s is no host name; --alt HOST says which one the certificate is for", ctl->word[0]);
    if (ctl->days == NULL)
        return 0;
    w->days = strtol(ctl->days, &end, 10);
    if (ctl->days[0] < '0' || ctl->days[0] > '9' || *end != '\0' || w->days < 1 || w->days > CERT_WISH_DAYS_MAX)
        return err_set(e, "--days %.20s: is not a number from 1 to %d", ctl->days, CERT_WISH_DAYS_MAX);
    return 0;
}

static int make_certificate(struct cert_held *h, const struct cert_wish *w, EVP_PKEY *key)
{
    struct err e = {""};
    X509 *cert = cert_self_signed(w, key, now_seconds(), &e);
    struct buf pem;
    int rc;

    if (cert == NULL) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    buf_init(&pem, CERT_PEM_MAX);
    cert_pem_key(&pem, key);
    cert_pem_cert(&pem, cert);
    X509_free(cert);
    rc = cert_live_put(h, &pem, "self-signed");
    buf_wipe(&pem);
    return rc;
}

/* What was seen in DNS was seen of the key before: that goes first. */
static int tell_about(struct cert_held *h)
{
    struct cert_about *a = &h->entry.about;

    if ((h->ctl->title != NULL && cert_about_set(&a->title, h->ctl->title) != 0) ||
        (!h->known && cert_about_set(&a->source, "csr") != 0)) {
        report_error("no memory");
        return -1;
    }
    if (!h->known)
        a->created = now_seconds();
    a->tlsa_seen = 0;
    return cert_about_put(h);
}

static int keep_next_key(struct cert_held *h, EVP_PKEY *key)
{
    struct err e = {""};
    struct buf pem;
    int rc;

    if (tell_about(h) != 0)
        return -1;
    buf_init(&pem, CERT_PEM_MAX);
    cert_pem_key(&pem, key);
    rc = !buf_ok(&pem) ? err_set(&e, "no memory")
                       : cert_file_write(h->folder, h->name, CERT_FILE_NEXT_KEY, buf_text(&pem), pem.len,
                                         h->conf->policyd.user, &e);
    buf_wipe(&pem);
    if (rc != 0)
        report_error("%s", e.text);
    return rc;
}

static int print_request(const struct cert_held *h, const struct buf *pem)
{
    int rc = h->ctl->out != NULL ? output_file(h->ctl->out, pem) : CTL_YES;

    if (output_text(pem) != CTL_YES || rc != CTL_YES)
        return CTL_NO;
    report_error("%s: the key is kept; when the authority has answered: posternctl cert import %s FILE", h->name,
                 h->name);
    return CTL_YES;
}

/* A key that is waited for already, by a request or by TLSA records. */
static bool next_key_is_there(const struct cert_held *h)
{
    struct buf pem;
    char path[512];
    int rc;

    cert_path(path, sizeof(path), h->folder, h->name, CERT_FILE_NEXT_KEY);
    buf_init(&pem, CERT_PEM_MAX);
    rc = whole_file_read(&pem, path, NULL);
    buf_wipe(&pem);
    return rc != 0;
}

static int make_request(struct cert_held *h, const struct cert_wish *w, EVP_PKEY *key)
{
    struct err e = {""};
    X509_REQ *request;
    struct buf pem;
    int rc = CTL_NO;

    if (next_key_is_there(h) && (h->ctl->options & CTL_FORCE) == 0) {
        report_error(
            "%s: the key of a request before waits for its certificate, and would be lost; --force makes another",
            h->name);
        return CTL_NO;
    }
    request = cert_request(w, key, &e);
    if (request == NULL) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    buf_init(&pem, CERT_PEM_MAX);
    cert_pem_request(&pem, request);
    X509_REQ_free(request);
    if (keep_next_key(h, key) == 0)
        rc = print_request(h, &pem);
    buf_clear(&pem);
    return rc;
}

int run_cert_new(const struct ctl *ctl)
{
    struct cert_held h;
    struct cert_wish *wish = calloc(1, sizeof(*wish));
    struct err e = {""};
    EVP_PKEY *key = NULL;
    int rc;

    if (wish == NULL || read_wish(wish, ctl, &e) != 0 ||
        (key = cert_key_make(ctl->type != NULL ? ctl->type : "p256", &e)) == NULL) {
        report_error("%s", e.text);
        free(wish);
        return CTL_USAGE;
    }
    rc = cert_hold(&h, ctl, ctl->word[0]);
    if (rc == CTL_YES)
        rc = (ctl->options & CTL_CSR) != 0 ? make_request(&h, wish, key) : make_certificate(&h, wish, key);
    cert_release(&h);
    EVP_PKEY_free(key);
    free(wish);
    return rc;
}
