/* Tests of resolve_sts.c: when a policy is fetched and which one stays (RFC 8461; checks A1, A2, A7 to A9). Each row in
 * several orders. */
#include "resolve_world.h"

#define TXT     "TXT _mta-sts." DOMAIN
#define FETCH   "FETCH mta-sts." DOMAIN
#define HOST_A  "A mta-sts." DOMAIN, "s 1 192.0.2.80"
#define MX      "MX " DOMAIN, "i 3000 10 mx.example"
#define MX_A    "A mx.example", "i 3000 192.0.2.1"
#define ID1     "i 600 v=STSv1; id=1;"
#define ID2     "i 600 v=STSv1; id=2;"
#define BODY(m) "version: STSv1\nmode: " m "\nmx: mx.example\nmax_age: 604800\n"
#define SHORT   "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 3600\n"
#define NEVER   (-1)

/* What was known before; all in seconds ago. */
struct before {
    const char *id, *body; /* NULL: no policy */
    int64_t age;
    enum dest_sts_failure failure;
    int64_t attempted; /* NEVER, or how long ago */
    enum dest_sts_record record;
};

struct row {
    const char *what;
    struct line line[8];
    struct before before;
    bool force;
    bool fetched;
    const char *want;
    int64_t life;
};

#define NOTHING                                          \
    {                                                    \
        NULL, NULL, 0, DEST_STS_OK, NEVER, DEST_STS_NONE \
    }
#define KEPT(age, failure, attempted)                                 \
    {                                                                 \
        "1", BODY("enforce"), age, failure, attempted, DEST_STS_FOUND \
    }
#define FAILED DEST_STS_FETCH_ERROR

static const struct row record_rows[] = {
    {"no record", {{MX}, {MX_A}}, NOTHING, false, false, "none", 3000},
    {"no such name", {{MX}, {MX_A}, {TXT, "i 50 nx"}}, NOTHING, false, false, "none", 50},
    {"other records only", {{MX}, {MX_A}, {TXT, "i 50 v=spf1 -all"}}, NOTHING, false, false, "none", 50},
    {"A1 two records",
     {{MX}, {MX_A}, {TXT, ID1 "|v=STSv1; id=2;"}, {HOST_A}, {FETCH, "ok " BODY("enforce")}},
     NOTHING,
     false,
     false,
     "invalid (2 records begin with \"v=STSv1\", but only one is allowed)",
     600},
    {"A1 first policy",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("enforce")}},
     NOTHING,
     false,
     true,
     "found=1 enforce=1",
     600},
    {"A1 among others",
     {{MX}, {MX_A}, {TXT, "i 600 x|v=STSv1; id=1;"}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     NOTHING,
     false,
     true,
     "found=1 testing=1",
     600},
    {"A2 look-up failed",
     {{MX}, {MX_A}, {TXT, "fail SERVFAIL"}, {HOST_A}},
     NOTHING,
     false,
     false,
     "temp (TXT: SERVFAIL)",
     30},
    {"A2 look-up failed, policy goes on",
     {{MX}, {MX_A}, {TXT, "fail SERVFAIL"}, {HOST_A}},
     KEPT(100, DEST_STS_OK, 100),
     false,
     false,
     "temp enforce=1 (TXT: SERVFAIL)",
     30},
    {"A2 record gone, policy goes on",
     {{MX}, {MX_A}, {HOST_A}},
     KEPT(90000, DEST_STS_OK, 90000),
     false,
     false,
     "none enforce=1",
     3000},
    {"A2 two records, policy goes on",
     {{MX}, {MX_A}, {TXT, ID1 "|v=STSv1; id=2;"}, {HOST_A}},
     KEPT(100, DEST_STS_OK, 100),
     false,
     false,
     "invalid enforce=1 (2 records begin with \"v=STSv1\", but only one is allowed)",
     600},
    {"A2 NXDOMAIN for D, policy goes on",
     {{"MX " DOMAIN, "i 60 nx"}, {TXT, "i 60 nx"}},
     KEPT(100, DEST_STS_OK, 100),
     false,
     false,
     "none enforce=1",
     60},
    {"no such domain, but a record: no fetch",
     {{"MX " DOMAIN, "i 60 nx"}, {TXT, ID1}, {HOST_A}},
     NOTHING,
     false,
     false,
     "found=1",
     60},
    {"B-5 null MX: no fetch", {{"MX " DOMAIN, "i 60 0 ."}, {TXT, ID1}, {HOST_A}}, NOTHING, false, false, "found=1", 60},
    {"implicit host: fetch",
     {{"MX " DOMAIN, "i 60 nodata"}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("enforce")}},
     NOTHING,
     false,
     true,
     "found=1 enforce=1",
     60},
    {"MX failed: fetch",
     {{"MX " DOMAIN, "fail SERVFAIL"}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("enforce")}},
     NOTHING,
     false,
     true,
     "found=1 enforce=1",
     30},
};

