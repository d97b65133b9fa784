/*
 * tlsa.c - TLSA records: usable for SMTP or not, and their text. OpenSSL reads the certificates and keys, by the same
 * calls as its own DANE code, so that what counts as usable here is what a handshake can use.
 */
#include "tlsa.h"

#include "ascii.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_whole_certificate(const uint8_t *der, size_t len)
{
    const unsigned char *at = der;
    X509 *cert = d2i_X509(NULL, &at, (long)len);
    bool whole = cert != NULL && at == der + len && X509_get0_pubkey(cert) != NULL;

    X509_free(cert);
    return whole;
}

static bool is_whole_key(const uint8_t *der, size_t len)
{
    const unsigned char *at = der;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)len);
    bool whole = key != NULL && at == der + len;

    EVP_PKEY_free(key);
    return whole;
}

static int check_full_data(const struct tlsa *rr, struct err *e)
{
    bool whole;

    if (rr->len == 0)
        return err_set(e, "the association data is empty");
    if (rr->len > TLSA_DATA_MAX)
        return err_set(e, "the association data has %u octets, more than %d", (unsigned)rr->len, TLSA_DATA_MAX);
    ERR_set_mark(); /* a bad record is no error of the TLS session that the caller may be in */
    whole = rr->selector == 0 ? is_whole_certificate(rr->data, rr->len) : is_whole_key(rr->data, rr->len);
    ERR_pop_to_mark();
    if (!whole)
        return err_set(e, "the association data is no DER %s", rr->selector == 0 ? "certificate" : "public key");
    return 0;
}

static int check_data(const struct tlsa *rr, struct err *e)
{
    unsigned want = rr->matching_type == 1 ? 32 : 64;

    if (rr->matching_type == 0)
        return check_full_data(rr, e);
    if (rr->len != want) {
        return err_set(e, "matching type %u needs a digest of %u octets, but there are %u", (unsigned)rr->matching_type,
                       want, (unsigned)rr->len);
    }
    return 0;
}

bool tlsa_usable(const struct tlsa *rr, struct err *e)
{
    if (rr->usage < 2 || rr->usage > 3) {
        err_set(e, "certificate usage %u is not for SMTP, only 2 (DANE-TA) and 3 (DANE-EE) are", (unsigned)rr->usage);
        return false;
    }
    if (rr->selector > 1) {
        err_set(e, "selector %u is unknown", (unsigned)rr->selector);
        return false;
    }
    if (rr->matching_type > 2) {
        err_set(e, "matching type %u is unknown", (unsigned)rr->matching_type);
        return false;
    }
    return check_data(rr, e) == 0;
}

void tlsa_format(char *out, const struct tlsa *rr)
{
    static const char digits[] = "0123456789abcdef";
    int len = snprintf(out, TLSA_TEXT_BUF(rr->len), "%u %u %u ", (unsigned)rr->usage, (unsigned)rr->selector,
                       (unsigned)rr->matching_type);
    char *at = out + (len > 0 ? len : 0);

    for (size_t i = 0; i < rr->len; i++) {
        *at++ = digits[rr->data[i] >> 4];
        *at++ = digits[rr->data[i] & 0x0f];
    }
    *at = '\0';
}

static int read_number(uint8_t *out, size_t *pos, const char *what, const char *text, size_t len, struct err *e)
{
    unsigned n = 0;
    size_t at = *pos;

    while (at < len && at - *pos < 3 && ascii_is_digit(text[at])) {
        n = n * 10 + (unsigned)(text[at] - '0');
        at++;
    }
    if (at == *pos || n > UINT8_MAX || at == len || text[at] != ' ')
        return err_set(e, "octet %zu: the %s must stand here, a number up to 255 and one blank", *pos + 1, what);
    *out = (uint8_t)n;
    *pos = at + 1;
    return 0;
}

static int read_data(struct tlsa *out, size_t pos, const char *text, size_t len, struct err *e)
{
    size_t digits = len - pos;

    if (digits % 2 != 0)
        return err_set(e, "the association data has an odd number of hex digits");
    if (digits / 2 > TLSA_DATA_MAX)
        return err_set(e, "the association data has %zu octets, more than %d", digits / 2, TLSA_DATA_MAX);
    if (digits == 0)
        return 0;
    out->data = malloc(digits / 2);
    if (out->data == NULL)
        return err_set(e, "out of memory");
    for (size_t i = 0; i < digits; i += 2) {
        int high = ascii_hex_value(text[pos + i]);
        int low = ascii_hex_value(text[pos + i + 1]);
        if (high < 0 || low < 0)
            return err_set(e, "octet %zu: not a hex digit", pos + i + (high < 0 ? 1 : 2));
        out->data[i / 2] = (uint8_t)(high << 4 | low);
    }
    out->len = (uint16_t)(digits / 2);
    return 0;
}

int tlsa_parse(struct tlsa *out, const char *text, size_t len, struct err *e)
{
    size_t pos = 0;

    memset(out, 0, sizeof *out);
    if (read_number(&out->usage, &pos, "certificate usage", text, len, e) < 0 ||
        read_number(&out->selector, &pos, "selector", text, len, e) < 0 ||
        read_number(&out->matching_type, &pos, "matching type", text, len, e) < 0 ||
        read_data(out, pos, text, len, e) < 0) {
        tlsa_clear(out);
        return -1;
    }
    return 0;
}

void tlsa_clear(struct tlsa *rr)
{
    if (rr == NULL)
        return;
    free(rr->data);
    memset(rr, 0, sizeof *rr);
}
