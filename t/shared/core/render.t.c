/* render.t.c - tests of render.c: decisions as Postfix reads them (A12). */
#include "render.h"

#include "netstring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENFORCE "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.example.net\nmax_age: 86400\n"
#define TESTING "version: STSv1\r\nmode: testing\r\nmx: mx.example.com\r\nmax_age: 100\r\n"

#define STRINGS                                                                                                     \
    " { policy_string = version: STSv1 } { policy_string = mode: enforce } { policy_string = mx: mx1.example.com }" \
    " { policy_string = mx: *.example.net } { policy_string = max_age: 86400 }"
#define ATTRIBUTES                                                        \
    " policy_type=sts policy_ttl=86400 policy_domain=example.com" STRINGS \
    " mx_host_pattern=mx1.example.com mx_host_pattern=*.example.net"
#define TESTING_ATTRIBUTES                                                                                       \
    " policy_type=sts policy_ttl=100 policy_domain=example.com { policy_string = version: STSv1 }"               \
    " { policy_string = mode: testing } { policy_string = mx: mx.example.com } { policy_string = max_age: 100 }" \
    " mx_host_pattern=mx.example.com"
#define SECURE     "OK secure match=mx1.example.com:.example.net servername=hostname"
#define TEMP_MATCH "TEMP the match list of the MTA-STS policy is empty or too long"

static struct dest *make(const char *body)
{
    struct dest *d = dest_new("example.com");

    assert_non_null(d);
    if (body != NULL)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, strlen(body), 1000, NULL), 0);
    return d;
}

/* The contents of the one netstring that out must be. */
static const char *contents(struct buf *out)
{
    struct netstring n;

    assert_true(buf_ok(out));
    assert_int_equal(netstring_parse(&n, out->data, out->len, SOCKETMAP_REPLY_MAX), 1);
    assert_int_equal(n.total, out->len);
    out->data[out->len - 1] = '\0'; /* the comma */
    return n.data;
}

