/* rule_eval.t.c - tests of rule_eval.c, rule_view.c and rule_trace.c. */
#include "rule_eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s)          \
    {                    \
        s, sizeof(s) - 1 \
    }
#define ABSENT  \
    {           \
        NULL, 0 \
    }

static const struct rule_text recipients[] = {TEXT("bob@example.net"), TEXT("Carol@Example.ORG"), TEXT("postmaster")};

static const struct rule_header headers[] = {
    {TEXT("From"), TEXT("Anna <anna@example.com>")},
    {TEXT("SUBJECT"), TEXT("Angebot: streng VERTRAULICH, Größe XL")},
    {TEXT("X-Class"), TEXT("internal")},
    {TEXT("X-Raw"), TEXT("caf\xe9 noir")},
    {TEXT("X-Empty"), TEXT("")},
    {TEXT("x-class"), TEXT("Secret")},
};

static const struct rule_part parts[] = {
    {ABSENT, ABSENT, TEXT("Dear Bob,\r\nthe card is 1234-5678.\r\n")},
    {TEXT("application/pdf"), TEXT("Größe.PDF"), ABSENT},
    {TEXT("application/octet-stream"), ABSENT, ABSENT},
    {TEXT("text/html"), TEXT("page.html"), TEXT("<b>Second</b> text\0with NUL")},
};

static const struct rule_message plain = {
    .sender = TEXT("Anna@Example.com"),
    .recipients = recipients,
    .recipient_count = 3,
    .client_address = TEXT("192.0.2.17"),
    .client_user = TEXT("anna"),
    .client_tls = true,
    .headers = headers,
    .header_count = 6,
    .parts = parts,
    .part_count = 4,
    .size = 20 * 1024,
};

/* The lists: example.net is local, 192.0.2.17 a client in inbound-require; `require` cannot be asked. */
static int in_list(void *context, enum list_id list, const char *what, size_t len)
{
    char text[100];

    if (context != NULL)
        ++*(int *)context;
    if (list == LIST_REQUIRE)
        return -1;
    snprintf(text, sizeof(text), "%.*s", (int)len, what);
    if (list == LIST_INBOUND_REQUIRE)
        return strcmp(text, "192.0.2.17") == 0;
    return list == LIST_LOCAL && strcmp(text, "example.net") == 0;
}

static struct rule_set *rules(const char *text)
{
    struct rule_set *set = rule_set_new();
    struct err e = {""};

    assert_non_null(set);
    if (rule_set_read(set, text, strlen(text), &e) != 0)
        fail_msg("%s: %s", text, e.text);
    return set;
}

/* What an expression is for a message, as a letter: y, n, ? for unknown. *seen: of its first condition. */
static char ask(const char *expression, const struct rule_message *m, struct rule_seen *seen)
{
    char text[RULE_LENGTH_MAX];
    struct rule_set *set;
    struct rule_eval *eval;
    const struct rule_trace *t;
    char truth;

    snprintf(text, sizeof(text), "a: %s -> none", expression);
    set = rules(text);
    eval = rule_eval_new(set);
    assert_non_null(eval);
    rule_eval_run(eval, m, in_list, NULL);
    t = rule_eval_trace(eval, 0);
    truth = "-ny?"[t->truth];
    assert_int_equal(t->fits, truth == 'y');
    assert_int_equal(t->why != NULL, truth == '?');
    if (seen != NULL)
        *seen = t->seen[0];
    rule_eval_free(eval);
    rule_set_free(set);
    return truth;
}

