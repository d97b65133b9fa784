/* tlsrpt_policy.t.c - tests of tlsrpt_policy.c: under which policies a session is reported (J7 to J10, J19). */
#include "tlsrpt_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      1795341600

#define STS(mode) \
    "version: STSv1\r\nmode: " mode "\r\nmx: MX.a.test\r\nmx: *.b.test\r\nmx: mx.a.test\r\nmax_age: 100\r\n"
#define STS_JSON(mode)                                                                                                 \
    "{\"policy-type\":2,\"policy-domain\": \"a.test\",\"policy-string\":[\"version: STSv1\",\"mode: " mode "\","       \
    "\"mx: MX.a.test\",\"mx: *.b.test\",\"mx: mx.a.test\",\"max_age: 100\"],\"mx-host\":[\"mx.a.test\",\"*.b.test\"]," \
    "\"t\":0,\"f\":0}"
#define TLSA_JSON                                                                                    \
    "{\"policy-type\":1,\"policy-domain\": \"base.test\",\"policy-string\":[\"3 1 1 ab01\",\"2 0 1 " \
    "ab01\"],\"t\":0,\"f\":0}"
#define NONE_JSON "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"t\":0,\"f\":0}"

static void give_tlsa(struct dest_host *host, uint8_t usage, uint8_t selector)
{
    char text[32];
    struct tlsa rr;
    int len = snprintf(text, sizeof(text), "%u %u 1 AB01", (unsigned)usage, (unsigned)selector);

    assert_int_equal(tlsa_parse(&rr, text, (size_t)len, NULL), 0);
    assert_int_equal(dest_add_tlsa(host, &rr), 0);
}

static struct dest *dest_made(bool secure, enum dest_dane dane, const char *body, int64_t fetched)
{
    struct dest *d = dest_new("a.test");
    struct dest_host *host;

    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    d->mx_secure = secure;
    host = dest_add_host(d, "mx.a.test", 10);
    assert_non_null(host);
    host->dane = dane;
    if (dane == DEST_DANE_USABLE || dane == DEST_DANE_UNUSABLE) {
        (void)snprintf(host->tlsa_base, sizeof(host->tlsa_base), "base.test");
        give_tlsa(host, 3, 1);
        give_tlsa(host, 2, 0);
    }
    if (body != NULL)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", body, strlen(body), fetched, NULL), 0);
    return d;
}

static void those_that_apply(void **state)
{
    static const struct {
        const char *name;
        bool secure;
        enum dest_dane dane;
        const char *body;
        int64_t fetched;
        bool no_host;
        const char *want;
    } rows[] = {
        {"none", true, DEST_DANE_NONE, NULL, 0, false, NONE_JSON},
        {"enforce", false, DEST_DANE_NONE, STS("enforce"), NOW, false, STS_JSON("enforce")},
        {"testing", false, DEST_DANE_NONE, STS("testing"), NOW, false, STS_JSON("testing")},
        {"J8 each line as it was served", false, DEST_DANE_NONE,
         "version: STSv1\nmx:mx.a.test\nx-new: \"1\"\nmode: enforce\nmode: testing\nmax_age: 100", NOW, false,
         "{\"policy-type\":2,\"policy-domain\": \"a.test\",\"policy-string\":[\"version: "
         "STSv1\",\"mx:mx.a.test\",\"x-new: "
         "\\\"1\\\"\",\"mode: enforce\",\"mode: testing\",\"max_age: "
         "100\"],\"mx-host\":[\"mx.a.test\"],\"t\":0,\"f\":0}"},
        {"mode none", false, DEST_DANE_NONE, STS("none"), NOW, false, NONE_JSON},
        {"expired", false, DEST_DANE_NONE, STS("enforce"), NOW - 100, false, NONE_JSON},
        {"not expired", false, DEST_DANE_NONE, STS("enforce"), NOW - 99, false, STS_JSON("enforce")},
        {"DANE", true, DEST_DANE_USABLE, NULL, 0, false, TLSA_JSON},
        {"DANE, MX not authenticated (B-1)", false, DEST_DANE_USABLE, NULL, 0, false, NONE_JSON},
        {"DANE, no usable record", true, DEST_DANE_UNUSABLE, NULL, 0, false, TLSA_JSON},
        {"DANE, not to be looked up", true, DEST_DANE_TEMP, NULL, 0, false,
         "{\"policy-type\":1,\"policy-domain\": \"mx.a.test\",\"t\":0,\"f\":0}"},
        {"J19 both", true, DEST_DANE_USABLE, STS("enforce"), NOW, false, TLSA_JSON "," STS_JSON("enforce")},
        {"no host", true, DEST_DANE_USABLE, STS("enforce"), NOW, true, STS_JSON("enforce")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dest *d = dest_made(rows[i].secure, rows[i].dane, rows[i].body, rows[i].fetched);
        struct tlsrpt_policies p;
        struct buf out, want;

        print_message("%s\n", rows[i].name);
        assert_int_equal(tlsrpt_policies_make(&p, d, rows[i].no_host ? NULL : d->host, NOW), 0);
        buf_init(&out, TLSRPT_EVENT_MAX);
        buf_init(&want, TLSRPT_EVENT_MAX);
        tlsrpt_event_write(&out, &(struct tlsrpt_event){d->domain, d->tlsrpt, p.policy, p.count});
        buf_printf(&want, "{\"dpv\": \"1\",\"d\": \"a.test\",\"pr\": \"\",\"policies\":[%s]}", rows[i].want);
        assert_string_equal(buf_text(&out), buf_text(&want));
        buf_clear(&out);
        buf_clear(&want);
        tlsrpt_policies_clear(&p);
        tlsrpt_policies_clear(&p);
        dest_free(d);
    }
    tlsrpt_policies_clear(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_apply),
    };
    return cmocka_run_group_tests_name("tlsrpt_policy", tests, NULL, NULL);
}
