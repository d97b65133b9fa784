/* certificate.c - see certificate.h: a certificate and its key. */
#include "certificate.h"
#include "cert_internal.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#define KEY_BITS_MAX 16384 /* beyond it a signature takes too long to check */

bool cert_key_fits(const X509 *cert, const EVP_PKEY *key)
{
    const EVP_PKEY *public;
    bool fits;

    ERR_set_mark();
    public = X509_get0_pubkey(cert);
    fits = public != NULL && key != NULL && EVP_PKEY_eq(public, key) == 1;
    ERR_pop_to_mark();
    return fits;
}

int cert_key_digest(uint8_t out[CERT_DIGEST_LEN], EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len;

    ERR_set_mark();
    len = i2d_PUBKEY(key, &der);
    ERR_pop_to_mark();
    if (len <= 0)
        return -1;
    SHA256(der, (size_t)len, out);
    OPENSSL_free(der);
    return 0;
}

static bool sign_and_verify(EVP_PKEY *key, EVP_MD_CTX *ctx)
{
    static const unsigned char text[] = "Does this key sign?";
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
    unsigned char signature[KEY_BITS_MAX / 8];
    size_t len = sizeof(signature);

    return EVP_DigestSignInit(ctx, NULL, digest, NULL, key) == 1 &&
           EVP_DigestSign(ctx, signature, &len, text, sizeof(text)) == 1 && EVP_MD_CTX_reset(ctx) == 1 &&
           EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1 &&
           EVP_DigestVerify(ctx, signature, len, text, sizeof(text)) == 1;
}

bool cert_key_works(EVP_PKEY *key)
{
    EVP_MD_CTX *ctx;
    bool works;

    if (EVP_PKEY_get_bits(key) > KEY_BITS_MAX)
        return false;
    ERR_set_mark();
    ctx = EVP_MD_CTX_new();
    works = ctx != NULL && sign_and_verify(key, ctx);
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    return works;
}

bool cert_is_issued_by(X509 *cert, X509 *issuer)
{
    EVP_PKEY *key;
    bool issued;

    if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
        return false;
    ERR_set_mark();
    key = X509_get0_pubkey(issuer);
    issued = key != NULL && EVP_PKEY_get_bits(key) <= KEY_BITS_MAX && X509_verify(cert, key) == 1;
    ERR_pop_to_mark();
    return issued;
}

const char *cert_verdict_name(enum cert_verdict v)
{
    static const char *const name[] = {"good", "not-yet", "expired", "name", "untrusted", "weak"};

    return name[v];
}
