/*
 * dest_json.t.c - tests of dest_json.c and dest_json_read.c. The refusals are edits of one good record: what is
 * replaced, by what, and the words that the error must have.
 */
#include "dest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define BODY   "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.example.net\nmax_age: 86400\n"
#define BODY_J "version: STSv1\\nmode: enforce\\nmx: mx1.example.com\\nmx: *.example.net\\nmax_age: 86400\\n"

static const char good[] =
    "{\"v\":1,\"domain\":\"example.com\",\"resolved\":1000,\"valid_until\":4600,"
    "\"mx\":{\"state\":\"list\",\"secure\":true,\"truncated\":false,\"dane_before\":false,\"why\":\"\",\"hosts\":["
    "{\"name\":\"mx1.example.com\",\"preference\":10,\"address_secure\":true,\"dane\":\"usable\","
    "\"tlsa_base\":\"mx1.example.com\",\"tlsa\":[\"3 1 1 " DIGEST "\",\"0 0 1 " DIGEST "\"],"
    "\"addresses\":[\"192.0.2.1\",\"2001:db8::1\"]},"
    "{\"name\":\"mx2.example.com\",\"preference\":20,\"address_secure\":false,\"dane\":\"none\","
    "\"tlsa_base\":\"\",\"tlsa\":[],\"addresses\":[]}]},"
    "\"sts\":{\"record\":\"found\",\"id\":\"20260101\",\"policy\":{\"id\":\"20250101\",\"body\":\"" BODY_J "\","
    "\"fetched\":900,\"expires\":87300},\"failure\":\"sts-webpki-invalid\",\"why\":\"expired\",\"attempted\":950,"
    "\"temp_since\":0},"
    "\"tlsrpt\":\"v=TLSRPTv1; rua=mailto:r@example.com\"}";

static const char empty[] =
    "{\"v\":1,\"domain\":\"example.com\",\"resolved\":0,\"valid_until\":0,"
    "\"mx\":{\"state\":\"temp\",\"secure\":false,\"truncated\":false,\"dane_before\":false,\"why\":\"\",\"hosts\":[]},"
    "\"sts\":{\"record\":\"none\",\"id\":\"\",\"policy\":null,\"failure\":\"\",\"why\":\"\","
    "\"attempted\":0,\"temp_since\":0},\"tlsrpt\":\"\"}";

static struct dest *make_good(void)
{
    struct dest *d = dest_new("example.com");
    struct dest_host *host;
    struct tlsa rr;

    assert_non_null(d);
    d->resolved = 1000;
    d->valid_until = 4600;
    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    host = dest_add_host(d, "mx1.example.com", 10);
    assert_non_null(host);
    host->address_secure = true;
    host->dane = DEST_DANE_USABLE;
    snprintf(host->tlsa_base, sizeof host->tlsa_base, "mx1.example.com");
    assert_int_equal(tlsa_parse(&rr, "3 1 1 " DIGEST, 70, NULL), 0);
    assert_int_equal(dest_add_tlsa(host, &rr), 0);
    assert_int_equal(tlsa_parse(&rr, "0 0 1 " DIGEST, 70, NULL), 0);
    assert_int_equal(dest_add_tlsa(host, &rr), 0);
    snprintf(host->address[host->address_count++], ADDRESS_BUF, "192.0.2.1");
    snprintf(host->address[host->address_count++], ADDRESS_BUF, "2001:db8::1");
    assert_non_null(dest_add_host(d, "mx2.example.com", 20));
    d->sts.record = DEST_STS_FOUND;
    snprintf(d->sts.id, sizeof d->sts.id, "20260101");
    assert_int_equal(dest_sts_set_policy(&d->sts, "20250101", BODY, strlen(BODY), 900, NULL), 0);
    d->sts.failure = DEST_STS_WEBPKI_INVALID;
    snprintf(d->sts.why, sizeof d->sts.why, "expired");
    d->sts.attempted = 950;
    snprintf(d->tlsrpt, sizeof d->tlsrpt, "v=TLSRPTv1; rua=mailto:r@example.com");
    return d;
}

static void assert_json(const struct dest *d, const char *want)
{
    struct buf out;

    buf_init(&out, DEST_JSON_MAX);
    dest_to_json(&out, d);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), want);
    buf_clear(&out);
}

static void test_write(void **state)
{
    struct dest *d = make_good();

    (void)state;
    assert_json(d, good);
    dest_free(d);
    d = dest_new("example.com");
    assert_non_null(d);
    assert_json(d, empty);
    dest_free(d);
}

