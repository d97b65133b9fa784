/*
 * publish_sts.t.c - what the policy of an own domain becomes, when it may go, and how that is told (RFC
 * 8461 3.2, 8.1, 8.3).
 */
#include "publish_sts.h"
#include "publish_sts_made.h"
#include "publish_sts_text.h"

/* --- what it becomes --- */

static char *const two_patterns[] = {"*.example.com", "mx.example.net"};
static const struct {
    const char *name, *before, *facts;
    struct sts_wish wish;
    int code;
    const char *mode;
    unsigned long max_age;
    const char *mx;
    bool changed;
    int64_t since, held; /* after NOW; held 0: none */
} plan_rows[] = {
    {"new",
     NULL,
     "mx1.example.com mx2.example.com",
     {.mx_count = 0},
     CTL_YES,
     "testing",
     86400,
     "mx1.example.com mx2.example.com",
     true,
     0,
     0},
    {"new, patterns given, DNS away",
     NULL,
     "-temp",
     {.mx = two_patterns, .mx_count = 2},
     CTL_YES,
     "testing",
     86400,
     "*.example.com mx.example.net",
     true,
     0,
     0},
    {"new, no stsd",
     NULL,
     NULL,
     {.mx = two_patterns, .mx_count = 1},
     CTL_YES,
     "testing",
     86400,
     "*.example.com",
     true,
     0,
     0},
    {"new, enforce",
     NULL,
     "mx1.example.com",
     {.has_mode = true, .mode = STS_MODE_ENFORCE},
     CTL_YES,
     "enforce",
     1209600,
     "mx1.example.com",
     true,
     0,
     0},
    {"new, DNS away", NULL, "-temp", {.mx_count = 0}, CTL_LATER, NULL, 0, NULL, false, 0, 0},
    {"new, no stsd, no patterns", NULL, NULL, {.mx_count = 0}, CTL_LATER, NULL, 0, NULL, false, 0, 0},
    {"new, null MX", NULL, "-null", {.mx_count = 0}, CTL_NO, NULL, 0, NULL, false, 0, 0},
    {"new, no domain", NULL, "-nodomain", {.mx_count = 0}, CTL_NO, NULL, 0, NULL, false, 0, 0},
    {"a host that no policy can name", NULL, "m_x.example.com", {.mx_count = 0}, CTL_NO, NULL, 0, NULL, false, 0, 0},
    {"as it was",
     "testing 3600 -99 0 mx1.example.com",
     "mx1.example.com",
     {.mx_count = 0},
     CTL_YES,
     "testing",
     3600,
     "mx1.example.com",
     false,
     -99,
     0},
    {"as it was, DNS away",
     "enforce 1209600 -99 0 mx1.example.com",
     "-temp",
     {.mx_count = 0},
     CTL_YES,
     "enforce",
     1209600,
     "mx1.example.com",
     false,
     -99,
     0},
    {"a host more",
     "enforce 1000 -99 0 *.example.com",
     "mx1.example.com mx.example.net",
     {.mx_count = 0},
     CTL_YES,
     "enforce",
     1000,
     "*.example.com mx.example.net",
     true,
     -99,
     DAY + 1000},
    {"a host less stays until it is said",
     "enforce 1000 -99 0 mx1.example.com,mx2.example.com",
     "mx1.example.com",
     {.mx_count = 0},
     CTL_YES,
     "enforce",
     1000,
     "mx1.example.com mx2.example.com",
     false,
     -99,
     0},
    {"other patterns",
     "enforce 1000 -99 0 mx1.example.com",
     "mx1.example.com",
     {.mx = two_patterns, .mx_count = 1},
     CTL_YES,
     "enforce",
     1000,
     "*.example.com",
     true,
     -99,
     DAY + 1000},
    {"promoted",
     "testing 3600 -99 0 mx1.example.com",
     "mx1.example.com",
     {.has_mode = true, .mode = STS_MODE_ENFORCE},
     CTL_YES,
     "enforce",
     1209600,
     "mx1.example.com",
     true,
     0,
     DAY + 3600},
    {"max_age alone",
     "enforce 1000 -99 0 mx1.example.com",
     "mx1.example.com",
     {.has_max_age = true, .max_age = 5},
     CTL_YES,
     "enforce",
     5,
     "mx1.example.com",
     true,
     -99,
     DAY + 1000},
    {"a longer one before",
     "testing 10 -99 999999 mx1.example.com",
     "mx1.example.com",
     {.has_max_age = true, .max_age = 5},
     CTL_YES,
     "testing",
     5,
     "mx1.example.com",
     true,
     -99,
     999999},
    {"out",
     "enforce 1209600 -99 0 mx1.example.com",
     NULL,
     {.has_mode = true, .mode = STS_MODE_NONE},
     CTL_YES,
     "none",
     86400,
     "mx1.example.com",
     true,
     0,
     DAY + 1209600},
    {"out, nothing before",
     NULL,
     NULL,
     {.has_mode = true, .mode = STS_MODE_NONE},
     CTL_YES,
     "none",
     86400,
     "",
     true,
     0,
     0},
    {"in again, before all is over",
     "none 86400 -99 5000 mx1.example.com",
     "mx1.example.com",
     {.has_mode = true, .mode = STS_MODE_TESTING},
     CTL_YES,
     "testing",
     86400,
     "mx1.example.com",
     true,
     0,
     5000},
};

