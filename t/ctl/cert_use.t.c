/* cert_use.t - may a certificate go into a mail server, what has to be changed for it; without a server. */
#include "cert_use.h"
#include "setup_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "make_cert.h"

static struct postfix_printed printed(const char *text)
{
    return (struct postfix_printed){text, strlen(text)};
}

/* --- plans --- */

static const uint8_t digest[CERT_DIGEST_LEN];
static const struct cert_use use = {"mx", "/s/mx/live.pem", digest};

#define SERVICES "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"

static const struct postfix_plan {
    const char *main, *overrides;
    const char *wanted, *unwanted; /* part of the plan; NULL: nothing is looked for */
    size_t needed, clashes;
} postfix_plans[] = {
    {"", "", "postconf -e smtpd_tls_chain_files=/s/mx/live.pem", "submission", 2, 0},
    {"smtpd_tls_security_level = encrypt\n", "", NULL, "=may", 1, 0},
    {"smtpd_tls_security_level = none\n", "", "postconf -e smtpd_tls_security_level=may", NULL, 2, 0},
    {"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /s/mx/live.pem\n", "", NULL, "postconf -e", 0, 0},
    {"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /x\nsmtpd_tls_key_file = $smtpd_tls_cert_file\n", "",
     "postconf -e smtpd_tls_cert_file=\n", "smtpd_tls_key_file", 2, 0},
    {"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /x\nsmtp_tls_cert_file = $smtpd_tls_cert_file\n", "",
     "smtpd_tls_cert_file stays", "-e smtpd_tls_cert_file", 1, 0},
    {"smtpd_tls_security_level = may\n", "submission/inet/smtpd_tls_cert_file = /x\n",
     "postconf -P submission/inet/smtpd_tls_chain_files=", NULL, 2, 0},
    {"smtpd_tls_security_level = may\n", "submission/inet/smtpd_tls_chain_files = /x\n", NULL, "-P", 1, 0},
    {"smtpd_tls_security_level = may\n", "smtp/inet/smtpd_tls_eccert_file = /x\n", "take it out", NULL, 1, 1},
};

static void test_postfix_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(postfix_plans) / sizeof(postfix_plans[0]); i++) {
        const struct postfix_plan *w = &postfix_plans[i];
        struct cert_use_postfix_facts f = {.config_dir = "/etc/postfix"};
        struct setup_plan plan = {.server = "postfix"};
        struct postfix_conf postfix, set;
        struct buf out;

        assert_int_equal(postfix_conf_read(&postfix, printed(w->main), printed(SERVICES), printed(w->overrides), NULL),
                         0);
        assert_int_equal(postfix_conf_read(&set, printed(w->main), printed(""), printed(""), NULL), 0);
        f.postfix = &postfix;
        f.set = &set;
        cert_use_postfix(&plan, &use, &f);
        assert_int_equal(setup_plan_finish(&plan, NULL), 0);
        buf_init(&out, 100000);
        setup_print(&out, &plan, "postern.conf", false);
        if (setup_plan_count(&plan, SETUP_NEEDED) != w->needed || setup_plan_count(&plan, SETUP_CLASH) != w->clashes ||
            (w->wanted != NULL && strstr(buf_text(&out), w->wanted) == NULL) ||
            (w->unwanted != NULL && strstr(buf_text(&out), w->unwanted) != NULL))
            fail_msg("%zu: %s", i, buf_text(&out));
        buf_clear(&out);
        setup_plan_clear(&plan);
        postfix_conf_free(&postfix);
        postfix_conf_free(&set);
    }
}

#define COPY "/etc/exim4/postern-certs/mx.pem"

static const struct exim_plan {
    struct cert_use_exim_facts facts; /* what differs from a Debian's as it comes */
    const char *wanted, *unwanted;
    size_t needed, clashes;
} exim_plans[] = {
    {{.split = true}, "MAIN_TLS_CERTKEY = " COPY, "invoke-rc.d exim4 restart", 4, 0},
    {{.localmacros_counts = true, .macros = "MINE = 1\n"}, "| MINE = 1\n", NULL, 4, 0},
    {{.macros = NULL}, "make that one, it may be empty", NULL, 4, 1},
    {{.split = true, .folder_there = true, .copied = true}, "update-exim4.conf", "install", 2, 0},
    {{.split = true, .macros = "# >>> postern certificate\n"}, "one is missing", NULL, 4, 1},
    {{.own = true, .certificate = "/x"}, "write tls_certificate = " COPY, "update-exim4", 2, 1},
    {{.own = true, .certificate = COPY, .folder_there = true, .copied = true}, "nothing is needed", NULL, 0, 0},
    {{.split = true, .named = true}, "update-exim4.conf -d /etc/exim4", NULL, 4, 0},
};

