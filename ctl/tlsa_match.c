/* tlsa_match.c - see tlsa_match.h. */
#include "tlsa_match.h"

#include <openssl/sha.h>
#include <string.h>

/* The data of the record is that of the certificate or key as DER, or a digest of it (RFC 6698 2.1). */
static bool data_fits(const struct tlsa *rr, const unsigned char *der, size_t len)
{
    unsigned char digest[SHA512_DIGEST_LENGTH];

    if (rr->matching_type == 0)
        return rr->len == len && memcmp(rr->data, der, len) == 0;
    if (rr->matching_type == 1)
        return SHA256(der, len, digest) != NULL && memcmp(rr->data, digest, SHA256_DIGEST_LENGTH) == 0;
    return SHA512(der, len, digest) != NULL && memcmp(rr->data, digest, SHA512_DIGEST_LENGTH) == 0;
}

static bool certificate_fits(const struct tlsa *rr, X509 *cert)
{
    unsigned char *der = NULL;
    int len = rr->selector == 0 ? i2d_X509(cert, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool fits = len > 0 && data_fits(rr, der, (size_t)len);

    OPENSSL_free(der);
    return fits;
}

bool tlsa_fits(const struct tlsa *rr, X509 *const *chain, size_t count)
{
    bool fits = false;

    if (count == 0 || !tlsa_usable(rr, NULL))
        return false;
    if (rr->usage == 3)
        return certificate_fits(rr, chain[0]);
    for (size_t i = 1; i < count; i++)
        fits = fits || certificate_fits(rr, chain[i]);
    return fits;
}

bool tlsa_set_fits(const struct dns_rr *rr, size_t count, const struct cert_chain *chain)
{
    bool fits = false;

    for (size_t i = 0; i < count; i++)
        fits = fits || tlsa_fits(&rr[i].tlsa, chain->cert, chain->count);
    return fits;
}

struct tlsa tlsa_of_digest(const uint8_t key_digest[CERT_DIGEST_LEN])
{
    return (struct tlsa){.usage = 3,
                         .selector = 1,
                         .matching_type = 1,
                         .len = CERT_DIGEST_LEN,
                         .data = (uint8_t *)key_digest}; /* read only */
}