static void plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plan_rows); i++) {
        struct dest *d = plan_rows[i].facts != NULL ? facts(plan_rows[i].facts) : NULL;
        struct published before = {.since = 0};
        bool there = published(&before, plan_rows[i].before);
        struct sts_plan p;
        struct err e = {""};
        char mx[300] = "";

        if ((int)sts_plan_make(&p, "example.com", there ? &before : NULL, d, &plan_rows[i].wish, NOW, "me", &e) !=
            plan_rows[i].code)
            fail_msg("%s: %s", plan_rows[i].name, e.text);
        assert_int_equal(plan_rows[i].code != CTL_YES, e.text[0] != '\0');
        for (size_t k = 0; k < p.next.policy.mx_count; k++)
            snprintf(mx + strlen(mx), sizeof(mx) - strlen(mx), "%s%s", k > 0 ? " " : "", p.next.policy.mx[k]);
        if (plan_rows[i].code == CTL_YES) {
            print_message("%s\n", plan_rows[i].name);
            assert_string_equal(sts_mode_name(p.next.policy.mode), plan_rows[i].mode);
            assert_int_equal(p.next.policy.max_age, plan_rows[i].max_age);
            assert_string_equal(mx, plan_rows[i].mx);
            assert_int_equal(p.changed, plan_rows[i].changed);
            assert_string_equal(p.next.id, plan_rows[i].changed ? "20261122T101500Z" : "before");
            assert_string_equal(p.next.by, plan_rows[i].changed ? "me" : "old");
            assert_int_equal(p.next.since - NOW, plan_rows[i].since);
            assert_int_equal(p.next.held == 0 ? 0 : p.next.held - NOW, plan_rows[i].held);
        }
        sts_plan_clear(&p);
        sts_plan_clear(&p);
        published_clear(&before);
        dest_free(d);
    }
}

/* A policy that somebody else has published for the domain binds senders, too. */
static void live_policy_counts(void **state)
{
    static const char body[] = "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 500000\n";
    const struct sts_wish wish = {.has_mode = true, .mode = STS_MODE_NONE};
    struct dest *d = facts("mx1.example.com");
    struct sts_plan p;

    (void)state;
    assert_int_equal(dest_sts_set_policy(&d->sts, "x", body, strlen(body), NOW - 100, NULL), 0);
    snprintf(d->sts.id, sizeof(d->sts.id), "20261122T101500Z");
    assert_int_equal(sts_plan_make(&p, "example.com", NULL, d, &wish, NOW, "", NULL), CTL_YES);
    assert_int_equal(p.next.held, NOW + 500000 + DAY);
    assert_string_not_equal(p.next.id, d->sts.id); /* the one that is in DNS already */
    sts_plan_clear(&p);
    dest_free(d);
}

/* What could not be read again is not published. */
static void authors(void **state)
{
    static char *const given[] = {"mx.example.com"};
    static const struct {
        const char *by;
        int code;
    } rows[] = {
        {"J\xc3\xa4ger \"x\\", CTL_YES},
        {"", CTL_YES},
        {"a\033[2Jb", CTL_NO},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xa4", CTL_YES}, /* cut within the last */
        {"1234567890123456789012345678901234567890123456789012345678901234567890", CTL_YES},
    };
    const struct sts_wish wish = {.mx = given, .mx_count = 1};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sts_plan p;
        struct err e = {""};

        if ((int)sts_plan_make(&p, "example.com", NULL, NULL, &wish, NOW, rows[i].by, &e) != rows[i].code)
            fail_msg("%zu: %s: %s", i, p.next.by, e.text);
        assert_int_equal(rows[i].code != CTL_YES, strstr(e.text, "by: not printable") != NULL);
        sts_plan_clear(&p);
    }
}

