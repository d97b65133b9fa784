/* Tests of policyd/request.c: keys as Postfix sends them (doc/architecture.md, "What Postfix asks"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "request.h"

#include <string.h>

struct row {
    const char *text;
    enum request_kind kind;
    enum answer_map map;
    const char *name;
};

static const struct row rows[] = {
    {"postfix example.com", REQUEST_POLICY, ANSWER_POSTFIX, "example.com"},
    {"QUERY example.com", REQUEST_POLICY, ANSWER_POSTFIX, "example.com"},
    {"QUERYwithTLSRPT example.com", REQUEST_POLICY, ANSWER_TLSRPT, "example.com"},
    {"postfix NoRPT.Example", REQUEST_POLICY, ANSWER_POSTFIX, "norpt.example"},
    {"postfix example.com.", REQUEST_POLICY, ANSWER_POSTFIX, "example.com"},
    {"postfix good.example:25", REQUEST_POLICY, ANSWER_POSTFIX, "good.example"},
    {"postfix .example", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"postfix .", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"postfix [mx.good.example]", REQUEST_POLICY, ANSWER_POSTFIX, "mx.good.example"},
    {"postfix [mx.good.example]:25", REQUEST_POLICY, ANSWER_POSTFIX, "mx.good.example"},
    {"postfix [192.0.2.11]", REQUEST_POLICY, ANSWER_POSTFIX, "192.0.2.11"},
    {"postfix 127.0.0.1:2424", REQUEST_POLICY, ANSWER_POSTFIX, "127.0.0.1"},
    {"postfix private/dovecot-lmtp", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"postfix /run/dovecot/lmtp", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"postfix good..loc", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"postfix", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"postfix ", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {" example.com", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"Postfix example.com", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"other example.com", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"transport Example.COM", REQUEST_TRANSPORT, ANSWER_POSTFIX, "example.com"},
    {"transport user@Example.com", REQUEST_TRANSPORT, ANSWER_POSTFIX, "example.com"},
    {"transport user+tag@example.com", REQUEST_TRANSPORT, ANSWER_POSTFIX, "example.com"},
    {"transport \"a@b c\"@example.com", REQUEST_TRANSPORT, ANSWER_POSTFIX, "example.com"},
    {"transport @example.com", REQUEST_TRANSPORT, ANSWER_POSTFIX, "example.com"},
    {"transport user@", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"transport user@[192.0.2.1]", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"transport .example.com", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"transport *", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"transport [192.0.2.1]", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"sni mx.example.com", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"transport", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"ehlo 192.0.2.1", REQUEST_EHLO, ANSWER_POSTFIX, "192.0.2.1"},
    {"ehlo 2001:DB8:0::1", REQUEST_EHLO, ANSWER_POSTFIX, "2001:db8::1"},
    {"ehlo IPv6:2001:db8::1", REQUEST_EHLO, ANSWER_POSTFIX, "2001:db8::1"},
    {"ehlo Client.Example", REQUEST_EHLO, ANSWER_POSTFIX, "client.example"},
    {"ehlo unknown", REQUEST_EHLO, ANSWER_POSTFIX, "unknown"},
    {"requiretls Example.COM", REQUEST_REQUIRETLS, ANSWER_POSTFIX, "example.com"},
    {"requiretls example.com:587", REQUEST_REQUIRETLS, ANSWER_POSTFIX, "example.com"},
    {"requiretls [mx.example.com]:25", REQUEST_REQUIRETLS, ANSWER_POSTFIX, "mx.example.com"},
    {"requiretls 192.0.2.1", REQUEST_REQUIRETLS, ANSWER_POSTFIX, "192.0.2.1"},
    {"requiretls 2001:DB8:0::1", REQUEST_REQUIRETLS, ANSWER_POSTFIX, "2001:db8::1"},
    {"requiretls [IPv6:2001:db8::1]:25", REQUEST_REQUIRETLS, ANSWER_POSTFIX, "2001:db8::1"},
    {"requiretls .example.com", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"requiretls /run/dovecot/lmtp", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"requiretls a..b", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"requiretls", REQUEST_BAD, ANSWER_POSTFIX, NULL},
    {"ehlo 192.0.2", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
    {"ehlo a b", REQUEST_NOTFOUND, ANSWER_POSTFIX, NULL},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request req;

        request_parse(&req, rows[i].text, strlen(rows[i].text));
        if (req.kind != rows[i].kind)
            fail_msg("\"%s\": kind %d, not %d", rows[i].text, (int)req.kind, (int)rows[i].kind);
        if (req.kind <= REQUEST_REQUIRETLS) {
            assert_int_equal(req.map, rows[i].map);
            assert_string_equal(req.hop.name, rows[i].name);
        }
        assert_int_equal(req.kind == REQUEST_BAD, req.why.text[0] != '\0');
    }
}

/* A NUL in the key must not cut it into another domain. */
static void test_nul_in_key(void **state)
{
    struct request req;

    (void)state;
    request_parse(&req, "postfix a.com\0.b.com", 20);
    assert_int_equal(req.kind, REQUEST_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nul_in_key),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