/* Each field with each operator, values that fit and that do not. fit: the value, and where it fits. */
static const struct {
    const char *expression;
    char truth;
    const char *fit;
    size_t at;
    size_t len;
} conditions[] = {
    {"sender is \"anna@example.COM\"", 'y', "Anna@Example.com", 0, 0},
    {"sender is \"anna@example.co\"", 'n', NULL, 0, 0},
    {"sender is \"\"", 'n', NULL, 0, 0},
    {"sender contains \"@EXAMPLE\"", 'y', "Anna@Example.com", 4, 8},
    {"sender contains \"bob\"", 'n', NULL, 0, 0},
    {"sender matches \"^a.*com$\"", 'y', "Anna@Example.com", 0, 16},
    {"sender matches \"(?-i)^a\"", 'n', NULL, 0, 0},
    {"sender in-list local", 'n', NULL, 0, 0},
    {"sender in-list require", '?', NULL, 0, 0},
    {"recipient is \"carol@example.org\"", 'y', "Carol@Example.ORG", 0, 0},
    {"recipient is \"example.org\"", 'n', NULL, 0, 0},
    {"recipient contains \"master\"", 'y', "postmaster", 4, 6},
    {"recipient contains \"netcarol\"", 'n', NULL, 0, 0}, /* values do not run into each other */
    {"recipient matches \"\\.org$\"", 'y', "Carol@Example.ORG", 13, 4},
    {"recipient matches \"\\.com$\"", 'n', NULL, 0, 0},
    {"recipient in-list local", 'y', "bob@example.net", 0, 0},
    {"recipient in-list exclude", 'n', NULL, 0, 0},
    {"recipient in-list require", '?', NULL, 0, 0},
    {"client.address is \"192.0.2.17\"", 'y', "192.0.2.17", 0, 0},
    {"client.address is \"192.0.2.16/30\"", 'y', "192.0.2.17", 0, 0},
    {"client.address is \"0.0.0.0/0\"", 'y', "192.0.2.17", 0, 0},
    {"client.address is \"192.0.2.18\"", 'n', NULL, 0, 0},
    {"client.address is \"::/0\"", 'n', NULL, 0, 0},
    {"client.address contains \"0.2.\"", 'y', "192.0.2.17", 4, 4},
    {"client.address contains \"0.3.\"", 'n', NULL, 0, 0},
    {"client.address matches \"^192\\.\"", 'y', "192.0.2.17", 0, 4},
    {"client.address matches \"^10\\.\"", 'n', NULL, 0, 0},
    {"client.address in-list inbound-require", 'y', "192.0.2.17", 0, 0},
    {"client.address in-list inbound-exclude", 'n', NULL, 0, 0},
    {"client.user is \"Anna\"", 'y', "anna", 0, 0},
    {"client.user is \"bob\"", 'n', NULL, 0, 0},
    {"client.user contains \"NN\"", 'y', "anna", 1, 2},
    {"client.user contains \"b\"", 'n', NULL, 0, 0},
    {"client.user matches \"a$\"", 'y', "anna", 3, 1},
    {"client.user matches \"b$\"", 'n', NULL, 0, 0},
    {"client.tls", 'y', NULL, 0, 0},
    {"header \"X-CLASS\" is \"secret\"", 'y', "Secret", 0, 0}, /* the second of its name */
    {"header \"X-Class\" is \"inter\"", 'n', NULL, 0, 0},
    {"header \"X-Empty\" is \"\"", 'y', "", 0, 0},
    {"header \"X-Clas\" is \"secret\"", 'n', NULL, 0, 0},
    {"header \"From\" contains \"ANNA <\"", 'y', "Anna <anna@example.com>", 0, 6},
    {"header \"From\" contains \"bob\"", 'n', NULL, 0, 0},
    {"header \"X-Raw\" contains \"CAF\"", 'y', "caf\xe9 noir", 0, 3},
    {"header \"X-Raw\" matches \"\\? noir\"", 'y', "caf\xe9 noir", 3, 6}, /* no UTF-8: read as "?" */
    {"header \"X-Empty\" matches \"^\"", 'y', "", 0, 0},
    {"header \"X-None\" matches \"^\"", 'n', NULL, 0, 0},
    {"subject is \"angebot: streng vertraulich, GRÖSSE xl\"", 'n', NULL, 0, 0},
    {"subject is \"angebot: streng vertraulich, GRÖßE xl\"", 'y', "Angebot: streng VERTRAULICH, Größe XL", 0, 0},
    {"subject contains \"vertraulich, größe\"", 'y', "Angebot: streng VERTRAULICH, Größe XL", 16, 20},
    {"subject contains \"internal\"", 'n', NULL, 0, 0},
    {"subject matches \"\\bVertraulich\\b\"", 'y', "Angebot: streng VERTRAULICH, Größe XL", 16, 11},
    {"subject matches \"^$\"", 'n', NULL, 0, 0},
    {"body is \"dear\"", 'n', NULL, 0, 0},
    {"body contains \"THE CARD\"", 'y', "Dear Bob,\r\nthe card is 1234-5678.\r\n", 11, 8},
    {"body contains \"with nul\"", 'y', "<b>Second</b> text", 19, 8},
    {"body contains \"pdf\"", 'n', NULL, 0, 0},
    {"body matches \"\\d{4}-?\\d{4}\"", 'y', "Dear Bob,\r\nthe card is 1234-5678.\r\n", 23, 9},
    {"body matches \"\\x00with\"", 'y', "<b>Second</b> text", 18, 5},
    {"body matches \"\\d{5}\"", 'n', NULL, 0, 0},
    {"attachment.name is \"GRÖßE.pdf\"", 'y', "Größe.PDF", 0, 0},
    {"attachment.name is \"\"", 'n', NULL, 0, 0},
    {"attachment.name contains \".htm\"", 'y', "page.html", 4, 4},
    {"attachment.name contains \".exe\"", 'n', NULL, 0, 0},
    {"attachment.name matches \"\\.pdf$\"", 'y', "Größe.PDF", 7, 4},
    {"attachment.name matches \"\\.p12$\"", 'n', NULL, 0, 0},
    {"attachment.type is \"Application/PDF\"", 'y', "application/pdf", 0, 0},
    {"attachment.type is \"text/plain\"", 'n', NULL, 0, 0},
    {"attachment.type contains \"octet\"", 'y', "application/octet-stream", 12, 5},
    {"attachment.type contains \"image\"", 'n', NULL, 0, 0},
    {"attachment.type matches \"^text/\"", 'y', "text/html", 0, 5},
    {"attachment.type matches \"^image/\"", 'n', NULL, 0, 0},
    {"size > 19K", 'y', NULL, 0, 0},
    {"size > 20K", 'n', NULL, 0, 0},
    {"size < 20481", 'y', NULL, 0, 0},
    {"size < 20K", 'n', NULL, 0, 0},
};