static const struct row fetch_rows[] = {
    {"A8 same id, not old",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}},
     KEPT(86399, DEST_STS_OK, 86399),
     false,
     false,
     "found=1 enforce=1",
     600},
    {"A9 same id, half of a short life over",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     {.record = DEST_STS_FOUND, .id = "1", .body = SHORT, .age = 1800, .attempted = 1800},
     false,
     true,
     "found=1 testing=1",
     600},
    {"A8 the record ends with the policy",
     {{MX}, {MX_A}, {TXT, "fail time-out"}},
     {.record = DEST_STS_FOUND, .id = "1", .body = SHORT, .age = 3590, .attempted = 3590},
     false,
     false,
     "temp enforce=1 (TXT: time-out)",
     10},
    {"A9 same id, old",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(86400, DEST_STS_OK, 86400),
     false,
     true,
     "found=1 testing=1",
     600},
    {"A8 another id",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(1, DEST_STS_OK, 1),
     false,
     true,
     "found=2 testing=2",
     600},
    {"A8 expired",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(604800, DEST_STS_OK, 604800),
     false,
     true,
     "found=1 testing=1",
     600},
    {"A8 expired long before a refetch is due",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     {"1", "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 60\n", 61, DEST_STS_OK, 61, DEST_STS_FOUND},
     false,
     true,
     "found=1 testing=1",
     600},
    {"expired, record gone", {{MX}, {MX_A}}, KEPT(604800, DEST_STS_OK, 604800), false, false, "none", 3000},
    {"expired, look-up failed",
     {{MX}, {MX_A}, {TXT, "fail time-out"}},
     KEPT(604800, DEST_STS_OK, 604800),
     false,
     false,
     "temp (TXT: time-out)",
     30},
    {"a second before", {{MX}, {MX_A}}, KEPT(604799, DEST_STS_OK, 604799), false, false, "none enforce=1", 1},
    {"forced",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(1, DEST_STS_OK, 1),
     true,
     true,
     "found=1 testing=1",
     600},
    {"forced without a record", {{MX}, {MX_A}, {HOST_A}}, KEPT(1, DEST_STS_OK, 1), true, false, "none enforce=1", 3000},
    {"A7 none takes the place of enforce",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}, {FETCH, "ok " BODY("none")}},
     KEPT(1, DEST_STS_OK, 1),
     false,
     true,
     "found=2 none=2",
     600},
    {"fetched in the future",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(-9999, DEST_STS_OK, -9999),
     false,
     true,
     "found=1 testing=1",
     600},
    {"life of nothing",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok version: STSv1\nmode: none\nmax_age: 0\n"}},
     NOTHING,
     false,
     true,
     "found=1",
     600},
};

