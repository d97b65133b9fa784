/* make_cert.h - certificates of any kind, made for tests. What cannot be made ends the test. */
#ifndef POSTERN_T_MAKE_CERT_H
#define POSTERN_T_MAKE_CERT_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "buf.h"

#define MADE_DAY INT64_C(86400)
#define MADE_NOW INT64_C(1800000000) /* the time in tests */

static inline EVP_PKEY *make_key(const char *kind)
{
    if (strncmp(kind, "rsa", 3) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 3));
    if (strcmp(kind, "ed25519") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
}

struct made {
    const char *subject;
    const char *sans; /* as OpenSSL's configuration has it: "DNS:a,DNS:b"; NULL: none */
    int64_t from, to; /* days from MADE_NOW */
    bool ca, sha1;
};

static inline void make_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext == NULL || X509_add_ext(cert, ext, -1) != 1)
        abort();
    X509_EXTENSION_free(ext);
}

/* Unsigned, so that a test can put more into it. issuer NULL: itself. */
static inline X509 *make_unsigned(const struct made *m, EVP_PKEY *key, X509 *issuer)
{
    static long serial;
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(MADE_NOW + m->from * MADE_DAY));
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(MADE_NOW + m->to * MADE_DAY));
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)m->subject, -1, -1, 0);
    X509_set_issuer_name(cert, issuer == NULL ? name : X509_get_subject_name(issuer));
    X509_set_pubkey(cert, key);
    if (m->ca)
        make_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    if (m->sans != NULL)
        make_extension(cert, cert, NID_subject_alt_name, m->sans);
    return cert;
}

static inline X509 *make_signed(X509 *cert, EVP_PKEY *with, bool sha1)
{
    const EVP_MD *digest = EVP_PKEY_is_a(with, "ED25519") ? NULL : sha1 ? EVP_sha1() : EVP_sha256();
    unsigned char *der = NULL;
    const unsigned char *at;
    X509 *read;
    int len;

    if (X509_sign(cert, with, digest) <= 0 || (len = i2d_X509(cert, &der)) <= 0)
        abort();
    at = der;
    read = d2i_X509(NULL, &at, len); /* as others read it */
    OPENSSL_free(der);
    X509_free(cert);
    return read;
}

static inline X509 *make_cert(const struct made *m, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    return make_signed(make_unsigned(m, key, issuer), issuer_key == NULL ? key : issuer_key, m->sha1);
}

static inline void add_bio(struct buf *out, BIO *bio)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);

    buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

static inline void add_cert(struct buf *out, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, cert);
    add_bio(out, bio);
}

static inline void add_key(struct buf *out, EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char word[64];

    memcpy(word, passphrase != NULL ? passphrase : "", passphrase != NULL ? strlen(passphrase) + 1 : 1);
    PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase != NULL ? EVP_aes_128_cbc() : NULL, word,
                                  passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL);
    add_bio(out, bio);
}

#endif
