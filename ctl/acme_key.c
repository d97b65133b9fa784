/* acme_key.c - see acme_key.h. */
#include "acme_key.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SUBJECT_MAX 64 /* octets of a commonName (RFC 5280 A.1) */

static unsigned rsa_bits(const char *type)
{
    static const struct {
        const char *type;
        unsigned bits;
    } kinds[] = {{"rsa2048", 2048}, {"rsa3072", 3072}, {"rsa4096", 4096}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].bits;
    return 0;
}

bool acme_key_type_valid(const char *type, struct err *e)
{
    if (strcmp(type, "p256") == 0 || rsa_bits(type) != 0)
        return true;
    err_set(e, "\"%.40s\": there are p256, rsa2048, rsa3072 and rsa4096", type);
    return false;
}

/* Move what was written to buf; frees the bio. */
static int take(struct buf *out, BIO *bio, bool ok)
{
    char *octets = NULL;
    long len = ok ? BIO_get_mem_data(bio, &octets) : 0;

    if (len > 0)
        buf_add(out, octets, (size_t)len);
    BIO_free(bio);
    return ok && len > 0 && buf_ok(out) ? 0 : -1;
}

int acme_key_new(struct buf *pem, const char *type, struct err *e)
{
    unsigned bits = rsa_bits(type);
    EVP_PKEY *key;
    BIO *bio;
    int rc;

    if (!acme_key_type_valid(type, e))
        return -1;
    key = bits != 0 ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256");
    bio = BIO_new(BIO_s_secmem());
    rc = take(pem, bio,
              key != NULL && bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    EVP_PKEY_free(key);
    return rc == 0 ? 0 : err_set(e, "OpenSSL makes no key");
}

EVP_PKEY *acme_key_read(const char *pem, size_t len)
{
    BIO *bio = len <= ACME_KEY_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;

    BIO_free(bio);
    return key;
}

/* The names as an extension. */
static int csr_names(X509_REQ *request, char *const *host, size_t hosts)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    bool ok = names != NULL && extensions != NULL;

    for (size_t i = 0; ok && i < hosts; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();

        ok = name != NULL && text != NULL && ASN1_STRING_set(text, host[i], (int)strlen(host[i])) == 1;
        if (ok)
            GENERAL_NAME_set0_value(name, GEN_DNS, text);
        else
            ASN1_IA5STRING_free(text);
        if (!ok || sk_GENERAL_NAME_push(names, name) == 0) {
            GENERAL_NAME_free(name);
            ok = false;
        }
    }
    ok = ok && X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
         X509_REQ_add_extensions(request, extensions) == 1;
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return ok ? 0 : -1;
}

int acme_csr(struct buf *pem, EVP_PKEY *key, char *const *host, size_t hosts, struct err *e)
{
    X509_REQ *request = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = request != NULL && bio != NULL && hosts > 0 && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
              X509_REQ_set_pubkey(request, key) == 1 && csr_names(request, host, hosts) == 0;

    if (ok && strlen(host[0]) <= SUBJECT_MAX)
        ok = X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName, MBSTRING_ASC,
                                        (const unsigned char *)host[0], -1, -1, 0) == 1;
    ok = ok && X509_REQ_sign(request, key, EVP_sha256()) > 0 && PEM_write_bio_X509_REQ(bio, request) == 1;
    X509_REQ_free(request);
    return take(pem, bio, ok) == 0 ? 0 : err_set(e, "OpenSSL makes no request for %s", hosts > 0 ? host[0] : "nobody");
}
