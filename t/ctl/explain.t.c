/* explain.t.c - what policyd and stsd answer, as people see it: explanations, cache entries, status. */
#include "explain.h"

#include "cache_text.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1763748000) /* 2025-11-21T18:00:00Z */

static void expect(void (*print)(struct buf *, const json_t *, int64_t, bool), const char *json, bool colour,
                   const char *text)
{
    json_t *object = json_loads(json, 0, NULL);
    struct buf out;

    assert_non_null(object);
    buf_init(&out, 100000);
    print(&out, object, NOW, colour);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), text);
    buf_clear(&out);
    json_decref(object);
}

static void test_explain_secure(void **state)
{
    (void)state;
    expect(explain_print,
           "{\"nexthop\":\"Example.com:587\",\"domain\":\"example.com\",\"kind\":\"domain\","
           "\"answer\":\"OK secure match=mx1.example.com servername=hostname\","
           "\"answer_tlsrpt\":\"OK secure match=mx1.example.com servername=hostname policy_type=sts\",\"temp\":false,"
           "\"level\":\"secure\",\"reasons\":[\"no DANE\\u001b[2J\",\"MTA-STS enforce\"],\"source\":\"redis\","
           "\"valid_until\":1763748840,\"record\":null}",
           false,
           "Example.com:587 (as example.com): OK secure match=mx1.example.com servername=hostname\n"
           "Mail goes only over TLS, to servers with a valid certificate for one of the published MX names.\n"
           "\nWhy:\n"
           "  1. no DANE\\x1b[2J\n"
           "  2. MTA-STS enforce\n"
           "\nFacts: from Redis.\n"
           "The answer holds until 2025-11-21T18:14:00Z (in 14 m).\n"
           "With TLSRPT attributes (Postfix 3.10 or later): "
           "OK secure match=mx1.example.com servername=hostname policy_type=sts\n");
}

static void test_explain_temp(void **state)
{
    (void)state;
    expect(explain_print,
           "{\"nexthop\":\"example.com\",\"domain\":\"example.com\",\"kind\":\"domain\",\"answer\":\"TEMP MX unknown\","
           "\"answer_tlsrpt\":\"TEMP MX unknown\",\"temp\":true,\"level\":\"default\",\"reasons\":[\"MX: SERVFAIL\"],"
           "\"source\":\"stsd\",\"valid_until\":1763747999,\"record\":null}",
           true,
           "example.com: \033[31mTEMP MX unknown\033[0m\n"
           "Mail is held and tried again later: what binds it cannot be told now.\n"
           "\nWhy:\n"
           "  1. MX: SERVFAIL\n"
           "\nFacts: looked up by stsd just now.\n"
           "The answer held until 2025-11-21T17:59:59Z (1 s ago).\n");
}

static const struct {
    const char *json, *sentence;
} sentences[] = {
    {"{\"level\":\"default\",\"kind\":\"domain\"}", "the MTA's own setting decides"},
    {"{\"level\":\"default\",\"kind\":\"parent\"}", "parent domains"},
    {"{\"level\":\"none\"}", "in clear: TLS is not tried"},
    {"{\"level\":\"may\"}", "when the server offers it"},
    {"{\"level\":\"encrypt\"}", "certificates are not checked"},
    {"{\"level\":\"dane\"}", "usable TLSA records"},
    {"{\"level\":\"verify\"}", "valid certificate for their name"},
    {"{\"level\":\"secure\",\"answer\":\"OK secure\"}", "for the next hop's own name or one below it"},
    {"{\"level\":\"secure\",\"answer\":\"OK secure match=a.b\"}", "published MX names"},
    {"{\"level\":\"encrypt\",\"smtps\":true}", "implicit TLS, port 465"},
    {"{\"level\":\"none\",\"overridden\":true}", "says override"},
    {"{\"level\":\"none\",\"source\":\"stale\"}", "old ones"},
    {"{\"level\":\"default\",\"nexthop\":\"[a.b]:25\",\"domain\":\"a.b\",\"answer\":\"x\"}", "[a.b]:25: x"},
    {"{\"level\":\"dane-only\"}", "DNSSEC-signed TLSA records"},
    {"{\"level\":\"frob\"}", "does not know"},
    {"{}", "does not know"},
    {"{\"level\":7,\"reasons\":{\"a\":1},\"source\":[],\"nexthop\":null,\"valid_until\":\"x\"}", "does not know"},
};

static void test_explain_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        json_t *object = json_loads(sentences[i].json, 0, NULL);
        struct buf out;

        assert_non_null(object);
        buf_init(&out, 10000);
        explain_print(&out, object, NOW, false);
        assert_true(buf_ok(&out));
        assert_non_null(strstr(buf_text(&out), sentences[i].sentence));
        buf_clear(&out);
        json_decref(object);
    }
}