static struct dest *read_json(const char *json)
{
    struct err e = {""};
    struct dest *d = dest_from_json(json, strlen(json), &e);

    if (d == NULL) {
        fail_msg("refused: %s: %s", e.text, json);
        abort(); /* not reached; tells the analyser so */
    }
    return d;
}

/* What stands in few records only: when a policy that is gone was fetched, and that the MX records were never known. */
static void test_seldom(void **state)
{
    struct dest *d = dest_new("example.com"), *back;
    struct buf json;

    (void)state;
    assert_non_null(d);
    d->sts.learnt = 900;
    d->mx_never_known = true;
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, d);
    back = read_json(buf_text(&json));
    assert_int_equal(back->sts.learnt, 900);
    assert_true(back->mx_never_known);
    assert_false(back->sts.has_policy);
    dest_free(back);
    back = read_json(good);
    assert_int_equal(back->sts.learnt, back->sts.fetched);
    dest_free(back);
    dest_free(d);
    buf_clear(&json);
}

static void test_read(void **state)
{
    struct dest *d = read_json(good);
    const struct dest_host *host;

    (void)state;
    assert_non_null(d);
    assert_string_equal(d->domain, "example.com");
    assert_int_equal(d->resolved, 1000);
    assert_int_equal(d->valid_until, 4600);
    assert_int_equal(d->mx, DEST_MX_LIST);
    assert_true(d->mx_secure);
    assert_false(d->mx_truncated);
    assert_int_equal(d->host_count, 2);
    host = &d->host[0];
    assert_string_equal(host->name, "mx1.example.com");
    assert_int_equal(host->preference, 10);
    assert_true(host->address_secure);
    assert_int_equal(host->dane, DEST_DANE_USABLE);
    assert_string_equal(host->tlsa_base, "mx1.example.com");
    assert_int_equal(host->tlsa_count, 2);
    assert_int_equal(host->tlsa[0].usage, 3);
    assert_int_equal(host->tlsa[0].len, 32);
    assert_int_equal(host->tlsa[0].data[31], 0xff);
    assert_int_equal(host->address_count, 2);
    assert_string_equal(host->address[1], "2001:db8::1");
    assert_int_equal(d->host[1].dane, DEST_DANE_NONE);
    assert_int_equal(d->sts.record, DEST_STS_FOUND);
    assert_string_equal(d->sts.id, "20260101");
    assert_true(d->sts.has_policy);
    assert_string_equal(d->sts.policy_id, "20250101");
    assert_string_equal(d->sts.body, BODY);
    assert_int_equal(d->sts.policy.mode, STS_MODE_ENFORCE);
    assert_int_equal(d->sts.policy.max_age, 86400);
    assert_int_equal(d->sts.policy.mx_count, 2);
    assert_string_equal(d->sts.policy.mx[1], "*.example.net");
    assert_int_equal(d->sts.fetched, 900);
    assert_int_equal(d->sts.expires, 87300);
    assert_int_equal(d->sts.failure, DEST_STS_WEBPKI_INVALID);
    assert_string_equal(d->sts.why, "expired");
    assert_int_equal(d->sts.attempted, 950);
    assert_string_equal(d->tlsrpt, "v=TLSRPTv1; rua=mailto:r@example.com");
    assert_json(d, good);
    dest_free(d);
}

struct edit {
    const char *name;
    const char *from; /* the first one is replaced */
    const char *to;
    const char *says; /* NULL: taken */
};

#define HUNDRED "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

#define TLSRPT_URI "https://example.com/" HUNDRED HUNDRED HUNDRED HUNDRED