static void test_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct rule_seen seen;
        char truth = ask(conditions[i].expression, &plain, &seen);
        const char *fit = conditions[i].fit;

        if (truth != conditions[i].truth || (seen.value.data != NULL) != (fit != NULL))
            fail_msg("%s: %c", conditions[i].expression, truth);
        if (fit != NULL && strncmp(seen.value.data, fit, seen.value.len) != 0)
            fail_msg("%s: %.*s", conditions[i].expression, (int)seen.value.len, seen.value.data);
        if (fit != NULL && (seen.at != conditions[i].at || seen.len != conditions[i].len))
            fail_msg("%s: at %zu, %zu", conditions[i].expression, seen.at, seen.len);
    }
}

/* Of a message with nothing in it nothing is true; what cannot be known is unknown. */
static void test_nothing(void **state)
{
    static const struct rule_message none = {.size = -1};

    (void)state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        bool size = strncmp(conditions[i].expression, "size", 4) == 0;

        if (ask(conditions[i].expression, &none, NULL) != (size ? '?' : 'n'))
            fail_msg("%s", conditions[i].expression);
    }
}

/* T true, F false, U unknown, in place of conditions. */
static const struct {
    const char *expression;
    char truth;
} logic[] = {
    {"T", 'y'},
    {"F", 'n'},
    {"U", '?'},
    {"not T", 'n'},
    {"not F", 'y'},
    {"not U", '?'},
    {"not not T", 'y'},
    {"T and T", 'y'},
    {"T and F", 'n'},
    {"F and T", 'n'},
    {"T and U", '?'},
    {"U and T", '?'},
    {"U and F", 'n'},
    {"F and U", 'n'},
    {"U and U", '?'},
    {"F or F", 'n'},
    {"T or F", 'y'},
    {"F or T", 'y'},
    {"T or U", 'y'},
    {"U or T", 'y'},
    {"U or F", '?'},
    {"F or U", '?'},
    {"U or U", '?'},
    /* precedence */
    {"T or T and F", 'y'},
    {"(T or T) and F", 'n'},
    {"not F and F", 'n'},
    {"not (F and F)", 'y'},
    {"not T or T", 'y'},
    {"not (T or T)", 'n'},
    {"F and T or T", 'y'},
    {"F and (T or T)", 'n'},
    {"U and F or T", 'y'},
};

