/* cert_make.c - see cert_make.h. */
#include "cert_make.h"

#include "ascii.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define COMMON_NAME_MAX 64 /* RFC 5280, upper bounds */
#define SERIAL_BITS     127
#define EARLIER         3600 /* seconds: clocks of others may be slow */

int cert_wish_add(struct cert_wish *w, const char *name, struct err *e)
{
    size_t star = strncmp(name, "*.", 2) == 0 ? 2 : 0;
    char host[DOMAIN_BUF];

    if (domain_normalise(host, name + star, strlen(name) - star, e) != 0)
        return err_prefix(e, "%.100s", name);
    if (strlen(host) + star > DOMAIN_MAX || strchr(host, '.') == NULL)
        return err_set(e, "%.100s: is not a whole host name", name);
    for (size_t i = 0; i < w->hosts; i++)
        if (strcmp(w->host[i] + star, host) == 0 && strncmp(w->host[i], "*.", star) == 0)
            return 0;
    if (w->hosts == CERT_WISH_HOSTS_MAX)
        return err_set(e, "at most %d host names are taken", CERT_WISH_HOSTS_MAX);
    memcpy(w->host[w->hosts], "*.", star);
    memcpy(w->host[w->hosts++] + star, host, strlen(host) + 1);
    return 0;
}

static const struct kind {
    const char *name, *algorithm;
    size_t bits; /* of RSA */
} kinds[] = {
    {"p256", "EC", 0},        {"ed25519", "ED25519", 0}, {"rsa", "RSA", 2048},
    {"rsa2048", "RSA", 2048}, {"rsa3072", "RSA", 3072},  {"rsa4096", "RSA", 4096},
};

static const struct kind *kind_of(const char *type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(type, kinds[i].name) == 0)
            return &kinds[i];
    return NULL;
}

bool cert_key_type_known(const char *type)
{
    return kind_of(type) != NULL;
}

EVP_PKEY *cert_key_make(const char *type, struct err *e)
{
    const struct kind *kind = kind_of(type);
    EVP_PKEY *key;

    if (kind == NULL) {
        err_set(e, "--type %.100s: there are p256, ed25519, rsa2048, rsa3072 and rsa4096", type);
        return NULL;
    }
    ERR_set_mark();
    if (kind->bits != 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind->algorithm, kind->bits);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind->algorithm, "P-256"); /* Ed25519 has no curves to choose from */
    ERR_pop_to_mark();
    if (key == NULL)
        err_set(e, "OpenSSL cannot make a key of type %s", type);
    return key;
}

static int add_part(X509_NAME *name, const char *field, const char *value, struct err *e)
{
    if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1)
        return 0;
    return err_set(e, "%.100s: cannot be the %s of a certificate", value,
                   strcmp(field, "O") == 0 ? "organization (64 characters)" : "name");
}

static int fill_subject(X509_NAME *name, const struct cert_wish *w, struct err *e)
{
    char country[3] = "";

    if (w->country != NULL) {
        if (strlen(w->country) != 2 || !ascii_is_alpha(w->country[0]) || !ascii_is_alpha(w->country[1]))
            return err_set(e, "--country %.100s: a country has two letters, as DE (ISO 3166)", w->country);
        for (size_t i = 0; i < 2; i++)
            country[i] = (char)(w->country[i] & ~0x20);
        if (add_part(name, "C", country, e) != 0)
            return -1;
    }
    if (w->organization != NULL && w->organization[0] != '\0' && add_part(name, "O", w->organization, e) != 0)
        return -1;
    return strlen(w->host[0]) > COMMON_NAME_MAX ? 0 : add_part(name, "CN", w->host[0], e);
}