static const struct edit edits[] = {
    {"unknown members", "{\"v\":1,", "{\"v\":1,\"new\":{\"a\":[1,2.5,null]},", NULL},
    {"unknown member of a host", "\"preference\":10", "\"weight\":\"x\",\"preference\":10", NULL},
    {"blanks", "{\"v\":1,", " {\n\"v\" : 1 ,\t", NULL},
    {"largest time", "\"valid_until\":4600", "\"valid_until\":9007199254740992", NULL},
    {"largest preference", "\"preference\":10", "\"preference\":65535", NULL},
    {"A5 UTF-8 in an extension of the policy", "86400\\n", "86400\\next: \\u00e9\xe2\x82\xac\\n", NULL},
    {"max_age clamped", "86400\\n\",\"fetched\":900,\"expires\":87300",
     "99999999\\n\",\"fetched\":900,\"expires\":31558500", NULL},
    {"why of 199", "\"why\":\"expired\"",
     "\"why\":\"" HUNDRED
     "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
     "345678\"",
     NULL},
    {"tab in the TLSRPT record", "; rua", ";\\trua", NULL},
    {"host temp without records", "\"dane\":\"none\"", "\"dane\":\"temp\"", NULL},

    {"version 2", "\"v\":1", "\"v\":2", "v: version 2 is not known"},
    {"version 0", "\"v\":1", "\"v\":0", "v: version 0"},
    {"no version", "\"v\":1,", "", "v: is missing"},
    {"version as text", "\"v\":1", "\"v\":\"1\"", "v: is not an integer"},
    {"version as fraction", "\"v\":1", "\"v\":1.0", "v: is not an integer"},
    {"two of a member", "\"resolved\":1000", "\"resolved\":1000,\"resolved\":2000", "is not JSON: duplicate"},
    {"two of an unknown member", "\"resolved\":1000", "\"x\":1,\"x\":1,\"resolved\":1000", "is not JSON: duplicate"},
    {"rubbish after it", "example.com\"}", "example.com\"} x", "is not JSON"},
    {"a second record after it", "example.com\"}", "example.com\"}{}", "is not JSON"},
    {"cut short", "example.com\"}", "example.com\"", "is not JSON"},
    {"NUL in a text", "\"example.com\"", "\"example.com\\u0000x\"", "is not JSON"},
    {"invalid UTF-8", "expired", "exp\xffired", "is not JSON"},
    {"domain not in its one form: case", "\"example.com\"", "\"Example.com\"", "domain: is not in its one form"},
    {"domain not in its one form: dot", "\"example.com\"", "\"example.com.\"", "domain: is not in its one form"},
    {"domain that is none", "\"example.com\"", "\"exa mple\"", "domain: "},
    {"domain empty", "\"example.com\"", "\"\"", "domain: "},
    {"domain with braces", "\"example.com\"", "\"{x}.com\"", "domain: "},
    {"domain too long", "\"example.com\"", "\"" HUNDRED "." HUNDRED "." HUNDRED "\"", "domain: is longer than 253"},
    {"domain as number", "\"example.com\"", "7", "domain: is not a string"},
    {"time below 0", "\"resolved\":1000", "\"resolved\":-1", "resolved: is out of range"},
    {"time beyond 2^53", "\"valid_until\":4600", "\"valid_until\":9007199254740993", "valid_until: is out of range"},
    {"time beyond 2^63", "\"valid_until\":4600", "\"valid_until\":99999999999999999999", "is not JSON"},
    {"time as a fraction", "\"valid_until\":4600", "\"valid_until\":4600.5", "valid_until: is not an integer"},
    {"time missing", "\"resolved\":1000,", "", "resolved: is missing"},
    {"mx as array",
     "\"mx\":{\"state\":\"list\",\"secure\":true,\"truncated\":false,\"dane_before\":false,\"why\":\"\",\"hosts\":[",
     "\"mx\":[],\"y\":{\"z\":[", "mx: is not an object"},
    {"unknown mx state", "\"list\"", "\"lots\"", "mx: state: unknown word"},
    {"mx state NULL-ish", "\"list\"", "null", "mx: state: is not a string"},
    {"state temp with hosts", "\"list\"", "\"temp\"", "mx: hosts: more than 0 with state temp"},
    {"B5 null MX with hosts", "\"list\"", "\"null\"", "mx: hosts: more than 0"},
    {"no domain with hosts", "\"list\"", "\"nodomain\"", "mx: hosts: more than 0"},
    {"implicit with two hosts", "\"list\"", "\"implicit\"", "mx: hosts: more than 1"},
    {"secure as number", "\"secure\":true", "\"secure\":1", "mx: secure: is not true or false"},
    {"truncated missing", "\"truncated\":false,\"dane_before\":false,", "", "mx: truncated: is not true or false"},
    {"mx why with a line feed", "\"why\":\"\"", "\"why\":\"a\\nb\"", "mx: why: holds an octet"},
    {"why of 200", "\"why\":\"expired\"",
     "\"why\":\"" HUNDRED
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
     "456789\"",
     "sts: why: is longer than 199"},
    {"why beyond ASCII", "expired", "\xc3\xa9xpired", "sts: why: holds an octet"},
    {"host is no object", "\"hosts\":[", "\"hosts\":[7,", "mx: hosts[0]: is not an object"},
    {"second host: preference", "\"preference\":20", "\"preference\":65536",
     "mx: hosts[1]: preference: is out of range"},
    {"host name in capitals", "\"name\":\"mx1", "\"name\":\"MX1", "mx: hosts[0]: name: is not in its one form"},
    {"host name that is an address", "\"mx1.example.com\"", "\"192.0.2.1\"", "mx: hosts[0]: name: "},
    {"unknown dane", "\"dane\":\"none\"", "\"dane\":\"maybe\"", "mx: hosts[1]: dane: unknown word"},
    {"B-2 usable without records", "\"dane\":\"none\"", "\"dane\":\"usable\"", "mx: hosts[1]: dane: is usable without"},
    {"B-2 usable with unusable ones only", "3 1 1", "1 1 1", "mx: hosts[0]: dane: is usable without"},
    {"B-2 usable with a short digest only", "3 1 1 00", "3 1 1 ", "mx: hosts[0]: dane: is usable without"},
    {"usable without a base", "\"tlsa_base\":\"mx1.example.com\"", "\"tlsa_base\":\"\"", "dane: is usable without"},
    {"B-3 unusable with a usable one", "\"usable\"", "\"unusable\"", "mx: hosts[0]: dane: is unusable with"},
    {"none with records", "\"usable\"", "\"none\"", "mx: hosts[0]: dane: is none, but"},
    {"none with a base", "\"tlsa_base\":\"\"", "\"tlsa_base\":\"a.example\"", "mx: hosts[1]: dane: is none, but"},
    {"temp with records", "\"usable\"", "\"temp\"", "mx: hosts[0]: dane: is temp, but"},
    {"base that is no name", "\"tlsa_base\":\"\"", "\"tlsa_base\":\"a..b\"", "mx: hosts[1]: tlsa_base: "},
    {"TLSA that is none", "3 1 1 ", "3 1 x ", "mx: hosts[0]: tlsa[0]: "},
    {"TLSA as number", "\"3 1 1 " DIGEST "\"", "3", "mx: hosts[0]: tlsa[0]: is not a string"},
    {"address with leading zeros", "2001:db8::1", "2001:0db8::1", "mx: hosts[0]: addresses[1]: is not an address"},
    {"address that is none", "192.0.2.1", "192.0.2.256", "mx: hosts[0]: addresses[0]: is not an address"},
    {"address as null", "\"192.0.2.1\"", "null", "mx: hosts[0]: addresses[0]: is not a string"},
    {"nine addresses", "\"addresses\":[]",
     "\"addresses\":[\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\"]",
     "mx: hosts[1]: addresses: more than 8"},
    {"unknown record word", "\"found\"", "\"lost\"", "sts: record: unknown word"},
    {"id without record", "\"found\"", "\"none\"", "sts: id: there is one, but no record"},
    {"A1 record without id", "\"id\":\"20260101\"", "\"id\":\"\"", "sts: id: is not 1 to 32"},
    {"A1 id with a dash", "\"id\":\"20260101\"", "\"id\":\"2026-01-01\"", "sts: id: is not 1 to 32"},
    {"A1 id of 33", "\"id\":\"20260101\"", "\"id\":\"012345678901234567890123456789012\"",
     "sts: id: is longer than 32"},
    {"A1 policy id empty", "\"id\":\"20250101\"", "\"id\":\"\"", "sts: policy: policy id is not"},
    {"policy missing", "\"policy\":", "\"polity\":", "sts: policy: is not an object or null"},
    {"A8 a longer life than the body says", "\"expires\":87300", "\"expires\":87301",
     "sts: policy: expires: is not fetched + max_age"},
    {"A8 a shorter life than the body says", "\"expires\":87300", "\"expires\":87299", "sts: policy: expires: is not"},
    {"A8 a later fetch", "\"fetched\":900", "\"fetched\":901", "sts: policy: expires: is not"},
    {"A8 a longer max_age", "max_age: 86400", "max_age: 86401", "sts: policy: expires: is not"},
    {"A5 body that is no policy", "mode: enforce", "mode: forced", "sts: policy: "},
    {"A5 enforce without mx", "mx: mx1.example.com\\nmx: *.example.net\\n", "", "sts: policy: "},
    {"A5 body with U+2028 for a line end", "STSv1\\nmode", "STSv1\\u2028mode", "sts: policy: "},
    {"A5 body with a NEL for a line end", "STSv1\\nmode", "STSv1\\u0085mode", "sts: policy: "},
    {"body as array", "\"body\":\"", "\"body\":[],\"bydo\":\"", "sts: policy: body: is not a string"},
    {"unknown failure", "sts-webpki-invalid", "sts-unknown", "sts: failure: unknown word"},
    {"learnt out of range", "\"temp_since\":0", "\"temp_since\":0,\"learnt\":-1", "sts: learnt: is out of range"},
    {"attempted missing", ",\"attempted\":950,\"temp_since\":0", "", "sts: attempted: is missing"},
    {"W12 broken TLSRPT record", "rua=mailto:r@example.com", "rua=gopher", "tlsrpt: is not a valid record"},
    {"W12 no TLSRPT record", "v=TLSRPTv1", "v=spf1", "tlsrpt: is not a valid record"},
    {"W12 line feed in the TLSRPT record", "; rua", ";\\nrua", "tlsrpt: is not a valid record"},
    {"TLSRPT record of more than 1024", "; rua=", "; rua=" TLSRPT_URI "," TLSRPT_URI "," TLSRPT_URI ",",
     "tlsrpt: is longer"},
    {"TLSRPT missing", ",\"tlsrpt\":", ",\"tlsrtp\":", "tlsrpt: is missing"},
};

