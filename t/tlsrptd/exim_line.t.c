/* exim_line.t.c - lines as Exim 4.96 writes them (contrib/exim/macros), and others. */
#include "exim_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      1795341600
#define ID       "id=1xV4te-0004fe-2Y "
#define WHO      ID "domain=good.test host=mx.good.test address=192.0.2.1 sender=192.0.2.9 "
#define CIPHER   "cipher=\"TLS1.3:ECDHE_SECP256R1__AES_256_GCM:256\" "
#define CLEAR    "cipher=\"\" verified=0 dane=no errno=0 "

/* Each but the last rows was written by Exim to a receiver that does this. */
static const struct {
    const char *name, *line;
    int rc;
    enum attempt_tls tls;
    enum attempt_trust trust;
    enum attempt_fault fault;
    enum attempt_end end;
    const char *reason;
} rows[] = {
    {"verified", "attempt event=\"smtp:ehlo\" " WHO CIPHER "verified=1 dane=no errno=0 data=\"250-mx\\n250 HELP\"", 1,
     ATTEMPT_TLS, ATTEMPT_VERIFIED, ATTEMPT_FAULT_NONE, ATTEMPT_ANSWERED, ""},
    {"not verified", "attempt event=\"smtp:ehlo\" " WHO CIPHER "verified=0 dane=no errno=0 data=\"250-mx\\n250 HELP\"",
     1, ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_NONE, ATTEMPT_ANSWERED, ""},
    {"DANE", "attempt event=\"smtp:ehlo\" " WHO CIPHER "verified=0 dane=yes errno=0 data=\"\"", 1, ATTEMPT_TLS,
     ATTEMPT_VERIFIED, ATTEMPT_FAULT_NONE, ATTEMPT_ANSWERED, ""},
    {"EHLO before STARTTLS", "attempt event=\"smtp:ehlo\" " WHO CLEAR "data=\"250 HELP\"", 0, 0, 0, 0, 0, ""},
    {"in clear", "attempt event=\"msg:delivery\" " WHO CLEAR "data=\"250 2.0.0 kept\"", 1, ATTEMPT_NO_TLS,
     ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE, ATTEMPT_SENT, ""},
    {"told already", "attempt event=\"msg:delivery\" " WHO CIPHER "verified=0 dane=no errno=0 data=\"250 kept\"", 0, 0,
     0, 0, 0, ""},
    {"in clear, then 450", "attempt event=\"msg:rcpt:host:defer\" " WHO CLEAR "data=\"SMTP error: 450 4.1.1 later\"", 1,
     ATTEMPT_NO_TLS, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE, ATTEMPT_ANSWERED, ""},
    {"refused", "attempt event=\"msg:fail:delivery\" " WHO CLEAR "data=\"SMTP error: 550 5.1.1 \\\"no\\\\\"", 0, 0, 0,
     0, 0, ""},
    {"handshake",
     "attempt event=\"msg:host:defer\" " WHO "cipher=\"\" verified=0 dane=no errno=-37 "
     "data=\"TLS session: (gnutls_handshake): The TLS connection was non-properly terminated.\"",
     1, ATTEMPT_HANDSHAKE_FAILED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE, ATTEMPT_NO_SECURITY,
     "TLS_session:_(gnutls_handshake):_The_TLS_connection_was_non-properly_terminated."},
    {"first read",
     "attempt event=\"msg:host:defer\" " WHO CIPHER
     "verified=1 dane=no errno=-37 data=\"TLS session: error on first read\"",
     1, ATTEMPT_HANDSHAKE_FAILED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE, ATTEMPT_NO_SECURITY,
     "TLS_session:_error_on_first_read"},
    {"certificate",
     "attempt event=\"msg:host:defer\" " WHO CIPHER "verified=0 dane=no errno=-37 "
     "data=\"TLS session: (certificate verification failed): certificate invalid\"",
     1, ATTEMPT_TLS, ATTEMPT_UNTRUSTED, ATTEMPT_FAULT_OTHER, ATTEMPT_NO_SECURITY,
     "TLS_session:_(certificate_verification_failed):_certificate_invalid"},
    {"not offered",
     "attempt event=\"msg:host:defer\" " WHO "cipher=\"\" verified=0 dane=no errno=-38 "
     "data=\"a TLS session is required, but the server did not offer TLS support\"",
     1, ATTEMPT_NOT_OFFERED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE, ATTEMPT_NO_SECURITY,
     "a_TLS_session_is_required,_but_the_server_did_not_offer_TLS_support"},
    {"454",
     "attempt event=\"msg:host:defer\" " WHO "cipher=\"\" verified=0 dane=no errno=-38 "
     "data=\"a TLS session is required, but an attempt to start TLS failed\"",
     1, ATTEMPT_REFUSED, ATTEMPT_TRUST_UNKNOWN, ATTEMPT_FAULT_NONE, ATTEMPT_NO_SECURITY,
     "a_TLS_session_is_required,_but_an_attempt_to_start_TLS_failed"},
    {"421", "attempt event=\"msg:host:defer\" " WHO CLEAR "data=\"SMTP error after initial connection: 421\"", 0, 0, 0,
     0, 0, ""},
    {"another event", "attempt event=\"tcp:close\" " WHO CIPHER "verified=1", 0, 0, 0, 0, 0, ""},
    {"no event", "attempt " WHO CIPHER, 0, 0, 0, 0, 0, ""},
};

