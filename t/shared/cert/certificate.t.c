/* certificate.t.c - tests of certificate.c, cert_facts.c, cert_chain.c and cert_judge.c. */
#include "certificate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "make_cert.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

/* root - middle - leaf, and others. */
static struct {
    EVP_PKEY *root_key, *middle_key, *leaf_key, *other_key;
    X509 *root, *middle, *leaf, *other;
} made;

static int make(void **state)
{
    static const struct made root = {"Root", NULL, -1000, 1000, true, false},
                             middle = {"Middle", NULL, -500, 500, true, false},
                             leaf = {"mx.example.com",
                                     "DNS:MX.example.com,DNS:*.example.org,IP:192.0.2.1",
                                     -10,
                                     80,
                                     false,
                                     false},
                             other = {"other.example", "DNS:other.example", -10, 80, false, false};

    (void)state;
    made.root_key = make_key("P-256");
    made.middle_key = make_key("P-256");
    made.leaf_key = make_key("P-256");
    made.other_key = make_key("rsa2048");
    made.root = make_cert(&root, made.root_key, NULL, NULL);
    made.middle = make_cert(&middle, made.middle_key, made.root, made.root_key);
    made.leaf = make_cert(&leaf, made.leaf_key, made.middle, made.middle_key);
    made.other = make_cert(&other, made.other_key, NULL, NULL);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    X509_free(made.root);
    X509_free(made.middle);
    X509_free(made.leaf);
    X509_free(made.other);
    EVP_PKEY_free(made.root_key);
    EVP_PKEY_free(made.middle_key);
    EVP_PKEY_free(made.leaf_key);
    EVP_PKEY_free(made.other_key);
    return 0;
}

/* One letter a piece: l, m, r, o certificates; k the leaf's key, K another, e an encrypted one, x no PEM, b damaged. */
static void compose(struct buf *out, const char *recipe)
{
    buf_init(out, CERT_PEM_MAX * 2);
    for (; *recipe != '\0'; recipe++) {
        size_t before = out->len;

        switch (*recipe) {
        case 'l':
            add_cert(out, made.leaf);
            break;
        case 'm':
            add_cert(out, made.middle);
            break;
        case 'r':
            add_cert(out, made.root);
            break;
        case 'o':
            add_cert(out, made.other);
            break;
        case 'k':
            add_key(out, made.leaf_key, NULL);
            break;
        case 'K':
            add_key(out, made.other_key, NULL);
            break;
        case 'e':
            add_key(out, made.leaf_key, "secret");
            break;
        case 'b':
            add_cert(out, made.leaf);
            out->data[before + 60] = '!';
            break;
        case 'B': /* base64, but not a certificate */
            buf_str(out, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
            break;
        case 'p':
            buf_str(out, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
            break;
        default:
            buf_str(out, "nothing of ours\n");
        }
    }
    assert_true(buf_ok(out));
}

static const struct {
    const char *recipe;
    size_t count; /* 0: an error that says: */
    const char *says;
    bool key, mended;
} chains[] = {
    {"l", 1, NULL, false, false},
    {"lm", 2, NULL, false, false},
    {"lmr", 3, NULL, false, false},
    {"klmr", 3, NULL, true, false},
    {"lmrk", 3, NULL, true, false},
    {"xlxmpkx", 2, NULL, true, false},
    {"rmlk", 3, NULL, true, true},
    {"mlk", 2, NULL, true, true},
    {"lrmk", 3, NULL, true, true},
    {"llmk", 2, NULL, true, true},
    {"lmmk", 2, NULL, true, true},
    {"", 0, "is not PEM", false, false},
    {"x", 0, "is not PEM", false, false},
    {"k", 0, "there is no certificate", false, false},
    {"p", 0, "there is no certificate", false, false},
    {"lkk", 0, "two private keys", false, false},
    {"lmrK", 0, "belongs to none of the 3 certificates, the first of which is CN=mx.example.com (EC P-256)", false,
     false},
    {"lmrK", 0, "the private key (RSA 2048", false, false},
    {"el", 0, "openssl pkey", false, false},
    {"lrk", 0, "the certificate of CN=Middle, which issued the one before it, is missing; CN=Root", false, false},
    {"lmrok", 0, "CN=other.example (RSA 2048) does not belong to the chain, which ends with CN=Root", false, false},
    {"lok", 0, "the certificate of CN=Middle", false, false},
    {"rl", 0, "does not belong to the chain, which ends with CN=Root", false, false},
    {"b", 0, "is damaged", false, false},
    {"lB", 0, "certificate 2 is damaged", false, false},
    {"lmrooooooooooooooooo", 0, "there are 20 certificates in it, at most 16", false, false},
};

static void reads_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        struct cert_chain c;
        struct err e = {""};
        struct buf pem;
        int rc;

        compose(&pem, chains[i].recipe);
        rc = cert_chain_read(&c, buf_text(&pem), pem.len, &e);
        if ((rc == 0) != (chains[i].count > 0) || c.count != chains[i].count || (c.key != NULL) != chains[i].key ||
            c.mended != chains[i].mended || (rc != 0 && strstr(e.text, chains[i].says) == NULL))
            fail_msg("%s: %d, %zu certificates: %s", chains[i].recipe, rc, c.count, e.text);
        if (rc == 0)
            assert_int_equal(X509_cmp(c.cert[0], made.leaf), 0);
        if (c.count == 3)
            assert_int_equal(X509_cmp(c.cert[2], made.root), 0);
        assert_int_equal(ERR_peek_error(), 0);
        cert_chain_clear(&c);
        cert_chain_clear(&c);
        buf_clear(&pem);
    }
    cert_chain_clear(NULL);
}

