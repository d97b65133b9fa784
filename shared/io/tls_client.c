/*
 * tls_client.c - see tls_client.h. The certificate is verified in the one call-back that OpenSSL makes for it within
 * the handshake; when that says no, OpenSSL ends the handshake with an alert.
 */
#include "tls_client.h"
#include "ascii.h"
#include "hex.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What an SSL carries about with it. */
struct state {
    bool dane;
    char *pkix_name; /* that must hold beside DANE, or is only noted; or NULL */
    bool pkix_noted, noted;
    bool judged;            /* the call-back was called */
    bool verified;          /* and has said yes */
    int error, beside_dane; /* what it found: by DANE or else PKIX, and by PKIX beside DANE */
    struct tls_client_peer peer;
};

static int state_index = -1;
static CRYPTO_ONCE state_once = CRYPTO_ONCE_STATIC_INIT;

static void state_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    struct state *s = ptr;

    (void)parent;
    (void)ad;
    (void)idx;
    (void)argl;
    (void)argp;
    if (s == NULL)
        return;
    free(s->pkix_name);
    free(s);
}

static void state_register(void)
{
    state_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, state_free);
}

static struct state *state_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, state_index);
}

/* ---- what is kept of the certificate ---- */

static void note_digest(char *out, size_t size, const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
        return;
    hex_write(out, digest, (size_t)len * 2 < size ? len : (size - 1) / 2);
}

static void note_issuer(char *out, size_t size, const X509 *cert)
{
    BIO *text = BIO_new(BIO_s_mem());
    int len = 0;

    if (text != NULL && X509_NAME_print_ex(text, X509_get_issuer_name(cert), 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_read(text, out, (int)size - 1);
    out[len > 0 ? len : 0] = '\0';
    ascii_make_printable(out);
    BIO_free(text);
}

static void note_expires(char *out, size_t size, const X509 *cert)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1 || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
}

/* An octet that is not printable, NUL too, shows as '?', and so does a comma. */
static size_t note_name(char *out, size_t size, size_t used, const ASN1_STRING *name)
{
    const unsigned char *octet = ASN1_STRING_get0_data(name);
    int len = ASN1_STRING_length(name);

    if (used > 0 && used + 1 < size)
        out[used++] = ',';
    for (int i = 0; i < len && used + 1 < size; i++)
        out[used++] = octet[i] > 0x20 && octet[i] < 0x7f && octet[i] != ',' ? (char)octet[i] : '?';
    out[used] = '\0';
    return used;
}

static void note_names(char *out, size_t size, const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS)
            used = note_name(out, size, used, name->d.dNSName);
    }
    GENERAL_NAMES_free(names);
}

static void note_certificate(struct tls_client_peer *out, const X509 *cert)
{
    ERR_set_mark(); /* what cannot be read is no error of the handshake */
    note_digest(out->sha256, sizeof(out->sha256), cert);
    note_issuer(out->issuer, sizeof(out->issuer), cert);
    note_expires(out->expires, sizeof(out->expires), cert);
    note_names(out->names, sizeof(out->names), cert);
    ERR_pop_to_mark();
}

/* ---- verification ---- */

/* PKIX beside DANE: with the settings of the connection, but another name. */
static int verify_pkix(X509_STORE_CTX *dane, SSL *ssl, const char *name)
{
    X509_STORE_CTX *pkix = X509_STORE_CTX_new();
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    X509_VERIFY_PARAM *param;
    int error = X509_V_ERR_OUT_OF_MEM;

    if (pkix != NULL &&
        X509_STORE_CTX_init(pkix, store, X509_STORE_CTX_get0_cert(dane), X509_STORE_CTX_get0_untrusted(dane)) == 1 &&
        X509_STORE_CTX_set_default(pkix, "ssl_server") == 1) {
        param = X509_STORE_CTX_get0_param(pkix);
        if (X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl)) == 1 &&
            X509_VERIFY_PARAM_set1_host(param, name, 0) == 1) {
            X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
            error = X509_verify_cert(pkix) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(pkix);
        }
    }
    X509_STORE_CTX_free(pkix);
    return error;
}

static int on_verify(X509_STORE_CTX *store_ctx, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct state *s = state_of(ssl);
    int ok, error;

    (void)arg;
    note_certificate(&s->peer, X509_STORE_CTX_get0_cert(store_ctx));
    ok = X509_verify_cert(store_ctx);
    error = X509_STORE_CTX_get_error(store_ctx);
    if (ok != 1 && error == X509_V_OK)
        error = X509_V_ERR_UNSPECIFIED;
    s->judged = true;
    s->error = error;
    if (s->pkix_name != NULL) {
        ERR_set_mark();
        s->beside_dane = verify_pkix(store_ctx, ssl, s->pkix_name);
        ERR_pop_to_mark();
        if (error == X509_V_OK && !s->pkix_noted)
            error = s->beside_dane;
    }
    X509_STORE_CTX_set_error(store_ctx, error);
    s->verified = error == X509_V_OK;
    return s->verified || s->noted ? 1 : 0;
}

