/* relay_failure.t.c - tests of relay_failure.c: what each failure means (S4 to S6, S8), and the reply made of several.
 */
#include "relay_failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define F(what)  RELAY_FAILED_##what

/* Whoever adds a failure to the table fits it in: codes of one class, no name twice, words for all. */
static void table_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < F(COUNT); i++) {
        struct relay_tally t = {0};
        struct relay_failure f;
        struct relay_reply reply;

        assert_non_null(relay_failed_name((enum relay_failed)i));
        assert_true(strlen(relay_failed_words((enum relay_failed)i)) > 5);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(relay_failed_name((enum relay_failed)i), relay_failed_name((enum relay_failed)j));
        relay_failure_set(&f, (enum relay_failed)i, "mx.example.net", NULL, NULL);
        relay_tally_add(&t, &f);
        relay_tally_reply(&reply, &t, "example.net");
        assert_int_equal(reply.code / 100, relay_failed_permanent((enum relay_failed)i) ? 5 : 4);
        assert_int_equal(reply.enhanced[0] - '0', reply.code / 100);
        assert_int_equal(strstr(reply.text, "delivered now:") != NULL, reply.code < 500);
        assert_non_null(strstr(reply.text, "example.net"));
        assert_non_null(strstr(reply.text, "mx.example.net"));
        assert_non_null(strstr(reply.text, relay_failed_words((enum relay_failed)i)));
    }
    assert_string_equal(relay_failed_name((enum relay_failed)1000), "nothing");
}

#define PERM true
#define TEMP false
#define NEXT true
#define LAST false

