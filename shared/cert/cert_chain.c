/* cert_chain.c - see certificate.h: a chain and its key, from PEM. */
#include "cert_internal.h"
#include "certificate.h"
#include "hex.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define NAME_SHOWN 80 /* octets of a subject in an error */

/* What stands in the text, in its order. */
struct pieces {
    X509 *cert[CERT_CHAIN_MAX];
    size_t count; /* of all certificates there are, also of those beyond the bound */
    EVP_PKEY *key;
};

static void pieces_clear(struct pieces *p)
{
    for (size_t i = 0; i < CERT_CHAIN_MAX; i++)
        X509_free(p->cert[i]);
    EVP_PKEY_free(p->key);
    memset(p, 0, sizeof(*p));
}

static int take_cert(struct pieces *p, const unsigned char *der, long len, struct err *e)
{
    const unsigned char *at = der;
    X509 *cert;

    if (p->count >= CERT_CHAIN_MAX) {
        p->count++;
        return 0;
    }
    if (len > CERT_DER_MAX)
        return err_set(e, "certificate %zu has %ld octets, at most %d are taken", p->count + 1, len, CERT_DER_MAX);
    cert = d2i_X509(NULL, &at, len);
    if (cert == NULL || at != der + len) {
        X509_free(cert);
        return err_set(e, "certificate %zu is damaged", p->count + 1);
    }
    p->cert[p->count++] = cert;
    return 0;
}

static int take_key(struct pieces *p, const char *kind, const unsigned char *der, long len, struct err *e)
{
    const unsigned char *at = der;

    if (p->key != NULL)
        return err_set(e, "there are two private keys in it; leave the one that belongs to the certificate");
    if (strcmp(kind, PEM_STRING_PKCS8INF) == 0) {
        PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, len);

        p->key = info != NULL ? EVP_PKCS82PKEY(info) : NULL;
        PKCS8_PRIV_KEY_INFO_free(info);
    } else
        p->key = d2i_PrivateKey(strcmp(kind, PEM_STRING_RSA) == 0 ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &at, len);
    if (p->key == NULL || at != der + len)
        return err_set(e, "the private key is damaged, or of a kind that OpenSSL does not know");
    return 0;
}

static int take_block(struct pieces *p, const char *kind, const char *header, const unsigned char *der, long len,
                      struct err *e)
{
    bool key = strcmp(kind, PEM_STRING_PKCS8INF) == 0 || strcmp(kind, PEM_STRING_RSA) == 0 ||
               strcmp(kind, PEM_STRING_ECPRIVATEKEY) == 0;

    if (strcmp(kind, PEM_STRING_X509) == 0 || strcmp(kind, PEM_STRING_X509_OLD) == 0)
        return take_cert(p, der, len, e);
    if (strcmp(kind, PEM_STRING_PKCS8) == 0 || (key && strstr(header, "ENCRYPTED") != NULL))
        return err_set(e, "the private key is encrypted, and mail servers need it without a passphrase: "
                          "openssl pkey -in FILE -out NEW-FILE");
    return key ? take_key(p, kind, der, len, e) : 0; /* parameters, requests and others say nothing here */
}

static int read_pieces(struct pieces *p, BIO *bio, struct err *e)
{
    char *kind = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    size_t blocks = 0;
    int rc = 0;

    while (rc == 0 && PEM_read_bio(bio, &kind, &header, &der, &len) == 1) {
        blocks++;
        rc = take_block(p, kind, header, der, len, e);
        OPENSSL_free(kind);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len);
    }
    if (rc == 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        rc = err_set(e, "block %zu (\"-----BEGIN …\") is damaged", blocks + 1);
    if (rc == 0 && p->count > CERT_CHAIN_MAX)
        rc = err_set(e,
                     "there are %zu certificates in it, at most %d are a chain: leave the server's own, and those "
                     "that lead from it to its authority",
                     p->count, CERT_CHAIN_MAX);
    if (rc == 0 && p->count == 0)
        rc = err_set(e, blocks == 0 ? "is not PEM: it has no \"-----BEGIN CERTIFICATE-----\""
                                    : "there is no certificate in it");
    return rc;
}

/* "subject (EC P-256)", cut. */
static const char *shown(char out[NAME_SHOWN + 40], X509 *cert)
{
    char key[32], name[NAME_SHOWN];

    cert_name_text(name, sizeof(name), X509_get_subject_name(cert));
    cert_key_text(key, sizeof(key), X509_get0_pubkey(cert));
    snprintf(out, NAME_SHOWN + 40, "%s (%s)", name, key);
    return out;
}