static void test_logic(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(logic) / sizeof(logic[0]); i++) {
        struct buf b;

        buf_init(&b, 1000);
        for (const char *c = logic[i].expression; *c != '\0'; c++) {
            if (*c == 'T')
                buf_str(&b, "client.tls");
            else if (*c == 'F')
                buf_str(&b, "size > 1G");
            else if (*c == 'U')
                buf_str(&b, "sender in-list require");
            else
                buf_char(&b, *c);
        }
        if (ask(buf_text(&b), &plain, NULL) != logic[i].truth)
            fail_msg("%s", logic[i].expression);
        buf_clear(&b);
    }
}

/* What a cut message does not show is unknown; what it shows goes. */
static const struct {
    const char *expression;
    unsigned cut;
    char truth;
} cuts[] = {
    {"body contains \"dear\"", RULE_NEED_BODY, 'y'},
    {"body contains \"nothing\"", RULE_NEED_BODY, '?'},
    {"not body contains \"nothing\"", RULE_NEED_BODY, '?'},
    {"body contains \"nothing\"", RULE_NEED_ATTACHMENTS, 'n'},
    {"attachment.name contains \"nothing\"", RULE_NEED_ATTACHMENTS, '?'},
    {"attachment.type is \"nothing\"", RULE_NEED_ATTACHMENTS, '?'},
    {"subject is \"nothing\"", RULE_NEED_HEADER, '?'},
    {"header \"X\" is \"nothing\"", RULE_NEED_HEADER, '?'},
    {"header \"X\" is \"nothing\"", RULE_NEED_BODY, 'n'},
    {"sender is \"nothing\"", RULE_NEED_HEADER | RULE_NEED_BODY, 'n'},
};

static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct rule_message m = plain;

        m.cut = cuts[i].cut;
        if (ask(cuts[i].expression, &m, NULL) != cuts[i].truth)
            fail_msg("%s", cuts[i].expression);
    }
}

/* --- sets: order, actions, limits --- */

static const struct {
    const char *text;
    const char *ends; /* the rule that ends; NULL: none */
    const char *tags; /* those that tag */
    size_t unknown;
} sets[] = {
    {"", NULL, "", 0},
    {"a: size > 1G -> requiretls\n", NULL, "", 0},
    {"a: size > 1G -> requiretls\nb: client.tls -> tls-optional\nc: client.tls -> requiretls\n", "b", "", 0},
    {"a: client.tls -> none\nb: client.tls -> requiretls\n", "a", "", 0},
    {"a: client.tls -> tag \"A: 1\"\nb: size > 1G -> tag \"B: 2\"\nc: client.tls -> tag \"C: 3\"\n"
     "d: client.tls -> reject \"no\"\ne: client.tls -> tag \"E: 5\"\n",
     "d", "ac", 0},
    /* what cannot be evaluated counts where it makes things stricter */
    {"a: sender in-list require -> requiretls\nb: client.tls -> none\n", "a", "", 1},
    {"a: sender in-list require -> reject \"no\"\nb: client.tls -> none\n", "a", "", 1},
    {"a: sender in-list require -> tls-optional\nb: client.tls -> requiretls\n", "b", "", 1},
    {"a: sender in-list require -> none\nb: sender in-list require -> tag \"A: 1\"\nc: client.tls -> reject \"no\"\n",
     "c", "", 2},
    {"a: not sender in-list require -> requiretls\n", "a", "", 1},
    {"a: sender in-list require and size > 1G -> requiretls\n", NULL, "", 0},
};