static const struct {
    const char *answer;
    enum tint tint;
} tints[] = {
    {"OK secure match=a", TINT_GOOD}, {"OK dane-only", TINT_GOOD}, {"OK dane", TINT_GOOD}, {"OK none", TINT_WARN},
    {"OK nonesuch", TINT_NONE},       {"NOTFOUND ", TINT_NONE},    {"TEMP x", TINT_BAD},   {"", TINT_NONE},
    {"OK encrypt", TINT_NONE},        {"OK", TINT_NONE},           {"secure", TINT_NONE},
};

static void test_tints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tints) / sizeof(tints[0]); i++)
        assert_int_equal(answer_tint(tints[i].answer), tints[i].tint);
}

static void test_cache_list(void **state)
{
    (void)state;
    expect(cache_print_list,
           "{\"entries\":3,\"limit\":100,\"domains\":[{\"domain\":\"example.com\",\"answer\":\"OK dane-only\","
           "\"valid_until\":1763748840,\"hits\":12},{\"domain\":\"b.example\",\"answer\":\"NOTFOUND \","
           "\"valid_until\":1763748060,\"hits\":0}],\"more\":true}",
           false,
           "DOMAIN       HITS  VALID UNTIL                     ANSWER\n"
           "example.com  12    2025-11-21T18:14:00Z (in 14 m)  OK dane-only\n"
           "b.example    0     2025-11-21T18:01:00Z (in 1 m)   NOTFOUND \n"
           "\n3 of at most 100 entries; not all are shown\n");
    expect(cache_print_list, "{\"entries\":0,\"limit\":100,\"domains\":[],\"more\":false}", false,
           "0 of at most 100 entries\n");
    expect(cache_print_list,
           "{\"entries\":1,\"limit\":100,\"domains\":[{\"domain\":\"b.example\",\"answer\":\"NOTFOUND \","
           "\"valid_until\":1763748060,\"hits\":0,\"worker\":2}],\"more\":false}",
           false,
           "DOMAIN     WORKER  HITS  VALID UNTIL                    ANSWER\n"
           "b.example  2       0     2025-11-21T18:01:00Z (in 1 m)  NOTFOUND \n"
           "\n1 of at most 100 entries\n");
    expect(cache_print_list, "{\"domains\":[{\"domain\":\"b.example\",\"worker\":2}]}", false,
           "DOMAIN     WORKER  HITS  VALID UNTIL            ANSWER\n"
           "b.example  2       0     to be looked up again\n");
    expect(cache_print_list, "{\"domains\":[1,null,\"x\"]}", false,
           "DOMAIN  HITS  VALID UNTIL            ANSWER\n"
           "        0     to be looked up again\n"
           "        0     to be looked up again\n"
           "        0     to be looked up again\n"
           "\n0 of at most 0 entries\n");
}

static void test_cache_entry(void **state)
{
    (void)state;
    expect(cache_print_entry,
           "{\"domain\":\"example.com\",\"answer\":\"OK dane\",\"valid_until\":1763748840,\"hits\":1}", true,
           "domain       \033[1mexample.com\033[0m\n"
           "answer       \033[32mOK dane\033[0m\n"
           "hits         1\n"
           "valid until  2025-11-21T18:14:00Z (in 14 m)\n");
}

static void test_cache_flushed(void **state)
{
    (void)state;
    expect(cache_print_flushed, "{\"flushed\":1}", false, "1 answer forgotten\n");
    expect(cache_print_flushed, "{\"flushed\":0}", false, "0 answers forgotten\n");
}

static void print_status(struct buf *out, const json_t *object, int64_t now, bool colour)
{
    status_print(out, "postern-stsd", "unix:/run/s", object, now, colour);
}

static void test_status(void **state)
{
    struct buf out;

    (void)state;
    expect(print_status,
           "{\"version\":\"0.1.0\",\"pid\":77,\"uptime\":7300,\"redis\":\"down\",\"dane\":true,\"lookups\":123456,"
           "\"by\":{\"a\":1},\"x\\u001b\":null}",
           true,
           "\033[1mpostern-stsd\033[0m  \033[32mup\033[0m\n"
           "  address     unix:/run/s\n"
           "  version     0.1.0\n"
           "  pid         77\n"
           "  uptime      2 h\n"
           "  redis       \033[31mdown\033[0m\n"
           "  dane        yes\n"
           "  lookups     123456\n"
           "  by          a 1\n"
           "  x\\x1b       null\n");
    buf_init(&out, 1000);
    status_print(&out, "postern-stsd", "unix:/run/s", NULL, 0, false);
    assert_string_equal(buf_text(&out), "postern-stsd  down\n  address     unix:/run/s\n");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explain_secure),    cmocka_unit_test(test_explain_temp),
        cmocka_unit_test(test_explain_sentences), cmocka_unit_test(test_tints),
        cmocka_unit_test(test_cache_list),        cmocka_unit_test(test_cache_entry),
        cmocka_unit_test(test_cache_flushed),     cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
