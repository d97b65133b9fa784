/* Tests of policyd/choice.c: facts and answers that know different things; nothing that is known to bind is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "choice.h"

#include "decide_lists.h"

#include <stdlib.h>
#include <string.h>

#define NOW 1000000

static const uint8_t secret[16] = {7};
static const char domain[] = "example.com";

/*
 * Facts in a few words: "p" a live enforced policy, "n" the same of mode none, later; "d" TLSA records at one of two MX
 * hosts, "D" at both, "t" at one and not known now at the other, "T" not known now at both. "": nothing of it.
 */
static struct dest *facts(const char *words, int64_t resolved)
{
    static const char enforce[] = "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 86400\n";
    static const char none[] = "version: STSv1\nmode: none\nmax_age: 86400\n";
    struct dest *d = dest_new(domain);

    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    d->mx_secure = strpbrk(words, "dDtT") != NULL;
    d->resolved = resolved;
    d->valid_until = resolved + 600;
    assert_non_null(dest_add_host(d, "a.example.com", 10));
    assert_non_null(dest_add_host(d, "b.example.com", 10));
    if (strpbrk(words, "dDt") != NULL)
        d->host[0].dane = DEST_DANE_USABLE;
    if (strchr(words, 'D') != NULL)
        d->host[1].dane = DEST_DANE_USABLE;
    if (strpbrk(words, "tT") != NULL)
        d->host[1].dane = DEST_DANE_TEMP;
    if (strchr(words, 'T') != NULL)
        d->host[0].dane = DEST_DANE_TEMP;
    d->sts.record = strpbrk(words, "pn") != NULL ? DEST_STS_FOUND : DEST_STS_NONE;
    if (strchr(words, 'p') != NULL)
        assert_int_equal(dest_sts_set_policy(&d->sts, "1", enforce, strlen(enforce), NOW - 1000, NULL), 0);
    if (strchr(words, 'n') != NULL)
        assert_int_equal(dest_sts_set_policy(&d->sts, "2", none, strlen(none), NOW - 10, NULL), 0);
    if (d->sts.record == DEST_STS_FOUND)
        strcpy(d->sts.id, d->sts.policy_id);
    return d;
}

static struct answer *answer_of(const struct dest *d, enum decide_age age, const struct answer *beside, int64_t now)
{
    struct decide_options options = decide_options_default();
    struct decision decision;
    struct answer *a;

    options.sts_elsewhere = beside != NULL;
    decide(&decision, d, age, &options, now);
    a = answer_new(&decision, d, &options);
    assert_non_null(a);
    if (beside != NULL)
        answer_keep_policy(a, beside);
    return a;
}

static void put(struct memory *m, struct answer *a)
{
    assert_int_equal(memory_put(m, domain, strlen(domain), a), 0);
}

/* What is answered: the choice's, as lookup_end_io.c does it. */
static void end(struct memory *m, const struct dest *d, enum choice choice, const struct answer *a, enum decide_age age,
                int64_t now)
{
    if (choice == CHOICE_FACTS || choice == CHOICE_BESIDE)
        put(m, answer_of(d, age, a, now));
}

static const char *text(struct memory *m)
{
    static char copy[200];
    size_t len;
    const char *t = answer_text(memory_peek(m, domain, strlen(domain)), ANSWER_POSTFIX, &len);

    len = len < sizeof(copy) - 1 ? len : sizeof(copy) - 1;
    memcpy(copy, t, len);
    copy[len] = '\0';
    return copy;
}

#define SECURE "OK secure"