static void edit_good(char *out, size_t cap, const struct edit *c)
{
    const char *at = strstr(good, c->from);
    int n;

    if (at == NULL)
        fail_msg("%s: nothing to replace", c->name);
    n = snprintf(out, cap, "%.*s%s%s", (int)(at - good), good, c->to, at + strlen(c->from));
    assert_in_range(n, 1, cap - 1);
}

static void test_edits(void **state)
{
    char json[4096];

    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        const struct edit *c = &edits[i];
        struct err e = {""};
        struct dest *d;

        edit_good(json, sizeof json, c);
        d = dest_from_json(json, strlen(json), &e);
        if (c->says == NULL && d == NULL)
            fail_msg("%s: refused: %s", c->name, e.text);
        if (c->says != NULL && d != NULL)
            fail_msg("%s: taken", c->name);
        if (c->says != NULL && strstr(e.text, c->says) == NULL)
            fail_msg("%s: says \"%s\"", c->name, e.text);
        dest_free(d);
    }
}

static void test_not_objects(void **state)
{
    static const char *const texts[] = {"", " ", "null", "[]", "7", "\"x\"", "{", "{}", "{\"v\":1}", "\xff", "[[[["};
    struct err e = {""};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_null(dest_from_json(texts[i], strlen(texts[i]), &e));
    assert_null(dest_from_json("{}\0", 3, NULL));
}