static void test_exim_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(exim_plans) / sizeof(exim_plans[0]); i++) {
        const struct exim_plan *w = &exim_plans[i];
        struct cert_use_exim_facts f = w->facts;
        struct setup_plan plan = {.server = "exim"};
        struct buf out;

        f.config_dir = "/etc/exim4";
        f.copy = COPY;
        f.group = "Debian-exim";
        f.generated = true;
        cert_use_exim(&plan, &use, &f);
        assert_int_equal(setup_plan_finish(&plan, NULL), 0);
        buf_init(&out, 100000);
        setup_print(&out, &plan, "postern.conf", false);
        if (setup_plan_count(&plan, SETUP_NEEDED) != w->needed || setup_plan_count(&plan, SETUP_CLASH) != w->clashes ||
            strstr(buf_text(&out), w->wanted) == NULL ||
            (w->unwanted != NULL && strstr(buf_text(&out), w->unwanted) != NULL))
            fail_msg("%zu: %s", i, buf_text(&out));
        buf_clear(&out);
        setup_plan_clear(&plan);
    }
}

/* What is put in is found again, is the same again, and can be taken out. */
static void test_exim_block(void **state)
{
    static const char text[] = "A = 1\n# >>> postern macros: x\nB = 2\n# <<< postern macros\n";
    struct cert_use_exim_facts f = {.config_dir = "/e", .split = true, .macros = text, .copy = COPY, .group = "g"};
    struct setup_plan first = {.server = "exim"}, second = {.server = "exim"};
    struct buf out;

    (void)state;
    cert_use_exim(&first, &use, &f);
    f.macros = first.step[2].text;
    cert_use_exim(&second, &use, &f);
    assert_int_equal(second.step[2].kind, SETUP_FILE);
    assert_int_equal(second.step[2].state, SETUP_THERE);
    buf_init(&out, 10000);
    assert_true(cert_use_exim_take(&out, second.step[2].text));
    assert_string_equal(buf_text(&out), text);
    buf_reset(&out);
    assert_false(cert_use_exim_take(&out, text));
    buf_reset(&out);
    assert_true(setup_exim_take(&out, second.step[2].text)); /* setup takes its own alone */
    assert_non_null(strstr(buf_text(&out), "# <<< postern certificate"));
    buf_clear(&out);
    setup_plan_clear(&first);
    setup_plan_clear(&second);
}

/* --- may it? --- */

struct chain {
    EVP_PKEY *ca_key, *key;
    X509 *ca, *leaf;
    struct cert_entry entry;
};

static void chain_make(struct chain *c, int64_t to, bool with_ca)
{
    struct buf pem;
    struct err e = {""};

    memset(c, 0, sizeof(*c));
    c->ca_key = make_key("P-256");
    c->key = make_key("P-256");
    c->ca = make_cert(&(struct made){"CA", NULL, -1, 400, true, false}, c->ca_key, NULL, NULL);
    c->leaf = make_cert(&(struct made){"mx", "DNS:mx.example", -1, to, false, false}, c->key, c->ca, c->ca_key);
    buf_init(&pem, 100000);
    add_key(&pem, c->key, NULL);
    add_cert(&pem, c->leaf);
    if (with_ca)
        add_cert(&pem, c->ca);
    if (cert_chain_read(&c->entry.live, buf_text(&pem), pem.len, &e) != 0 ||
        cert_facts_read(&c->entry.leaf, c->entry.live.cert[0], &e) != 0)
        fail_msg("%s", e.text);
    buf_clear(&pem);
}

static void chain_free(struct chain *c)
{
    cert_chain_clear(&c->entry.live);
    cert_facts_clear(&c->entry.leaf);
    X509_free(c->ca);
    X509_free(c->leaf);
    EVP_PKEY_free(c->ca_key);
    EVP_PKEY_free(c->key);
}

static const struct judged {
    int64_t to; /* days that it is good */
    bool with_ca, trusted, mended;
    const char *host;
    enum cert_use_verdict verdict;
    const char *said; /* "": nothing */
} judged[] = {
    {90, true, true, false, "mx.example", CERT_USE_GOOD, ""},
    {90, false, true, false, "mx.example", CERT_USE_GOOD, ""},
    {90, true, false, false, "mx.example", CERT_USE_GOOD, "warning: "},
    {90, false, false, false, "mx.example", CERT_USE_REFUSED, "not complete"},
    {90, true, true, true, "mx.example", CERT_USE_REFUSED, "not in order"},
    {90, true, true, false, "mx2.example", CERT_USE_REFUSED, "not for mx2.example"},
    {90, true, true, false, "", CERT_USE_GOOD, ""},
    {1, true, true, false, "mx.example", CERT_USE_REFUSED, "within a day"},
    {0, true, true, false, "mx.example", CERT_USE_REFUSED, ""},
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
        const struct judged *j = &judged[i];
        X509_STORE *trust = X509_STORE_new();
        enum cert_use_verdict v;
        struct buf said;
        struct chain c;

        chain_make(&c, j->to, j->with_ca);
        c.entry.live.mended = j->mended;
        if (j->trusted)
            X509_STORE_add_cert(trust, c.ca);
        buf_init(&said, 10000);
        v = cert_use_judge(&said, &c.entry, j->host, trust, MADE_NOW + 1);
        if (v != j->verdict ||
            (*j->said != '\0' ? strstr(buf_text(&said), j->said) == NULL : v == CERT_USE_GOOD && said.len > 0))
            fail_msg("%zu: %d, %s", i, (int)v, buf_text(&said));
        buf_clear(&said);
        X509_STORE_free(trust);
        chain_free(&c);
    }
}