static const struct row failure_rows[] = {
    {"A8 nothing kept",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "error HTTP status 404"}},
     NOTHING,
     false,
     true,
     "found=1 !sts-policy-fetch-error (HTTP status 404)",
     300},
    {"A8 kept",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}, {FETCH, "error connect: refused"}},
     KEPT(1000, DEST_STS_OK, 1000),
     false,
     true,
     "found=2 enforce=1 !sts-policy-fetch-error (connect: refused)",
     300},
    {"A3 certificate",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "webpki expired"}},
     NOTHING,
     false,
     true,
     "found=1 !sts-webpki-invalid (expired)",
     300},
    {"A5 no policy",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "ok <html>\n"}},
     KEPT(604800, DEST_STS_OK, 604800),
     false,
     true,
     NULL,
     300},
    {"odd octets in why",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}, {FETCH, "error \xff\n\x1b[0m"}},
     NOTHING,
     false,
     true,
     "found=1 !sts-policy-fetch-error (???[0m)",
     300},
    {"policy host without address",
     {{MX}, {MX_A}, {TXT, ID1}},
     NOTHING,
     false,
     false,
     "found=1 !sts-policy-fetch-error (the policy host has no address)",
     300},
    {"its address look-up failed",
     {{MX}, {MX_A}, {TXT, ID1}, {"AAAA mta-sts." DOMAIN, "fail SERVFAIL"}},
     NOTHING,
     false,
     false,
     "found=1 !sts-policy-fetch-error (AAAA of the policy host: SERVFAIL)",
     300},
    {"A2 nobody can be asked for it: not known now",
     {{MX}, {MX_A}, {TXT, ID1}, {"AAAA mta-sts." DOMAIN, "fail time-out"}, {"A mta-sts." DOMAIN, "fail time-out"}},
     NOTHING,
     false,
     false,
     NULL, /* either is named */
     30},
    {"A2 nor for one of the families",
     {{MX}, {MX_A}, {TXT, ID1}, {"AAAA mta-sts." DOMAIN, "fail time-out"}},
     NOTHING,
     false,
     false,
     "temp (the policy was not fetched: AAAA of the policy host: time-out)",
     30},
    {"A2 whatever the other one says",
     {{MX}, {MX_A}, {TXT, ID1}, {"AAAA mta-sts." DOMAIN, "fail SERVFAIL"}, {"A mta-sts." DOMAIN, "fail time-out"}},
     NOTHING,
     false,
     false,
     "temp (the policy was not fetched: A of the policy host: time-out)",
     30},
    {"A2 the policy goes on",
     {{MX}, {MX_A}, {TXT, ID2}, {"A mta-sts." DOMAIN, "fail time-out"}},
     KEPT(1000, DEST_STS_OK, 1000),
     false,
     false,
     "temp enforce=1 (the policy was not fetched: A of the policy host: time-out)",
     30},
    {"one family is enough",
     {{MX}, {MX_A}, {TXT, ID1}, {"AAAA mta-sts." DOMAIN, "fail SERVFAIL"}, {HOST_A}, {FETCH, "ok " BODY("enforce")}},
     NOTHING,
     false,
     true,
     "found=1 enforce=1",
     600},
    {"IPv6 only",
     {{MX}, {MX_A}, {TXT, ID1}, {"AAAA mta-sts." DOMAIN, "s 1 2001:db8::80"}, {FETCH, "ok " BODY("enforce")}},
     NOTHING,
     false,
     true,
     "found=1 enforce=1",
     600},
    {"A9 too soon",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}},
     KEPT(1000, FAILED, 299),
     false,
     false,
     "found=2 enforce=1 !sts-policy-fetch-error (before)",
     1},
    {"A9 late enough",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(1000, FAILED, 300),
     false,
     true,
     "found=2 testing=2",
     600},
    {"A9 too soon, by force",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}},
     KEPT(1000, FAILED, 100),
     true,
     false,
     "found=2 enforce=1 !sts-policy-fetch-error (before)",
     200},
    {"A9 attempted in the future",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(1000, FAILED, -10),
     false,
     true,
     "found=2 testing=2",
     600},
    {"A9 failed, nothing kept",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}},
     {NULL, NULL, 0, FAILED, 50, DEST_STS_FOUND},
     false,
     false,
     "found=1 !sts-policy-fetch-error (before)",
     250},
    {"A9 the record was away in between",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}},
     {NULL, NULL, 0, DEST_STS_OK, 50, DEST_STS_NONE},
     false,
     false,
     "found=1",
     250},
    {"A9 the last fetch went well",
     {{MX}, {MX_A}, {TXT, ID2}, {HOST_A}, {FETCH, "ok " BODY("testing")}},
     KEPT(10, DEST_STS_OK, 10),
     false,
     true,
     "found=2 testing=2",
     600},
    {"a failure counts no longer without a record",
     {{MX}, {MX_A}, {HOST_A}},
     {NULL, NULL, 0, FAILED, 50, DEST_STS_FOUND},
     false,
     false,
     "none",
     3000},
    {"the failure is not that of another day",
     {{MX}, {MX_A}, {TXT, ID1}, {HOST_A}},
     KEPT(1000, FAILED, 500),
     false,
     false,
     "found=1 enforce=1 !sts-policy-fetch-error (before)",
     600},
};

