/*
 * certificate.h - certificates and keys as octets in memory: what they say, and whether they belong together. Pure but
 * for OpenSSL; the bytes may be anybody's.
 */
#ifndef POSTERN_CERTIFICATE_H
#define POSTERN_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "domain.h"
#include "err.h"

#define CERT_PEM_MAX    ((size_t)1 << 20) /* octets of a file with certificates, keys or both */
#define CERT_DER_MAX    65536             /* octets of one certificate */
#define CERT_CHAIN_MAX  16                /* certificates of a chain, the leaf too */
#define CERT_NAMES_MAX  200               /* names of a certificate that we take; Let's Encrypt gives 100 */
#define CERT_TEXT_BUF   256               /* of subjects and issuers, cut to fit */
#define CERT_DIGEST_LEN 32

enum cert_key_type { CERT_KEY_OTHER, CERT_KEY_RSA, CERT_KEY_EC, CERT_KEY_ED25519 };

/* What one certificate says. Texts are printable ASCII, whatever stands in the certificate. */
struct cert_facts {
    char subject[CERT_TEXT_BUF]; /* RFC 2253 */
    char issuer[CERT_TEXT_BUF];
    char serial[64];               /* hex */
    int64_t not_before, not_after; /* seconds since the epoch */
    bool ca;
    bool self_issued; /* issuer and subject are the same, and it is signed with its own key */
    enum cert_key_type key_type;
    char key[32];                         /* "RSA 2048", "EC P-256", "Ed25519" */
    char (*name)[DOMAIN_BUF];             /* dNSNames in their one form (domain.h), or "*." and one; owned */
    size_t names;                         /* others are left out: */
    size_t odd_names;                     /* dNSNames that are none (NUL, blanks, not ASCII, "*.*.x") */
    uint8_t sha256[CERT_DIGEST_LEN];      /* of the certificate (TLSA 3 0 1) */
    uint8_t spki_sha256[CERT_DIGEST_LEN]; /* of its public key (TLSA 3 1 1; RFC 7671 5.1) */
};

/* Returns 0, or -1 with the reason: beyond a bound, a time that cannot be read. *out is empty then. */
int cert_facts_read(struct cert_facts *out, X509 *cert, struct err *e);
void cert_facts_clear(struct cert_facts *f); /* NULL-safe, may be called twice */

/* Is it for this host? Names and wildcards as in RFC 8461 4.1: one whole left-most label. host in its one form. */
bool cert_facts_name(const struct cert_facts *f, const char *host);

/* A chain and, when there is one, its key. */
struct cert_chain {
    X509 *cert[CERT_CHAIN_MAX]; /* owned; leaf first, each issued by the next one */
    size_t count;
    EVP_PKEY *key; /* owned; NULL: none */
    bool mended;   /* the order in the file was another one */
};

/*
 * Read all certificates and the private key, if there is one, of a PEM text. The leaf is the one that the key belongs
 * to, or without a key the first; the others are put into order behind it, those that do not belong to the chain are an
 * error that names them. Unencrypted keys only. Returns 0, or -1 with the reason, what to do, and *out empty: no
 * certificate, two keys, a key that fits none, a gap, beyond a bound, not PEM.
 */
int cert_chain_read(struct cert_chain *out, const char *pem, size_t len, struct err *e);
void cert_chain_clear(struct cert_chain *c); /* NULL-safe, may be called twice */

/* Does the key belong to the certificate? */
bool cert_key_fits(const X509 *cert, const EVP_PKEY *key);

/* Does it sign, so that its own public key takes it? Takes as long as a signature. */
bool cert_key_works(EVP_PKEY *key);

/* SHA-256 of the public key as it stands in a certificate or a TLSA record 3 1 1. Returns 0, or -1. */
int cert_key_digest(uint8_t out[CERT_DIGEST_LEN], EVP_PKEY *key);

/* When the first certificate of it ends. INT64_MAX for an empty chain, INT64_MIN when a date cannot be read. */
int64_t cert_chain_end(const struct cert_chain *c);

/* How a chain stands for a use at a time. */
enum cert_verdict {
    CERT_GOOD,
    CERT_NOT_YET,   /* some certificate of it begins later */
    CERT_EXPIRED,   /* or has ended */
    CERT_NAME,      /* the leaf is not for the host */
    CERT_UNTRUSTED, /* no authority that is trusted; a sender under MTA-STS refuses it */
    CERT_WEAK       /* key or signature is below what OpenSSL's level 2 allows */
};

/* "good", "not-yet", "expired", "name", "untrusted", "weak" */
const char *cert_verdict_name(enum cert_verdict v);

/*
 * Would a sender that goes by PKIX take it for this host at this time (RFC 8461 4.2)? host NULL: names do not matter.
 * trust NULL: whether it is trusted does not matter. The worst is told, in words in e when it is not GOOD, with the
 * certificate at fault.
 */
enum cert_verdict cert_chain_judge(const struct cert_chain *c, const char *host, X509_STORE *trust, int64_t now,
                                   struct err *e);

#endif