static void test_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct rule_set *set = rules(sets[i].text);
        struct rule_eval *eval = rule_eval_new(set);

        for (int twice = 0; twice < 2; twice++) {
            struct rule_outcome o = rule_eval_run(eval, &plain, in_list, NULL);
            char tags[10] = "";

            for (size_t k = 0; k < o.tags; k++)
                strcat(tags, rule_eval_tag(eval, k)->name);
            assert_string_equal(o.rule == NULL ? "" : o.rule->name, sets[i].ends == NULL ? "" : sets[i].ends);
            assert_int_equal(o.action, o.rule == NULL ? RULE_NONE : o.rule->action);
            assert_string_equal(tags, sets[i].tags);
            assert_int_equal(o.unknown, sets[i].unknown);
        }
        rule_eval_free(eval);
        rule_set_free(set);
    }
}

/* Rules and parts that settle nothing are not asked. */
static void test_only_what_is_needed(void **state)
{
    struct rule_set *set = rules("a: client.tls or sender in-list local -> tag \"A: 1\"\n"
                                 "b: size > 1G and sender in-list local -> none\n"
                                 "c: client.tls -> none\n"
                                 "d: sender in-list local -> none\n");
    struct rule_eval *eval = rule_eval_new(set);
    int asked = 0;

    (void)state;
    rule_eval_run(eval, &plain, in_list, &asked);
    assert_int_equal(asked, 0);
    assert_int_equal(rule_eval_trace(eval, 0)->seen[1].truth, RULE_NOT_ASKED);
    assert_int_equal(rule_eval_trace(eval, 3)->truth, RULE_NOT_ASKED);
    rule_eval_free(eval);
    rule_set_free(set);
}

/* The null sender and addresses without a domain are in no list; nobody is asked about them. */
static void test_no_domain(void **state)
{
    static const struct rule_text none[] = {TEXT(""), TEXT("postmaster"), TEXT("a@")};
    struct rule_message m = {.sender = TEXT(""), .recipients = none, .recipient_count = 3};

    (void)state;
    assert_int_equal(ask("sender in-list require or recipient in-list require", &m, NULL), 'n');
    assert_int_equal(ask("sender is \"\"", &m, NULL), 'y');
}

static void test_no_lists(void **state)
{
    struct rule_set *set = rules("a: recipient in-list local -> requiretls\n");
    struct rule_eval *eval = rule_eval_new(set);
    struct rule_outcome o = rule_eval_run(eval, &plain, NULL, NULL);

    (void)state;
    assert_int_equal(o.action, RULE_REQUIRETLS);
    assert_string_equal(rule_eval_trace(eval, 0)->why, "no list can be asked");
    rule_eval_free(eval);
    rule_set_free(set);
}

/* Expressions that take for ever: strict rules fit, others do not, and the next rules are evaluated all the same. */
static void test_catastrophic(void **state)
{
    struct rule_set *set = rules("a: body matches \"(a+)+$\" -> tls-optional\n"
                                 "b: body contains \"aab\" -> tag \"B: 1\"\n"
                                 "c: not body matches \"(a|aa)+$\" -> none\n"
                                 "d: body matches \"(a+)+$\" -> requiretls\n");
    struct rule_eval *eval = rule_eval_new(set);
    static char text[50000];
    struct rule_part part = {.text = {text, sizeof(text)}};
    struct rule_message m = {.parts = &part, .part_count = 1};
    struct rule_outcome o;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = 'b';
    o = rule_eval_run(eval, &m, NULL, NULL);
    assert_string_equal(o.rule->name, "d");
    assert_int_equal(o.unknown, 3);
    assert_int_equal(o.tags, 1);
    assert_string_equal(rule_eval_trace(eval, 3)->why, "its expression takes too much work on this message");
    o = rule_eval_run(eval, &plain, NULL, NULL); /* the work for one message is not missing for the next */
    assert_int_equal(o.unknown, 0);
    rule_eval_free(eval);
    rule_set_free(set);
}