/* Facts come, one after the other; what is answered after each. Ages in seconds before NOW. */
static const struct {
    const char *what;
    struct {
        const char *words;
        int64_t age;
        const char *answer;
    } come[3];
} rows[] = {
    {"a policy is lost", {{"p", 500, SECURE}, {"", 100, SECURE}, {"", 50, SECURE}}},
    {"it is ended", {{"p", 500, SECURE}, {"n", 100, "NOTFOUND"}, {"", 50, "NOTFOUND"}}},
    {"some DANE comes as it is lost", {{"p", 500, SECURE}, {"d", 100, "OK dane-only"}, {"", 50, "OK dane-only"}}},
    {"with DANE it is lost", {{"pd", 500, "OK dane-only"}, {"d", 100, "OK dane-only"}, {"d", 50, "OK dane-only"}}},
    {"DANE goes, too", {{"pd", 500, "OK dane-only"}, {"d", 100, "OK dane-only"}, {"", 50, "OK dane-only"}}},
    {"DANE not known now, then nothing", {{"p", 500, SECURE}, {"T", 100, "TEMP"}, {"", 50, "TEMP"}}},
    {"DANE not known at one host", {{"p", 500, SECURE}, {"t", 100, "OK dane-only"}, {"", 50, "OK dane-only"}}},
    {"all DANE, then none", {{"pD", 500, "OK dane-only"}, {"D", 100, "OK dane-only"}, {"", 50, "OK dane-only"}}},
    {"older facts with a policy", {{"d", 100, "OK dane"}, {"pd", 500, "OK dane-only"}, {"pd", 40, "OK dane-only"}}},
    {"older facts without", {{"D", 100, "OK dane-only"}, {"", 500, "OK dane-only"}, {"", 50, "NOTFOUND"}}},
    {"nothing binds", {{"", 500, "NOTFOUND"}, {"", 100, "NOTFOUND"}, {"p", 50, SECURE}}},
};

static void test_facts_come(void **state)
{
    const struct decide_options options = decide_options_default();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct memory m;

        assert_int_equal(memory_init(&m, 10, secret), 0);
        for (size_t k = 0; k < 3; k++) {
            const struct choice_in in = {.memory = &m, .domain = domain, .len = strlen(domain), .options = &options};
            struct dest *d = facts(rows[i].come[k].words, NOW - rows[i].come[k].age);
            struct answer *a;
            enum choice choice;

            memory_expire_all(&m); /* Redis was away */
            choice = choice_new(&a, &in, d, NOW);
            end(&m, d, choice, a, DECIDE_FRESH, NOW);
            if (strncmp(text(&m), rows[i].come[k].answer, strlen(rows[i].come[k].answer)) != 0)
                fail_msg("%s: facts %zu (\"%s\"): %s", rows[i].what, k + 1, rows[i].come[k].words, text(&m));
            dest_free(d);
        }
        memory_clear(&m);
    }
}

/* Nothing newer can be had: what is in memory, what old facts Redis has, whether it told of a change. */
static const struct {
    const char *memory;
    int64_t memory_age;
    const char *old; /* NULL: none */
    int64_t old_age;
    bool changed;
    enum choice choice;
} old_rows[] = {
    {"p", 700, NULL, 0, false, CHOICE_GOES_ON},  {"", 700, NULL, 0, false, CHOICE_GOES_ON},
    {"p", 100, NULL, 0, false, CHOICE_MEMORY},   /* it holds still */
    {"", 700, "", 90000, false, CHOICE_GOES_ON}, /* a record of yesterday */
    {"", 700, "", 650, false, CHOICE_FACTS},     {"", 700, "", 650, true, CHOICE_GOES_ON},
    {"", 700, "p", 90000, true, CHOICE_FACTS},   {"d", 700, "pd", 900, false, CHOICE_FACTS},
    {"pd", 700, "d", 650, false, CHOICE_BESIDE}, {"D", 700, "d", 900, false, CHOICE_GOES_ON},
};

static void test_nothing_newer(void **state)
{
    const struct decide_options options = decide_options_default();

    (void)state;
    for (size_t i = 0; i < sizeof(old_rows) / sizeof(old_rows[0]); i++) {
        struct memory m;
        const struct choice_in in = {.memory = &m, .domain = domain, .len = strlen(domain), .options = &options};
        struct dest *first = facts(old_rows[i].memory, NOW - old_rows[i].memory_age);
        struct dest *old = old_rows[i].old == NULL ? NULL : facts(old_rows[i].old, NOW - old_rows[i].old_age);
        struct answer *a;
        enum choice choice;

        assert_int_equal(memory_init(&m, 10, secret), 0);
        put(&m, answer_of(first, DECIDE_FRESH, NULL, NOW - old_rows[i].memory_age));
        choice = choice_old(&a, &in, old, old_rows[i].changed, NOW);
        if (choice != old_rows[i].choice)
            fail_msg("row %zu: %d", i, (int)choice);
        memory_clear(&m);
        dest_free(first);
        dest_free(old);
    }
}

