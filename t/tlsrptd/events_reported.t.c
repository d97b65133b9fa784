/*
 * events_reported.t.c - all the way: random datagrams, given to two nodes, are counted in a real Redis and become
 * reports; every sum is that of a model (checks D4, J11 to J14, J17 to J20, W7). And a million failures of one domain
 * (E13).
 */
#include "redis_server.h" /* before cmocka.h */

#include "redis_client.h"

#include "clock.h"
#include "collector_io.h"
#include "counts_io.h"
#include "report_mail.h"
#include "tlsrpt_event_read.h"
#include "utc_day.h"

#include <jansson.h>
#include <sys/resource.h>

#define EVENTS  10000
#define DAYS    2
#define DOMAINS 20
#define RECORDS 3
#define TYPES   3
#define RESULTS 11
#define MILLION 1000000

static const int codes[RESULTS] = {201, 202, 203, 204, 205, 301, 302, 303, 304, 305, 306};
static const int unknown_codes[] = {0, 901, 999, 206, 307};
static const int types[TYPES] = {1, 2, 9};

struct sums {
    uint64_t successful, failed, result[RESULTS];
};

typedef struct sums all_sums[DAYS][DOMAINS][RECORDS][TYPES];

static all_sums want, got;
static int32_t today;

/* ---- chance, the same each time ---- */

static uint64_t chance_state;

static uint32_t chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)(chance_state >> 32) % below;
}

/* ---- nodes ---- */

struct node {
    struct client c;
    struct collector *collector;
    char spool[64];
    bool drained;
};

static void node_open(struct node *n, int64_t commit_events)
{
    struct collector_options o = {.spool = n->spool,
                                  .spool_max = (int64_t)1 << 30,
                                  .commit_ms = 100,
                                  .commit_events = commit_events,
                                  .keep = 864000};
    struct err e = {""};

    memset(n, 0, sizeof(*n));
    (void)snprintf(n->spool, sizeof(n->spool), "/tmp/events_reported.t.XXXXXX");
    assert_non_null(mkdtemp(n->spool));
    client_open(&n->c, server.url, 20000);
    client_wait_up(&n->c);
    n->collector = collector_new(n->c.base, n->c.redis, &o, &e);
    assert_string_equal(e.text, "");
}

static void on_drained(void *ctx)
{
    *(bool *)ctx = true;
}

static void node_drain(struct node *n)
{
    collector_drain(n->collector, 60000, on_drained, &n->drained);
    for (int turn = 0; turn < 6000 && !n->drained; turn++)
        client_run_ms(&n->c, 10);
    assert_true(n->drained);
    assert_int_equal(collector_stats(n->collector).spooled, 0);
    assert_int_equal(collector_stats(n->collector).lost, 0);
}

static void node_close(struct node *n)
{
    char command[100];

    collector_free(n->collector);
    client_close(&n->c);
    (void)snprintf(command, sizeof(command), "rm -r %s", n->spool);
    assert_int_equal(system(command), 0);
}

static void node_count(struct node *n, int32_t day, const struct tlsrpt_event *event)
{
    int turns = 0;

    while (collector_count(n->collector, day, event) != 0 && turns++ < 20000)
        client_run_ms(&n->c, 1);
    assert_in_range(turns, 0, 19999);
}

/* ---- random datagrams, and the model ---- */

static char ehlo[10001]; /* J17 */

