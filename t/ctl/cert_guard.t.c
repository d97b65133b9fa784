/* cert_guard.t.c - what would be lost if one certificate took the place of another. */
#include "cert_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "make_cert.h"

static EVP_PKEY *ca_key, *middle_key;
static X509 *ca, *middle;
static X509_STORE *trust;

static int set_up(void **state)
{
    (void)state;
    ca_key = make_key("P-256");
    ca = make_cert(&(struct made){"CA", NULL, -400, 400, true, false}, ca_key, NULL, NULL);
    middle_key = make_key("P-256");
    middle = make_cert(&(struct made){"middle", NULL, -400, 400, true, false}, middle_key, ca, ca_key);
    trust = X509_STORE_new();
    return X509_STORE_add_cert(trust, ca) == 1 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    X509_STORE_free(trust);
    X509_free(middle);
    EVP_PKEY_free(middle_key);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    return 0;
}

enum how { BY_CA, BY_ITSELF, WEAK_KEY, WEAK_DIGEST, BY_MIDDLE, BY_MIDDLE_ALONE, BY_STRANGER, WITH_CA };

/* A certificate as a file of the store has it. */
struct one {
    const char *names; /* NULL: there is no certificate */
    int64_t from, to;
    enum how how;
};

static void make_one(struct cert_chain *c, struct cert_facts *leaf, const struct one *o)
{
    const struct made made = {"mx", o->names, o->from, o->to, false, o->how == WEAK_DIGEST};
    EVP_PKEY *key, *stranger = NULL;
    struct err e = {""};
    struct buf pem;
    X509 *cert;

    memset(c, 0, sizeof(*c));
    memset(leaf, 0, sizeof(*leaf));
    if (o->names == NULL)
        return;
    key = make_key(o->how == WEAK_KEY ? "rsa1024" : "P-256");
    if (o->how == BY_ITSELF)
        cert = make_cert(&made, key, NULL, NULL);
    else if (o->how == BY_MIDDLE || o->how == BY_MIDDLE_ALONE)
        cert = make_cert(&made, key, middle, middle_key);
    else if (o->how == BY_STRANGER)
        cert = make_cert(&made, key, ca, stranger = make_key("P-256"));
    else
        cert = make_cert(&made, key, ca, ca_key);
    buf_init(&pem, 100000);
    add_key(&pem, key, NULL);
    add_cert(&pem, cert);
    if (o->how == BY_MIDDLE)
        add_cert(&pem, middle);
    if (o->how == WITH_CA)
        add_cert(&pem, ca);
    if (cert_chain_read(c, buf_text(&pem), pem.len, &e) != 0 || cert_facts_read(leaf, c->cert[0], &e) != 0)
        fail_msg("%s", e.text);
    buf_clear(&pem);
    X509_free(cert);
    EVP_PKEY_free(key);
    EVP_PKEY_free(stranger);
}

#define MX "DNS:mx.example"