static void assert_renders(const char *name, const struct decision *decision, const struct dest *d, const char *plain,
                           const char *tlsrpt)
{
    struct buf out;
    const char *got;

    buf_init(&out, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    render_postfix(&out, decision, d);
    got = contents(&out);
    if (strcmp(got, plain) != 0)
        fail_msg("%s: plain: \"%.300s\"", name, got);
    buf_reset(&out);
    render_postfix_tlsrpt(&out, decision, d);
    got = contents(&out);
    if (strcmp(got, tlsrpt) != 0)
        fail_msg("%s: tlsrpt: \"%.600s\"", name, got);
    buf_clear(&out);
}

struct render_case {
    const char *name;
    const char *body; /* NULL: no policy */
    enum tls_level level;
    bool use_sts;
    bool testing;
    const char *plain;
    const char *tlsrpt;
};

static const struct render_case cases[] = {
    {"default", NULL, LEVEL_DEFAULT, false, false, "NOTFOUND ", "NOTFOUND "},
    {"none", NULL, LEVEL_NONE, false, false, "OK none", "OK none"},
    {"may", NULL, LEVEL_MAY, false, false, "OK may", "OK may"},
    {"encrypt", NULL, LEVEL_ENCRYPT, false, false, "OK encrypt", "OK encrypt"},
    {"dane", NULL, LEVEL_DANE, false, false, "OK dane", "OK dane"},
    {"verify", NULL, LEVEL_VERIFY, false, false, "OK verify", "OK verify"},
    {"dane-only", NULL, LEVEL_DANE_ONLY, false, false, "OK dane-only", "OK dane-only"},
    {"dane-only backed by a policy", ENFORCE, LEVEL_DANE_ONLY, true, false, "OK dane-only", "OK dane-only"},
    {"secure, not by the policy", ENFORCE, LEVEL_SECURE, false, false, "OK secure", "OK secure"},
    {"A12 secure", ENFORCE, LEVEL_SECURE, true, false, SECURE, SECURE ATTRIBUTES},
    {"A12 testing, level default", TESTING, LEVEL_DEFAULT, false, true, "NOTFOUND ", "OK may" TESTING_ATTRIBUTES},
    {"A12 testing, level may", TESTING, LEVEL_MAY, false, true, "OK may", "OK may" TESTING_ATTRIBUTES},
    {"testing, level none takes no attribute", TESTING, LEVEL_NONE, false, true, "OK none", "OK none"},
    {"testing, level dane", TESTING, LEVEL_DANE, false, true, "OK dane", "OK dane"},
    {"testing, level encrypt", TESTING, LEVEL_ENCRYPT, false, true, "OK encrypt", "OK encrypt" TESTING_ATTRIBUTES},
    {"testing said, no policy there", NULL, LEVEL_DEFAULT, false, true, "NOTFOUND ", "NOTFOUND "},
    {"a policy that does not bind", ENFORCE, LEVEL_DEFAULT, false, false, "NOTFOUND ", "NOTFOUND "},
    {"secure without a policy is not weakened", NULL, LEVEL_SECURE, true, false, TEMP_MATCH, TEMP_MATCH},
    {"secure without patterns is not weakened", "version: STSv1\nmode: none\nmax_age: 1\n", LEVEL_SECURE, true, false,
     TEMP_MATCH, TEMP_MATCH},
    {"words of the match list are no names",
     "version: STSv1\nmode: enforce\nmx: hostname\nmx: nexthop\nmx: dot-nexthop\nmax_age: 1\n", LEVEL_SECURE, true,
     false, TEMP_MATCH, TEMP_MATCH},
    {"words of the match list beside names",
     "version: STSv1\nmode: enforce\nmx: hostname\nmx: *.a.example\nmax_age: 1\n", LEVEL_SECURE, true, false,
     "OK secure match=.a.example servername=hostname",
     "OK secure match=.a.example servername=hostname policy_type=sts policy_ttl=1 policy_domain=example.com"
     " { policy_string = version: STSv1 } { policy_string = mode: enforce } { policy_string = mx: hostname }"
     " { policy_string = mx: *.a.example } { policy_string = max_age: 1 } mx_host_pattern=hostname"
     " mx_host_pattern=*.a.example"},
    {"A12 lines with braces, tabs and other alphabets are left out",
     "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\nx1: {a}\nx2: b } policy_ttl=0 {\nx3: \xc3\xa9\nx4: "
     "c,d=e\nx6: {\nx7: }\n"
     "x5:\tf\n",
     LEVEL_SECURE, true, false, "OK secure match=a.example servername=hostname",
     "OK secure match=a.example servername=hostname policy_type=sts policy_ttl=1 policy_domain=example.com"
     " { policy_string = version: STSv1 } { policy_string = mode: enforce } { policy_string = mx: a.example }"
     " { policy_string = max_age: 1 } { policy_string = x4: c,d=e } mx_host_pattern=a.example"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct render_case *c = &cases[i];
        struct dest *d = make(c->body);
        struct decision decision = {
            .level = c->level, .use_sts = c->use_sts, .sts_testing = c->testing, .reason_count = 1};

        assert_renders(c->name, &decision, d, c->plain, c->tlsrpt);
        dest_free(d);
    }
}

static void test_without_facts(void **state)
{
    struct decision decision = {.reason_count = 1};

    (void)state;
    assert_renders("default", &decision, NULL, "NOTFOUND ", "NOTFOUND ");
    decision.level = LEVEL_DANE_ONLY;
    assert_renders("dane-only", &decision, NULL, "OK dane-only", "OK dane-only");
    decision.level = LEVEL_SECURE;
    decision.use_sts = true;
    assert_renders("secure", &decision, NULL, TEMP_MATCH, TEMP_MATCH);
}

static void test_temp(void **state)
{
    struct decision decision = {.temp = true, .level = LEVEL_DANE_ONLY, .use_sts = true, .sts_testing = true};
    struct dest *d = make(ENFORCE);

    (void)state;
    assert_renders("no reason", &decision, d, "TEMP no policy now", "TEMP no policy now");
    decision.reason_count = 2;
    snprintf(decision.reason[0], DECIDE_REASON_MAX, "first");
    snprintf(decision.reason[1], DECIDE_REASON_MAX, "temporary: {x}\n\x01\xc3\xa9");
    assert_renders("last reason", &decision, d, "TEMP temporary: (x)????", "TEMP temporary: (x)????");
    dest_free(d);
}

/* A policy of count mx lines and as many extension lines of width octets. */
static char *long_policy(const char *mode, unsigned count, unsigned extensions, unsigned width)
{
    struct buf body;
    char *copy;

    buf_init(&body, STS_BODY_MAX);
    buf_printf(&body, "version: STSv1\nmode: %s\nmax_age: 86400\n", mode);
    for (unsigned i = 0; i < count; i++)
        buf_printf(&body, "mx: %0*u.example\n", (int)(width < 63 ? width : 63), i);
    for (unsigned i = 0; i < extensions; i++)
        buf_printf(&body, "x: %0*u\n", (int)width, i);
    assert_true(buf_ok(&body));
    copy = strdup(buf_text(&body));
    assert_non_null(copy);
    buf_clear(&body);
    return copy;
}

static bool has(const struct buf *out, const char *words)
{
    return strstr(out->data, words) != NULL;
}

static void render_long(struct buf *out, const char *mode, unsigned count, unsigned extensions, unsigned width)
{
    char *body = long_policy(mode, count, extensions, width);
    struct dest *d = make(body);
    struct decision decision = {.reason_count = 1};

    decision.use_sts = d->sts.policy.mode == STS_MODE_ENFORCE;
    decision.sts_testing = !decision.use_sts;
    decision.level = decision.use_sts ? LEVEL_SECURE : LEVEL_DEFAULT;
    render_postfix_tlsrpt(out, &decision, d);
    contents(out);
    dest_free(d);
    free(body);
}

/* What is too long for Postfix goes step by step: strings, then all attributes; the match list never. */
static void test_long(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    render_long(&out, "enforce", 300, 0, 40);
    assert_true(has(&out, " policy_string = ") && has(&out, "mx_host_pattern="));

    buf_reset(&out);
    render_long(&out, "enforce", 900, 0, 40); /* 44 KB of match list and 58 KB of patterns */
    assert_false(has(&out, "policy_") || has(&out, "mx_host_pattern"));
    assert_true(has(&out, ":OK secure match=") && has(&out, " servername=hostname"));

    buf_reset(&out);
    render_long(&out, "enforce", 700, 0, 40);
    assert_false(has(&out, "policy_string"));
    assert_true(has(&out, " servername=hostname policy_type=sts policy_ttl=86400") && has(&out, "mx_host_pattern="));

    buf_reset(&out);
    render_long(&out, "testing", 1, 8000, 4); /* "{ policy_string = ... }" is longer than a line by far */
    assert_false(has(&out, "policy_string"));
    assert_true(has(&out, ":OK may policy_type=sts") && has(&out, "mx_host_pattern="));
    buf_clear(&out);
}

static char *repeated(const char *label, size_t len)
{
    char *name = malloc(len + 1);

    assert_non_null(name);
    for (size_t i = 0; i < len; i++)
        name[i] = label[i % strlen(label)];
    name[len] = '\0';
    return name;
}

/* Patterns that no body can hold (1000 of 250 octets), put into the struct by hand. */
static void test_match_too_long(void **state)
{
    struct decision decision = {.level = LEVEL_SECURE, .use_sts = true, .reason_count = 1};
    struct dest *d = make(NULL);

    (void)state;
    d->sts.has_policy = true;
    d->sts.policy.mx = calloc(1000, sizeof *d->sts.policy.mx);
    assert_non_null(d->sts.policy.mx);
    for (size_t i = 0; i < 1000; i++)
        d->sts.policy.mx[i] = repeated("abc.", 250);
    d->sts.policy.mx_count = 1000;
    assert_renders("1000 long patterns", &decision, d, TEMP_MATCH, TEMP_MATCH);
    decision = (struct decision){.level = LEVEL_DEFAULT, .sts_testing = true, .reason_count = 1};
    assert_renders("testing: the MTA's own level goes", &decision, d, "NOTFOUND ", "NOTFOUND ");
    dest_free(d);
}

/* Values that never come from a parser are not sent, whoever put them there. */
static void test_foreign_values(void **state)
{
    static const char *const bad[] = {
        "a.example servername=x", "a.example:hostname", "a{b", "", "*.", ".", ".a.example", "*..a", "a,b", "A.example"};
    struct decision decision = {.level = LEVEL_SECURE, .use_sts = true, .reason_count = 1};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dest *d = make(ENFORCE);
        struct buf out;

        free(d->sts.policy.mx[0]);
        d->sts.policy.mx[0] = strdup(bad[i]);
        buf_init(&out, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
        render_postfix_tlsrpt(&out, &decision, d);
        assert_true(has(&out, "OK secure match=.example.net servername=hostname "));
        assert_true(has(&out, "} mx_host_pattern=*.example.net"));
        buf_reset(&out);
        snprintf(d->domain, sizeof d->domain, "x.example { y");
        render_postfix_tlsrpt(&out, &decision, d);
        assert_false(has(&out, "{"));
        buf_clear(&out);
        dest_free(d);
    }
}

#define PINS " protocols=>=TLSv1.2:<=TLSv1.3 ciphers=high"

/* TLS versions and ciphers go with every level but none, behind the match list. */
static void test_pins(void **state)
{
    static const struct {
        const char *name;
        const char *body;
        enum tls_level level;
        bool use_sts;
        bool testing;
        const char *plain;
        const char *tlsrpt;
    } rows[] = {
        {"none", NULL, LEVEL_NONE, false, false, "OK none", "OK none"},
        {"may", NULL, LEVEL_MAY, false, false, "OK may" PINS, "OK may" PINS},
        {"encrypt", NULL, LEVEL_ENCRYPT, false, false, "OK encrypt" PINS, "OK encrypt" PINS},
        {"dane", NULL, LEVEL_DANE, false, false, "OK dane" PINS, "OK dane" PINS},
        {"verify", NULL, LEVEL_VERIFY, false, false, "OK verify" PINS, "OK verify" PINS},
        {"secure", NULL, LEVEL_SECURE, false, false, "OK secure" PINS, "OK secure" PINS},
        {"dane-only", NULL, LEVEL_DANE_ONLY, false, false, "OK dane-only" PINS, "OK dane-only" PINS},
        {"policy", ENFORCE, LEVEL_SECURE, true, false, SECURE PINS, SECURE PINS ATTRIBUTES},
        {"testing", TESTING, LEVEL_ENCRYPT, false, true, "OK encrypt" PINS, "OK encrypt" PINS TESTING_ATTRIBUTES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dest *d = make(rows[i].body);
        struct decision decision = {.level = rows[i].level,
                                    .use_sts = rows[i].use_sts,
                                    .sts_testing = rows[i].testing,
                                    .protocols = ">=TLSv1.2:<=TLSv1.3",
                                    .ciphers = "high",
                                    .reason_count = 1};

        assert_renders(rows[i].name, &decision, d, rows[i].plain, rows[i].tlsrpt);
        dest_free(d);
    }
}

/* One of them alone, and values that would be more than a value. */
static void test_pin_values(void **state)
{
    static const struct {
        const char *protocols;
        const char *ciphers;
        const char *answer; /* NULL: TEMP */
    } rows[] = {
        {"", "", "OK encrypt"},
        {NULL, NULL, "OK encrypt"},
        {"!TLSv1:!TLSv1.1", "", "OK encrypt protocols=!TLSv1:!TLSv1.1"},
        {"", "medium", "OK encrypt ciphers=medium"},
        {"TLSv1.2 match=x", "", NULL},
        {"TLSv1.2,match=x", "", NULL},
        {"TLSv1.2\tmatch=x", "", NULL},
        {"TLSv1.2\nmatch=x", "", NULL},
        {"{TLSv1.2}", "", NULL},
        {" ", "", NULL},
        {"TLSv1.2\xc2\xa0", "", NULL},
        {"TLSv1.2", "high match=x", NULL},
    };
    static const char temp[] = "TEMP the TLS versions or ciphers that the list protocols has cannot be said to the MTA";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct decision decision = {.level = LEVEL_ENCRYPT, .reason_count = 1};
        const char *answer = rows[i].answer == NULL ? temp : rows[i].answer;

        decision.protocols = rows[i].protocols;
        decision.ciphers = rows[i].ciphers;
        assert_renders(answer, &decision, NULL, answer, answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases), cmocka_unit_test(test_without_facts),  cmocka_unit_test(test_temp),
        cmocka_unit_test(test_long),  cmocka_unit_test(test_match_too_long), cmocka_unit_test(test_foreign_values),
        cmocka_unit_test(test_pins),  cmocka_unit_test(test_pin_values),
    };

    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