static void add_failure(struct buf *b, struct sums *s)
{
    static const char *const texts[] = {"why", "\\\"\\\\\\u0001", "\xff\xc3\xa9\xe2\x82", "250-mx.a.test\\r\\n250 DSN",
                                        ""};
    static const char *const addresses[] = {"192.0.2.1", "2001:DB8:0:0::1", "[192.0.2.1]", "fe80::1%eth0"};
    uint32_t which = chance(RESULTS + 1);
    int code = which < RESULTS ? codes[which] : unknown_codes[chance(5)];

    s->result[which < RESULTS ? which : 4]++; /* J20: what is not known is a validation-failure */
    buf_printf(b, "{\"c\":%d", code);
    if (chance(2) == 0)
        buf_printf(b, ",\"s\": \"%s\",\"r\": \"%s\"", addresses[chance(4)], addresses[chance(4)]);
    if (chance(2) == 0)
        buf_printf(b, ",\"n\": \"%s%u.example.\"", chance(2) == 0 ? "MX" : "mx", chance(5));
    if (chance(2) == 0)
        buf_printf(b, ",\"h\": \"%s%.*s\"", texts[chance(5)], chance(20) == 0 ? 10000 : 0, ehlo);
    if (chance(2) == 0)
        buf_printf(b, ",\"f\": \"%s%u\"", texts[chance(3)], chance(3) == 0 ? chance(1U << 23) : 1);
    buf_char(b, '}');
}

static void add_policy(struct buf *b, unsigned type, unsigned domain, struct sums *s)
{
    bool failed = chance(5) < 2;
    unsigned failures = failed ? 1 + chance(3) : chance(8) == 0;

    buf_printf(b, "{\"policy-type\":%d", types[type]);
    if (type == 0)
        buf_printf(b, ",\"policy-domain\": \"MX%u.d%u.example.\",\"policy-string\":[\"3 1 1 ABCD\"]", chance(3),
                   domain);
    if (type == 1)
        buf_printf(b,
                   ",\"policy-domain\": \"d%u.example\",\"policy-string\":[\"mode: %s\"],\"mx-host\":[\"*.example\"]",
                   domain, chance(2) == 0 ? "enforce" : "testing");
    for (unsigned i = 0; i < failures; i++) {
        buf_str(b, i == 0 ? ",\"failure-details\":[" : ",");
        add_failure(b, s);
    }
    buf_printf(b, "%s,\"t\":%u,\"f\":%d}", failures > 0 ? "]" : "", failures, failed);
    s->failed += failed;
    s->successful += !failed;
}

/* One of them has half of all, so that it has more details than are kept. */
static int32_t make_datagram(struct buf *b)
{
    static const char *const ends[] = {".example", ".Example", ".example."}; /* D4 */
    unsigned day = chance(DAYS), domain = chance(2) == 0 ? 0 : chance(DOMAINS), record = chance(RECORDS);
    unsigned type = chance(TYPES), policies = 1 + (chance(4) == 0); /* J19 */
    char name[32];

    (void)snprintf(name, sizeof(name), "%s%u%s", chance(2) == 0 ? "d" : "D", domain, ends[chance(3)]);
    buf_printf(b, "{\"dpv\": \"1\",\"d\": \"%s\",\"pr\": \"v=TLSRPTv1; rua=mailto:r%u@d%u.example\",\"policies\":[",
               name, record, domain);
    for (unsigned i = 0; i < policies; i++) {
        buf_str(b, i > 0 ? "," : "");
        add_policy(b, (type + i) % TYPES, domain, &want[day][domain][record][(type + i) % TYPES]);
    }
    buf_str(b, "]}");
    return today - (int32_t)day;
}

static void count_random(struct node n[2])
{
    struct tlsrpt_event_read read;
    struct err e = {""};
    struct buf b;

    buf_init(&b, TLSRPT_READ_MAX);
    for (int i = 0; i < EVENTS; i++) {
        int32_t day = make_datagram(&b);

        if (tlsrpt_event_read(&read, b.data, b.len, &e) != 0)
            fail_msg("%s: %s", e.text, buf_text(&b));
        node_count(&n[chance(2)], day, &read.event);
        tlsrpt_event_read_clear(&read);
        buf_reset(&b);
        if (i % 100 == 0)
            client_run_ms(&n[i / 100 % 2].c, 1);
    }
    buf_clear(&b);
}

/* ---- what is reported ---- */

static const struct report_settings settings = {"", "tls@sender.example", "sender.example"};