static void reads_bounded_texts(void **state)
{
    struct cert_chain c;
    struct err e = {""};
    struct buf pem;
    char *blanks = malloc(CERT_PEM_MAX + 1);

    (void)state;
    memset(blanks, '\n', CERT_PEM_MAX + 1);
    assert_int_equal(cert_chain_read(&c, blanks, CERT_PEM_MAX + 1, &e), -1);
    assert_non_null(strstr(e.text, "at most"));
    assert_int_equal(cert_chain_read(&c, blanks, CERT_PEM_MAX, &e), -1);
    free(blanks);
    buf_init(&pem, CERT_PEM_MAX);
    for (int i = 0; i < 1000; i++)
        add_cert(&pem, made.root);
    assert_true(buf_ok(&pem));
    assert_int_equal(cert_chain_read(&c, pem.data, pem.len, &e), -1);
    assert_non_null(strstr(e.text, "1000 certificates"));
    buf_clear(&pem);
}

static void tells_facts(void **state)
{
    struct cert_facts f, root;
    uint8_t digest[CERT_DIGEST_LEN];

    (void)state;
    assert_int_equal(cert_facts_read(&f, made.leaf, NULL), 0);
    assert_string_equal(f.subject, "CN=mx.example.com");
    assert_string_equal(f.issuer, "CN=Middle");
    assert_string_equal(f.key, "EC P-256");
    assert_int_equal(f.key_type, CERT_KEY_EC);
    assert_int_equal(f.not_before, MADE_NOW - 10 * MADE_DAY);
    assert_int_equal(f.not_after, MADE_NOW + 80 * MADE_DAY);
    assert_false(f.ca || f.self_issued);
    assert_int_equal(f.names, 2);
    assert_string_equal(f.name[0], "mx.example.com");
    assert_string_equal(f.name[1], "*.example.org");
    assert_int_equal(f.odd_names, 0);
    assert_int_equal(cert_key_digest(digest, made.leaf_key), 0);
    assert_memory_equal(digest, f.spki_sha256, sizeof(digest));
    assert_int_equal(cert_facts_read(&root, made.root, NULL), 0);
    assert_true(root.ca && root.self_issued);
    cert_facts_clear(&root);
    cert_facts_clear(&f);
    cert_facts_clear(&f);
    cert_facts_clear(NULL);
}

static const struct {
    const char *host;
    bool fits;
} hosts[] = {
    {"mx.example.com", true},   {"a.example.org", true},    {"example.org", false},
    {"a.b.example.org", false}, {".example.org", false},    {"", false},
    {"example.com", false},     {"xmx.example.com", false}, {"*.example.org", false},
};

