/* cert_pkcs12.c - see cert_pkcs12.h. */
#include "cert_pkcs12.h"

#include "cert_make.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#define ITERATIONS_MAX 10000000 /* of the password; beyond it somebody wants to keep us busy */

/* The password with which its sum fits; NULL and "" are two. Returns 0, or -1. */
static int find_password(const char **out, PKCS12 *p12, const char *password)
{
    *out = password;
    if (PKCS12_mac_present(p12) != 1)
        return 0;
    if (password != NULL && password[0] != '\0')
        return PKCS12_verify_mac(p12, password, -1) == 1 ? 0 : -1;
    *out = PKCS12_verify_mac(p12, NULL, 0) == 1 ? NULL : "";
    return *out == NULL || PKCS12_verify_mac(p12, "", 0) == 1 ? 0 : -1;
}

static bool takes_long(const PKCS12 *p12)
{
    const ASN1_INTEGER *iterations = NULL;

    if (PKCS12_mac_present(p12) != 1)
        return false;
    PKCS12_get0_mac(NULL, NULL, NULL, &iterations, p12);
    return iterations != NULL && (ASN1_INTEGER_get(iterations) < 0 || ASN1_INTEGER_get(iterations) > ITERATIONS_MAX);
}

static int add_all(struct buf *pem, const EVP_PKEY *key, X509 *cert, STACK_OF(X509) * others, struct err *e)
{
    if (key == NULL)
        return err_set(e, "there is no private key in it");
    if (cert == NULL)
        return err_set(e, "there is no certificate in it that belongs to its key");
    cert_pem_key(pem, key);
    cert_pem_cert(pem, cert);
    for (int i = 0; i < sk_X509_num(others); i++)
        cert_pem_cert(pem, sk_X509_value(others, i));
    return buf_ok(pem) ? 0 : err_set(e, "there is too much in it");
}

static int open_bag(struct buf *pem, PKCS12 *p12, const char *password, struct err *e)
{
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_try_load(NULL, "legacy", 1);
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    STACK_OF(X509) *others = NULL;
    int rc = 0;

    if (takes_long(p12))
        rc = err_set(e, "its password takes more than %d rounds", ITERATIONS_MAX);
    else if (find_password(&password, p12, password) != 0)
        rc = err_set(e, "%s",
                     password == NULL || password[0] == '\0' ? "it has a password: --password FILE, or - to type it"
                                                             : "the password is wrong, or the file damaged");
    else if (PKCS12_parse(p12, password, &key, &cert, &others) != 1)
        rc = err_set(e, legacy == NULL
                            ? "it is encrypted in an old way (RC2?), and OpenSSL's legacy provider is not there; "
                              "elsewhere: openssl pkcs12 -legacy -nodes -in FILE -out NEW.pem"
                            : "it is damaged, or encrypted in a way that OpenSSL does not know");
    if (rc == 0)
        rc = add_all(pem, key, cert, others, e);
    EVP_PKEY_free(key);
    X509_free(cert);
    sk_X509_pop_free(others, X509_free);
    if (legacy != NULL)
        OSSL_PROVIDER_unload(legacy);
    return rc;
}

int cert_pkcs12_read(struct buf *pem, const char *octets, size_t len, const char *password, struct err *e)
{
    const unsigned char *at = (const unsigned char *)octets;
    PKCS12 *p12;
    int rc;

    ERR_set_mark();
    p12 = d2i_PKCS12(NULL, &at, (long)len);
    rc = p12 != NULL ? open_bag(pem, p12, password, e) : err_set(e, "is neither PEM nor PKCS#12");
    PKCS12_free(p12);
    ERR_pop_to_mark();
    return rc;
}
