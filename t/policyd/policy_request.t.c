/* Tests of policyd/policy_request.c: requests of the policy delegation protocol, whole and in pieces, and the tag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK  "request=smtpd_access_policy\n"
#define RCPT ASK "protocol_state=RCPT\n"

static const struct address_tag tag = {'+', "requiretls"};

/* --- requests and what they are answered --- */

/* As Debian's Postfix 3.7 sends it. */
static const char from_postfix[] =
    ASK "protocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=127.0.0.1\nclient_name=localhost\nclient_port=40012\n"
        "reverse_client_name=localhost\nserver_address=127.0.0.1\nserver_port=25\nhelo_name=a.test\n"
        "sender=s@client.test\nrecipient=u+requiretls@example.test\nrecipient_count=0\nqueue_id=\n"
        "instance=1a2b.650a1b2c.3d4e5.0\nsize=0\netrn_domain=\nstress=\nsasl_method=\nsasl_username=\nsasl_sender=\n"
        "ccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\nencryption_protocol=\n"
        "encryption_cipher=\nencryption_keysize=0\npolicy_context=\ncompatibility_level=3.6\nmail_version=3.7.11\n\n";

static const struct {
    const char *text;
    enum policy_action action;
} good[] = {
    {from_postfix, POLICY_REQUIRETLS},
    {RCPT "recipient=u@a.test\n\n", POLICY_DUNNO},
    {RCPT "recipient=u+requiretls@a.test\n\n", POLICY_REQUIRETLS},
    {"recipient=u+requiretls@a.test\nprotocol_state=RCPT\n" ASK "\n", POLICY_REQUIRETLS}, /* in any order */
    {RCPT "recipient=u@a.test\nsender=u+requiretls@a.test\nhelo_name=recipient=u+requiretls@a\n\n", POLICY_DUNNO},
    {RCPT "recipient=u@a.test\nRecipient=u+requiretls@a.test\n\n", POLICY_DUNNO}, /* names have a case */
    {RCPT "recipient=u=v+requiretls@a.test\n\n", POLICY_REQUIRETLS},
    {RCPT "recipient=u@a.test\nnew=\nnew=\n\n", POLICY_DUNNO},
    {ASK "protocol_state=DATA\nrecipient=u+requiretls@a.test\nrecipient_count=1\n\n", POLICY_REQUIRETLS},
    {ASK "protocol_state=DATA\nrecipient=u@a.test\nrecipient_count=1\n\n", POLICY_DUNNO},
    {ASK "protocol_state=DATA\nrecipient=\nrecipient_count=2\n\n", POLICY_MISPLACED},
    {ASK "protocol_state=DATA\n\n", POLICY_MISPLACED},
    {ASK "protocol_state=END-OF-MESSAGE\nrecipient=u+requiretls@a.test\n\n", POLICY_MISPLACED},
    {ASK "protocol_state=END-OF-MESSAGE\nrecipient=\n\n", POLICY_MISPLACED},
    {ASK "protocol_state=MAIL\nrecipient=\n\n", POLICY_MISPLACED},
    {ASK "protocol_state=VRFY\nrecipient=u+requiretls@a.test\n\n", POLICY_DUNNO},
    {ASK "protocol_state=\nrecipient=u+requiretls@a.test\n\n", POLICY_DUNNO},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t len = strlen(good[i].text);
        struct policy_request req;
        struct err e = {""};

        for (size_t part = 0; part < len; part++)
            if (policy_request_parse(&req, good[i].text, part, &e) != 0)
                fail_msg("%zu octets of row %zu: %s", part, i, e.text);
        if (policy_request_parse(&req, good[i].text, len, &e) != 1)
            fail_msg("row %zu: %s", i, e.text);
        assert_int_equal(req.total, len);
        assert_int_equal(policy_request_action(&req, &tag), good[i].action);
    }
}

static void test_replies(void **state)
{
    (void)state;
    assert_string_equal(policy_reply(POLICY_REQUIRETLS), "action=PREPEND Require-TLS-ESMTP: yes\n\n");
    assert_string_equal(policy_reply(POLICY_DUNNO), "action=DUNNO\n\n");
    assert_string_equal(policy_reply(POLICY_MISPLACED), "action=DUNNO\n\n");
    assert_int_equal(strncmp(policy_reply_bad, "action=451 ", 11), 0);
}