static void tells_for_which_hosts(void **state)
{
    struct cert_facts f;

    (void)state;
    assert_int_equal(cert_facts_read(&f, made.leaf, NULL), 0);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (cert_facts_name(&f, hosts[i].host) != hosts[i].fits)
            fail_msg("%s", hosts[i].host);
    cert_facts_clear(&f);
}

/* A certificate with these names, whatever stands in them. */
static X509 *with_names(const struct made *m, size_t count, const char *const *text, const size_t *len)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    X509 *cert = make_unsigned(m, made.leaf_key, NULL);
    char name[40];

    for (size_t i = 0; i < count; i++) {
        GENERAL_NAME *one = GENERAL_NAME_new();
        ASN1_IA5STRING *value = ASN1_IA5STRING_new();
        int octets = snprintf(name, sizeof(name), "h%zu.example", i);

        if (text != NULL)
            ASN1_STRING_set(value, text[i], (int)len[i]);
        else
            ASN1_STRING_set(value, name, octets);
        GENERAL_NAME_set0_value(one, GEN_DNS, value);
        sk_GENERAL_NAME_push(all, one);
    }
    X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0);
    GENERAL_NAMES_free(all);
    return make_signed(cert, made.leaf_key, false);
}

static void leaves_out_odd_names(void **state)
{
    static const struct made m = {"odd", NULL, 0, 1, false, false};
    static const char *const text[] = {"mx.example.com\0.evil.example",
                                       "*.*.example.com",
                                       "a b.example",
                                       "",
                                       "*",
                                       "b\xc3\xbc"
                                       "cher.example",
                                       "*.",
                                       "good.example",
                                       "f*.example.com",
                                       "192.0.2.1"};
    static const size_t len[] = {28, 15, 11, 0, 1, 14, 2, 12, 14, 9};
    X509 *cert = with_names(&m, sizeof(len) / sizeof(len[0]), text, len);
    struct cert_facts f;

    (void)state;
    assert_int_equal(cert_facts_read(&f, cert, NULL), 0);
    assert_int_equal(f.names, 1);
    assert_string_equal(f.name[0], "good.example");
    assert_int_equal(f.odd_names, 9);
    assert_false(cert_facts_name(&f, "mx.example.com"));
    cert_facts_clear(&f);
    X509_free(cert);
}

static void has_bounds(void **state)
{
    static const struct {
        size_t names;
        bool taken;
    } cases[] = {{CERT_NAMES_MAX, true}, {CERT_NAMES_MAX + 1, false}, {10000, false}};
    static const struct made m = {"many", NULL, 0, 1, false, false};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        X509 *cert = with_names(&m, cases[i].names, NULL, NULL);
        struct cert_chain c;
        struct cert_facts f;
        struct err e = {""};
        struct buf pem;

        assert_int_equal(cert_facts_read(&f, cert, &e) == 0, cases[i].taken);
        assert_int_equal(f.names, cases[i].taken ? cases[i].names : 0);
        cert_facts_clear(&f);
        buf_init(&pem, CERT_PEM_MAX);
        add_cert(&pem, cert);
        assert_int_equal(cert_chain_read(&c, pem.data, pem.len, &e) == 0, cases[i].names < 1000);
        cert_chain_clear(&c);
        buf_clear(&pem);
        X509_free(cert);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void shows_printable_text(void **state)
{
    static const struct made m = {"a\x01\x1b[31m\xc3\xbc", NULL, 0, 1, false, false};
    X509 *cert = make_cert(&m, made.leaf_key, NULL, NULL);
    struct cert_facts f;

    (void)state;
    assert_int_equal(cert_facts_read(&f, cert, NULL), 0);
    for (const char *c = f.subject; *c != '\0'; c++)
        assert_in_range(*c, 0x20, 0x7e);
    cert_facts_clear(&f);
    X509_free(cert);
}

static void refuses_odd_dates(void **state)
{
    static const struct made m = {"odd", NULL, 0, 1, false, false};
    X509 *cert = make_unsigned(&m, made.leaf_key, NULL);
    struct cert_facts f;
    struct err e = {""};

    (void)state;
    ASN1_STRING_set(X509_getm_notAfter(cert), "9913999999Z", 11);
    X509_sign(cert, made.leaf_key, EVP_sha256());
    assert_int_equal(cert_facts_read(&f, cert, &e), -1);
    assert_non_null(strstr(e.text, "dates"));
    X509_free(cert);
}

static void tells_whether_keys_work(void **state)
{
    (void)state;
    assert_true(cert_key_fits(made.leaf, made.leaf_key));
    assert_false(cert_key_fits(made.leaf, made.other_key));
    assert_false(cert_key_fits(made.leaf, made.root_key));
    assert_false(cert_key_fits(made.leaf, NULL));
    assert_true(cert_key_works(made.leaf_key));
    assert_true(cert_key_works(made.other_key));
    assert_int_equal(ERR_peek_error(), 0);
}

/* An RSA key of these numbers. d NULL: a public key. */
static EVP_PKEY *rsa_of(const BIGNUM *n, const BIGNUM *d)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *e = BN_new();
    EVP_PKEY *key = NULL;
    OSSL_PARAM *all;

    BN_set_word(e, 65537);
    OSSL_PARAM_BLD_push_BN(bld, "n", n);
    OSSL_PARAM_BLD_push_BN(bld, "e", e);
    if (d != NULL)
        OSSL_PARAM_BLD_push_BN(bld, "d", d);
    all = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY_fromdata_init(ctx);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, d != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, all), 1);
    OSSL_PARAM_free(all);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(ctx);
    BN_free(e);
    return key;
}