static void the_way_out(void **state)
{
    static const struct {
        const char *published;
        int code;
        const char *why;
    } rows[] = {
        {"enforce 100 -999999 0 mx.a", CTL_NO, "mode enforce"},
        {"testing 100 -999999 0 mx.a", CTL_NO, "--mode none"},
        {"none 86400 -99 1 mx.a", CTL_NO, "until 2026-11-22T10:15:01Z (in 1 s)"},
        {"none 86400 -99 0", CTL_YES, ""},
        {"none 86400 -99 -1", CTL_YES, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct published p;
        struct err e = {""};

        published(&p, rows[i].published);
        assert_int_equal(sts_may_remove(&p, NOW, &e), rows[i].code);
        assert_non_null(strstr(e.text, rows[i].why));
        published_clear(&p);
    }
}

/* --- words --- */

/* The order of steps: the file before the record, and what is on the way out stays until its time. */
static void steps(void **state)
{
    static const struct {
        const char *before;
        enum sts_mode mode;
        const char *want[6]; /* one after the other, in the text */
    } rows[] = {
        {NULL,
         STS_MODE_TESTING,
         {"mta-sts.example.com lead", "certificate", "Have the web server serve", "Only then publish", "--promote",
          NULL}},
        {"testing 10 -9 0 mx1.example.com",
         STS_MODE_ENFORCE,
         {"Have the web server serve", "Only then change", "TTL", "--check", NULL}},
        {"enforce 1000000 -9 0 mx1.example.com",
         STS_MODE_NONE,
         {"Have the web server serve", "Only then change", "until 2026-12-05T00:01:40Z (in 12 d)", "publish remove",
          NULL}},
        {NULL, STS_MODE_NONE, {"Only then publish", "longest max_age that ever was", NULL}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dest *d = facts("mx1.example.com");
        const struct sts_wish wish = {.has_mode = true, .mode = rows[i].mode};
        struct published before = {.since = 0};
        bool there = published(&before, rows[i].before);
        struct verdicts v = {0};
        struct sts_plan plan;
        struct sts_result r = {.plan = &plan, .verdicts = &v, .now = NOW, .done = true};
        struct buf text;
        const char *at;
        json_t *json;

        assert_int_equal(sts_plan_make(&plan, "example.com", there ? &before : NULL, d, &wish, NOW, "me", NULL), 0);
        buf_init(&text, 100000);
        sts_result_print(&text, &r, false);
        at = buf_text(&text);
        assert_non_null(strstr(at, "\n_mta-sts.example.com. IN TXT \"v=STSv1; id=20261122T101500Z;\"\n"));
        for (size_t k = 0; rows[i].want[k] != NULL; k++) {
            at = strstr(at, rows[i].want[k]);
            if (at == NULL)
                fail_msg("%s not in its place in:\n%s", rows[i].want[k], buf_text(&text));
        }
        json = sts_result_json(&r);
        assert_true(json_is_true(json_object_get(json, "published")));
        assert_true(json_array_size(json_object_get(json, "steps")) > 2);
        json_decref(json);
        buf_clear(&text);
        sts_plan_clear(&plan);
        published_clear(&before);
        dest_free(d);
    }
}

static void lists(void **state)
{
    struct published p;
    char *without[] = {(char *)"example.net"};
    struct sts_listed rows[2];
    struct buf text;
    json_t *json;

    (void)state;
    published(&p, "enforce 1209600 -172800 0 mx1.example.com,mx2.example.com");
    rows[0] = (struct sts_listed){&p, p.domain, ""};
    rows[1] = (struct sts_listed){NULL, "broken.example", "no JSON: \033[2J"};
    buf_init(&text, 10000);
    sts_list_print(&text, rows, 2, without, 1, NOW, false);
    assert_string_equal(
        buf_text(&text),
        "DOMAIN          MODE                              SINCE                           MAX_AGE  ID      MX\n"
        "example.com     enforce                           2026-11-20T10:15:00Z (2 d ago)  14 d     before  "
        "mx1.example.com\n"
        "                                                                                                   "
        "mx2.example.com\n"
        "broken.example  cannot be read: no JSON: \\x1b[2J\n"
        "example.net: in the list local, publishes no policy\n");
    json = sts_list_json(rows, 2, without, 1);
    assert_int_equal(json_array_size(json_object_get(json, "domains")), 2);
    assert_int_equal(json_array_size(json_object_get(json, "without")), 1);
    json_decref(json);
    rows[1] = (struct sts_listed){NULL, "\xff.example", "near '\xfe'"}; /* Redis has anything */
    json = sts_list_json(rows, 2, without, 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(json, "domains"), 1), "domain")),
        "\\xff.example");
    json_decref(json);
    buf_reset(&text);
    sts_list_print(&text, NULL, 0, NULL, 0, NOW, false);
    assert_string_equal(buf_text(&text), "no domain publishes a policy\n");
    buf_clear(&text);
    published_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans),   cmocka_unit_test(live_policy_counts),
        cmocka_unit_test(authors), cmocka_unit_test(the_way_out),
        cmocka_unit_test(steps),   cmocka_unit_test(lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