/* Leaf and root are good; what stands between them has ended, or ends soon. */
static void test_judge_between(void **state)
{
    static const struct {
        int64_t to;
        enum cert_use_verdict verdict;
        const char *said;
    } rows[] = {
        {90, CERT_USE_GOOD, ""},
        {1, CERT_USE_REFUSED, "it ends within a day (CN=Between: "},
        {-1, CERT_USE_REFUSED, "CN=Between: it has expired on "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *root_key = make_key("P-256"), *key = make_key("P-256"), *leaf_key = make_key("P-256");
        X509 *root = make_cert(&(struct made){"Root", NULL, -400, 400, true, false}, root_key, NULL, NULL);
        X509 *between = make_cert(&(struct made){"Between", NULL, -400, rows[i].to, true, false}, key, root, root_key);
        X509 *leaf = make_cert(&(struct made){"mx", "DNS:mx.example", -1, 90, false, false}, leaf_key, between, key);
        X509_STORE *trust = X509_STORE_new();
        struct cert_entry entry = {.trouble = ""};
        struct err e = {""};
        struct buf pem, said;

        X509_STORE_add_cert(trust, root);
        buf_init(&said, 10000);
        buf_init(&pem, 100000);
        add_key(&pem, leaf_key, NULL);
        add_cert(&pem, leaf);
        add_cert(&pem, between);
        if (cert_chain_read(&entry.live, buf_text(&pem), pem.len, &e) != 0 ||
            cert_facts_read(&entry.leaf, entry.live.cert[0], &e) != 0)
            fail_msg("%s", e.text);
        assert_int_equal(cert_use_judge(&said, &entry, "mx.example", trust, MADE_NOW + 1), rows[i].verdict);
        if (strncmp(buf_text(&said), rows[i].said, strlen(rows[i].said)) != 0)
            fail_msg("%zu: %s", i, buf_text(&said));
        buf_clear(&pem);
        buf_clear(&said);
        cert_chain_clear(&entry.live);
        cert_facts_clear(&entry.leaf);
        X509_STORE_free(trust);
        X509_free(root);
        X509_free(between);
        X509_free(leaf);
        EVP_PKEY_free(root_key);
        EVP_PKEY_free(key);
        EVP_PKEY_free(leaf_key);
    }
}

static void test_judge_never(void **state)
{
    struct cert_entry none = {.trouble = "live.pem: no"};
    struct chain c, other;
    struct buf said;

    (void)state;
    buf_init(&said, 10000);
    assert_int_equal(cert_use_judge(&said, &none, "", NULL, MADE_NOW), CERT_USE_NEVER);
    assert_string_equal(buf_text(&said), "live.pem: no\n");
    none.trouble[0] = '\0';
    assert_int_equal(cert_use_judge(&said, &none, "", NULL, MADE_NOW), CERT_USE_NEVER);
    chain_make(&c, 90, true);
    chain_make(&other, 90, true);
    EVP_PKEY_free(c.entry.live.key);
    c.entry.live.key = other.entry.live.key;
    other.entry.live.key = NULL;
    assert_int_equal(cert_use_judge(&said, &c.entry, "mx.example", NULL, MADE_NOW), CERT_USE_NEVER);
    assert_int_equal(cert_use_judge(&said, &other.entry, "mx.example", NULL, MADE_NOW), CERT_USE_NEVER);
    chain_free(&c);
    chain_free(&other);
    buf_clear(&said);
}

/* A record that fits this certificate; wrong: but for an octet */
static void record(struct dns_rr *rr, X509 *cert, int usage, int selector, int type, bool wrong)
{
    unsigned char *der = NULL, *data = malloc(EVP_MAX_MD_SIZE + 4096);
    int len = selector == 0 ? i2d_X509(cert, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    unsigned int size = (unsigned)len;

    assert_non_null(data);
    if (type == 0)
        memcpy(data, der, size);
    else
        EVP_Digest(der, (size_t)len, data, &size, type == 1 ? EVP_sha256() : EVP_sha512(), NULL);
    data[size - 1] ^= (unsigned char)wrong;
    OPENSSL_free(der);
    rr->tlsa = (struct tlsa){(uint8_t)usage, (uint8_t)selector, (uint8_t)type, (uint16_t)size, data};
}

static const struct dane {
    int usage, selector, type;
    bool of_ca, wrong, insecure;
    enum dns_status status;
    enum cert_use_verdict verdict;
} danes[] = {
    {3, 1, 1, false, false, false, DNS_FOUND, CERT_USE_GOOD},
    {3, 0, 2, false, false, false, DNS_FOUND, CERT_USE_GOOD},
    {3, 1, 0, false, false, false, DNS_FOUND, CERT_USE_GOOD},
    {2, 0, 1, true, false, false, DNS_FOUND, CERT_USE_GOOD},
    {2, 1, 2, true, false, false, DNS_FOUND, CERT_USE_GOOD},
    {3, 1, 1, false, true, false, DNS_FOUND, CERT_USE_REFUSED},
    {3, 1, 1, true, false, false, DNS_FOUND, CERT_USE_REFUSED},  /* that of the CA is no DANE-EE */
    {2, 1, 1, false, false, false, DNS_FOUND, CERT_USE_REFUSED}, /* nor that of the leaf a DANE-TA */
    {3, 1, 1, false, false, true, DNS_FOUND, CERT_USE_GOOD},
    {3, 1, 1, false, true, true, DNS_FOUND, CERT_USE_REFUSED}, /* others validate where we do not */
    {1, 1, 1, false, true, false, DNS_FOUND, CERT_USE_GOOD},   /* not usable: RFC 7672 3.1.3 */
    {3, 1, 1, false, true, false, DNS_NODATA, CERT_USE_GOOD},
    {3, 1, 1, false, true, false, DNS_NXDOMAIN, CERT_USE_GOOD},
    {3, 1, 1, false, false, false, DNS_FAILED, CERT_USE_LATER},
};

static void test_dane(void **state)
{
    struct chain c;

    (void)state;
    chain_make(&c, 90, true);
    for (size_t i = 0; i < sizeof(danes) / sizeof(danes[0]); i++) {
        const struct dane *d = &danes[i];
        struct dns_rr rr = {0};
        struct dns_answer answer = {.status = d->status,
                                    .secure = !d->insecure,
                                    .ttl = i % 2 == 0 ? 300 : 60,
                                    .rr = &rr,
                                    .count = d->status == DNS_FOUND};
        enum cert_use_verdict v;
        struct buf said;

        record(&rr, d->of_ca ? c.ca : c.leaf, d->usage, d->selector, d->type, d->wrong);
        buf_init(&said, 10000);
        v = cert_use_judge_tlsa(&said, &c.entry.live, "mx.example", &answer, i % 2 == 0 ? 60 : 300);
        if (v != d->verdict || (said.len > 0) != (v != CERT_USE_GOOD) ||
            (v == CERT_USE_REFUSED && (strstr(buf_text(&said), "_25._tcp.mx.example. IN TLSA 3 1 1 ") == NULL ||
                                       strstr(buf_text(&said), "wait 600 seconds") == NULL)))
            fail_msg("%zu: %d, %s", i, (int)v, buf_text(&said));
        buf_clear(&said);
        tlsa_clear(&rr.tlsa);
    }
    chain_free(&c);
}

static void test_uses(void **state)
{
    struct cert_about a = {0};
    char text[40];

    (void)state;
    assert_true(cert_use_text(text, sizeof(text), "postfix", "/etc/postfix"));
    assert_string_equal(text, "postfix:/etc/postfix");
    assert_false(cert_use_text(text, 10, "postfix", "/etc/postfix"));
    assert_int_equal(cert_use_add(&a, "x:/a"), 0);
    assert_int_equal(cert_use_add(&a, text), 0);
    assert_int_equal(cert_use_add(&a, text), 0);
    assert_int_equal(a.uses, 2);
    assert_true(cert_use_drop(&a, "x:/a"));
    assert_false(cert_use_drop(&a, "x:/a"));
    assert_true(cert_use_has(&a, text));
    assert_true(cert_use_drop(&a, text));
    for (int i = 0; i < CERT_USES_MAX; i++) {
        (void)snprintf(text, sizeof(text), "x:/%d", i);
        assert_int_equal(cert_use_add(&a, text), 0);
    }
    assert_int_equal(cert_use_add(&a, "x:/more"), -1);
    for (size_t i = 0; i < a.uses; i++)
        free(a.use[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postfix_plan), cmocka_unit_test(test_exim_plan),     cmocka_unit_test(test_exim_block),
        cmocka_unit_test(test_judge),        cmocka_unit_test(test_judge_between), cmocka_unit_test(test_judge_never),
        cmocka_unit_test(test_dane),         cmocka_unit_test(test_uses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
