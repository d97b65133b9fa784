/* cert_facts.c - see certificate.h: what a certificate says. */
#include "ascii.h"
#include "cert_internal.h"
#include "certificate.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERIAL_OCTETS 31 /* shown; RFC 5280 4.1.2.2 allows 20 */

void cert_name_text(char *out, size_t size, const X509_NAME *name)
{
    BIO *bio;
    int len = 0;

    ERR_set_mark();
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_read(bio, out, (int)size - 1);
    BIO_free(bio);
    ERR_pop_to_mark();
    out[len > 0 ? len : 0] = '\0';
    ascii_make_printable(out);
    if (out[0] == '\0')
        snprintf(out, size, "(no name)");
}

static const char *curve_name(const char *group)
{
    static const char *const known[][2] = {{"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(group, known[i][0]) == 0)
            return known[i][1];
    return group;
}

enum cert_key_type cert_key_text(char *out, size_t size, const EVP_PKEY *key)
{
    char group[24] = "of no known curve"; /* explicit parameters */
    size_t len;

    if (key == NULL) {
        snprintf(out, size, "unreadable");
        return CERT_KEY_OTHER;
    }
    if (EVP_PKEY_is_a(key, "RSA")) {
        snprintf(out, size, "RSA %d", EVP_PKEY_get_bits(key));
        return CERT_KEY_RSA;
    }
    if (EVP_PKEY_is_a(key, "ED25519")) {
        snprintf(out, size, "Ed25519");
        return CERT_KEY_ED25519;
    }
    if (EVP_PKEY_is_a(key, "EC")) {
        EVP_PKEY_get_group_name(key, group, sizeof(group), &len);
        snprintf(out, size, "EC %s", curve_name(group));
        return CERT_KEY_EC;
    }
    snprintf(out, size, "%s", EVP_PKEY_get0_type_name(key) != NULL ? EVP_PKEY_get0_type_name(key) : "unknown");
    ascii_make_printable(out);
    return CERT_KEY_OTHER;
}

int cert_time(int64_t *out, const ASN1_TIME *time)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return -1;
    *out = (int64_t)timegm(&tm);
    return 0;
}

static void set_serial(struct cert_facts *f, const X509 *cert)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    const unsigned char *octet = ASN1_STRING_get0_data(serial);
    int len = ASN1_STRING_length(serial);
    char *out = f->serial;

    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        *out++ = '-';
    for (int i = 0; i < len && i < SERIAL_OCTETS; i++)
        out += snprintf(out, 3, "%02x", octet[i]);
}

/* A host name in its one form, or a wildcard for one whole label. */
static bool take_name(char out[DOMAIN_BUF], const ASN1_STRING *value)
{
    const char *text = (const char *)ASN1_STRING_get0_data(value);
    size_t len = (size_t)ASN1_STRING_length(value);
    size_t star = len > 2 && text[0] == '*' && text[1] == '.' ? 2 : 0;
    char name[DOMAIN_BUF];

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!ascii_is_visible(text[i]))
            return false;
    if (domain_normalise(name, text + star, len - star, NULL) != 0 || strlen(name) + star > DOMAIN_MAX)
        return false;
    memcpy(out, "*.", star);
    memcpy(out + star, name, strlen(name) + 1);
    return true;
}

static int take_names(struct cert_facts *f, const GENERAL_NAMES *all, struct err *e)
{
    int count = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
        count += sk_GENERAL_NAME_value(all, i)->type == GEN_DNS;
    if (count > CERT_NAMES_MAX)
        return err_set(e, "the certificate of %.100s has %d host names, at most %d are taken", f->subject, count,
                       CERT_NAMES_MAX);
    if (count == 0)
        return 0;
    f->name = calloc((size_t)count, sizeof(*f->name));
    if (f->name == NULL)
        return err_set(e, "out of memory");
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

        if (name->type != GEN_DNS)
            continue;
        if (take_name(f->name[f->names], name->d.dNSName))
            f->names++;
        else
            f->odd_names++;
    }
    return 0;
}

static int read_names(struct cert_facts *f, X509 *cert, struct err *e)
{
    int critical = 0;
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
    int rc;

    if (all == NULL) /* -1: there are none */
        return critical == -1 ? 0 : err_set(e, "the certificate of %.100s: its host names cannot be read", f->subject);
    rc = take_names(f, all, e);
    GENERAL_NAMES_free(all);
    return rc;
}

static int read_digests(struct cert_facts *f, const X509 *cert, struct err *e)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (len <= 0 || X509_digest(cert, EVP_sha256(), f->sha256, NULL) != 1) {
        OPENSSL_free(der);
        return err_set(e, "the certificate of %.100s cannot be written as DER", f->subject);
    }
    SHA256(der, (size_t)len, f->spki_sha256);
    OPENSSL_free(der);
    return 0;
}

static int read_facts(struct cert_facts *f, X509 *cert, struct err *e)
{
    int len = i2d_X509(cert, NULL);

    if (len <= 0 || len > CERT_DER_MAX)
        return err_set(e, "a certificate has %d octets, at most %d are taken", len, CERT_DER_MAX);
    cert_name_text(f->subject, sizeof(f->subject), X509_get_subject_name(cert));
    cert_name_text(f->issuer, sizeof(f->issuer), X509_get_issuer_name(cert));
    set_serial(f, cert);
    if (cert_time(&f->not_before, X509_get0_notBefore(cert)) != 0 ||
        cert_time(&f->not_after, X509_get0_notAfter(cert)) != 0)
        return err_set(e, "the certificate of %.100s: its dates cannot be read", f->subject);
    f->ca = (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;
    f->self_issued = cert_is_issued_by(cert, cert);
    f->key_type = cert_key_text(f->key, sizeof(f->key), X509_get0_pubkey(cert));
    return read_digests(f, cert, e) != 0 ? -1 : read_names(f, cert, e);
}

int cert_facts_read(struct cert_facts *out, X509 *cert, struct err *e)
{
    int rc;

    memset(out, 0, sizeof(*out));
    ERR_set_mark();
    rc = read_facts(out, cert, e);
    ERR_pop_to_mark();
    if (rc != 0)
        cert_facts_clear(out);
    return rc;
}

void cert_facts_clear(struct cert_facts *f)
{
    if (f == NULL)
        return;
    free(f->name);
    memset(f, 0, sizeof(*f));
}

bool cert_facts_name(const struct cert_facts *f, const char *host)
{
    const char *dot = strchr(host, '.');

    for (size_t i = 0; i < f->names; i++) {
        const char *name = f->name[i];

        if (strcmp(name, host) == 0)
            return host[0] != '*';
        if (name[0] == '*' && dot != NULL && dot != host && strcmp(name + 1, dot) == 0)
            return true;
    }
    return false;
}