static bool add_host_name(GENERAL_NAMES *all, const char *host)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    bool set = name != NULL && text != NULL && ASN1_STRING_set(text, host, -1) == 1;

    if (set)
        GENERAL_NAME_set0_value(name, GEN_DNS, text);
    else
        ASN1_IA5STRING_free(text);
    if (set && sk_GENERAL_NAME_push(all, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static X509_EXTENSION *host_names(const struct cert_wish *w, bool critical)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    X509_EXTENSION *ext = NULL;
    bool added = all != NULL;

    for (size_t i = 0; added && i < w->hosts; i++)
        added = add_host_name(all, w->host[i]);
    if (added)
        ext = X509V3_EXT_i2d(NID_subject_alt_name, critical, all);
    GENERAL_NAMES_free(all);
    return ext;
}

static bool set_serial(X509 *cert)
{
    BIGNUM *serial = BN_new();
    bool done = serial != NULL && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL;

    BN_free(serial);
    return done;
}

static bool add_extension(X509 *cert, X509_EXTENSION *ext)
{
    bool added = ext != NULL && X509_add_ext(cert, ext, -1) == 1;

    X509_EXTENSION_free(ext);
    return added;
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

static bool fill_cert(X509 *cert, const struct cert_wish *w, EVP_PKEY *key, int64_t now)
{
    X509_NAME *name = X509_get_subject_name(cert);
    bool named = X509_NAME_entry_count(name) > 0;

    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now - EARLIER)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now + w->days * 86400)) != NULL &&
           X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
           add_extension(cert, host_names(w, !named)) &&
           add_extension(cert, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:FALSE")) &&
           add_extension(cert, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,digitalSignature")) &&
           add_extension(cert, X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "serverAuth")) &&
           X509_sign(cert, key, digest_for(key)) > 0;
}

X509 *cert_self_signed(const struct cert_wish *w, EVP_PKEY *key, int64_t now, struct err *e)
{
    X509 *cert;
    int rc;

    ERR_set_mark();
    cert = X509_new();
    rc = cert == NULL ? err_set(e, "out of memory") : fill_subject(X509_get_subject_name(cert), w, e);
    if (rc == 0 && !fill_cert(cert, w, key, now))
        rc = err_set(e, "OpenSSL cannot make the certificate");
    ERR_pop_to_mark();
    if (rc == 0)
        return cert;
    X509_free(cert);
    return NULL;
}

static bool fill_request(X509_REQ *request, const struct cert_wish *w, EVP_PKEY *key)
{
    X509_EXTENSION *names = host_names(w, X509_NAME_entry_count(X509_REQ_get_subject_name(request)) == 0);
    STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
    bool done = names != NULL && all != NULL && sk_X509_EXTENSION_push(all, names) > 0 &&
                X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 && X509_REQ_set_pubkey(request, key) == 1 &&
                X509_REQ_add_extensions(request, all) == 1 && X509_REQ_sign(request, key, digest_for(key)) > 0;

    X509_EXTENSION_free(names);
    sk_X509_EXTENSION_free(all);
    return done;
}

X509_REQ *cert_request(const struct cert_wish *w, EVP_PKEY *key, struct err *e)
{
    X509_REQ *request;
    int rc;

    ERR_set_mark();
    request = X509_REQ_new();
    rc = request == NULL ? err_set(e, "out of memory") : fill_subject(X509_REQ_get_subject_name(request), w, e);
    if (rc == 0 && !fill_request(request, w, key))
        rc = err_set(e, "OpenSSL cannot make the request");
    ERR_pop_to_mark();
    if (rc == 0)
        return request;
    X509_REQ_free(request);
    return NULL;
}

static void add_bio(struct buf *out, BIO *bio, bool written)
{
    char *text = NULL;
    long len = bio == NULL ? 0 : BIO_get_mem_data(bio, &text);

    if (written && len > 0)
        buf_add(out, text, (size_t)len);
    else
        out->failed = true;
    BIO_free(bio);
}

void cert_pem_key(struct buf *out, const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    add_bio(out, bio, bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
}

void cert_pem_cert(struct buf *out, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    add_bio(out, bio, bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
}

void cert_pem_request(struct buf *out, const X509_REQ *request)
{
    BIO *bio = BIO_new(BIO_s_mem());

    add_bio(out, bio, bio != NULL && PEM_write_bio_X509_REQ(bio, request) == 1);
}