/* ---- the context ---- */

/* OpenSSL looks into a directory only when it needs a certificate, and never says that there are none. */
static bool has_authorities(const char *dir)
{
    DIR *d = opendir(dir);
    bool found = false;

    for (struct dirent *entry; d != NULL && !found && (entry = readdir(d)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');

        found = end != NULL && strcmp(end, ".0") == 0; /* the hash of a name, and a number */
    }
    if (d != NULL)
        closedir(d);
    return found;
}

/* Where OpenSSL has them, whatever the environment says. */
static int load_system_authorities(SSL_CTX *ctx, struct err *e)
{
    const char *file = X509_get_default_cert_file(), *dir = X509_get_default_cert_dir();
    bool has_file = access(file, R_OK) == 0;

    if (!has_file && !has_authorities(dir))
        return err_set(e, "%s has no certificate authorities: install the package ca-certificates, or set ca_file",
                       dir);
    if ((has_file && SSL_CTX_load_verify_file(ctx, file) != 1) || SSL_CTX_load_verify_dir(ctx, dir) != 1)
        return err_set(e, "the certificate authorities in %s cannot be used", dir);
    return 0;
}

static const char *reason(unsigned long error)
{
    const char *words = ERR_reason_error_string(error);

    return words != NULL ? words : "no reason given";
}

static int load_authorities(SSL_CTX *ctx, const char *ca_file, struct err *e)
{
    if (ca_file == NULL || ca_file[0] == '\0')
        return load_system_authorities(ctx, e);
    if (SSL_CTX_load_verify_file(ctx, ca_file) != 1)
        return err_set(e, "%s: no certificate authorities can be read from it: %s", ca_file, reason(ERR_peek_error()));
    return 0;
}

static int set_up(SSL_CTX *ctx, const char *ca_file, struct err *e)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(ctx),
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 || SSL_CTX_dane_enable(ctx) != 1)
        return err_set(e, "TLS cannot be set up: %s", reason(ERR_peek_error()));
    return load_authorities(ctx, ca_file, e);
}

SSL_CTX *tls_client_context(const char *ca_file, struct err *e)
{
    SSL_CTX *ctx = NULL;

    ERR_clear_error();
    if (CRYPTO_THREAD_run_once(&state_once, state_register) == 1 && state_index >= 0)
        ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL) {
        err_set(e, "TLS cannot be set up: %s", reason(ERR_peek_error()));
    } else if (set_up(ctx, ca_file, e) != 0) {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    ERR_clear_error();
    return ctx;
}

/* ---- one connection ---- */

/* OpenSSL takes an empty name for none at all, and one with a dot in front for a whole domain. */
static bool is_name(const char *name)
{
    return name != NULL && name[0] != '\0' && name[0] != '.';
}

static bool names_are_right(const struct tls_client_demand *d)
{
    bool right = is_name(d->sni) && (d->pkix_name == NULL || is_name(d->pkix_name));

    for (size_t i = 0; i < d->dane_names; i++)
        right = right && is_name(d->dane_name[i]);
    return right;
}

/* The usable records go to OpenSSL. It would go by PKIX if it got none, so that must never happen. */
static int add_records(SSL *ssl, const struct tls_client_demand *d, struct err *e)
{
    struct err why = {""};
    size_t used = 0;

    for (size_t i = 0; i < d->tlsa_count; i++) {
        const struct tlsa *rr = &d->tlsa[i];
        int added = 0;

        if (tlsa_usable(rr, &why))
            added = SSL_dane_tlsa_add(ssl, rr->usage, rr->selector, rr->matching_type, rr->data, rr->len);
        if (added < 0)
            return err_set(e, "a TLSA record cannot be used: %s", reason(ERR_peek_last_error()));
        used += added > 0 ? 1 : 0;
    }
    return used > 0 ? 0 : err_set(e, "none of %zu TLSA records is usable: %s", d->tlsa_count, why.text);
}

static int demand_dane(SSL *ssl, const struct tls_client_demand *d, struct err *e)
{
    if (d->dane_names == 0)
        return err_set(e, "there are TLSA records, but no name");
    if (SSL_dane_enable(ssl, d->dane_name[0]) != 1)
        return err_set(e, "DANE cannot be set up: %s", reason(ERR_peek_last_error()));
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    for (size_t i = 1; i < d->dane_names; i++)
        if (SSL_add1_host(ssl, d->dane_name[i]) != 1)
            return err_set(e, "DANE cannot be set up: no memory");
    return add_records(ssl, d, e);
}