/* The first of several is read, and no octet behind it. */
static void test_several(void **state)
{
    static const char two[] = RCPT "recipient=a@a.test\n\n" RCPT "recipient=b+requiretls@b.test\n\nrubbish";
    struct policy_request req;
    size_t first;

    (void)state;
    assert_int_equal(policy_request_parse(&req, two, sizeof(two) - 1, NULL), 1);
    assert_int_equal(policy_request_action(&req, &tag), POLICY_DUNNO);
    first = req.total;
    assert_int_equal(policy_request_parse(&req, two + first, sizeof(two) - 1 - first, NULL), 1);
    assert_memory_equal(req.recipient, "b+requiretls@b.test", req.recipient_len);
    assert_int_equal(req.total, sizeof(two) - 1 - first - strlen("rubbish"));
}

/* --- no requests --- */

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"\n", "request=smtpd_access_policy is missing"},
    {"protocol_state=RCPT\nrecipient=a@a.test\n\n", "request=smtpd_access_policy is missing"},
    {ASK "recipient=a@a.test\n\n", "protocol_state is missing"},
    {RCPT "\n", "recipient is missing"},
    {RCPT "recipient=\n\n", "recipient is missing"},
    {RCPT "recipient=a@a.test\nrecipient=a+requiretls@a.test\n", "recipient stands there twice"},
    {RCPT "protocol_state=RCPT\n", "protocol_state stands there twice"},
    {ASK ASK, "request stands there twice"},
    {"request=junk\n", "request is not"},
    {"request=smtpd_access_policy\r\n", "request is not"},
    {"request=\n", "request is not"},
    {ASK "recipient\n", "no name=value"},
    {ASK "=RCPT\n", "no name=value"},
    {"GET / HTTP/1.1\r\n", "no name=value"},
    {"19:postfix example.com,\n", "no name=value"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct policy_request req;
        struct err e = {""};

        assert_int_equal(policy_request_parse(&req, bad[i].text, strlen(bad[i].text) - 1, &e), 0);
        if (policy_request_parse(&req, bad[i].text, strlen(bad[i].text), &e) != -1)
            fail_msg("row %zu was taken", i);
        if (strstr(e.text, bad[i].why) == NULL)
            fail_msg("row %zu: %s", i, e.text);
    }
}

static void test_nul(void **state)
{
    static const char text[] = RCPT "recipient=a\0+requiretls@a.test\n\n";
    struct policy_request req;
    struct err e = {""};

    (void)state;
    assert_int_equal(policy_request_parse(&req, text, sizeof(text) - 1, &e), -1);
    assert_non_null(strstr(e.text, "NUL"));
}

/* --- limits: at each, and past it --- */

static int parse(struct policy_request *req, const char *text, size_t len, const char *why)
{
    char *exact = malloc(len); /* for the sanitizers: not an octet more is looked at */
    struct err e = {""};
    int found;

    assert_non_null(exact);
    memcpy(exact, text, len);
    found = policy_request_parse(req, exact, len, &e);
    free(exact);
    if (strstr(e.text, why) == NULL)
        fail_msg("%zu octets: %s, not %s", len, e.text, why);
    return found;
}

static void test_line(void **state)
{
    static char text[2 * POLICY_LINE_MAX];
    struct policy_request req;
    size_t head = (size_t)snprintf(text, sizeof(text), RCPT "recipient=a@a\nhelo_name=");
    size_t line = head - strlen("helo_name=");

    (void)state;
    memset(text + head, 'x', sizeof(text) - head);
    assert_int_equal(parse(&req, text, line + POLICY_LINE_MAX, ""), 0);
    assert_int_equal(parse(&req, text, line + POLICY_LINE_MAX + 1, "a line is longer than"), -1);
    memcpy(text + line + POLICY_LINE_MAX, "\n\n", 2);
    assert_int_equal(parse(&req, text, line + POLICY_LINE_MAX + 2, ""), 1);
}

