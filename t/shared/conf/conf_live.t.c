/* Tests of shared/conf/conf_live.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "conf.h"

#include <string.h>

static void note(void *ctx, const char *section, const char *key)
{
    buf_printf(ctx, "%s.%s ", section, key);
}

static struct conf *read_text(const char *text)
{
    struct conf *c = NULL;
    struct err e = {""};

    if (conf_parse(&c, "test", text, strlen(text), &e) != 0)
        fail_msg("%s", e.text);
    return c;
}

static const struct row {
    const char *before, *now, *section, *want;
} rows[] = {
    {"", "", "policyd", ""},
    {"", "policyd { stale_max = 2h }", "policyd", ""},
    {"", "policyd { cache_entries = 7 stale_max = 2h }", "policyd", "policyd.cache_entries "},
    {"", "policyd { listen = {\"inet:127.0.0.1:1\"} }", "policyd", "policyd.listen "},
    {"policyd { listen = {\"inet:127.0.0.1:1\"} }", "policyd { listen = {\"inet:127.0.0.1:1\", \"inet:127.0.0.1:2\"} }",
     "policyd", "policyd.listen "},
    {"policyd { listen = {\"inet:127.0.0.1:1\"} }", "policyd { listen = {\"inet:127.0.0.1:1\"} }", "policyd", ""},
    {"", "stsd { trust_ad = yes ca_file = \"/x\" dns_tries = 2 dane = no }", "stsd",
     "stsd.trust_ad stsd.dns_tries stsd.ca_file "},
    {"", "stsd { trust_ad = yes }", "policyd", ""},
    {"", "relayd { per_domain = 3 size_max = 1000 name = \"x\" port = 2525 ca_file = \"/x\" }", "relayd", ""},
    {"", "relayd { stsd = \"unix:/x\" name = \"x\" }", "relayd", "relayd.stsd "},
    {"", "tlsrptd { contact = \"a@b.example\" mail = \"smtp:127.0.0.1:25\" spool = \"/x\" }", "tlsrptd",
     "tlsrptd.spool "},
    {"", "redis { prefix = \"x:\" }", "redis", "redis.prefix "},
    {"", "redis { prefix = \"x:\" }", "nosuch", ""},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct conf *before = read_text(rows[i].before), *now = read_text(rows[i].now);
        struct buf got;

        buf_init(&got, 1000);
        conf_needs_restart(before, now, rows[i].section, note, &got);
        assert_string_equal(buf_text(&got), rows[i].want);
        buf_clear(&got);
        conf_free(before);
        conf_free(now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("conf_live", tests, NULL, NULL);
}
