/* rule_parse.t.c - tests of rule_parse.c and rule_write.c: what rules may say, and what is said of those that may not.
 */
#include "rule_expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    const char *form; /* NULL: the same */
    unsigned need;
} good[] = {
    {"secret:  subject contains \"confidential\" and not client.tls -> requiretls",
     "secret: subject contains \"confidential\" and not client.tls -> requiretls", RULE_NEED_HEADER | RULE_NEED_CLIENT},
    {"cards: body matches \"\\b\\d{4}[ -]?\\d{4}\\b\" or attachment.name matches \"\\.p12$\" -> requiretls", NULL,
     RULE_NEED_BODY | RULE_NEED_ATTACHMENTS},
    {"big: size > 20M and recipient in-list local -> reject \"too large for us\"", NULL,
     RULE_NEED_SIZE | RULE_NEED_RECIPIENTS | RULE_NEED_LISTS},
    {"a:client.tls->none", "a: client.tls -> none", RULE_NEED_CLIENT},
    {"a:\tnot(client.tls)->none", "a: not client.tls -> none", RULE_NEED_CLIENT},
    {"a: sender is \"\" -> tls-optional", NULL, RULE_NEED_SENDER},
    {"a: sender in-list require -> none", NULL, RULE_NEED_SENDER | RULE_NEED_LISTS},
    {"a: client.address in-list inbound-require -> none", NULL, RULE_NEED_CLIENT | RULE_NEED_LISTS},
    {"a: client.address is \"192.0.2.0/24\" -> none", NULL, RULE_NEED_CLIENT},
    {"a: client.address is \"2001:DB8::1\" -> none", NULL, RULE_NEED_CLIENT},
    {"a: body is \"a\tb\" -> none", NULL, RULE_NEED_BODY},
    {"a: client.user is \"Anna\" -> none", NULL, RULE_NEED_CLIENT},
    {"a: header \"X-Class\" is \"Größe\" -> tag \"X-Seen: yes\"", NULL, RULE_NEED_HEADER},
    {"a: attachment.type contains \"pdf\" -> none", NULL, RULE_NEED_ATTACHMENTS},
    {"a: body contains \"a \\\"b\\\" \\\\ c\" -> none", NULL, RULE_NEED_BODY},
    {"a: body matches \"a \\\"b\\\" \\\\\\\\ \\d\" -> none", NULL, RULE_NEED_BODY},
    {"a: size<1g->none", "a: size < 1G -> none", RULE_NEED_SIZE},
    {"a: size < 2048k -> none", "a: size < 2M -> none", RULE_NEED_SIZE},
    {"a: size > 0 or size < 0K or size > 1025 -> none", "a: size > 0 or size < 0 or size > 1025 -> none",
     RULE_NEED_SIZE},
    {"a: size > 999999999G -> none", NULL, RULE_NEED_SIZE},
    {"a.b-C_9: client.tls -> reject \"\\\"no\\\"\"", NULL, RULE_NEED_CLIENT},
    /* precedence: not, and, or; both from left to right */
    {"a: (client.tls and size > 1) or size > 2 -> none", "a: client.tls and size > 1 or size > 2 -> none",
     RULE_NEED_CLIENT | RULE_NEED_SIZE},
    {"a: client.tls and (size > 1 or size > 2) -> none", NULL, RULE_NEED_CLIENT | RULE_NEED_SIZE},
    {"a: size > 1 or (size > 2 and size > 3) -> none", "a: size > 1 or size > 2 and size > 3 -> none", RULE_NEED_SIZE},
    {"a: (size > 1 or size > 2) and size > 3 -> none", NULL, RULE_NEED_SIZE},
    {"a: (size > 1 or size > 2) or size > 3 -> none", "a: size > 1 or size > 2 or size > 3 -> none", RULE_NEED_SIZE},
    {"a: size > 1 or (size > 2 or size > 3) -> none", NULL, RULE_NEED_SIZE},
    {"a: size > 1 and (size > 2 and size > 3) -> none", NULL, RULE_NEED_SIZE},
    {"a: (not size > 1) and size > 2 -> none", "a: not size > 1 and size > 2 -> none", RULE_NEED_SIZE},
    {"a: not (size > 1 and size > 2) -> none", NULL, RULE_NEED_SIZE},
    {"a: not (not (size > 1)) -> none", "a: not not size > 1 -> none", RULE_NEED_SIZE},
    {"a: ((((client.tls)))) -> none", "a: client.tls -> none", RULE_NEED_CLIENT},
};

