/* Tests of milter/flag.c: all pairs of many forms of recipients, and many at random, in all kinds of messages. */
#include "flag_demand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const locals[] = {"<a%s@", "<\"a%s\"@", "<\"a\"%s@", "a%s@", "<@x.test:a+b%s@", "<\303\274%s@"};
static const char *const tags[] = {"",
                                   "+requiretls",
                                   "+tlsoptional",
                                   "+REQUIREtls",
                                   "+tlsoptional+requiretls",
                                   "+requiretls+tlsoptional",
                                   "+tlsoptional+TLSOPTIONAL",
                                   "+requiretls+x"};
static const char *const domains[] = {"d.test", "ours.test", "Ours.Test"};
static const char *const odd[] = {
    "<postmaster>",         "<postmaster+requiretls>",    "<a b@d.test>", "<a b+tlsoptional@d.test>",
    "<a%d.test@ours.test>", "<a!b+requiretls@ours.test>", "<>",           "<\"a@d.test\"@ours.test>"};
static const char *const notify[] = {NULL, "NOTIFY=NEVER", "notify=success", "NOTIFY=Failure,DELAY",
                                     "ORCPT=rfc822;x@y"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REGULAR      (COUNT(locals) * COUNT(tags) * COUNT(domains))
#define FORMS        (REGULAR + COUNT(odd))

static char form[FORMS][80];

static void forms_make(void)
{
    char local[40];
    size_t n = 0;

    for (size_t l = 0; l < COUNT(locals); l++) {
        for (size_t t = 0; t < COUNT(tags); t++) {
            for (size_t d = 0; d < COUNT(domains); d++) {
                size_t before = strcspn(locals[l], "%");

                snprintf(local, sizeof(local), "%.*s%s%s", (int)before, locals[l], tags[t], locals[l] + before + 2);
                snprintf(form[n++], sizeof(form[0]), "%s%s%s", local, domains[d], local[0] == '<' ? ">" : "");
            }
        }
    }
    for (size_t i = 0; i < COUNT(odd); i++)
        snprintf(form[n++], sizeof(form[0]), "%s", odd[i]);
    assert_int_equal(n, FORMS);
}

/* Bits: what is said of the message, and by whom. */
#define KINDS 24

static int try_message(const struct flag_recipient *r, size_t count, unsigned kind)
{
    static const enum rule_action actions[] = {RULE_NONE, RULE_REQUIRETLS, RULE_TLS_OPTIONAL};
    struct rule rule = {.name = "r", .action = actions[kind / 8 % 3]};
    struct flag_message m = {.recipient = r,
                             .recipients = count,
                             .mail_requiretls = (kind & 1) != 0,
                             .no = (kind & 2) != 0 ? TLS_REQUIRED_NO : TLS_REQUIRED_NONE,
                             .rule = &rule};
    struct flag_options o = {{'+', "requiretls"}, {'+', "tlsoptional"}, (kind & 4) != 0};

    return flag_try(&o, &m);
}

static void test_pairs(void **state)
{
    const char *parameter[2][2] = {{NULL}};
    struct flag_recipient r[2] = {{NULL, parameter[0]}, {NULL, parameter[1]}};
    size_t planned = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < FORMS * FORMS; i++) {
        r[0].address = form[i / FORMS];
        r[1].address = form[i % FORMS];
        parameter[0][0] = notify[i % COUNT(notify)];
        parameter[1][0] = notify[i / COUNT(notify) % COUNT(notify)];
        for (unsigned kind = 0; kind < KINDS; kind++)
            *(try_message(r, 2, kind) == 0 ? &planned : &refused) += 1;
    }
    print_message("%zu planned, %zu refused\n", planned, refused);
    assert_true(planned > 10 * refused && refused > 1000);
}

static unsigned next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(*seed >> 33);
}

/* Few forms at a time, so that many become the same. */
static void test_random(void **state)
{
    const char *parameter[FLAG_DEMAND_MAX][2] = {{NULL}};
    struct flag_recipient r[FLAG_DEMAND_MAX];
    uint64_t seed = 1;
    size_t planned = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t count = next(&seed) % (FLAG_DEMAND_MAX + 1), from = next(&seed) % REGULAR;

        for (size_t i = 0; i < count; i++) {
            r[i] = (struct flag_recipient){form[(from + next(&seed) % 24) % REGULAR], parameter[i]};
            parameter[i][0] = notify[next(&seed) % COUNT(notify)];
        }
        planned += try_message(r, count, next(&seed) % KINDS) == 0;
    }
    assert_int_equal(planned, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs), cmocka_unit_test(test_random)};

    forms_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
