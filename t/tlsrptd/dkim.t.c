/* dkim.t.c - tests of dkim.c, dkim_relaxed.c and dkim_record.c: RFC 6376 3.4 and 3.7, RFC 8463, checks E9, E10. */
#include "dkim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define S(s)     s, sizeof(s) - 1
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT_MAX 100000

/* --- canonical forms --- */

static const struct {
    const char *in;
    size_t len;
    const char *want;
    size_t want_len;
} bodies[] = {
    {S(""), S("")},
    {S("\r\n"), S("")},
    {S("\r\n\r\n\r\n"), S("")},
    {S(" \t\r\n \r\n"), S("")}, /* lines of blanks only are empty */
    {S("a"), S("a\r\n")},
    {S("a\r\n"), S("a\r\n")},
    {S("a\r\n\r\n\r\n"), S("a\r\n")},
    {S("a\r\n \r\n\t\r\n"), S("a\r\n")},
    {S("a\r\n "), S("a\r\n")},
    {S("a \t\r\nb"), S("a\r\nb\r\n")},
    {S(" \t a \t b \r\n"), S(" a b\r\n")},
    {S("\r\n\r\na\r\n"), S("\r\n\r\na\r\n")},
    {S("a\r\n\r\n\r\nb\r\n\r\n"), S("a\r\n\r\n\r\nb\r\n")},
    {S(" C \r\nD \t E\r\n\r\n\r\n"), S(" C\r\nD E\r\n")}, /* RFC 6376 3.4.5 */
    {S("a\nb \n"), S("a\nb \n\r\n")},                     /* LF alone is no line end */
    {S("a\rb\r\r\n"), S("a\rb\r\r\n")},
    {S("\0 \0\r\n"), S("\0 \0\r\n")},
    {S("\r"), S("\r\r\n")},
};

static void relaxed_body_is_exact(void **state)
{
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        buf_init(&out, TEXT_MAX);
        dkim_relaxed_body(&out, bodies[i].in, bodies[i].len);
        assert_true(buf_ok(&out));
        if (out.len != bodies[i].want_len || memcmp(buf_text(&out), bodies[i].want, out.len) != 0)
            fail_msg("body %zu: \"%s\"", i, buf_text(&out));
        buf_clear(&out);
    }
}

static const struct {
    const char *in, *want;
} headers[] = {
    {"A: X\r\n", "a:X\r\n"}, /* RFC 6376 3.4.5, as the next */
    {"B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
    {"SUBJect:AbC", "subject:AbC\r\n"},
    {"Subject: \r\n folded \r\n\t twice\t\r\n", "subject:folded twice\r\n"},
    {"Subject:\r\n", "subject:\r\n"},
    {"Subject: \t \r\n", "subject:\r\n"},
    {"X \t: a:b : c", "x:a:b : c\r\n"},
    {"X:a\r\n b", "x:a b\r\n"},
    {"X:\xc3\xa9  \xff", "x:\xc3\xa9 \xff\r\n"},
    {"none", "none:\r\n"},
};

static void relaxed_header_is_exact(void **state)
{
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        buf_init(&out, TEXT_MAX);
        dkim_relaxed_header(&out, headers[i].in, strlen(headers[i].in));
        assert_string_equal(buf_text(&out), headers[i].want);
        buf_clear(&out);
    }
}

/* --- RFC 8463 appendix A --- */

#define EXAMPLE_FROM "From: Joe SixPack <joe@football.example.com>\r\n"
static const char example_header[] = EXAMPLE_FROM "To: Suzie Q <suzie@shopping.example.net>\r\n"
                                                  "Subject: Is dinner ready?\r\n"
                                                  "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                                                  "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