static struct dest *make_before(const struct before *b)
{
    struct dest *d = dest_new(DOMAIN);

    assert_non_null(d);
    d->sts.record = b->record;
    d->sts.failure = b->failure;
    d->sts.attempted = b->attempted == NEVER ? 0 : NOW - b->attempted;
    (void)snprintf(d->sts.why, sizeof(d->sts.why), "before");
    if (b->body != NULL)
        assert_int_equal(dest_sts_set_policy(&d->sts, b->id, b->body, strlen(b->body), NOW - b->age, NULL), 0);
    return d;
}

static void run_row(const struct row *row, unsigned order)
{
    struct line line[LINES_MAX] = {{NULL, NULL}};
    struct dest *before = make_before(&row->before);
    struct world w = {.line = line, .previous = before, .options = resolve_options_default(), .force = row->force};
    struct dest *d;
    struct buf b;
    bool tried;

    memcpy(line, row->line, sizeof(row->line));
    d = world_run(&w, order);
    buf_init(&b, 10000);
    show_sts(&b, d);
    if (row->want != NULL)
        assert_string_equal(buf_text(&b), row->want);
    assert_int_equal(world_asked(&w, FETCH), row->fetched);
    tried = world_asked(&w, "A mta-sts." DOMAIN) && d->sts.record == DEST_STS_FOUND;
    assert_int_equal(d->sts.attempted, tried ? NOW : before->sts.attempted);
    assert_int_equal(d->valid_until - NOW, row->life);
    if (row->life == RESOLVE_TEMP_TTL)
        assert_true(dest_temporary(d));
    check_json(d);
    buf_clear(&b);
    dest_free(d);
    dest_free(before);
}

static void run_rows(const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("%s\n", row[i].what);
        for (unsigned order = 0; order < ORDERS; order++)
            run_row(&row[i], order);
    }
}

static void test_record(void **state)
{
    (void)state;
    run_rows(record_rows, sizeof(record_rows) / sizeof(record_rows[0]));
}

static void test_fetch(void **state)
{
    (void)state;
    run_rows(fetch_rows, sizeof(fetch_rows) / sizeof(fetch_rows[0]));
}

static void test_failure(void **state)
{
    (void)state;
    run_rows(failure_rows, sizeof(failure_rows) / sizeof(failure_rows[0]));
}

static void test_invalid_policy_says_why(void **state)
{
    const struct line line[LINES_MAX] = {{TXT, ID1}, {HOST_A}, {FETCH, "ok version: STSv1\nmode: strict\n"}};
    struct world w = {.line = line, .options = resolve_options_default()};
    struct dest *d = world_run(&w, 0);
    (void)state;

    assert_int_equal(d->sts.failure, DEST_STS_POLICY_INVALID);
    assert_true(d->sts.why[0] != '\0');
    assert_false(d->sts.has_policy);
    dest_free(d);
}

