/* batch.t.c - tests of batch.c and batch_read.c. */
#include "batch.h"
#include "siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LANE "0123456789abcdef0123456789abcdef"
#define ID   "00000000000000000000000000000001"

static const struct batch_position positions[] = {{"log", "4711"}, {"journal", ""}};

static struct batch_entry entry(const char *domain, uint64_t failed, const char *detail)
{
    return (struct batch_entry){.day = 20779,
                                .domain = domain,
                                .id = ID,
                                .policy = "{}",
                                .successful = detail == NULL ? 1 : 0,
                                .failed = failed,
                                .detail = detail,
                                .other = "{o}",
                                .sessions = 2};
}

static void make(struct buf *out)
{
    struct batch_writer w;
    struct batch_entry e;

    buf_init(out, (size_t)1 << 22);
    batch_begin(&w);
    e = entry("a.test", 0, NULL);
    assert_true(batch_add(&w, &e));
    e = entry("a.test", 0, "{d}");
    assert_true(batch_add(&w, &e));
    e = entry("b.test", 0, "{d}");
    assert_true(batch_add(&w, &e));
    e = (struct batch_entry){.day = 20779, .domain = "b.test", .successful = 7};
    assert_true(batch_add(&w, &e));
    batch_end(out, &w, LANE, 12, positions, 2);
    batch_writer_clear(&w);
    assert_true(buf_ok(out));
}

static const char *const words[] = {"g",   "2026-11-22", "a.test", "p",   ID,           "{}",     "1", "0", "d",
                                    "{d}", "2",          "{o}",    "g",   "2026-11-22", "b.test", "p", ID,  "{}",
                                    "0",   "0",          "d",      "{d}", "2",          "{o}",    "l", "7"};

static void test_round(void **state)
{
    struct buf octets;
    struct batch b;

    (void)state;
    make(&octets);
    buf_str(&octets, "more");
    assert_int_equal(batch_read(&b, octets.data, octets.len), 1);
    assert_int_equal(b.total, octets.len - 4);
    assert_int_equal(batch_length(octets.data, octets.len), b.total);
    assert_string_equal(b.lane, LANE);
    assert_int_equal(b.number, 12);
    assert_int_equal(b.positions, 2);
    assert_string_equal(b.position[0].source, "log");
    assert_string_equal(b.position[0].position, "4711");
    assert_int_equal(b.groups, 2);
    assert_int_equal(b.words, sizeof(words) / sizeof(words[0]));
    for (size_t i = 0; i < b.words; i++) {
        assert_int_equal(b.word[i].len, strlen(words[i]));
        assert_memory_equal(b.word[i].data, words[i], b.word[i].len);
    }
    batch_clear(&b);
    buf_clear(&octets);
}

/* Cut anywhere, it is not all there; an octet changed anywhere, it is none. */
static void test_torn_and_broken(void **state)
{
    struct buf octets;
    struct batch b;

    (void)state;
    make(&octets);
    for (size_t len = 0; len < octets.len; len++)
        assert_int_equal(batch_read(&b, octets.data, len), 0);
    for (size_t at = 0; at < octets.len; at++) {
        octets.data[at] ^= 1;
        if (batch_read(&b, octets.data, octets.len) == 1)
            fail_msg("octet %zu", at);
        octets.data[at] ^= 1;
    }
    buf_clear(&octets);
}

/* Right checksums over what is no batch. */
static const struct {
    const char *name, *body;
    int rc;
} bodies[] = {
    {"nothing in it", "", 1},
    {"a domain", "1:g,10:2026-11-22,1:a,", 1},
    {"a day that is none", "1:g,10:2026-11-32,1:a,", -1},
    {"no domain", "1:g,10:2026-11-22,0:,", -1},
    {"a policy without a domain", "1:p,32:" ID ",2:{},1:0,1:0,", -1},
    {"a detail without a policy", "1:g,10:2026-11-22,1:a,1:d,2:{},1:0,2:{},", -1},
    {"a detail of the domain before",
     "1:g,10:2026-11-22,1:a,1:p,32:" ID ",2:{},1:0,1:0,1:g,10:2026-11-22,1:b,1:d,2:{},1:0,2:{},", -1},
    {"an ID that is none", "1:g,10:2026-11-22,1:a,1:p,31:0000000000000000000000000000001,2:{},1:0,1:0,", -1},
    {"no number", "1:g,10:2026-11-22,1:a,1:l,2:-1,", -1},
    {"too large a number", "1:g,10:2026-11-22,1:a,1:l,16:9007199254740993,", -1},
    {"the largest", "1:g,10:2026-11-22,1:a,1:l,16:9007199254740992,", 1},
    {"zeros before", "1:g,10:2026-11-22,1:a,1:l,2:01,", -1},
    {"an entry that is none", "1:g,10:2026-11-22,1:a,1:x,1:1,", -1},
    {"half of an entry", "1:g,10:2026-11-22,", -1},
    {"no netstring", "1:g,10:2026-11-22,1:a;", -1},
};

static void test_bodies(void **state)
{
    static const uint8_t zeros[SIPHASH_KEY] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct buf payload, all;
        struct batch b;

        print_message("%s\n", bodies[i].name);
        buf_init(&payload, 10000);
        buf_init(&all, 10000);
        buf_printf(&payload, "32:" LANE ",1:1,1:0,%s", bodies[i].body);
        buf_printf(&all, "postern-batch 1 %08zx %016" PRIx64 "\n%s", payload.len,
                   siphash(zeros, payload.data, payload.len), payload.data);
        assert_int_equal(batch_read(&b, all.data, all.len), bodies[i].rc);
        if (bodies[i].rc == 1)
            batch_clear(&b);
        buf_clear(&payload);
        buf_clear(&all);
    }
}

/* Full by entries, and by octets; what did not fit goes into the next. */
static void test_full(void **state)
{
    struct batch_writer w;
    struct batch_entry e = entry("a.test", 0, NULL);
    struct buf out;
    char *large = malloc(COUNTS_TEXT_MAX);
    size_t added = 0;

    (void)state;
    batch_begin(&w);
    buf_init(&out, (size_t)1 << 22);
    while (batch_add(&w, &e))
        added++;
    assert_int_equal(added, BATCH_ENTRIES_MAX);
    batch_end(&out, &w, LANE, 1, NULL, 0);
    memset(large, 'x', COUNTS_TEXT_MAX - 1);
    large[COUNTS_TEXT_MAX - 1] = '\0';
    e.policy = large;
    for (added = 0; batch_add(&w, &e); added++)
        continue;
    assert_in_range(added, 20, 30);
    batch_end(&out, &w, LANE, 2, NULL, 0);
    assert_true(buf_ok(&out));
    batch_writer_clear(&w);
    buf_clear(&out);
    free(large);
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(batch_find("", 0), 0);
    assert_int_equal(batch_find("abc", 3), 3);
    assert_int_equal(batch_find("abcpostern-batch 1 ", 19), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),  cmocka_unit_test(test_torn_and_broken),
        cmocka_unit_test(test_bodies), cmocka_unit_test(test_full),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