/*
 * The list require has changed since the answer in memory was made: what it demands of these facts now, the facts that
 * come (NULL: none newer can be had), the old ones that Redis has (NULL: none).
 */
static const struct {
    const char *memory;
    enum tls_level required;
    const char *come;
    const char *old;
    enum choice choice;
} require_rows[] = {
    {"p", LEVEL_ENCRYPT, NULL, NULL, CHOICE_GOES_ON},   {"p", LEVEL_SECURE, NULL, NULL, CHOICE_GOES_ON},
    {"p", LEVEL_DANE_ONLY, NULL, NULL, CHOICE_NOTHING}, {"d", LEVEL_ENCRYPT, NULL, NULL, CHOICE_NOTHING},
    {"D", LEVEL_SECURE, NULL, NULL, CHOICE_GOES_ON},    {"p", LEVEL_DANE_ONLY, NULL, "", CHOICE_BESIDE},
    {"d", LEVEL_SECURE, NULL, "", CHOICE_FACTS},        {"p", LEVEL_DANE_ONLY, "", NULL, CHOICE_BESIDE},
    {"d", LEVEL_SECURE, "", NULL, CHOICE_FACTS},        {"D", LEVEL_SECURE, "", NULL, CHOICE_GOES_ON},
};

static void test_required(void **state)
{
    const struct decide_options options = decide_options_default();

    (void)state;
    for (size_t i = 0; i < sizeof(require_rows) / sizeof(require_rows[0]); i++) {
        struct memory m;
        const struct choice_in in = {.memory = &m,
                                     .domain = domain,
                                     .len = strlen(domain),
                                     .options = &options,
                                     .lists.required = require_rows[i].required};
        const char *words = require_rows[i].come != NULL ? require_rows[i].come : require_rows[i].old;
        struct dest *first = facts(require_rows[i].memory, NOW - 100);
        struct dest *other = words == NULL ? NULL : facts(words, NOW - 200); /* older than those of the answer */
        struct answer *a;
        enum choice choice;

        assert_int_equal(memory_init(&m, 10, secret), 0);
        put(&m, answer_of(first, DECIDE_FRESH, NULL, NOW - 100));
        memory_expire_all(&m);
        choice =
            require_rows[i].come != NULL ? choice_new(&a, &in, other, NOW) : choice_old(&a, &in, other, false, NOW);
        if (choice != require_rows[i].choice)
            fail_msg("row %zu: %d", i, (int)choice);
        memory_clear(&m);
        dest_free(first);
        dest_free(other);
    }
}

/* A level that the lists or the default level make, where the facts demand nothing, binds no more than these. */
static void test_level_without_facts(void **state)
{
    struct decide_options options = decide_options_default();
    const struct decide_told told = {0};
    struct dest *d = facts("", NOW);
    struct decision decision;
    struct answer *a;

    (void)state;
    options.default_level = LEVEL_ENCRYPT;
    decide(&decision, d, DECIDE_FRESH, &options, NOW);
    decide_lists(&decision, &told, &options);
    a = answer_new(&decision, d, &options);
    assert_non_null(a);
    assert_int_equal(a->level, LEVEL_ENCRYPT);
    assert_false(a->binds);
    free(a);
    dest_free(d);
}

/* What goes plain for a time does not go on for longer because no newer facts can be had. */
static void test_plain_ends(void **state)
{
    const struct decide_options options = decide_options_default();
    const struct decide_told told = {.plain = true, .plain_until = NOW + 60, .mode = FALLBACK_PLAIN_FOR};
    struct dest *d = facts("", NOW);
    struct decision decision;
    struct memory m;

    (void)state;
    assert_int_equal(memory_init(&m, 10, secret), 0);
    decide(&decision, d, DECIDE_FRESH, &options, NOW);
    decide_lists(&decision, &told, &options);
    put(&m, answer_new(&decision, d, &options));
    assert_string_equal(text(&m), "OK none");
    assert_non_null(memory_get_stale(&m, domain, strlen(domain), NOW + 59));
    assert_null(memory_get_stale(&m, domain, strlen(domain), NOW + 60));
    memory_clear(&m);
    dest_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_come), cmocka_unit_test(test_nothing_newer),
        cmocka_unit_test(test_required),   cmocka_unit_test(test_level_without_facts),
        cmocka_unit_test(test_plain_ends),
    };

    return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
