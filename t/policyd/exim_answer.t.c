/* Tests of policyd/exim_answer.c: what Exim is told, that it reads it so, and that nothing becomes weaker on the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exim_answer.h"
#include "exim_extract.h"

#include <string.h>

#define ROOM 4096

/* --- policy --- */

static const struct {
    const char *text; /* for Postfix */
    bool smtps;
    const char *line; /* for Exim; NULL: temp */
} policies[] = {
    {"NOTFOUND ", false, "status=ok level=default transport=smtp"},
    {"OK none", false, "status=ok level=none transport=smtp"},
    {"OK may", false, "status=ok level=may transport=smtp"},
    {"OK encrypt", false, "status=ok level=encrypt transport=smtp"},
    {"OK encrypt", true, "status=ok level=encrypt transport=smtps"},
    {"OK verify", false, "status=ok level=verify transport=smtp"},
    {"OK dane", false, "status=ok level=dane transport=smtp"},
    {"OK dane-only", false, "status=ok level=dane-only transport=smtp"},
    {"OK secure", false, "status=ok level=secure mx=a.test:.a.test transport=smtp"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", false,
     "status=ok level=secure mx=mx1.a.test:.b.test sni=hostname transport=smtp"},
    {"OK secure match=mx1.a.test servername=hostname protocols=>=TLSv1.2 ciphers=high", true,
     "status=ok level=secure mx=mx1.a.test sni=hostname protocols=>=TLSv1.2 ciphers=high "
     "gnutls=NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3 transport=smtps"},
    {"OK encrypt protocols=TLSv1.2", false,
     "status=ok level=encrypt protocols=TLSv1.2 gnutls=NORMAL:-VERS-ALL:+VERS-TLS1.2 transport=smtp"},
    {"OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1", false,
     "status=ok level=encrypt protocols=!SSLv2:!SSLv3:!TLSv1 "
     "gnutls=NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.2:+VERS-TLS1.3 transport=smtp"},
    {"OK encrypt protocols=>=SSLv3:<=TLSv1.1", false,
     "status=ok level=encrypt protocols=>=SSLv3:<=TLSv1.1 gnutls=NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1 "
     "transport=smtp"},
    {"OK encrypt ciphers=medium", false, "status=ok level=encrypt ciphers=medium gnutls=NORMAL transport=smtp"},
    {"OK encrypt ciphers=high", false, "status=ok level=encrypt ciphers=high gnutls=NORMAL transport=smtp"},
    /* what cannot be said is not left out */
    {"OK encrypt ciphers=null", false, NULL},
    {"OK encrypt protocols=SSLv3", false, NULL},
    {"OK encrypt protocols=TLSv1.9", false, NULL},
    {"OK encrypt exclude=RC4", false, NULL},
    {"OK encrypt match=", false, NULL},
    {"OK encrypt ciphers=high ciphers=medium", false, NULL},
    {"OK secure match=a.test servername=hostname policy_type=sts", false, NULL},
    {"OK fingerprint match=aa", false, NULL},
    {"OK default", false, NULL},
    {"OK", false, NULL},
    {"OK ", false, NULL},
    {"OK  none", false, NULL},
    {"OK none ", true, "status=ok level=none transport=smtps"},
    {"PERM no", false, NULL},
    {"", false, NULL},
    {"none", false, NULL},
};

static void answer_as(struct buf *out, const char *text, bool smtps)
{
    const struct exim_policy policy = {.text = text, .len = strlen(text), .domain = "a.test", .smtps = smtps};

    buf_reset(out);
    exim_answer_policy(out, &policy);
    assert_true(buf_ok(out));
    assert_int_equal(strlen(buf_text(out)), out->len);
    assert_ptr_equal(strchr(buf_text(out), '\n'), out->data + out->len - 1);
}

static void test_policy(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, ROOM);
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        const char *want = policies[i].line;
        size_t len = want == NULL ? 0 : strlen(want);

        answer_as(&out, policies[i].text, policies[i].smtps);
        if (want == NULL ? strncmp(buf_text(&out), "status=temp why=\"", 17) != 0
                         : out.len != len + 1 || memcmp(out.data, want, len) != 0)
            fail_msg("%s: %s", policies[i].text, buf_text(&out));
    }
    buf_clear(&out);
}

/* --- values: what is in one stays in it --- */

static const struct {
    const char *value;
    const char *read; /* NULL: the same */
} values[] = {
    {"", NULL},
    {"no luck", NULL},
    {"a=b level=none", NULL},
    {"\" level=none why=\"", NULL},
    {"\\\" level=none", NULL},
    {"\\", NULL},
    {"\\\\\"", NULL},
    {"\\n\\x41\\101", NULL},
    {"${run{/bin/sh}} $domain", NULL},
    {"gr\303\274n \377", NULL},
    {"a\nstatus=ok level=none", "a?status=ok level=none"},
    {"a\rb\tc\033d\177e", "a?b?c?d?e"},
};

