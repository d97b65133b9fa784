/* acme_key.c - see acme_key.h. */
#include "acme_key.h"
#include "cert_make.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

bool acme_key_type_valid(const char *type, struct err *e)
{
    if (cert_key_type_known(type) && strcmp(type, "ed25519") != 0)
        return true;
    err_set(e, "\"%.40s\": there are p256, rsa2048, rsa3072 and rsa4096", type);
    return false;
}

int acme_key_new(struct buf *pem, const char *type, struct err *e)
{
    EVP_PKEY *key = acme_key_type_valid(type, e) ? cert_key_make(type, e) : NULL;

    if (key == NULL)
        return -1;
    cert_pem_key(pem, key);
    EVP_PKEY_free(key);
    return buf_ok(pem) ? 0 : err_set(e, "the key cannot be written as PEM");
}

EVP_PKEY *acme_key_read(const char *pem, size_t len)
{
    BIO *bio = len <= ACME_KEY_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;

    BIO_free(bio);
    return key;
}

int acme_csr(struct buf *pem, EVP_PKEY *key, char *const *host, size_t hosts, struct err *e)
{
    struct cert_wish *wish = calloc(1, sizeof(*wish));
    X509_REQ *request = NULL;
    int rc = wish != NULL ? 0 : err_set(e, "no memory");

    for (size_t i = 0; rc == 0 && i < hosts; i++)
        rc = cert_wish_add(wish, host[i], e);
    if (rc == 0 && hosts == 0)
        rc = err_set(e, "a request needs a host name");
    if (rc == 0)
        request = cert_request(wish, key, e);
    free(wish);
    if (request == NULL)
        return -1;
    cert_pem_request(pem, request);
    X509_REQ_free(request);
    return buf_ok(pem) ? 0 : err_set(e, "the request cannot be written as PEM");
}