/* The rule in its one form, which reads as the same again. */
static void write_again(char *out, size_t size, const struct rule *rule)
{
    struct rule *again;
    struct err e = {""};
    struct buf form, second;

    buf_init(&form, 2 * RULE_LENGTH_MAX);
    buf_init(&second, 2 * RULE_LENGTH_MAX);
    rule_write(&form, rule);
    if (rule_parse(&again, form.data, form.len, &e) != 0)
        fail_msg("%s: %s", buf_text(&form), e.text);
    rule_write(&second, again);
    assert_string_equal(buf_text(&form), buf_text(&second));
    assert_int_equal(again->need, rule->need);
    assert_int_equal(again->action, rule->action);
    snprintf(out, size, "%s", buf_text(&form));
    rule_free(again);
    buf_clear(&form);
    buf_clear(&second);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct rule *rule;
        struct err e = {""};
        char form[2 * RULE_LENGTH_MAX];

        if (rule_parse(&rule, good[i].text, strlen(good[i].text), &e) != 0)
            fail_msg("%s: %s", good[i].text, e.text);
        write_again(form, sizeof(form), rule);
        assert_string_equal(form, good[i].form == NULL ? good[i].text : good[i].form);
        assert_int_equal(rule->need, good[i].need);
        rule_free(rule);
    }
}

/* Every field with every operator: what may be said, and else what may be. */
static const struct {
    const char *field;
    const char *operators;
} fields[] = {
    {"sender", "is contains matches in-list"},
    {"recipient", "is contains matches in-list"},
    {"client.address", "is contains matches in-list"},
    {"client.user", "is contains matches"},
    {"client.tls", ""},
    {"header \"X\"", "is contains matches"},
    {"subject", "is contains matches"},
    {"body", "is contains matches"},
    {"attachment.name", "is contains matches"},
    {"attachment.type", "is contains matches"},
    {"size", "> <"},
};

static const struct {
    const char *name;
    const char *operand;
} operators[] = {
    {"is", "\"192.0.2.1\""}, {"contains", "\"a\""}, {"matches", "\"a\""}, {"in-list", "local"}, {">", "1"}, {"<", "1"},
};

static void test_fields_and_operators(void **state)
{
    (void)state;
    assert_int_equal(sizeof(fields) / sizeof(fields[0]), RULE_FIELDS);
    for (size_t i = 0; i < RULE_FIELDS; i++) {
        for (size_t k = 0; k < sizeof(operators) / sizeof(operators[0]); k++) {
            bool client = strcmp(fields[i].field, "client.address") == 0 && strcmp(operators[k].name, "in-list") == 0;
            bool may = strstr(fields[i].operators, operators[k].name) != NULL;
            struct rule *rule;
            struct err e = {""};
            char text[200];

            snprintf(text, sizeof(text), "a: %s %s %s -> none", fields[i].field, operators[k].name,
                     client ? "inbound-exclude" : operators[k].operand);
            if ((rule_parse(&rule, text, strlen(text), &e) == 0) != may)
                fail_msg("%s: %s", text, e.text);
            if (!may && strstr(e.text, i == RULE_CLIENT_TLS ? "stands alone" : "must follow") == NULL)
                fail_msg("%s: %s", text, e.text);
            rule_free(rule);
        }
    }
}