static const struct guarded {
    const char *what;
    struct one before, fresh;
    bool acme;
    const char *lost; /* part of it; "": nothing */
} guarded[] = {
    {"the first of a name", {NULL, 0, 0, BY_CA}, {MX, -1, 90, BY_CA}, false, ""},
    {"its renewal", {MX, -90, 1, BY_CA}, {MX, -1, 90, BY_CA}, false, ""},
    {"one that ends sooner", {MX, -1, 90, BY_CA}, {MX, -1, 30, BY_CA}, false, ""},
    {"expired", {MX, -90, 1, BY_CA}, {MX, -90, -1, BY_CA}, false, "it has expired on"},
    {"expired, the first of a name", {NULL, 0, 0, BY_CA}, {MX, -90, -1, BY_CA}, false, "it has expired on"},
    {"not good yet", {MX, -90, 1, BY_CA}, {MX, 2, 90, BY_CA}, false, "it is not good before"},
    {"a weak key", {MX, -90, 1, BY_CA}, {MX, -1, 90, WEAK_KEY}, false, "RSA 1024"},
    {"a weak signature", {MX, -90, 1, BY_CA}, {MX, -1, 90, WEAK_DIGEST}, false, "SHA-1"},
    {"weak and expired", {MX, -90, 1, BY_CA}, {MX, -90, -1, WEAK_KEY}, false, "RSA 1024"},
    {"what ACME renews", {MX, -90, 1, BY_CA}, {MX, -1, 90, BY_CA}, true, "\"posternctl cert acme\" renews mx"},
    {"self-signed for an authority's", {MX, -90, 1, BY_CA}, {MX, -1, 90, BY_ITSELF}, false, "is self-signed"},
    {"self-signed for the same", {MX, -90, 1, BY_ITSELF}, {MX, -1, 90, BY_ITSELF}, false, ""},
    {"an authority's for self-signed", {MX, -90, 1, BY_ITSELF}, {MX, -1, 90, BY_CA}, false, ""},
    {"one name more", {MX, -90, 1, BY_CA}, {MX ",DNS:a.example", -1, 90, BY_CA}, false, ""},
    {"one name less", {MX ",DNS:a.example", -90, 1, BY_CA}, {MX, -1, 90, BY_CA}, false, "not for a.example"},
    {"a wildcard for its names",
     {"DNS:a.example,DNS:b.example", -90, 1, BY_CA},
     {"DNS:*.example", -1, 90, BY_CA},
     false,
     ""},
    {"the same wildcard", {"DNS:*.mx.example", -90, 1, BY_CA}, {"DNS:*.mx.example", -1, 90, BY_CA}, false, ""},
    {"a name for its wildcard",
     {"DNS:*.mx.example", -90, 1, BY_CA},
     {"DNS:a.mx.example", -1, 90, BY_CA},
     false,
     "not for *.mx."},
    {"a chain", {MX, -90, 1, BY_MIDDLE}, {MX, -1, 90, BY_MIDDLE}, false, ""},
    {"the authority itself for one behind it", {MX, -90, 1, BY_MIDDLE}, {MX, -1, 90, BY_CA}, false, ""},
    {"no chain for a chain", {MX, -90, 1, BY_MIDDLE}, {MX, -1, 90, BY_MIDDLE_ALONE}, false, "chain is not complete"},
    {"no chain for a chain that has expired",
     {MX, -90, -1, BY_MIDDLE},
     {MX, -1, 90, BY_MIDDLE_ALONE},
     false,
     "chain is not complete"},
    {"no chain for none", {MX, -90, 1, BY_MIDDLE_ALONE}, {MX, -1, 90, BY_MIDDLE_ALONE}, false, ""},
    {"no chain, the first of a name", {NULL, 0, 0, BY_CA}, {MX, -1, 90, BY_MIDDLE_ALONE}, false, ""},
    {"what stood behind it was the authority itself", {MX, -90, -1, WITH_CA}, {MX, -1, 90, BY_STRANGER}, false, ""},
    {"not trusted for trusted", {MX, -90, 1, BY_CA}, {MX, -1, 90, BY_STRANGER}, false, "take the one in its place"},
    {"not trusted for one that has expired", {MX, -90, -1, BY_CA}, {MX, -1, 90, BY_STRANGER}, false, ""},
    {"not trusted for self-signed", {MX, -90, 1, BY_ITSELF}, {MX, -1, 90, BY_STRANGER}, false, ""},
    {"trusted for not trusted", {MX, -90, 1, BY_STRANGER}, {MX, -1, 90, BY_CA}, false, ""},
    {"one level more",
     {"DNS:a.b.example", -90, 1, BY_CA},
     {"DNS:*.example", -1, 90, BY_CA},
     false,
     "not for a.b.example"},
};

static void test_guard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
        const struct guarded *g = &guarded[i];
        struct cert_entry before = {.name = "mx", .about.host_count = g->acme ? 1 : 0};
        struct err lost = {"of before"};
        struct cert_chain fresh;
        struct cert_facts leaf;

        make_one(&before.live, &before.leaf, &g->before);
        make_one(&fresh, &leaf, &g->fresh);
        cert_guard(&lost, &before, &fresh, &leaf, trust, MADE_NOW);
        if (*g->lost == '\0' ? lost.text[0] != '\0' : strstr(lost.text, g->lost) == NULL)
            fail_msg("%s: %s", g->what, lost.text);
        cert_chain_clear(&before.live);
        cert_facts_clear(&before.leaf);
        cert_chain_clear(&fresh);
        cert_facts_clear(&leaf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_guard)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