static int wrong_key(const struct pieces *p, struct err *e)
{
    char name[NAME_SHOWN + 40], kind[32], hex[2 * CERT_DIGEST_LEN + 1] = "?";
    uint8_t digest[CERT_DIGEST_LEN];

    cert_key_text(kind, sizeof(kind), p->key);
    if (cert_key_digest(digest, p->key) == 0)
        hex_write(hex, digest, 8);
    return err_set(e,
                   "the private key (%s, SHA-256 of its public key %s…) belongs to none of the %zu certificates, "
                   "the first of which is %s",
                   kind, hex, p->count, shown(name, p->cert[0]));
}

/* Put the certificate at i of the pieces behind the chain. */
static void move(struct cert_chain *c, struct pieces *p, size_t i)
{
    for (size_t before = 0; before < i; before++)
        c->mended = c->mended || p->cert[before] != NULL;
    c->cert[c->count++] = p->cert[i];
    p->cert[i] = NULL;
}

/* The same certificate twice is once. */
static void drop_doubles(struct cert_chain *c, struct pieces *p)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = i + 1; p->cert[i] != NULL && k < p->count; k++)
            if (p->cert[k] != NULL && X509_cmp(p->cert[i], p->cert[k]) == 0) {
                X509_free(p->cert[k]);
                p->cert[k] = NULL;
                c->mended = true;
            }
}

static int move_leaf(struct cert_chain *c, struct pieces *p, struct err *e)
{
    size_t i = 0;

    while (p->key != NULL && i < p->count && (p->cert[i] == NULL || !cert_key_fits(p->cert[i], p->key)))
        i++;
    if (i == p->count)
        return wrong_key(p, e);
    move(c, p, i);
    c->key = p->key;
    p->key = NULL;
    return 0;
}

/* The issuer of the chain's last one, among those that are left. */
static bool move_issuer(struct cert_chain *c, struct pieces *p)
{
    X509 *last = c->cert[c->count - 1];

    if (cert_is_issued_by(last, last))
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (p->cert[i] != NULL && cert_is_issued_by(last, p->cert[i])) {
            move(c, p, i);
            return true;
        }
    return false;
}

static int refuse_rest(const struct cert_chain *c, const struct pieces *p, struct err *e)
{
    X509 *last = c->cert[c->count - 1];
    char name[NAME_SHOWN + 40], issuer[NAME_SHOWN];
    size_t i = 0;

    while (i < p->count && p->cert[i] == NULL)
        i++;
    if (i == p->count)
        return 0;
    cert_name_text(issuer, sizeof(issuer), X509_get_issuer_name(last));
    if (cert_is_issued_by(last, last))
        return err_set(e, "%s does not belong to the chain, which ends with %s; leave it out", shown(name, p->cert[i]),
                       issuer);
    return err_set(e,
                   "the certificate of %s, which issued the one before it, is missing; %s does not belong to the chain",
                   issuer, shown(name, p->cert[i]));
}

static int put_in_order(struct cert_chain *c, struct pieces *p, struct err *e)
{
    drop_doubles(c, p);
    if (move_leaf(c, p, e) != 0)
        return -1;
    while (move_issuer(c, p)) {
    }
    return refuse_rest(c, p, e);
}

int cert_chain_read(struct cert_chain *out, const char *pem, size_t len, struct err *e)
{
    struct pieces pieces = {0};
    BIO *bio;
    int rc;

    memset(out, 0, sizeof(*out));
    if (len > CERT_PEM_MAX)
        return err_set(e, "has %zu octets, at most %zu are taken", len, CERT_PEM_MAX);
    ERR_set_mark();
    bio = BIO_new_mem_buf(pem, (int)len);
    if (bio == NULL)
        rc = err_set(e, "out of memory");
    else if (read_pieces(&pieces, bio, e) != 0)
        rc = -1;
    else
        rc = put_in_order(out, &pieces, e);
    BIO_free(bio);
    ERR_pop_to_mark();
    pieces_clear(&pieces);
    if (rc != 0)
        cert_chain_clear(out);
    return rc;
}

void cert_chain_clear(struct cert_chain *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        X509_free(c->cert[i]);
    EVP_PKEY_free(c->key);
    memset(c, 0, sizeof(*c));
}
