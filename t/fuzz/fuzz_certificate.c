/*
 * fuzz_certificate.c - any octets as PEM. What is taken is in order, its key fits, its texts are printable and its
 * names in one form; nothing stays in OpenSSL's queue of errors.
 */
#include "certificate.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(const char *text)
{
    for (; *text != '\0'; text++)
        check(*text >= 0x20 && *text < 0x7f);
}

static void check_facts(X509 *cert)
{
    struct cert_facts f;
    struct err e = {""};

    if (cert_facts_read(&f, cert, &e) != 0) {
        check(f.name == NULL && e.text[0] != '\0');
        return;
    }
    check_text(f.subject);
    check_text(f.issuer);
    check_text(f.serial);
    check_text(f.key);
    for (size_t i = 0; i < f.names; i++) {
        const char *name = f.name[i] + (f.name[i][0] == '*' ? 2 : 0);
        char normal[DOMAIN_BUF];

        check(domain_normalise(normal, name, strlen(name), NULL) == 0 && strcmp(normal, name) == 0);
    }
    cert_facts_clear(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert_chain c;
    struct err e = {""};

    if (cert_chain_read(&c, (const char *)data, size, &e) != 0) {
        check(c.count == 0 && c.key == NULL && e.text[0] != '\0');
    } else {
        check(c.count > 0 && c.count <= CERT_CHAIN_MAX);
        check(c.key == NULL || cert_key_fits(c.cert[0], c.key));
        for (size_t i = 0; i < c.count; i++)
            check_facts(c.cert[i]);
        (void)cert_chain_judge(&c, "mx.example.com", NULL, 1800000000, &e);
    }
    cert_chain_clear(&c);
    check(ERR_peek_error() == 0);
    return 0;
}