static int demand(SSL *ssl, struct state *s, const struct tls_client_demand *d, struct err *e)
{
    bool dane = d->tlsa_count > 0 || d->dane_names > 0;

    if (!names_are_right(d))
        return err_set(e, "a name is empty, or begins with a dot");
    if (!dane && (d->pkix_name == NULL || d->pkix_noted))
        return err_set(e, "nothing says how to verify the certificate");
    s->noted = d->noted;
    if (SSL_set_tlsext_host_name(ssl, d->sni) != 1)
        return err_set(e, "the name for SNI is no good: %s", d->sni);
    if (!dane)
        return SSL_set1_host(ssl, d->pkix_name) == 1 ? 0 : err_set(e, "no memory");
    s->dane = true;
    s->pkix_noted = d->pkix_noted;
    if (d->pkix_name != NULL) {
        s->pkix_name = strdup(d->pkix_name);
        if (s->pkix_name == NULL)
            return err_set(e, "no memory");
    }
    return demand_dane(ssl, d, e);
}

SSL *tls_client_new(SSL_CTX *ctx, const struct tls_client_demand *d, struct err *e)
{
    SSL *ssl = SSL_new(ctx);
    struct state *s = calloc(1, sizeof(*s));

    if (ssl == NULL || s == NULL || SSL_set_ex_data(ssl, state_index, s) != 1) {
        free(s);
        SSL_free(ssl);
        err_set(e, "no memory");
        return NULL;
    }
    if (demand(ssl, s, d, e) != 0) {
        SSL_free(ssl);
        ssl = NULL;
    } else {
        SSL_set_connect_state(ssl);
    }
    ERR_clear_error();
    return ssl;
}

/* ---- the end of the handshake ---- */

const char *tls_client_result_name(enum tls_client_result result)
{
    static const char *const names[] = {"verified", "untrusted", "expired", "name",
                                        "tlsa",     "refused",   "broken",  "local"};

    return names[result];
}

static enum tls_client_result result_of_certificate(long error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
        return TLS_CLIENT_EXPIRED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return TLS_CLIENT_NAME;
    case X509_V_ERR_DANE_NO_MATCH:
        return TLS_CLIENT_TLSA;
    case X509_V_ERR_OUT_OF_MEM:
        return TLS_CLIENT_LOCAL;
    default:
        return TLS_CLIENT_UNTRUSTED;
    }
}

/* What either side says when it will not speak the other's versions or ciphers. */
static bool is_refusal(unsigned long error)
{
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return false;
    switch (ERR_GET_REASON(error)) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_DH_KEY_TOO_SMALL:
        return true;
    default:
        return false;
    }
}

static struct tls_client_judgement judgement(const struct state *s, bool wanted, int error)
{
    if (!wanted || !s->judged)
        return (struct tls_client_judgement){TLS_CLIENT_BROKEN, ""};
    if (error == X509_V_OK)
        return (struct tls_client_judgement){TLS_CLIENT_VERIFIED, ""};
    return (struct tls_client_judgement){result_of_certificate(error), X509_verify_cert_error_string(error)};
}

void tls_client_judged(struct tls_client_judgement *dane, struct tls_client_judgement *pkix, const SSL *ssl)
{
    const struct state *s = state_of(ssl);

    *dane = judgement(s, s->dane, s->error);
    *pkix = judgement(s, !s->dane || s->pkix_name != NULL, s->dane ? s->beside_dane : s->error);
}

static void say_certificate(struct err *e, long error, const struct tls_client_peer *peer)
{
    const char *words = X509_verify_cert_error_string(error);

    if (error == X509_V_ERR_HOSTNAME_MISMATCH)
        err_set(e, "%s: %s", words, peer->names[0] != '\0' ? peer->names : "it has no names");
    else if (error == X509_V_ERR_CERT_HAS_EXPIRED)
        err_set(e, "%s: good until %s", words, peer->expires);
    else
        err_set(e, "%s", words);
}

enum tls_client_result tls_client_result(const SSL *ssl, unsigned long error, struct err *e)
{
    const struct state *s = state_of(ssl);
    long verify = SSL_get_verify_result(ssl);

    if (verify != X509_V_OK) {
        say_certificate(e, verify, &s->peer);
        return result_of_certificate(verify);
    }
    if (s->verified && SSL_is_init_finished(ssl))
        return TLS_CLIENT_VERIFIED;
    if (error == 0)
        err_set(e, "the connection was closed within the TLS handshake");
    else
        err_set(e, "%s", reason(error));
    return is_refusal(error) ? TLS_CLIENT_REFUSED : TLS_CLIENT_BROKEN;
}

void tls_client_peer(struct tls_client_peer *out, const SSL *ssl)
{
    *out = state_of(ssl)->peer;
    if (!SSL_is_init_finished(ssl))
        return;
    snprintf(out->version, sizeof(out->version), "%s", SSL_get_version(ssl));
    snprintf(out->cipher, sizeof(out->cipher), "%s", SSL_get_cipher_name(ssl));
}