static size_t index_of_result(const char *name)
{
    for (size_t i = 0; i < RESULTS; i++)
        if (strcmp(tlsrpt_result_name((enum tlsrpt_result)codes[i]), name) == 0)
            return i;
    fail_msg("J14: %s", name);
    return 0;
}

static size_t index_of_type(const char *name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(tlsrpt_policy_type_name((enum tlsrpt_policy_type)types[i]), name) == 0)
            return i;
    fail_msg("J7: %s", name);
    return 0;
}

static void read_policy(struct sums by_type[TYPES], json_t *policy)
{
    const char *type = NULL, *result = NULL;
    json_int_t successful, failed, sessions, sum = 0;
    json_t *details, *detail;
    struct sums *s;
    size_t i;

    assert_int_equal(json_unpack(policy, "{s:{s:s}, s:{s:I, s:I}, s:o}", "policy", "policy-type", &type, "summary",
                                 "total-successful-session-count", &successful, "total-failure-session-count", &failed,
                                 "failure-details", &details),
                     0);
    s = &by_type[index_of_type(type)];
    s->successful += (uint64_t)successful;
    s->failed += (uint64_t)failed;
    json_array_foreach(details, i, detail)
    {
        assert_int_equal(json_unpack(detail, "{s:s, s:I}", "result-type", &result, "failed-session-count", &sessions),
                         0);
        s->result[index_of_result(result)] += (uint64_t)sessions;
        sum += sessions;
    }
    assert_true(sum >= failed); /* J18 */
}

static void read_report(struct sums by_type[TYPES], const struct report *r)
{
    json_t *json = json_loadb(r->json.data, r->json.len, JSON_REJECT_DUPLICATES, NULL), *policy;
    size_t i;

    assert_non_null(json);
    json_array_foreach(json_object_get(json, "policies"), i, policy) read_policy(by_type, policy);
    json_decref(json);
}

struct looked {
    int done;
    size_t details, mail;
    struct sums (*sums)[TYPES]; /* of each record */
};

static size_t mail_size(const struct report *r)
{
    const struct report_mail m = {
        .from = "tls@sender.example", .to = "r@d0.example", .now = utc_day_begins(today + 1), .unique = "x1"};
    struct err e = {""};
    struct buf b;
    size_t len;

    buf_init(&b, 2 * (size_t)REPORT_MAIL_MAX);
    if (report_mail_build(&b, r, &m, &e) != 0)
        fail_msg("%s", e.text);
    len = b.len;
    buf_clear(&b);
    return len;
}

static void on_counts(void *ctx, const struct counts *c, const char *why)
{
    struct looked *l = ctx;
    const char *const *record;
    size_t records;

    if (c == NULL)
        fail_msg("%s", why);
    assert_int_equal(c->broken, 0);
    assert_int_equal(c->left_out, 0);
    records = report_records(&record, c); /* sorted, so in the order of their numbers */
    for (size_t i = 0; i < c->policies; i++)
        l->details += c->policy[i].failures;
    for (size_t i = 0; i < records; i++) {
        struct report r;
        struct err e = {""};

        if (report_build(&r, c, record[i], &settings, &e) != 0)
            fail_msg("%s", e.text);
        read_report(l->sums[i], &r);
        l->mail += mail_size(&r);
        report_clear(&r);
    }
    free((void *)record);
    l->done = (int)records;
}

static struct looked look(struct node *n, int32_t day, const char *domain, struct sums (*sums)[TYPES])
{
    struct looked l = {.done = -1, .sums = sums};

    assert_int_equal(counts_get(n->c.redis, day, domain, on_counts, &l), 0);
    WAIT(&n->c, l.done >= 0);
    return l;
}

