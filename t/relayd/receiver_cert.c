/* receiver_cert.c - see receiver_cert.h. */
#include "receiver_cert.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_PKEY *ca_key;
static X509 *ca;

static void die(const char *what)
{
    fprintf(stderr, "receiver: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void extension_add(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    if (ext == NULL || X509_add_ext(cert, ext, -1) != 1)
        die("extension");
    X509_EXTENSION_free(ext);
}

static X509 *cert_make(EVP_PKEY *own, const char *cn, const char *dns, long until, const X509 *issuer, EVP_PKEY *signer)
{
    static long serial = 1;
    X509 *cert = X509_new();
    char san[300];

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -864000);
    X509_gmtime_adj(X509_getm_notAfter(cert), until);
    X509_set_pubkey(cert, own);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    extension_add(cert, NID_basic_constraints, dns == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    (void)snprintf(san, sizeof(san), "DNS:%s", dns != NULL ? dns : "");
    if (dns != NULL)
        extension_add(cert, NID_subject_alt_name, san);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    if (X509_sign(cert, signer, EVP_sha256()) <= 0)
        die("sign");
    return cert;
}

static void cert_write(X509 *cert, const char *dir, const char *file)
{
    char path[512];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
    f = fopen(path, "w");
    if (f == NULL || PEM_write_X509(f, cert) != 1 || fclose(f) != 0)
        die(path);
}

void receiver_cert_authorities(const char *dir)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *stranger = cert_make(key, "Another CA", NULL, 864000, NULL, key);

    cert_write(stranger, dir, "stranger.pem");
    X509_free(stranger);
    EVP_PKEY_free(key);
    ca_key = EVP_EC_gen("P-256");
    ca = cert_make(ca_key, "Test CA", NULL, 864000, NULL, ca_key);
    cert_write(ca, dir, "ca.pem");
}

static void digest_print(const unsigned char *data, size_t len)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_Digest(data, len, md, &size, EVP_sha256(), NULL);
    printf(" ");
    for (unsigned i = 0; i < size; i++)
        printf("%02x", md[i]);
}

void receiver_cert_print(const SSL_CTX *tls)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(SSL_CTX_get0_certificate(tls)), &der);

    digest_print(der, (size_t)len);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_X509(ca, &der);
    digest_print(der, (size_t)len);
    OPENSSL_free(der);
    printf("\n");
}

/* --- certificates that are odd --- */

static void names_add(X509 *cert, const char *name, size_t len, int count)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    char text[300];

    for (int i = 0; i < count; i++) {
        GENERAL_NAME *one = GENERAL_NAME_new();
        ASN1_IA5STRING *string = ASN1_IA5STRING_new();
        int n = count > 1 ? snprintf(text, sizeof(text), "n%d.%s", i, name) : (int)len;

        ASN1_STRING_set(string, count > 1 ? text : name, n);
        GENERAL_NAME_set0_value(one, GEN_DNS, string);
        (void)sk_GENERAL_NAME_push(names, one);
    }
    if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE) != 1)
        die("names");
    GENERAL_NAMES_free(names);
}

static void middle_add(SSL_CTX *tls, const char *kind, X509 *middle)
{
    bool crooked = strcmp(kind, "crooked") == 0;

    if (crooked)
        SSL_CTX_add1_chain_cert(tls, ca);
    if (strcmp(kind, "untold") != 0)
        SSL_CTX_add1_chain_cert(tls, middle);
}

/* Returns whether this kind is one of them. */
static bool odd_certify(SSL_CTX *tls, const char *name, const char *kind, EVP_PKEY *key)
{
    static const char *const by_middle[] = {"middle", "untold", "stale", "crooked"};
    static const char nul[] = "mx.nul.test\0.evil.example";
    bool under = false, other = strcmp(kind, "many") == 0 || strcmp(kind, "nul") == 0 || strcmp(kind, "huge") == 0;
    EVP_PKEY *middle_key;
    X509 *middle, *x;

    for (size_t i = 0; i < sizeof(by_middle) / sizeof(by_middle[0]); i++)
        under = under || strcmp(kind, by_middle[i]) == 0;
    if (!under && !other)
        return false;
    middle_key = EVP_EC_gen("P-256");
    middle = cert_make(middle_key, "Test middle", NULL, strcmp(kind, "stale") == 0 ? -86400 : 864000, ca, ca_key);
    x = cert_make(key, "x", name, 864000, under ? middle : ca, under ? middle_key : ca_key);
    if (strcmp(kind, "many") == 0)
        names_add(x, name, 0, 10000);
    else if (strcmp(kind, "nul") == 0)
        names_add(x, nul, sizeof(nul) - 1, 1);
    X509_sign(x, under ? middle_key : ca_key, EVP_sha256());
    if (SSL_CTX_use_certificate(tls, x) != 1 || SSL_CTX_use_PrivateKey(tls, key) != 1)
        die("certificate");
    if (under)
        middle_add(tls, kind, middle);
    for (int i = 0; strcmp(kind, "huge") == 0 && i < 400; i++)
        SSL_CTX_add1_chain_cert(tls, ca);
    EVP_PKEY_free(middle_key);
    X509_free(middle);
    X509_free(x);
    return true;
}

SSL_CTX *receiver_cert_tls(const char *name, const char *kind)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    bool self = strcmp(kind, "self") == 0;
    EVP_PKEY *key;
    X509 *x;

    if (kind[0] == '/') {
        if (SSL_CTX_use_certificate_chain_file(tls, kind) != 1 ||
            SSL_CTX_use_PrivateKey_file(tls, kind, SSL_FILETYPE_PEM) != 1)
            die(kind);
        return tls;
    }
    key = EVP_EC_gen("P-256");
    if (!odd_certify(tls, name, kind, key)) {
        x = cert_make(key, "x", strcmp(kind, "other") == 0 ? "other.invalid" : name,
                      strcmp(kind, "expired") == 0 ? -86400 : 864000, self ? NULL : ca, self ? key : ca_key);
        if (SSL_CTX_use_certificate(tls, x) != 1 || SSL_CTX_use_PrivateKey(tls, key) != 1 ||
            (!self && SSL_CTX_add1_chain_cert(tls, ca) != 1))
            die("certificate");
        X509_free(x);
    }
    EVP_PKEY_free(key);
    return tls;
}