static void demand_value(const struct buf *out, const char *key, size_t row)
{
    const char *want = values[row].read != NULL ? values[row].read : values[row].value;
    char value[ROOM];

    if (exim_extract(value, key, buf_text(out)) == NULL || strcmp(value, want) != 0)
        fail_msg("row %zu: %s", row, buf_text(out));
    assert_null(exim_extract(value, "level", buf_text(out)));
    assert_ptr_equal(strchr(buf_text(out), '\n'), out->data + out->len - 1);
}

static void test_values(void **state)
{
    char value[ROOM];
    struct buf out;

    (void)state;
    buf_init(&out, ROOM);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *text = values[i].value;

        buf_reset(&out);
        exim_answer_list(&out, text);
        demand_value(&out, "value", i);
        assert_string_equal(exim_extract(value, "found", buf_text(&out)), "yes");
        buf_reset(&out);
        exim_answer_bad(&out, text);
        demand_value(&out, "why", i);
        assert_string_equal(exim_extract(value, "status", buf_text(&out)), "bad");
        buf_reset(&out);
        exim_answer_temp(&out, text);
        demand_value(&out, "why", i);
        assert_string_equal(exim_extract(value, "status", buf_text(&out)), "temp");
    }
    answer_as(&out, "TEMP a \"b\" \\ level=none", false);
    assert_string_equal(buf_text(&out), "status=temp why=\"a \\\"b\\\" \\\\ level=none\"\n");
    answer_as(&out, "OK secure match=a\"b\\:c.test", false); /* no such name comes here */
    assert_string_equal(buf_text(&out), "status=ok level=secure mx=\"a\\\"b\\\\:c.test\" transport=smtp\n");
    buf_clear(&out);
}

/* --- mx --- */

static const struct {
    const char *text;
    const char *host;
    const char *mx; /* NULL: temp */
} hosts[] = {
    {"NOTFOUND ", "mx.evil.test", "yes"},
    {"OK none", "mx.evil.test", "yes"},
    {"OK verify", "mx.evil.test", "yes"},
    {"OK dane-only", "mx.evil.test", "yes"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "mx1.a.test", "yes"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "x.b.test", "yes"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "b.test", "no"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "x.y.b.test", "no"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "xb.test", "no"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "mx2.a.test", "no"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "a.test", "no"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "x.mx1.a.test", "no"},
    {"OK secure match=mx1.a.test:.b.test servername=hostname", "mx1.a.test.evil.test", "no"},
    {"OK secure match=:", "a.test", "no"},
    {"OK secure match=.:", "a.test", "no"},
    {"OK secure", "a.test", "yes"},
    {"OK secure", "mx.a.test", "yes"},
    {"OK secure", "x.mx.a.test", "yes"},
    {"OK secure", "xa.test", "no"},
    {"OK secure", "test", "no"},
    {"OK secure", "a.test.evil.test", "no"},
    {"TEMP wait", "mx.a.test", NULL},
    {"OK secure policy_type=sts", "mx.a.test", NULL},
    {"rubbish", "mx.a.test", NULL},
};

static void test_mx(void **state)
{
    char value[ROOM];
    struct buf out;

    (void)state;
    buf_init(&out, ROOM);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct exim_policy policy = {
            .text = hosts[i].text, .len = strlen(hosts[i].text), .domain = "a.test", .smtps = false};
        const char *mx;

        buf_reset(&out);
        exim_answer_mx(&out, &policy, hosts[i].host);
        mx = exim_extract(value, "mx", buf_text(&out));
        if (hosts[i].mx == NULL ? strncmp(buf_text(&out), "status=temp ", 12) != 0
                                : mx == NULL || strcmp(mx, hosts[i].mx) != 0)
            fail_msg("%s, %s: %s", hosts[i].text, hosts[i].host, buf_text(&out));
        assert_int_equal(mx != NULL && strcmp(mx, "no") == 0,
                         strstr(buf_text(&out), " is no MX host of a.test") != NULL);
    }
    buf_clear(&out);
}

static void test_others(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, ROOM);
    exim_answer_list(&out, NULL);
    exim_answer_route(&out, EXIM_ROUTE_NONE);
    exim_answer_route(&out, EXIM_ROUTE_RELAXED);
    exim_answer_route(&out, EXIM_ROUTE_REQUIRETLS);
    buf_str(&out, exim_answer_too_long);
    assert_string_equal(buf_text(&out), "status=ok found=no\nstatus=ok route=none\nstatus=ok route=relaxed\n"
                                        "status=ok route=requiretls\n"
                                        "status=bad why=\"a request is one line of at most 1024 octets\"\n");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_mx),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests_name("exim_answer", tests, NULL, NULL);
}