static const char example_body[] = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
static const char *const example_names[] = {"from", "to", "subject", "date", "message-id", "from", "subject", "date"};
static const char example_ed25519_field[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                                            " d=football.example.com; i=@football.example.com;\r\n"
                                            " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                                            " subject : date : message-id : from : subject : date;\r\n"
                                            " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                            " b=";
static const char example_ed25519[] =
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
static const char example_rsa_field[] = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                                        " d=football.example.com; i=@football.example.com;\r\n"
                                        " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                                        " date : message-id : from : subject : date;\r\n"
                                        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                        " b=";
static const char example_rsa[] = "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
                                  "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
                                  "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=";
static const char example_rsa_public[] =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b"
    "yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l"
    "/K4w3QIDAQAB";
/* RFC 8032 7.1, test 1; in base64 it is in RFC 8463 A.1. */
static const unsigned char example_secret[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                                 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                                 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};

static EVP_PKEY *example_key(void)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, example_secret, sizeof(example_secret));

    assert_non_null(key);
    return key;
}

static size_t decode(unsigned char *out, const char *base64)
{
    size_t len = strlen(base64), padding = 0;
    int n = EVP_DecodeBlock(out, (const unsigned char *)base64, (int)len);

    while (padding < len && base64[len - 1 - padding] == '=')
        padding++;
    assert_true(n > 0);
    return (size_t)n - padding;
}

static void ed25519_signs_as_the_example_does(void **state)
{
    EVP_PKEY *key = example_key();
    struct buf text, out;
    struct err e = {""};

    (void)state;
    buf_init(&text, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    dkim_signed_text(&text, S(example_header), example_names, COUNT(example_names), S(example_ed25519_field));
    assert_int_equal(dkim_signature(&out, key, buf_text(&text), text.len, &e), 0);
    assert_string_equal(buf_text(&out), example_ed25519);
    buf_clear(&text);
    buf_clear(&out);
    EVP_PKEY_free(key);
}

static void rsa_example_verifies_over_our_text(void **state)
{
    unsigned char der[1000], signature[1000];
    const unsigned char *at = der;
    size_t der_len = decode(der, example_rsa_public), signature_len = decode(signature, example_rsa);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX);
    dkim_signed_text(&text, S(example_header), example_names, COUNT(example_names), S(example_rsa_field));
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(ctx, signature, signature_len, (const unsigned char *)text.data, text.len), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    buf_clear(&text);
}

/* --- the field --- */