static void stands_huge_keys(void **state)
{
    static const struct made m = {"huge", "DNS:a.example", 0, 1, false, false};
    static const int bits[] = {16384, 16392, 60000};

    (void)state;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        BIGNUM *n = BN_new();
        EVP_PKEY *key;
        struct cert_facts f;
        X509 *cert;

        BN_rand(n, bits[i], BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
        key = rsa_of(n, NULL);
        cert = make_signed(make_unsigned(&m, key, NULL), made.other_key, false);
        assert_int_equal(cert_facts_read(&f, cert, NULL), 0);
        assert_false(f.self_issued);
        cert_facts_clear(&f);
        X509_free(cert);
        EVP_PKEY_free(key);
        BN_free(n);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void notices_broken_keys(void **state)
{
    BIGNUM *n = NULL, *d = NULL;
    EVP_PKEY *key;

    (void)state;
    EVP_PKEY_get_bn_param(made.other_key, "n", &n);
    EVP_PKEY_get_bn_param(made.other_key, "d", &d);
    key = rsa_of(n, d);
    assert_true(cert_key_works(key));
    EVP_PKEY_free(key);
    BN_add_word(d, 2);
    key = rsa_of(n, d);
    assert_true(cert_key_fits(made.other, key));
    assert_false(cert_key_works(key));
    EVP_PKEY_free(key);
    BN_free(n);
    BN_clear_free(d);
    assert_int_equal(ERR_peek_error(), 0);
}

static X509 *one_of(const struct made *m, EVP_PKEY *key, bool by_middle)
{
    return by_middle ? make_cert(m, key, made.middle, made.middle_key) : make_cert(m, key, NULL, NULL);
}

static const struct judge_case {
    const char *what, *key;
    struct made leaf;
    bool by_middle, with_middle, trust;
    const char *host;
    int64_t day; /* of the look */
    enum cert_verdict verdict;
    const char *says;
} verdicts[] = {
    {"good", "P-256", {"a", "DNS:a.example", -1, 9, 0, 0}, true, true, true, "a.example", 0, CERT_GOOD, ""},
    {"no names asked", "P-256", {"a", NULL, -1, 9, 0, 0}, true, true, true, NULL, 0, CERT_GOOD, ""},
    {"own", "P-256", {"a", "DNS:a.example", -1, 9, 0, 0}, false, false, false, "a.example", 0, CERT_GOOD, ""},
    {"own, trust",
     "P-256",
     {"a", "DNS:a.example", -1, 9, 0, 0},
     false,
     false,
     true,
     "a.example",
     0,
     CERT_UNTRUSTED,
     "self-signed"},
    {"gap",
     "P-256",
     {"a", "DNS:a.example", -1, 9, 0, 0},
     true,
     false,
     true,
     "a.example",
     0,
     CERT_UNTRUSTED,
     "its issuer, CN=Middle, is neither in the chain"},
    {"name",
     "P-256",
     {"a", "DNS:a.example", -1, 9, 0, 0},
     true,
     true,
     true,
     "b.example",
     0,
     CERT_NAME,
     "it is for a.example, not for b.example"},
    {"no name", "P-256", {"a", NULL, -1, 9, 0, 0}, true, true, true, "a", 0, CERT_NAME, "no host names"},
    {"expired",
     "P-256",
     {"a", "DNS:a.example", -9, -1, 0, 0},
     true,
     true,
     true,
     "a.example",
     0,
     CERT_EXPIRED,
     "it has expired on 2027-01-14"},
    {"expired, name", "P-256", {"a", "DNS:a.example", -9, -1, 0, 0}, true, true, true, "b.example", 0, CERT_NAME, ""},
    {"expired, own",
     "P-256",
     {"a", "DNS:a.example", -9, -1, 0, 0},
     false,
     false,
     false,
     "a.example",
     0,
     CERT_EXPIRED,
     "expired"},
    {"not yet",
     "P-256",
     {"a", "DNS:a.example", 1, 9, 0, 0},
     true,
     true,
     true,
     "a.example",
     0,
     CERT_NOT_YET,
     "not good before 2027-01-16"},
    {"middle expired",
     "P-256",
     {"a", "DNS:a.example", -1, 900, 0, 0},
     true,
     true,
     true,
     "a.example",
     600,
     CERT_EXPIRED,
     "CN=Middle: it has expired"},
    {"middle expired, no trust",
     "P-256",
     {"a", "DNS:a.example", -1, 900, 0, 0},
     true,
     true,
     false,
     "a.example",
     600,
     CERT_EXPIRED,
     "CN=Middle: it has expired"},
    {"weak key",
     "rsa1024",
     {"a", "DNS:a.example", -1, 9, 0, 0},
     true,
     true,
     true,
     "a.example",
     0,
     CERT_WEAK,
     "RSA 1024"},
    {"weak signature",
     "P-256",
     {"a", "DNS:a.example", -1, 9, 0, 1},
     true,
     true,
     true,
     "a.example",
     0,
     CERT_WEAK,
     "signature"},
    {"own, weak signature",
     "P-256",
     {"a", "DNS:a.example", -1, 9, 0, 1},
     false,
     false,
     false,
     "a.example",
     0,
     CERT_GOOD,
     ""},
    {"Ed25519", "ed25519", {"a", "DNS:a.example", -1, 9, 0, 0}, true, true, true, "a.example", 0, CERT_GOOD, ""},
};

static void judges(void **state)
{
    X509_STORE *trust = X509_STORE_new();

    (void)state;
    X509_STORE_add_cert(trust, made.root);
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        const struct judge_case *v = &verdicts[i];
        EVP_PKEY *key = make_key(v->key);
        struct cert_chain c = {.cert = {one_of(&v->leaf, key, v->by_middle), made.middle},
                               .count = v->with_middle ? 2 : 1};
        struct err e = {""};
        enum cert_verdict got =
            cert_chain_judge(&c, v->host, v->trust ? trust : NULL, MADE_NOW + v->day * MADE_DAY, &e);

        if (got != v->verdict || strstr(e.text, v->says) == NULL || (got == CERT_GOOD && e.text[0] != '\0'))
            fail_msg("%s: %s: %s", v->what, cert_verdict_name(got), e.text);
        assert_int_equal(ERR_peek_error(), 0);
        X509_free(c.cert[0]);
        EVP_PKEY_free(key);
    }
    X509_STORE_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_chains),
        cmocka_unit_test(reads_bounded_texts),
        cmocka_unit_test(tells_facts),
        cmocka_unit_test(tells_for_which_hosts),
        cmocka_unit_test(leaves_out_odd_names),
        cmocka_unit_test(has_bounds),
        cmocka_unit_test(shows_printable_text),
        cmocka_unit_test(refuses_odd_dates),
        cmocka_unit_test(tells_whether_keys_work),
        cmocka_unit_test(judges),
        cmocka_unit_test(stands_huge_keys),
        cmocka_unit_test(notices_broken_keys),
    };
    return cmocka_run_group_tests_name("certificate", tests, make, unmake);
}