static const struct {
    const char *text;
    unsigned column;
    const char *why;
} bad[] = {
    {"", 1, "a rule begins with its name and a colon"},
    {"subject contains \"x\" -> none", 1, "a rule begins with its name and a colon"},
    {"\"a\": client.tls -> none", 1, "a rule begins with its name"},
    {"a/b: client.tls -> none", 2, "a name has letters"},
    {"ü: client.tls -> none", 1, "a name has letters"},
    {"a2345678901234567890123456789012345678901: client.tls -> none", 1, "more than 40 characters"},
    {"a:", 3, "a condition must follow, such as"},
    {"a: -> none", 4, "a condition must follow, such as"},
    {"a: client.tls and -> none", 19, "a condition must follow"},
    {"a: not -> none", 8, "a condition must follow"},
    {"a: () -> none", 5, "\")\" is no field"},
    {"a: foo is \"x\" -> none", 4, "\"foo\" is no field; there are sender, recipient,"},
    {"a: Subject is \"x\" -> none", 4, "\"Subject\" is no field"},
    {"a: from is \"x\" -> none", 4, "write sender"},
    {"a: TO is \"x\" -> none", 4, "write recipient"},
    {"a: ! client.tls -> none", 4, "write not"},
    {"a: client.tls", 14, "and, or or -> and an action, such as -> requiretls, must follow, but there is nothing"},
    {"a: client.tls -> ", 18, "an action must follow: requiretls, tls-optional, reject \"TEXT\""},
    {"a: client.tls => none", 15, "write ->"},
    {"a: client.tls : none", 15, "write ->"},
    {"a: size >= 5 -> none", 10, "there is only > and <"},
    {"a: client.tls && client.tls -> none", 15, "write and"},
    {"a: client.tls || client.tls -> none", 15, "write or"},
    {"a: (client.tls || client.tls) -> none", 16, "and, or or \")\" may follow, not \"||\"; write or"},
    {"a: (client.tls -> none", 16, "and, or or \")\" must follow, but there is \"->\""},
    {"a: client.tls) -> none", 14, "a \")\" without its \"(\""},
    {"a: client.tls is \"x\" -> none", 15, "write client.tls or not client.tls"},
    {"a: subject -> none", 12, "behind subject is, contains or matches must follow, but there is \"->\""},
    {"a: subject == \"x\" -> none", 12, "is, contains or matches may follow, not \"==\"; write is"},
    {"a: subject not contains \"x\" -> none", 12, "\"not\" stands before the field: not subject"},
    {"a: subject in-list local -> none", 12, "is, contains or matches must follow"},
    {"a: size is 5 -> none", 9, "behind size > or < must follow"},
    {"a: size > M -> none", 11, "a size must follow, such as 500000, 500K, 20M or 1G"},
    {"a: size > 20MB -> none", 11, "a size must follow"},
    {"a: size > 1234567890 -> none", 11, "a size must follow"},
    {"a: size > -1 -> none", 11, "a size must follow"},
    {"a: size > \"20M\" -> none", 11, "a size must follow"},
    {"a: size > -> none", 11, "a size must follow"},
    {"a: sender is foo@example.com -> none", 14, "a text must follow in quotes, but there is \"foo@example.com\""},
    {"a: sender is \"foo -> none", 14, "do not end"},
    {"a: sender is -> none", 14, "a text must follow in quotes, but there is \"->\""},
    {"a: body contains \"\" -> none", 18, "write matches \"^\""},
    {"a: body matches \"\" -> none", 17, "fits everything"},
    {"a: body contains \"\\d\" -> none", 19, "only matches knows such a backslash; write \\\\"},
    {"a: body matches \"ü\\\"\\\"(b\" -> none", 25, "missing closing parenthesis"},
    {"a: body matches \"ab)\" -> none", 20, "unmatched closing parenthesis"},
    {"a: body matches \"x{999}\" -> none", 19, "a count in {} above 255"},
    {"a: header is \"x\" -> none", 11, "the name of a header field must follow in quotes"},
    {"a: header \"\" is \"x\" -> none", 11, "write header \"Name\""},
    {"a: header \"X:\" is \"x\" -> none", 11, "no colon"},
    {"a: header \"X y\" is \"x\" -> none", 11, "no blanks"},
    {"a: recipient in-list nowhere -> none", 22, "there is no list \"nowhere\"; there are exclude, only,"},
    {"a: recipient in-list \"local\" -> none", 22, "the name of a list must follow, such as local"},
    {"a: recipient in-list inbound-require -> none", 22, "write client.address in-list inbound-require"},
    {"a: client.address in-list local -> none", 27, "write recipient in-list local"},
    {"a: client.address is \"example.com\" -> none", 22, "is an address or a network"},
    {"a: client.address is \"192.0.2.1/24\" -> none", 22, "write 192.0.2.0/24"},
    {"a: client.tls -> REJECT", 18, "write reject \"why\""},
    {"a: client.tls -> discard", 18, "\"discard\" is no action; write reject"},
    {"a: client.tls -> reject", 24, "the text that the sender gets must follow in quotes, but there is nothing"},
    {"a: client.tls -> reject \"\"", 25, "1 to 400 octets"},
    {"a: client.tls -> reject \"ü\"", 25, "only ASCII"},
    {"a: client.tls -> tag \"X-Seen\"", 22, "such as tag \"X-Content: confidential\""},
    {"a: client.tls -> tag \"X Seen: x\"", 22, "such as tag"},
    {"a: client.tls -> tag \": x\"", 22, "such as tag"},
    {"a: client.tls -> tag \"X:  \"", 22, "such as tag"},
    {"a: client.tls -> none none", 23, "the rule ends with its action, but there is \"none\""},
    {"a: client.tls -> none # why", 23, "the rule ends with its action"},
    {"ä: \001 -> none", 4, "a control character; in an expression write \\x01"},
    {"a: client.tls -> reject \"a\tb\"", 25, "only ASCII"},
    {"a: body is \"\377\" -> none", 13, "not UTF-8"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rule *rule;
        struct err e = {""};
        unsigned column = 0;

        if (rule_parse(&rule, bad[i].text, strlen(bad[i].text), &e) == 0)
            fail_msg("taken: %s", bad[i].text);
        assert_null(rule);
        if (sscanf(e.text, "column %u: ", &column) != 1 || column != bad[i].column ||
            strstr(e.text, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].text, e.text);
    }
}

