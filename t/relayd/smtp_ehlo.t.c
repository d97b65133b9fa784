/* smtp_ehlo.t.c - tests of smtp_ehlo.c. */
#include "smtp_ehlo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct {
    const char *reply;
    struct smtp_ehlo offers;
} cases[] = {
    {"250 mx.example\r\n", {0}},
    {"250 REQUIRETLS\r\n", {0}}, /* the first line is a name */
    {"250-STARTTLS\r\n250 HELP\r\n", {0}},
    {"250-mx\r\n250 STARTTLS\r\n", {.starttls = true}},
    {"250-mx\r\n250 REQUIRETLS\r\n", {.requiretls = true}},
    {"250-mx\r\n250 requireTLS \r\n", {.requiretls = true}},
    {"250-mx\r\n250 REQUIRETLS x\r\n", {0}}, /* R1 */
    {"250-mx\r\n250 REQUIRETLS=x\r\n", {0}},
    {"250-mx\r\n250 XREQUIRETLS\r\n", {0}},
    {"250-mx\r\n250 REQUIRETLSX\r\n", {0}},
    {"250-mx\r\n250 REQUIRETL\r\n", {0}},
    {"250-mx\r\n250 X REQUIRETLS\r\n", {0}},
    {"250-mx\r\n250-REQUIRETLS x\r\n250 REQUIRETLS\r\n", {.requiretls = true}},
    {"250-mx\r\n250-REQUIRETLS\r\n250 REQUIRETLS x\r\n", {.requiretls = true}},
    {"250-mx\r\n250 SIZE\r\n", {.size = true}},
    {"250-mx\r\n250 SIZE 0\r\n", {.size = true}},
    {"250-mx\r\n250 size 10240000\r\n", {.size = true, .size_max = 10240000}},
    {"250-mx\r\n250 SIZE 18446744073709551615\r\n", {.size = true, .size_max = UINT64_MAX}},
    {"250-mx\r\n250 SIZE 18446744073709551616\r\n", {.size = true}},
    {"250-mx\r\n250 SIZE 10k\r\n", {.size = true}},
    {"250-mx\r\n250 SIZE=10\r\n", {0}},
    {"250-mx\r\n250 8BITMIME\r\n", {.eightbitmime = true}},
    {"250-mx\r\n250 SMTPUTF8 y\r\n", {.smtputf8 = true}},
    {"250-mx\r\n250 DSN\r\n", {.dsn = true}},
    {"250-mx\r\n250 Chunking\r\n", {.chunking = true}},
    {"250-mx\r\n250 ENHANCEDSTATUSCODES\r\n", {.enhanced_codes = true}},
    {"250-mx hello\r\n250-PIPELINING\r\n250-SIZE 35882577\r\n250-VRFY\r\n250-ETRN\r\n250-AUTH PLAIN LOGIN\r\n"
     "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250-REQUIRETLS\r\n250 CHUNKING\r\n",
     {false, true, true, true, true, true, true, true, true, 35882577}},
};

static void test_offers(void **state)
{
    struct smtp_reply reply;

    (void)state;
    smtp_reply_init(&reply);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct smtp_ehlo *want = &cases[i].offers;
        struct smtp_ehlo got;
        size_t took;

        memset(&got, 0xff, sizeof(got));
        assert_int_equal(smtp_reply_read(&took, &reply, cases[i].reply, strlen(cases[i].reply), NULL), 1);
        smtp_ehlo_read(&got, &reply);
        if (got.starttls != want->starttls || got.requiretls != want->requiretls ||
            got.pipelining != want->pipelining || got.eightbitmime != want->eightbitmime ||
            got.smtputf8 != want->smtputf8 || got.dsn != want->dsn || got.chunking != want->chunking ||
            got.enhanced_codes != want->enhanced_codes || got.size != want->size || got.size_max != want->size_max)
            fail_msg("%s", cases[i].reply);
    }
    smtp_reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_offers)};

    return cmocka_run_group_tests_name("smtp_ehlo", tests, NULL, NULL);
}