static const char ours[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                           "\td=football.example.com; s=brisbane; t=1528637909; h=from:to:subject:\r\n"
                           "\tdate:message-id:from:subject:date;\r\n"
                           "\tbh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";

static void field_is_as_it_should_be(void **state)
{
    EVP_PKEY *key = example_key();
    struct dkim_key k = {"football.example.com", "brisbane", key};
    struct buf out, text, want;
    struct err e = {""};

    (void)state;
    buf_init(&out, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    buf_init(&want, TEXT_MAX);
    assert_int_equal(
        dkim_sign(&out, &k, S(example_header), S(example_body), example_names, COUNT(example_names), 1528637909, &e),
        0);
    dkim_signed_text(&text, S(example_header), example_names, COUNT(example_names), S(ours));
    assert_int_equal(dkim_signature(&want, key, buf_text(&text), text.len, &e), 0);
    assert_memory_equal(buf_text(&out), ours, sizeof(ours) - 1);
    for (size_t i = 0, k2 = sizeof(ours) - 1; i < want.len; i++, k2++) {
        if (strncmp(out.data + k2, "\r\n\t", 3) == 0)
            k2 += 3;
        assert_int_equal(out.data[k2], want.data[i]);
    }
    assert_string_equal(out.data + out.len - 4, "==\r\n");
    for (const char *line = out.data, *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
        assert_true(end - line <= 71); /* 78 columns, a tab is 8 */
    buf_clear(&out);
    buf_clear(&text);
    buf_clear(&want);
    EVP_PKEY_free(key);
}

/* RFC 6376 5.4.2: of fields with the same name the last is signed first; a missing one is signed as absent. */
static void names_choose_from_the_last_upwards(void **state)
{
    static const char header[] = "A: 1\r\nB: 2\r\nA: 3\r\n\r\nA: body\r\n";
    static const char *const names[] = {"a", "a", "a", "b", "c"};
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    dkim_signed_text(&out, S(header), names, COUNT(names), S("D: b="));
    assert_string_equal(buf_text(&out), "a:3\r\na:1\r\nb:2\r\nd:b=");
    buf_clear(&out);
}

static const struct {
    const char *domain, *selector, *name;
    int64_t now;
    const char *error;
} refused[] = {
    {"example..com", "s", "from", 1, "DKIM domain: an empty label"},
    {"example.com\r\nBcc: x", "s", "from", 1, "DKIM domain: an octet that no domain name has"},
    {"Example.com", "s", "from", 1, "DKIM domain Example.com: it is to be written example.com"},
    {"example.com", "", "from", 1, "selector \"\": it is empty, too long, or ends with a dot"},
    {"example.com", "a.", "from", 1, "selector \"a.\": it is empty, too long, or ends with a dot"},
    {"example.com", "a;b", "from", 1, "selector \"a;b\": it is of letters, digits, '-' and '_', with dots between"},
    {"example.com", "s", "from:x", 1, "\"from:x\" is no name of a field to be signed"},
    {"example.com", "s", "", 1, "\"\" is no name of a field to be signed"},
    {"example.com", "s", "from", -1, "a signature's time is before 1970"},
    {"example.com", "20261122.a_b-c", "from", 1, NULL},
};

static void what_is_no_value_is_refused(void **state)
{
    EVP_PKEY *key = example_key();
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct dkim_key k = {refused[i].domain, refused[i].selector, key};
        struct err e = {""};
        int rc;

        buf_init(&out, TEXT_MAX);
        rc = dkim_sign(&out, &k, S(example_header), S(""), &refused[i].name, 1, refused[i].now, &e);
        assert_int_equal(rc, refused[i].error == NULL ? 0 : -1);
        assert_string_equal(e.text, refused[i].error == NULL ? "" : refused[i].error);
        assert_true((out.len == 0) == (rc != 0));
        buf_clear(&out);
    }
    EVP_PKEY_free(key);
}

static void keys_that_do_not_fit_are_refused(void **state)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256"), *small = EVP_RSA_gen(512), *public_only;
    struct buf out;
    struct err e = {""};
    unsigned char raw[32];
    size_t len = sizeof(raw);
    EVP_PKEY *key = example_key();

    (void)state;
    buf_init(&out, TEXT_MAX);
    assert_null(dkim_key_kind(ec, &e));
    assert_string_equal(e.text, "a key of another type (EC), but DKIM has RSA and Ed25519 only");
    assert_null(dkim_key_kind(small, &e));
    assert_string_equal(e.text, "an RSA key of 512 bits, but DKIM wants 1024 to 16384; make a new one of 2048");
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &len), 1);
    public_only = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, len);
    assert_int_equal(dkim_signature(&out, public_only, S("x"), &e), -1);
    assert_string_equal(e.text, "the key cannot sign; is it a private key?");
    EVP_PKEY_free(ec);
    EVP_PKEY_free(small);
    EVP_PKEY_free(public_only);
    EVP_PKEY_free(key);
    buf_clear(&out);
}

/* --- records --- */

#define P "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static void record_of_a_key(void **state)
{
    EVP_PKEY *key = example_key(), *rsa = EVP_RSA_gen(1024);
    struct buf out;
    struct err e = {""};

    (void)state;
    buf_init(&out, TEXT_MAX);
    assert_int_equal(dkim_record(&out, key, &e), 0);
    assert_string_equal(buf_text(&out), "v=DKIM1; k=ed25519; s=tlsrpt:email; p=" P); /* p= as in RFC 8463 A.2 */
    assert_int_equal(dkim_record_check(buf_text(&out), out.len, key, &e), 0);
    assert_int_equal(dkim_record_check(buf_text(&out), out.len, rsa, &e), -1);
    buf_reset(&out);
    assert_int_equal(dkim_record(&out, rsa, &e), 0);
    assert_memory_equal(buf_text(&out), "v=DKIM1; k=rsa; s=tlsrpt:email; p=MIGf", 38);
    assert_int_equal(dkim_record_check(buf_text(&out), out.len, rsa, &e), 0);
    assert_int_equal(dkim_record_check(buf_text(&out), out.len, key, &e), -1);
    EVP_PKEY_free(key);
    EVP_PKEY_free(rsa);
    buf_clear(&out);
}