static void test_tag_in_halves(void **state)
{
    static const char text[] = "a: client.tls -> tag \"X-Content:  strictly: secret  \"";
    struct rule *rule;

    (void)state;
    assert_int_equal(rule_parse(&rule, text, sizeof(text) - 1, NULL), 0);
    assert_string_equal(rule->tag_name, "X-Content");
    assert_string_equal(rule->tag_value, "strictly: secret");
    rule_free(rule);
}

/* --- limits: n of something is taken, n + 1 is not --- */

static void repeat(struct buf *b, const char *text, int n)
{
    while (n-- > 0)
        buf_str(b, text);
}

static const struct {
    const char *before;
    const char *unit;
    const char *between;
    const char *after;
    int most;
    const char *why;
} limits[] = {
    {"a: ", "size>1 or ", "", "size>1->none", RULE_CONDITIONS_MAX - 1, "more than 64 conditions"},
    {"a: ", "not ", "", "client.tls->none", RULE_DEPTH_MAX, "more than 32 parentheses and nots"},
    {"a: ", "(", "client.tls", "->none", RULE_DEPTH_MAX, "more than 32 parentheses and nots"},
    {"a: body is \"", "x", "", "\" -> none", RULE_STRING_MAX, "more than 1000 octets in quotes"},
    {"a: body is \"x\" -> reject \"", "x", "", "\"", RULE_REPLY_MAX, "1 to 400 octets"},
    {"", "n", "", ": client.tls -> none", RULE_NAME_MAX, "more than 40 characters"},
    {"a: client.tls -> none", " ", "", "", RULE_LENGTH_MAX - 21, "more than 4096 octets"},
    {"a: ", "not not client.tls and ", "", "client.tls -> none", 63, "more than 64 conditions"},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (int more = 0; more < 2; more++) {
            struct rule *rule;
            struct err e = {""};
            struct buf b;

            buf_init(&b, 2 * RULE_LENGTH_MAX);
            buf_str(&b, limits[i].before);
            repeat(&b, limits[i].unit, limits[i].most + more);
            buf_str(&b, limits[i].between);
            repeat(&b, ")", limits[i].unit[0] == '(' ? limits[i].most + more : 0);
            buf_str(&b, limits[i].after);
            if (rule_parse(&rule, b.data, b.len, &e) != -more || (more == 1 && strstr(e.text, limits[i].why) == NULL))
                fail_msg("%d of %s: %s", limits[i].most + more, limits[i].unit, e.text);
            rule_free(rule);
            buf_clear(&b);
        }
    }
}