static void events(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char id[EXIM_ID_BUF] = "";
        struct tls_attempt a;
        struct err e = {""};

        if (exim_line_read(&a, id, rows[i].line, strlen(rows[i].line), NOW, &e) != rows[i].rc)
            fail_msg("%s: %s", rows[i].name, e.text);
        if (rows[i].rc != 1)
            continue;
        if (a.tls != rows[i].tls || a.trust != rows[i].trust || a.fault != rows[i].fault || a.end != rows[i].end)
            fail_msg("%s: %d %d %d %d", rows[i].name, a.tls, a.trust, a.fault, a.end);
        assert_string_equal(a.reason, rows[i].reason);
        assert_int_equal(a.at, NOW);
        assert_string_equal(a.domain, "good.test");
        assert_string_equal(a.host, "mx.good.test");
        assert_string_equal(a.address, "192.0.2.1");
        assert_string_equal(a.sender, "192.0.2.9");
        assert_string_equal(id, "1xV4te-0004fe-2Y");
    }
}

#define OPEN "attempt event=\"msg:delivery\" "

/* J16: names and addresses in their one form; a host that is an address is none. */
static void names(void **state)
{
    static const char line[] = OPEN "domain=\"GOOD.test\" host=\"2001:DB8::1\" address=\"2001:DB8:0::1\" sender=\"\" "
                                    "later=\"what is not known\"  cipher=";
    static const char idn[] = OPEN "domain=\"b\xc3\xbc"
                                   "cher.test\" host=MX.good.test";
    struct tls_attempt a;

    (void)state;
    assert_int_equal(exim_line_read(&a, NULL, line, strlen(line), NOW, NULL), 1);
    assert_string_equal(a.domain, "good.test");
    assert_string_equal(a.host, "");
    assert_string_equal(a.address, "2001:db8::1");
    assert_string_equal(a.sender, "");
    assert_int_equal(exim_line_read(&a, NULL, idn, strlen(idn), NOW, NULL), -1); /* Exim has A-labels there */
}

static void bad(void **state)
{
    static const struct {
        const char *line, *why;
    } all[] = {
        {"", "does not begin"},
        {"attempts event=x", "does not begin"},
        {OPEN "domain", "no NAME=VALUE"},
        {OPEN "=x", "no NAME=VALUE"},
        {OPEN "do main=x", "no NAME=VALUE"},
        {OPEN "domain=\"good.test", "no end"},
        {OPEN "domain=\"good.test\\\"", "no end"},
        {OPEN "domain=\"good.test\"x", "not quoted"},
        {OPEN "domain=good.test;", "not quoted"},
        {OPEN "domain=good.test domain=evil.test", "domain is there twice"},
        {OPEN "host=mx.good.test", "domain: "},
        {OPEN "domain=\"good..test\"", "domain: "},
        {OPEN "domain=\"good.test\nx\"", "domain: "},
        {OPEN "domain=good.test host=\"a b\"", "host: "},
        {OPEN "domain=good.test address=mx.test", "address: "},
        {OPEN "domain=good.test sender=mx.test", "sender: "},
    };
    char longest[EXIM_LINE_MAX + 2];
    struct tls_attempt a;
    struct err e = {""};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        if (exim_line_read(&a, NULL, all[i].line, strlen(all[i].line), NOW, &e) != -1)
            fail_msg("%s was taken", all[i].line);
        if (strstr(e.text, all[i].why) == NULL)
            fail_msg("%s: %s", all[i].line, e.text);
    }
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "attempt x=", 10);
    assert_int_equal(exim_line_read(&a, NULL, longest, EXIM_LINE_MAX, NOW, &e), 0);
    assert_int_equal(exim_line_read(&a, NULL, longest, EXIM_LINE_MAX + 1, NOW, &e), -1);
}

/* What a server says stays within its value. */
static void foreign(void **state)
{
    static const char line[] = "attempt event=\"msg:host:defer\" domain=good.test host=mx.good.test errno=-37 "
                               "data=\"x\\\" errno=0 host=evil.test \\\\\\n\t\xff\"";
    char many[EXIM_LINE_MAX];
    struct tls_attempt a;

    (void)state;
    assert_int_equal(exim_line_read(&a, NULL, line, strlen(line), NOW, NULL), 1);
    assert_string_equal(a.host, "mx.good.test");
    assert_string_equal(a.reason, "x\"_errno=0_host=evil.test_\\_??");
    (void)snprintf(many, sizeof(many), "attempt event=\"msg:host:defer\" domain=a.test errno=-37 data=\"%01000d\"", 0);
    assert_int_equal(exim_line_read(&a, NULL, many, strlen(many), NOW, NULL), 1);
    assert_int_equal(strlen(a.reason), ATTEMPT_REASON_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events),
        cmocka_unit_test(names),
        cmocka_unit_test(bad),
        cmocka_unit_test(foreign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