/* Messages of all sizes one after the other: nothing of one is in the next. */
static void test_again_and_again(void **state)
{
    struct rule_set *set = rules("a: body contains \"needle\" or body matches \"needle$\" -> none\n");
    struct rule_eval *eval = rule_eval_new(set);
    static char text[5000];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len = len * 2 + 3) {
        for (int has = 0; has < 2 && len >= 6; has++) {
            struct rule_part part = {.text = {text, len}};
            struct rule_message m = {.parts = &part, .part_count = 1};

            memset(text, has == 0 ? 0xff : 'x', sizeof(text));
            if (has == 1)
                memcpy(text + len - 6, "NEEDLE", 6);
            assert_int_equal(rule_eval_run(eval, &m, NULL, NULL).rule != NULL, has);
        }
    }
    rule_eval_free(eval);
    rule_set_free(set);
}

static void test_trace(void **state)
{
    struct rule_set *set = rules("a: subject contains \"größe\" and size > 1M -> none\n"
                                 "b: header \"X-Raw\" matches \"caf.\" or client.tls -> tag \"A: 1\"\n"
                                 "c: sender in-list require -> tls-optional\n"
                                 "d: sender in-list require or body matches \"dear\" -> requiretls\n"
                                 "e: client.tls -> none\n");
    struct rule_eval *eval = rule_eval_new(set);
    struct buf out;

    (void)state;
    buf_init(&out, 10000);
    rule_eval_run(eval, &plain, in_list, NULL);
    rule_eval_write(&out, eval);
    assert_string_equal(buf_text(&out),
                        "a: does not fit\n"
                        "  subject contains \"größe\": yes, \"Größe\" in \"Angebot: streng VERTRAULICH, Größe XL\"\n"
                        "  size > 1M: no\n"
                        "b: fits -> tag\n"
                        "  header \"X-Raw\" matches \"caf.\": yes, \"caf?\" in \"caf? noir\"\n"
                        "  client.tls: not asked\n"
                        "c: does not fit (could not be evaluated, and tls-optional is not strict)\n"
                        "  sender in-list require: unknown, the list could not be asked\n"
                        "d: fits -> requiretls\n"
                        "  sender in-list require: unknown, the list could not be asked\n"
                        "  body matches \"dear\": yes, \"Dear\" in \"Dear Bob,??the card is 1234-5678.??\"\n");
    buf_clear(&out);
    rule_eval_free(eval);
    rule_set_free(set);
}

static void test_trace_cut(void **state)
{
    struct rule_set *set =
        rules("a: body contains \"x\" -> reject \"no\"\nb: sender in-list require -> reject \"no\"\n");
    struct rule_eval *eval = rule_eval_new(set);
    static const char text[] = "1234567890123456789012345678901234567890123456789012345678\xc2\x85\x1b[0mx";
    struct rule_part part = {.text = TEXT(text)};
    struct rule_message m = {.parts = &part, .part_count = 1};
    struct buf out;

    (void)state;
    buf_init(&out, 10000);
    rule_eval_run(eval, &m, NULL, NULL);
    rule_eval_write(&out, eval);
    assert_string_equal(buf_text(&out), "a: fits -> reject\n  body contains \"x\": yes, \"x\" in "
                                        "\"1234567890123456789012345678901234567890123456789012345678?...\"\n");
    m.part_count = 0;
    m.sender = (struct rule_text)TEXT("a@b");
    buf_reset(&out);
    rule_eval_run(eval, &m, NULL, NULL);
    rule_eval_write(&out, eval);
    assert_string_equal(buf_text(&out), "a: does not fit\n  body contains \"x\": no\n"
                                        "b: fits -> reject (could not be evaluated, and reject is strict)\n"
                                        "  sender in-list require: unknown, no list can be asked\n");
    buf_clear(&out);
    rule_eval_free(eval);
    rule_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),   cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_logic),        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_sets),         cmocka_unit_test(test_only_what_is_needed),
        cmocka_unit_test(test_no_domain),    cmocka_unit_test(test_no_lists),
        cmocka_unit_test(test_catastrophic), cmocka_unit_test(test_again_and_again),
        cmocka_unit_test(test_trace),        cmocka_unit_test(test_trace_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