#define NO_TLSRPT "the record has no s=tlsrpt: receivers may ignore reports that are signed with this key"

static const struct {
    const char *txt;
    int rc;
    const char *error;
} records[] = {
    {"v=DKIM1; k=ed25519; s=tlsrpt; p=" P, 0, ""},
    {"k=ed25519;s=email : tlsrpt;p=" P ";", 0, ""},
    {"v=DKIM1;k=ed25519;s=tlsrpt;n=a note;p=11qYAYKxCrfVS/7T yWQHOg7hcvPapi\r\n MlrwIaaPcHURo=", 0, ""},
    {"v=DKIM1; k=ed25519; h=sha1:sha256; s=tlsrpt; p=" P, 0, ""},
    {"v=DKIM1; k=ed25519; p=" P, 1, NO_TLSRPT},
    {"v=DKIM1; k=ed25519; s=*; p=" P, 1, NO_TLSRPT},
    {"v=DKIM1; k=ed25519; s=email; p=" P, 1, NO_TLSRPT},
    {"v=DKIM1; k=ed25519; s=tlsrpt; t=y; p=" P, 1,
     "the record has t=y (testing): receivers may take reports as if they were not signed"},
    {"v=DKIM1; k=ed25519; s=other; p=" P, -1, "the record is for other services only: s= must have tlsrpt"},
    {"v=DKIM1; k=ed25519; s=tlsrpt; p=", -1, "the record says that the key is revoked: p= is empty"},
    {"v=DKIM1; k=ed25519; s=tlsrpt", -1, "the record has no key: p= is missing"},
    {"", -1, "the record has no key: p= is missing"},
    {"v=DKIM1; s=tlsrpt; p=" P, -1, "the record is of a key of another type: it must have k=ed25519"},
    {"v=DKIM1; k=ed25519; s=tlsrpt; p=" P "A", -1, "the record is of another key: p= differs"},
    {"v=DKIM1; k=ed25519; s=tlsrpt; p=11qY", -1, "the record is of another key: p= differs"},
    {"v=DKIM2; k=ed25519; s=tlsrpt; p=" P, -1, "the record must begin with v=DKIM1"},
    {"k=ed25519; v=DKIM1; s=tlsrpt; p=" P, -1, "the record must begin with v=DKIM1"},
    {"v=DKIM1; k=ed25519; h=sha1; s=tlsrpt; p=" P, -1,
     "the record does not allow SHA-256: h= must have sha256, or be left out"},
    {"v=DKIM1; k=ed25519; p=" P "; p=" P, -1, "the record has p= twice"},
    {"v=spf1 -all", -1, "the record must begin with v=DKIM1"},
    {"hello", -1, "the record is none of a DKIM key: \"hello\" has no '='"},
};

static void record_that_was_published(void **state)
{
    EVP_PKEY *key = example_key();

    (void)state;
    for (size_t i = 0; i < COUNT(records); i++) {
        struct err e = {""};
        int rc = dkim_record_check(records[i].txt, strlen(records[i].txt), key, &e);

        if (rc != records[i].rc || strcmp(e.text, records[i].error) != 0)
            fail_msg("%s: %d, %s", records[i].txt, rc, e.text);
    }
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relaxed_body_is_exact),
        cmocka_unit_test(relaxed_header_is_exact),
        cmocka_unit_test(ed25519_signs_as_the_example_does),
        cmocka_unit_test(rsa_example_verifies_over_our_text),
        cmocka_unit_test(field_is_as_it_should_be),
        cmocka_unit_test(names_choose_from_the_last_upwards),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(keys_that_do_not_fit_are_refused),
        cmocka_unit_test(record_of_a_key),
        cmocka_unit_test(record_that_was_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