static void random_events(void **state)
{
    struct node n[2];
    size_t most = 0;

    (void)state;
    other_do(&server, "FLUSHALL");
    chance_state = 8460;
    node_open(&n[0], 500);
    node_open(&n[1], 333);
    count_random(n);
    node_drain(&n[0]);
    node_drain(&n[1]);
    for (int day = 0; day < DAYS; day++)
        for (unsigned domain = 0; domain < DOMAINS; domain++) {
            char name[32];
            struct looked l;

            (void)snprintf(name, sizeof(name), "d%u.example", domain);
            l = look(&n[0], today - day, name, got[day][domain]);
            assert_int_equal(l.done, RECORDS); /* W7: a report of each record */
            most = l.details > most ? l.details : most;
        }
    assert_true(most > COUNTS_DETAILS_MAX); /* some were merged */
    assert_memory_equal(got, want, sizeof(want));
    node_close(&n[0]);
    node_close(&n[1]);
}

/* ---- E13 ---- */

/* The first ones as long as they can be, and of what does not compress. */
static void make_text(char *out, size_t len, int i)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\"\\";

    (void)snprintf(out, len, "%d", i);
    if (i >= 2 * COUNTS_DETAILS_MAX)
        return;
    for (size_t at = strlen(out); at < len - 1; at++)
        out[at] = letters[chance(sizeof(letters) - 1)];
    out[len - 1] = '\0';
}

static void count_million(struct node *n)
{
    static char helo[TLSRPT_HELO_MAX + 1], reason[400], additional[400];
    static const char *const lines[] = {"version: STSv1"};
    const struct tlsrpt_failure f = {
        .result = TLSRPT_CERTIFICATE_EXPIRED, .mx_helo = helo, .reason = reason, .additional = additional};
    const struct tlsrpt_policy p = {.type = TLSRPT_POLICY_STS,
                                    .domain = "million.example",
                                    .string = lines,
                                    .strings = 1,
                                    .failure = &f,
                                    .failures = 1,
                                    .failed = true};
    const struct tlsrpt_event event = {"million.example", "v=TLSRPTv1; rua=mailto:r@million.example", &p, 1};

    for (int i = 0; i < MILLION; i++) {
        make_text(helo, sizeof(helo), i);
        make_text(reason, sizeof(reason), i);
        make_text(additional, sizeof(additional), i);
        node_count(n, today, &event);
        if (i % 1000 == 0)
            client_run_ms(&n->c, 0);
    }
}

static long resident_kb(void)
{
    struct rusage u;

    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_maxrss;
}

static void million_failures(void **state)
{
    static struct sums sums[1][TYPES];
    int64_t begun = now_ms();
    long before = resident_kb(), grown;
    struct looked l;
    struct node n;
    long long octets;

    (void)state;
    other_do(&server, "FLUSHALL");
    node_open(&n, 50000);
    count_million(&n);
    node_drain(&n);
    octets = other_do(&server, "MEMORY USAGE p:tlsrpt:%s:million.example SAMPLES 0", (char *)*state);
    l = look(&n, today, "million.example", sums);
    grown = resident_kb() - before;
    print_message("E13: %lld ms, %ld kB more in memory, %lld octets in Redis, a mail of %zu octets\n",
                  (long long)(now_ms() - begun), grown, octets, l.mail);
    assert_true(sums[0][1].failed == MILLION && sums[0][1].result[3] == MILLION);
    assert_int_equal(l.details, COUNTS_DETAILS_MAX + 1);
    assert_in_range(octets, 1, 8 << 20);
    assert_in_range(l.mail, 1000000, 9999999);
#ifndef __SANITIZE_ADDRESS__
    assert_in_range(grown, 0, 256 << 10);
#endif
    node_close(&n);
}

static int setup(void **state)
{
    static char text[UTC_DAY_BUF];

    today = utc_day(now_seconds());
    memset(ehlo, 'x', sizeof(ehlo) - 1);
    utc_day_text(text, today);
    if (server_setup(state) != 0)
        return -1;
    *state = text;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_events), cmocka_unit_test(million_failures)};

    return cmocka_run_group_tests_name("events_reported", tests, setup, server_teardown);
}