/* Records that cannot be read: nobody knows whether there was a second one, or the first. */
static void test_truncated_answer(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    struct resolve_action act;
    struct dns_answer a;
    struct dest *d;
    (void)state;

    while (resolve_next(r, &act) == 1) {
        read_answer(&a, act.type, act.name, strcmp(act.name, "_mta-sts." DOMAIN) == 0 ? ID1 : "s 60 nodata");
        a.truncated = true;
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    d = resolve_take(r, NOW);
    assert_int_equal(d->sts.record, DEST_STS_TEMP);
    dest_free(d);
    resolve_free(r);
}

static void test_off(void **state)
{
    const struct line line[LINES_MAX] = {{TXT, ID1}, {HOST_A}, {FETCH, "ok " BODY("enforce")}};
    const struct before kept = KEPT(1, DEST_STS_OK, 1);
    struct dest *before = make_before(&kept);
    struct world w = {.line = line, .previous = before, .options = resolve_options_default()};
    struct dest *d;
    (void)state;

    w.options.sts = false;
    d = world_run(&w, 0);
    assert_int_equal(d->sts.record, DEST_STS_NONE);
    assert_false(d->sts.has_policy);
    assert_false(world_asked(&w, TXT));
    dest_free(d);
    dest_free(before);
}

/* Both families are given, in turn, and no more than there is room for. */
static void test_fetch_addresses(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    struct resolve_action act;
    struct dns_answer a;
    bool fetched = false;
    (void)state;

    while (resolve_next(r, &act) == 1) {
        const char *text = act.type == DNS_TXT ? ID1
                           : act.type == DNS_AAAA
                               ? "i 1 2001:db8::1|2001:db8::2|2001:db8::3|2001:db8::4|2001:db8::5|2001:db8::6|"
                                 "2001:db8::7|2001:db8::8|2001:db8::9"
                           : act.type == DNS_A ? "i 1 192.0.2.1|192.0.2.2"
                                               : "s 60 nodata";
        if (act.what == RESOLVE_FETCH) {
            fetched = true;
            assert_string_equal(act.name, "mta-sts." DOMAIN);
            assert_int_equal(act.address_count, DEST_ADDRESSES_MAX);
            assert_string_equal(act.address[0], "2001:db8::1");
            assert_string_equal(act.address[1], "192.0.2.1");
            assert_string_equal(act.address[3], "192.0.2.2");
            assert_string_equal(act.address[7], "2001:db8::6");
            resolve_dns(r, act.slot, &(struct dns_answer){.status = DNS_NODATA}); /* no answer to a fetch */
            assert_false(resolve_done(r));
            continue;
        }
        read_answer(&a, act.type, act.name, text);
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    assert_true(fetched);
    resolve_free(r);
}

/* The policy's life begins when it came. */
static void test_fetch_time(void **state)
{
    struct resolve_options options = resolve_options_default();
    struct resolve *r = resolve_new(DOMAIN, NULL, false, NOW, &options);
    const struct resolve_fetch good = {.body = BODY("enforce"), .len = sizeof(BODY("enforce")) - 1};
    struct resolve_action act;
    struct dns_answer a;
    struct dest *d;
    (void)state;

    while (resolve_next(r, &act) == 1) {
        if (act.what == RESOLVE_FETCH) {
            resolve_fetched(r, act.slot, &good, NOW + 20);
            continue;
        }
        read_answer(&a, act.type, act.name,
                    act.type == DNS_TXT ? ID1
                    : act.type == DNS_A ? "i 1 192.0.2.1"
                                        : "s 60 nodata");
        resolve_dns(r, act.slot, &a);
        dns_answer_clear(&a);
    }
    d = resolve_take(r, NOW + 21);
    assert_int_equal(d->sts.fetched, NOW + 20);
    assert_int_equal(d->sts.attempted, NOW + 20);
    assert_int_equal(d->sts.expires, NOW + 20 + 604800);
    dest_free(d);
    resolve_free(r);
}

/* Since when the record cannot be looked up: kept while it fails, forgotten when it does not, or after a day without a
 * look. */
static void test_temp_since(void **state)
{
    static const struct {
        const char *what;
        enum dest_sts_record record;
        int64_t since, looked; /* seconds ago; 0: never */
        const char *txt;
        int64_t want; /* seconds ago; -1: not at all */
    } rows[] = {
        {"first", DEST_STS_NONE, 0, 100, "fail SERVFAIL", 0},
        {"again", DEST_STS_TEMP, 500, 100, "fail SERVFAIL", 500},
        {"long ago", DEST_STS_TEMP, 90000, 86401, "fail SERVFAIL", 0},
        {"mended", DEST_STS_TEMP, 500, 100, "i 50 nodata", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct line line[LINES_MAX] = {{"TXT _mta-sts." DOMAIN, rows[i].txt}};
        struct dest *before = dest_new(DOMAIN);
        struct world w = {.line = line, .previous = before, .options = resolve_options_default()};
        struct dest *d;

        print_message("%s\n", rows[i].what);
        assert_non_null(before);
        before->resolved = NOW - rows[i].looked;
        before->sts.record = rows[i].record;
        before->sts.temp_since = rows[i].since == 0 ? 0 : NOW - rows[i].since;
        d = world_run(&w, 0);
        assert_int_equal(d->sts.temp_since, rows[i].want < 0 ? 0 : NOW - rows[i].want);
        dest_free(d);
        dest_free(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_temp_since),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_invalid_policy_says_why),
        cmocka_unit_test(test_truncated_answer),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_fetch_addresses),
        cmocka_unit_test(test_fetch_time),
    };

    return cmocka_run_group_tests_name("resolve_sts", tests, NULL, NULL);
}