static void meanings(void **state)
{
    static const struct {
        const char *id;
        enum relay_failed what;
        bool permanent, next;
        int code;
        const char *enhanced, *tlsrpt;
    } table[] = {
        {"S8", F(MX_TEMP), TEMP, LAST, 451, "4.4.3", ""},
        {"-", F(LOOP), PERM, NEXT, 550, "5.4.6", ""},
        {"S6", F(UNAUTHENTICATED), PERM, NEXT, 550, "5.7.10", ""},
        {"S6", F(NOT_IN_POLICY), PERM, NEXT, 550, "5.7.10", "validation-failure"},
        {"S8", F(POLICY_FETCH), TEMP, NEXT, 451, "4.4.3", ""},
        {"S8", F(TLSA_TEMP), TEMP, NEXT, 451, "4.4.3", "dnssec-invalid"},
        {"-", F(BUSY), TEMP, LAST, 451, "4.4.5", ""},
        {"-", F(LOCAL), TEMP, LAST, 451, "4.3.0", ""},
        {"S8", F(CONNECT), TEMP, NEXT, 451, "4.4.1", ""},
        {"S8", F(CONNECT_TIMEOUT), TEMP, NEXT, 451, "4.4.1", ""},
        {"S8", F(LOST), TEMP, NEXT, 451, "4.4.2", ""},
        {"S8", F(GREETING_TEMP), TEMP, NEXT, 451, "4.3.2", ""},
        {"S4", F(GREETING_PERM), PERM, NEXT, 550, "5.3.2", ""},
        {"S6", F(EHLO_PERM), PERM, NEXT, 550, "5.7.10", "starttls-not-supported"},
        {"S6", F(STARTTLS_ABSENT), PERM, NEXT, 550, "5.7.10", "starttls-not-supported"},
        {"S8", F(STARTTLS_TEMP), TEMP, NEXT, 451, "4.7.10", "starttls-not-supported"},
        {"S6", F(STARTTLS_PERM), PERM, NEXT, 550, "5.7.10", "starttls-not-supported"},
        {"S8", F(STARTTLS_INJECTION), TEMP, NEXT, 451, "4.7.5", "validation-failure"},
        {"S8", F(HANDSHAKE), TEMP, NEXT, 451, "4.7.5", "validation-failure"},
        {"S6", F(HANDSHAKE_REFUSED), PERM, NEXT, 550, "5.7.10", "validation-failure"},
        {"S6", F(CERT_UNTRUSTED), PERM, NEXT, 550, "5.7.10", "certificate-not-trusted"},
        {"S6", F(CERT_EXPIRED), PERM, NEXT, 550, "5.7.10", "certificate-expired"},
        {"S6", F(CERT_NAME), PERM, NEXT, 550, "5.7.10", "certificate-host-mismatch"},
        {"S6", F(CERT_TLSA), PERM, NEXT, 550, "5.7.10", "certificate-not-trusted"},
        {"S6", F(TLS_EHLO_PERM), PERM, NEXT, 550, "5.7.30", ""},
        {"S6", F(REQUIRETLS), PERM, NEXT, 550, "5.7.30", ""},
        {"S6", F(REQUIRETLS_BARE), PERM, NEXT, 550, "5.7.30", ""},
        {"S6", F(REQUIRETLS_REFUSED), PERM, NEXT, 550, "5.7.30", ""},
        {"-", F(SIZE), PERM, NEXT, 552, "5.3.4", ""},
        {"-", F(8BITMIME), PERM, NEXT, 550, "5.6.3", ""},
        {"-", F(SMTPUTF8), PERM, NEXT, 550, "5.6.7", ""},
        {"S8", F(MAIL_TEMP), TEMP, NEXT, 451, "4.3.0", ""},
        {"S4", F(MAIL_PERM), PERM, LAST, 550, "5.0.0", ""},
        {"S8", F(LATE_LOST), TEMP, LAST, 451, "4.4.2", ""},
        {"S8", F(DEADLINE), TEMP, LAST, 451, "4.4.2", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_tally t = {0};
        struct relay_failure f;
        struct relay_reply reply;

        print_message("%s %s\n", table[i].id, relay_failed_name(table[i].what));
        assert_int_equal(relay_failed_permanent(table[i].what), table[i].permanent);
        assert_int_equal(relay_failed_next(table[i].what), table[i].next);
        assert_string_equal(relay_failed_tlsrpt(table[i].what), table[i].tlsrpt);
        relay_failure_set(&f, table[i].what, "mx.example.net", NULL, NULL);
        relay_tally_add(&t, &f);
        relay_tally_reply(&reply, &t, "example.net");
        assert_int_equal(reply.code, table[i].code);
        assert_string_equal(reply.enhanced, table[i].enhanced);
    }
}

static void replies(void **state)
{
    static const struct {
        enum relay_step step;
        int code;
        bool with;
        enum relay_failed want;
    } table[] = {
        {RELAY_STEP_GREETING, 220, false, F(NOTHING)},       {RELAY_STEP_GREETING, 421, false, F(GREETING_TEMP)},
        {RELAY_STEP_GREETING, 554, false, F(GREETING_PERM)}, {RELAY_STEP_GREETING, 521, false, F(GREETING_PERM)},
        {RELAY_STEP_GREETING, 354, false, F(NONSENSE)},      {RELAY_STEP_EHLO, 250, false, F(NOTHING)},
        {RELAY_STEP_EHLO, 450, false, F(EHLO_TEMP)},         {RELAY_STEP_EHLO, 502, false, F(EHLO_PERM)},
        {RELAY_STEP_STARTTLS, 220, false, F(NOTHING)},       {RELAY_STEP_STARTTLS, 454, false, F(STARTTLS_TEMP)},
        {RELAY_STEP_STARTTLS, 501, false, F(STARTTLS_PERM)}, {RELAY_STEP_TLS_EHLO, 421, false, F(TLS_EHLO_TEMP)},
        {RELAY_STEP_TLS_EHLO, 500, false, F(TLS_EHLO_PERM)}, {RELAY_STEP_MAIL, 250, true, F(NOTHING)},
        {RELAY_STEP_MAIL, 400, true, F(MAIL_TEMP)},          {RELAY_STEP_MAIL, 499, true, F(MAIL_TEMP)},
        {RELAY_STEP_MAIL, 550, true, F(MAIL_PERM)},          {RELAY_STEP_MAIL, 599, true, F(MAIL_PERM)},
        {RELAY_STEP_MAIL, 555, true, F(REQUIRETLS_REFUSED)}, {RELAY_STEP_MAIL, 504, true, F(REQUIRETLS_REFUSED)},
        {RELAY_STEP_MAIL, 555, false, F(MAIL_PERM)}, /* B3: the word was left out */
        {RELAY_STEP_MAIL, 354, true, F(NONSENSE)},           {RELAY_STEP_MAIL, 199, true, F(NONSENSE)},
        {RELAY_STEP_MAIL, 600, true, F(NONSENSE)},           {RELAY_STEP_MAIL, 0, true, F(NONSENSE)},
        {RELAY_STEP_MAIL, -550, true, F(NONSENSE)},          {RELAY_STEP_STARTTLS, 555, true, F(STARTTLS_PERM)},
        {RELAY_STEP_EHLO, 220, false, F(NONSENSE)},          {RELAY_STEP_TLS_EHLO, 220, false, F(NONSENSE)},
        {RELAY_STEP_TLS_EHLO, 250, false, F(NOTHING)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        print_message("step %d, %d\n", (int)table[i].step, table[i].code);
        assert_int_equal(relay_failed_reply(table[i].step, table[i].code, table[i].with), table[i].want);
    }
}

static void join(void **state)
{
    static const struct {
        const char *name;
        enum relay_failed what[4];
        int code;
        const char *enhanced;
        const char *leads; /* the host named first */
    } table[] = {
        {"none", {F(NOTHING)}, 451, "4.3.0", "the domain was not tried"},
        {"one", {F(REQUIRETLS)}, 550, "5.7.30", "mx1 does not"},
        {"S6 none offers it", {F(REQUIRETLS), F(REQUIRETLS_BARE)}, 550, "5.7.30", "mx2 offers"},
        {"S6 none can be verified", {F(CERT_NAME), F(STARTTLS_ABSENT)}, 550, "5.7.10", "mx1 has"},
        {"S6 one could be", {F(REQUIRETLS), F(CERT_NAME), F(UNAUTHENTICATED)}, 550, "5.7.30", "mx1 does not"},
        {"S6 the other order", {F(UNAUTHENTICATED), F(CERT_NAME), F(REQUIRETLS)}, 550, "5.7.30", "mx3 does not"},
        {"the first of equals", {F(REQUIRETLS), F(REQUIRETLS)}, 550, "5.7.30", "mx1 does not"},
        {"S8 one is down", {F(CONNECT), F(REQUIRETLS)}, 451, "4.4.1", "mx1 cannot"},
        {"S8 the last is down", {F(REQUIRETLS), F(CERT_NAME), F(CONNECT_TIMEOUT)}, 451, "4.4.1", "mx3 cannot"},
        {"S8 two are temporary", {F(CONNECT), F(MAIL_TEMP), F(REQUIRETLS)}, 451, "4.3.0", "mx2 refused"},
        {"S8 barred for now", {F(REQUIRETLS), F(TLSA_TEMP)}, 451, "4.4.3", "mx2 has TLSA"},
        {"the last word", {F(CONNECT), F(MAIL_PERM)}, 550, "5.0.0", "mx2 refused MAIL"},
        {"the last word, temporary", {F(REQUIRETLS), F(DEADLINE)}, 451, "4.4.2", "mx2 could not"},
        {"the last word before what is barred", {F(MAIL_PERM), F(TLSA_TEMP)}, 550, "5.0.0", "mx1 refused MAIL"},
        {"got furthest", {F(REQUIRETLS), F(SMTPUTF8)}, 550, "5.6.7", "mx2 does not offer SMTPUTF8"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_tally t = {0};
        struct relay_reply reply;
        size_t n = 0;
        char lead[100];

        print_message("%s\n", table[i].name);
        for (; n < 4 && table[i].what[n] != F(NOTHING); n++) {
            struct relay_failure f;
            char host[8];

            (void)snprintf(host, sizeof(host), "mx%zu", n + 1);
            relay_failure_set(&f, table[i].what[n], host, NULL, NULL);
            relay_tally_add(&t, &f);
        }
        relay_tally_reply(&reply, &t, "example.net");
        print_message("    %d %s %s\n", reply.code, reply.enhanced, reply.text);
        assert_int_equal(t.count, n);
        assert_int_equal(reply.code, table[i].code);
        assert_string_equal(reply.enhanced, table[i].enhanced);
        (void)snprintf(lead, sizeof(lead), "delivered%s: %s", reply.code < 500 ? " now" : "", table[i].leads);
        assert_non_null(strstr(reply.text, lead));
        for (size_t host = 1; host <= n; host++) {
            char name[12];

            (void)snprintf(name, sizeof(name), " mx%zu ", host);
            assert_non_null(strstr(reply.text, name));
        }
    }
}

/* The addresses of a host count once, with the one that counts most; where the last word of one host begins. */
static void addresses(void **state)
{
    static const struct {
        const char *name;
        struct {
            char host;
            enum relay_failed what;
        } tried[5];
        int code;
        const char *enhanced, *said;
    } table[] = {
        {"for good, and further",
         {{'a', F(CERT_EXPIRED)}, {'a', F(REQUIRETLS)}, {'a', F(CERT_NAME)}},
         550,
         "5.7.30",
         "delivered: a does not offer REQUIRETLS"},
        {"S8 one is temporary",
         {{'a', F(REQUIRETLS)}, {'a', F(GREETING_TEMP)}, {'a', F(CERT_NAME)}},
         451,
         "4.3.2",
         "delivered now: a takes no mail now"},
        {"S5 an address that cannot be reached puts nothing off",
         {{'a', F(CONNECT)}, {'a', F(REQUIRETLS)}, {'a', F(CONNECT_TIMEOUT)}},
         550,
         "5.7.30",
         "delivered: a does not offer REQUIRETLS"},
        {"S8 but a host does of which none can",
         {{'a', F(CONNECT)}, {'a', F(CONNECT)}, {'b', F(REQUIRETLS)}},
         451,
         "4.4.1",
         "delivered now: a cannot be reached; b does not offer REQUIRETLS"},
        {"the first of equals",
         {{'a', F(CERT_EXPIRED)}, {'a', F(CERT_EXPIRED)}},
         550,
         "5.7.10",
         "delivered: a has a certificate that is not valid now"},
        {"then another host",
         {{'a', F(CERT_NAME)}, {'a', F(REQUIRETLS)}, {'b', F(SMTPUTF8)}, {'b', F(LOST)}},
         451,
         "4.4.2",
         "delivered now: b closed the connection; a does not offer REQUIRETLS"},
        {"the last word", {{'a', F(CONNECT)}, {'a', F(MAIL_PERM)}}, 550, "5.0.0", "delivered: a refused MAIL"},
        {"a host that leads, and two",
         {{'a', F(LOST)}, {'b', F(CERT_NAME)}, {'b', F(LOST)}, {'c', F(REQUIRETLS)}},
         451,
         "4.4.2",
         "now: a closed the connection; b closed the connection; c does not offer REQUIRETLS"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_tally t = {0};
        struct relay_reply reply, again;

        print_message("%s\n", table[i].name);
        for (size_t n = 0; n < COUNT(table[i].tried) && table[i].tried[n].host != '\0'; n++) {
            const char host[2] = {table[i].tried[n].host, '\0'};
            struct relay_failure f;

            relay_failure_set(&f, table[i].tried[n].what, host, NULL, NULL);
            relay_tally_add(&t, &f);
        }
        relay_tally_reply(&reply, &t, "example.net");
        relay_tally_reply(&again, &t, "example.net");
        print_message("    %d %s %s\n", reply.code, reply.enhanced, reply.text);
        assert_int_equal(reply.code, table[i].code);
        assert_string_equal(reply.enhanced, table[i].enhanced);
        assert_true(strlen(reply.text) >= strlen(table[i].said));
        assert_string_equal(reply.text + strlen(reply.text) - strlen(table[i].said), table[i].said);
        assert_string_equal(again.text, reply.text);
    }
}

static void foreign_text(void **state)
{
    static const struct {
        const char *enhanced, *detail, *want_enhanced, *want_detail;
    } table[] = {
        {"4.7.1", "450 slow down", "4.7.1", "(450 slow down)"},
        {"4.123.999", "x", "4.123.999", "(x)"},
        {"5.7.1", "x", "4.3.0", "(x)"}, /* of another class */
        {"4.7", "x", "4.3.0", "(x)"},
        {"4.7.1.1", "x", "4.3.0", "(x)"},
        {"4.1234.1", "x", "4.3.0", "(x)"},
        {"4..1", "x", "4.3.0", "(x)"},
        {"4.7.", "x", "4.3.0", "(x)"},
        {"", "x", "4.3.0", "(x)"},
        {"4", "x", "4.3.0", "(x)"},
        {"4.7.1\r\n250 ok", "a\r\n250 2.0.0 ok\x7f\xff", "4.3.0", "(a?\?250 2.0.0 ok?\?)"},
        {NULL, NULL, "4.3.0", "refused MAIL for now"},
        {NULL, "", "4.3.0", "refused MAIL for now"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct relay_tally t = {0};
        struct relay_failure f;
        struct relay_reply reply;

        relay_failure_set(&f, F(MAIL_TEMP), "mx", table[i].enhanced, table[i].detail);
        for (const char *c = f.detail; *c != '\0'; c++)
            assert_in_range(*c, ' ', '~');
        relay_tally_add(&t, &f);
        relay_tally_reply(&reply, &t, "example.net");
        assert_string_equal(reply.enhanced, table[i].want_enhanced);
        assert_non_null(strstr(reply.text, table[i].want_detail));
        assert_true(strstr(reply.text, "()") == NULL);
    }
}

/* Our own conditions keep their codes, whatever the server said. */
static void our_code(void **state)
{
    struct relay_tally t = {0};
    struct relay_failure f;
    struct relay_reply reply;

    (void)state;
    relay_failure_set(&f, F(STARTTLS_PERM), "mx", "5.5.1", "no");
    relay_tally_add(&t, &f);
    relay_tally_reply(&reply, &t, "example.net");
    assert_string_equal(reply.enhanced, "5.7.10");
}

static void room(void **state)
{
    char name[DOMAIN_BUF], detail[1000];
    struct relay_tally t = {0};
    struct relay_failure f;
    struct relay_reply reply;

    (void)state;
    for (int i = 0; i < 32; i++) {
        (void)snprintf(name, sizeof(name), "mx%d.example.net", i);
        relay_failure_set(&f, F(REQUIRETLS), name, NULL, NULL);
        relay_tally_add(&t, &f);
    }
    relay_tally_reply(&reply, &t, "example.net");
    print_message("%s\n", reply.text);
    assert_non_null(strstr(reply.text, "; and "));
    assert_non_null(strstr(reply.text, " more"));

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memset(detail, 'b', sizeof(detail) - 1);
    detail[sizeof(detail) - 1] = '\0';
    relay_failure_set(&f, F(LATE_LOST), name, NULL, detail);
    relay_tally_add(&t, &f);
    relay_tally_reply(&reply, &t, name);
    assert_int_equal(strlen(reply.text), RELAY_TEXT_MAX - 1);
    assert_string_equal(reply.text + RELAY_TEXT_MAX - 4, "...");
    assert_int_equal(t.count, 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_whole), cmocka_unit_test(meanings),     cmocka_unit_test(replies),
        cmocka_unit_test(join),           cmocka_unit_test(foreign_text), cmocka_unit_test(our_code),
        cmocka_unit_test(room),           cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