static void test_nodes(void **state)
{
    struct rule *rule;
    struct err e = {""};
    struct buf b;

    (void)state;
    buf_init(&b, RULE_LENGTH_MAX);
    buf_str(&b, "a: client.tls");
    repeat(&b, " and not not not client.tls", 51); /* 1 + 5 * 51 = RULE_NODES_MAX */
    buf_str(&b, " -> none");
    assert_int_equal(rule_parse(&rule, b.data, b.len, &e), 0);
    rule_free(rule);
    buf_reset(&b);
    buf_str(&b, "a: not client.tls");
    repeat(&b, " and not not not client.tls", 51);
    buf_str(&b, " -> none");
    assert_int_equal(rule_parse(&rule, b.data, b.len, &e), -1);
    assert_non_null(strstr(e.text, "more than 256 ands"));
    buf_clear(&b);
}

/* --- any rule: written and read it is the same --- */

static uint32_t seed;

static unsigned any(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % n;
}

static void any_condition(struct buf *b)
{
    static const char *const conditions[] = {
        "client.tls",
        "size > 20M",
        "size < 1000",
        "sender is \"\"",
        "recipient in-list local",
        "header \"a\\\"b\" contains \"\\\\\\\"\"",
        "body matches \"\\\\\\\"\\d(\\\\)\"",
        "client.address is \"192.0.2.0/24\"",
    };

    buf_str(b, conditions[any(sizeof(conditions) / sizeof(conditions[0]))]);
}

static void any_expression(struct buf *b, unsigned depth)
{
    switch (depth == 0 ? 0 : any(5)) {
    case 0:
        any_condition(b);
        break;
    case 1:
        buf_str(b, "not ");
        any_expression(b, 0);
        break;
    case 2:
        buf_str(b, "not (");
        any_expression(b, depth - 1);
        buf_str(b, ")");
        break;
    default:
        buf_str(b, "(");
        any_expression(b, depth - 1);
        buf_str(b, any(2) == 0 ? ") or " : ") and ");
        any_expression(b, depth - 1);
    }
}

/* Two expressions have the same shape when their nodes are the same: both were read from left to right. */
static void test_written_and_read(void **state)
{
    (void)state;
    seed = 1;
    for (int round = 0; round < 2000; round++) {
        struct rule *rule, *again;
        struct err e = {""};
        struct buf b;

        buf_init(&b, RULE_LENGTH_MAX);
        buf_str(&b, "a: ");
        any_expression(&b, 4);
        buf_str(&b, " -> tag \"X: \\\\\\\"\"");
        if (rule_parse(&rule, b.data, b.len, &e) != 0)
            fail_msg("%s: %s", buf_text(&b), e.text);
        buf_reset(&b);
        rule_write(&b, rule);
        assert_int_equal(rule_parse(&again, b.data, b.len, NULL), 0);
        assert_int_equal(again->expression->nodes, rule->expression->nodes);
        for (size_t i = 0; i < again->expression->nodes; i++) {
            assert_int_equal(again->expression->node[i].kind, rule->expression->node[i].kind);
            assert_int_equal(again->expression->node[i].left, rule->expression->node[i].left);
            assert_int_equal(again->expression->node[i].right, rule->expression->node[i].right);
        }
        assert_string_equal(again->text, rule->text);
        rule_free(rule);
        rule_free(again);
        buf_clear(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_fields_and_operators),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_tag_in_halves),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_written_and_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