static void test_attributes(void **state)
{
    char text[4 * POLICY_ATTRIBUTES_MAX + 200];
    size_t len = (size_t)snprintf(text, sizeof(text), RCPT "recipient=a@a\n");
    struct policy_request req;

    (void)state;
    for (size_t i = 3; i < POLICY_ATTRIBUTES_MAX; i++, len += 3)
        memcpy(text + len, "a=\n", 3);
    memcpy(text + len, "\n", 1);
    assert_int_equal(parse(&req, text, len + 1, ""), 1);
    memcpy(text + len, "a=\n\n", 4);
    assert_int_equal(parse(&req, text, len + 4, "more than 100 attributes"), -1);
}

static void test_total(void **state)
{
    static char text[POLICY_REQUEST_MAX + 2];
    struct policy_request req;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 1000 == 999 ? '\n' : i % 1000 == 0 ? 'a' : '=';
    memcpy(text, RCPT "recipient=a@a\na", sizeof(RCPT "recipient=a@a\na") - 1);
    assert_int_equal(parse(&req, text, POLICY_REQUEST_MAX - 1, ""), 0);
    text[POLICY_REQUEST_MAX - 1] = 'x';
    assert_int_equal(parse(&req, text, POLICY_REQUEST_MAX, "a request is longer than"), -1);
    text[POLICY_REQUEST_MAX] = text[POLICY_REQUEST_MAX + 1] = '\n';
    assert_int_equal(parse(&req, text, POLICY_REQUEST_MAX + 2, "a request is longer than"), -1);
    text[POLICY_REQUEST_MAX - 2] = text[POLICY_REQUEST_MAX - 1] = '\n';
    assert_int_equal(parse(&req, text, POLICY_REQUEST_MAX + 2, ""), 1);
    assert_int_equal(req.total, POLICY_REQUEST_MAX);
}

/* --- the tag --- */

static const struct {
    const char *recipient;
    bool tagged;
} recipients[] = {
    {"u+requiretls@a.test", true},
    {"u+RequireTLS@a.test", true},
    {"u+x+requiretls@a.test", true},
    {"u+requiretls", true},
    {"u+requiretls@[192.0.2.1]", true},
    {"J\303\266rg+requiretls@a.test", true},
    /* as Postfix says quoted local parts: without the quotes */
    {"a b+requiretls@a.test", true},
    {"a@b+requiretls@a.test", true},
    {"a\"b+requiretls@a.test", true},
    {"a\\+requiretls@a.test", true},
    {"a<b>+requiretls@a.test", true},
    {"a\001+requiretls@a.test", true},
    /* as a message has them */
    {"<u+requiretls@a.test>", true},
    {"\"a b+requiretls\"@a.test", true},
    {"<@x.test:u+requiretls@a.test>", true},
    {"u@a.test", false},
    {"u+requiretls+x@a.test", false},
    {"+requiretls@a.test", false},
    {"requiretls@a.test", false},
    {"u-requiretls@a.test", false},
    {"u+xrequiretls@a.test", false},
    {"u+requiretls @a.test", false},
    {"u@a.test+requiretls", false},
    {"u+requiretls@a@b.test", false},
    {"u+tlsoptional@a.test", false},
    {"@", false},
    {"", false},
};

static void test_tag(void **state)
{
    static char large[3000];
    const size_t end = sizeof("+requiretls@a.test") - 1;

    (void)state;
    for (size_t i = 0; i < sizeof(recipients) / sizeof(recipients[0]); i++) {
        const char *text = recipients[i].recipient;

        if (policy_recipient_tagged(&tag, text, strlen(text)) != recipients[i].tagged)
            fail_msg("\"%s\"", text);
    }
    memset(large, 'a', sizeof(large)); /* longer than any address may be */
    memcpy(large + sizeof(large) - end, "+requiretls@a.test", end);
    assert_true(policy_recipient_tagged(&tag, large, sizeof(large)));
    assert_true(policy_recipient_tagged(&(struct address_tag){'-', "tls-only"}, "u-TLS-only@a", 12));
    assert_false(policy_recipient_tagged(&(struct address_tag){'-', "tls-only"}, "u+requiretls@a", 14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_replies), cmocka_unit_test(test_several),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_nul),     cmocka_unit_test(test_line),
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_total),   cmocka_unit_test(test_tag),
    };

    return cmocka_run_group_tests_name("policy_request", tests, NULL, NULL);
}