/* An unknown member may be anything, but not so deep that reading it takes the stack. */
static void test_deep(void **state)
{
    size_t len = DEST_JSON_MAX;
    char *json = malloc(len + 1);
    struct err e = {""};

    (void)state;
    assert_non_null(json);
    memset(json, '[', len + 1);
    assert_null(dest_from_json(json, len, &e));
    assert_null(dest_from_json(json, len + 1, &e));
    assert_non_null(strstr(e.text, "longer than"));
    free(json);
}

/* Put one more element at the start of an array and see that the record is refused. */
static void assert_one_more_refused(const struct buf *json, const char *array, const char *element, const char *words)
{
    const char *at = strstr(json->data, array);
    struct err e = {""};
    struct buf more;

    assert_non_null(at);
    at += strlen(array);
    buf_init(&more, DEST_JSON_MAX);
    buf_add(&more, json->data, (size_t)(at - json->data));
    buf_str(&more, element);
    buf_char(&more, ',');
    buf_str(&more, at);
    assert_true(buf_ok(&more));
    assert_null(dest_from_json(more.data, more.len, &e));
    assert_non_null(strstr(e.text, words));
    buf_clear(&more);
}

static void test_counts(void **state)
{
    struct dest *d = make_good();
    struct dest *back;
    struct buf json;

    (void)state;
    for (unsigned i = 0; i < DEST_HOSTS_MAX - 2; i++)
        assert_non_null(dest_add_host(d, "mx.example.org", 30));
    for (unsigned i = 0; i < DEST_TLSA_MAX - 2; i++) {
        struct tlsa rr;

        assert_int_equal(tlsa_parse(&rr, "2 0 2 00", 8, NULL), 0);
        assert_int_equal(dest_add_tlsa(&d->host[0], &rr), 0);
    }
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, d);
    assert_true(buf_ok(&json));
    back = read_json(buf_text(&json));
    assert_int_equal(back->host_count, DEST_HOSTS_MAX);
    assert_int_equal(back->host[0].tlsa_count, DEST_TLSA_MAX);
    assert_json(back, buf_text(&json));
    dest_free(back);
    assert_one_more_refused(&json, "\"tlsa\":[", "\"2 0 2 00\"", "tlsa: more than 16");
    assert_one_more_refused(&json, "\"hosts\":[",
                            "{\"name\":\"a.example\",\"preference\":1,\"address_secure\":true,\"dane\":\"none\","
                            "\"tlsa_base\":\"\",\"tlsa\":[],\"addresses\":[]}",
                            "hosts: more than 32");
    buf_clear(&json);
    dest_free(d);
}

static void test_foreign_sentences(void **state)
{
    struct dest *d = dest_new("example.com");
    struct dest *back;
    struct buf json;

    (void)state;
    assert_non_null(d);
    snprintf(d->mx_why, sizeof d->mx_why, "a\nb\xff\x7f\"\\{}");
    memset(d->sts.why, 0xe2, sizeof d->sts.why - 1);
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, d);
    assert_true(buf_ok(&json));
    back = read_json(buf_text(&json));
    assert_string_equal(back->mx_why, "a?b??\"\\{}");
    assert_int_equal(strlen(back->sts.why), DEST_WHY_MAX - 1);
    assert_int_equal(strspn(back->sts.why, "?"), DEST_WHY_MAX - 1);
    dest_free(back);
    buf_clear(&json);
    dest_free(d);
}

static void test_too_long(void **state)
{
    struct dest *d = make_good();
    struct buf json;

    (void)state;
    buf_init(&json, sizeof good - 2);
    dest_to_json(&json, d);
    assert_false(buf_ok(&json));
    buf_clear(&json);

    /* 32 hosts of 16 records of 16384 octets are more than anyone would take back. */
    for (unsigned i = 0; i < 40; i++) {
        struct tlsa rr = {.usage = 3, .len = TLSA_DATA_MAX, .data = calloc(1, TLSA_DATA_MAX)};

        assert_non_null(rr.data);
        if (i == 14)
            assert_non_null(dest_add_host(d, "mx3.example.com", 30));
        if (i == 28)
            assert_non_null(dest_add_host(d, "mx4.example.com", 40));
        assert_int_equal(dest_add_tlsa(&d->host[i < 14 ? 0 : i < 28 ? 2 : 3], &rr), 0);
    }
    buf_init(&json, 10UL * DEST_JSON_MAX);
    dest_to_json(&json, d);
    assert_false(buf_ok(&json));
    assert_int_equal(json.len, 0);
    buf_clear(&json);
    dest_free(d);
}

/* What sts_policy_parse takes, JSON holds and gives back: every octet in every place of an extension's value. */
static void test_any_body(void **state)
{
    char body[160];
    unsigned taken = 0;

    (void)state;
    for (unsigned octets = 0; octets < 0x10000; octets++) {
        struct dest *d = dest_new("example.com"), *back;
        struct buf json;
        size_t len = (size_t)snprintf(body, sizeof body, "%sx: a", BODY);

        assert_non_null(d);
        body[len++] = (char)(octets >> 8);
        body[len++] = (char)(octets & 0xff);
        if (dest_sts_set_policy(&d->sts, "1", body, len, 0, NULL) == 0) {
            taken++;
            buf_init(&json, DEST_JSON_MAX);
            dest_to_json(&json, d);
            if (!buf_ok(&json))
                fail_msg("0x%04x cannot be stored", octets);
            back = read_json(buf_text(&json));
            assert_int_equal(back->sts.body_len, len);
            assert_memory_equal(back->sts.body, body, len);
            dest_free(back);
            buf_clear(&json);
        }
        dest_free(d);
    }
    assert_in_range(taken, 94 * 94, 0x7fff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),       cmocka_unit_test(test_seldom),
        cmocka_unit_test(test_read),        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_not_objects), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_counts),      cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_any_body),    cmocka_unit_test(test_foreign_sentences),
    };

    return cmocka_run_group_tests_name("dest_json", tests, NULL, NULL);
}
