/* rule_mail.t.c - tests of rule_mail.c: what rules see of a message, and where they are told that they do not see all.
 */
#include "rule_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define ALL (RULE_NEED_HEADER | RULE_NEED_BODY | RULE_NEED_ATTACHMENTS)

#define MIXED                                                         \
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n"              \
    "Content-Type: text/plain; charset=utf-8\n\nHello\n--b\n"         \
    "Content-Type: application/pdf; name=a.pdf\n\n%PDF secret\n--b\n" \
    "Content-Disposition: attachment; filename=n.txt\n\nnote\n--b--\n"

/* A message in memory that ends where it does. */
struct letter {
    char *octets;
    struct header_field field[8];
    struct rule_mail_source source;
};

static void letter_make(struct letter *l, const char *message)
{
    size_t len = strlen(message), pos = 0;

    *l = (struct letter){.octets = malloc(len + (len == 0))};
    assert_non_null(l->octets);
    memcpy(l->octets, message, len);
    while (l->source.fields < 8 && header_field_next(&l->field[l->source.fields], &pos, l->octets, len) == 1)
        l->source.fields++;
    l->source.field = l->field;
    l->source.body = l->octets + pos;
    l->source.body_len = len - pos;
    l->source.size = (int64_t)len;
}

static void put(struct buf *out, const char *name, struct rule_text text)
{
    if (text.data != NULL)
        buf_printf(out, " %s=<%.*s>", name, (int)text.len, text.data);
}

/* Fields, a line each; then parts; then what is cut. */
static void describe(struct buf *out, const struct rule_message *m)
{
    for (size_t i = 0; i < m->header_count; i++)
        buf_printf(out, "%.*s: %.*s\n", (int)m->headers[i].name.len, m->headers[i].name.data,
                   (int)m->headers[i].value.len, m->headers[i].value.data);
    for (size_t i = 0; i < m->part_count; i++) {
        buf_str(out, "-");
        put(out, "type", m->parts[i].type);
        put(out, "name", m->parts[i].name);
        put(out, "text", m->parts[i].text);
        buf_char(out, '\n');
    }
    buf_printf(out, "cut%s%s%s", (m->cut & RULE_NEED_HEADER) != 0 ? " header" : "",
               (m->cut & RULE_NEED_BODY) != 0 ? " body" : "",
               (m->cut & RULE_NEED_ATTACHMENTS) != 0 ? " attachments" : "");
}

static void check(const char *name, const struct rule_mail_source *source, unsigned need, const char *want)
{
    struct rule_mail mail;
    struct buf got;

    assert_int_equal(rule_mail_read(&mail, source, need), 0);
    buf_init(&got, 100000);
    describe(&got, &mail.message);
    if (strcmp(buf_text(&got), want) != 0)
        fail_msg("%s: %s", name, buf_text(&got));
    assert_true(mail.message.size == source->size);
    buf_clear(&got);
    rule_mail_clear(&mail);
    rule_mail_clear(&mail);
}

static void test_messages(void **state)
{
    static const struct {
        const char *name, *message;
        unsigned need;
        const char *want;
    } cases[] = {
        {"nothing at all", "", ALL, "- text=<>\ncut"},
        {"decoded, unfolded, in order", "Subject: =?utf-8?q?caf=C3=A9?=\n  au lait\nX:\nsubject: two\n\n", ALL,
         "Subject: caf\xc3\xa9  au lait\nX: \nsubject: two\n- text=<>\ncut"},
        {"parts", MIXED, ALL,
         "Content-Type: multipart/mixed; boundary=b\n- text=<Hello>\n- type=<application/pdf> name=<a.pdf>\n"
         "- type=<text/plain> name=<n.txt> text=<note>\ncut"},
        {"the header alone", MIXED, RULE_NEED_HEADER, "Content-Type: multipart/mixed; boundary=b\ncut"},
        {"the body alone", MIXED, RULE_NEED_BODY, "- text=<Hello>\n-\n- text=<note>\ncut"},
        {"attachments alone", MIXED, RULE_NEED_ATTACHMENTS,
         "-\n- type=<application/pdf> name=<a.pdf>\n- type=<text/plain> name=<n.txt>\ncut"},
        {"neither", MIXED, RULE_NEED_SIZE | RULE_NEED_SENDER, "cut"},
        {"base64", "Content-Transfer-Encoding: base64\n\nc2VjcmV0\n", ALL,
         "Content-Transfer-Encoding: base64\n- text=<secret>\ncut"},
        {"an unknown charset", "Content-Type: text/plain; charset=utf-7\n\n+AGE-\n", ALL,
         "Content-Type: text/plain; charset=utf-7\n- text=<+AGE-\n>\ncut body"},
        {"an unknown charset of an attached picture", "Content-Type: image/png; charset=x; name=a\n\n..\n",
         RULE_NEED_ATTACHMENTS, "- type=<image/png> name=<a>\ncut"},
        {"an unknown transfer encoding", "Content-Transfer-Encoding: x-uue\n\nM\n", RULE_NEED_BODY,
         "- text=<M\n>\ncut body"},
        {"one of an attached picture", "Content-Type: image/png; name=a\nContent-Transfer-Encoding: x-uue\n\nM\n",
         RULE_NEED_BODY | RULE_NEED_ATTACHMENTS, "- type=<image/png> name=<a>\ncut"},
        {"a multipart without a boundary", "Content-Type: multipart/mixed\n\n--b\n", RULE_NEED_BODY,
         "- text=<--b\n>\ncut body attachments"},
        {"a message that is encoded", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nYQ==\n",
         RULE_NEED_ATTACHMENTS, "-\ncut body attachments"},
        {"a message within it", "Content-Type: message/rfc822; name=m\n\nSubject: x\n\ntext\n",
         RULE_NEED_BODY | RULE_NEED_ATTACHMENTS, "- type=<message/rfc822> name=<m>\n- text=<text\n>\ncut"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct letter l;

        letter_make(&l, cases[i].message);
        check(cases[i].name, &l.source, cases[i].need, cases[i].want);
        free(l.octets);
    }
}

/* That there is more of the body is no cut, that there are more fields is one for all that they could say. */
static void test_left_out(void **state)
{
    struct letter l;

    (void)state;
    letter_make(&l, "Subject: x\n\ntext");
    l.source.body_more = true;
    check("more of the body", &l.source, ALL, "Subject: x\n- text=<text>\ncut");
    l.source.fields_left_out = true;
    check("more fields", &l.source, ALL, "Subject: x\n- text=<text>\ncut header body attachments");
    free(l.octets);
}

/* The limits of mime.h, each passed by one and not passed. */
static void put_depth(struct buf *out, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        buf_printf(out, "Content-Type: multipart/mixed; boundary=b%zu\n\n--b%zu\n", i, i);
    buf_str(out, "\ntext");
}

static void put_parts(struct buf *out, size_t parts)
{
    buf_str(out, "Content-Type: multipart/mixed; boundary=b\n\n");
    for (size_t i = 0; i < parts; i++)
        buf_str(out, "--b\n\nx\n");
    buf_str(out, "--b--\n");
}

static void put_text(struct buf *out, size_t octets)
{
    buf_char(out, '\n');
    for (size_t i = 0; i < octets; i++)
        buf_char(out, 'x');
}

static void put_field(struct buf *out, size_t octets)
{
    buf_str(out, "Content-Type: text/plain; name=\"");
    for (size_t i = 0; i < octets; i++)
        buf_char(out, 'x');
    buf_str(out, "\"\n\nx");
}

static unsigned cut_of(const struct buf *message)
{
    struct rule_mail mail;
    struct letter l;
    unsigned cut;

    assert_true(buf_ok(message));
    letter_make(&l, message->data);
    assert_int_equal(rule_mail_read(&mail, &l.source, ALL), 0);
    cut = mail.message.cut;
    rule_mail_clear(&mail);
    free(l.octets);
    return cut;
}

static void test_limits(void **state)
{
    static const struct {
        void (*put)(struct buf *out, size_t n);
        size_t most;
    } limit[] = {{put_depth, RULE_MAIL_DEPTH},
                 {put_parts, RULE_MAIL_PARTS},
                 {put_text, RULE_MAIL_TEXT},
                 {put_field, MIME_NAME_MAX}};

    (void)state;
    for (size_t i = 0; i < sizeof(limit) / sizeof(limit[0]); i++) {
        struct buf b;

        buf_init(&b, RULE_MAIL_TEXT + 100);
        limit[i].put(&b, limit[i].most);
        assert_int_equal(cut_of(&b), 0);
        buf_reset(&b);
        limit[i].put(&b, limit[i].most + 1);
        assert_int_equal(cut_of(&b), RULE_NEED_BODY | RULE_NEED_ATTACHMENTS);
        buf_clear(&b);
    }
}

/* Rules that ask what was cut off are unknown, and so strict ones fit. */
static void test_with_rules(void **state)
{
    struct rule_set *set = rule_set_new();
    struct rule_eval *eval;
    struct rule_mail mail;
    struct letter l;
    struct err e = {""};
    static const char rules[] = "t: body contains \"none of it\" -> tls-optional\n"
                                "s: body contains \"none of it\" -> requiretls\n";

    (void)state;
    assert_non_null(set);
    assert_int_equal(rule_set_read(set, rules, strlen(rules), &e), 0);
    eval = rule_eval_new(set);
    assert_non_null(eval);
    letter_make(&l, "Content-Type: text/plain; charset=utf-7\n\n+AGE-\n");
    assert_int_equal(rule_mail_read(&mail, &l.source, rule_set_need(set)), 0);
    assert_string_equal(rule_eval_run(eval, &mail.message, NULL, NULL).rule->name, "s");
    rule_mail_clear(&mail);
    free(l.octets);
    rule_eval_free(eval);
    rule_set_free(set);
}

/* Knows "x-read", and the letters that say what is doubted. */
static unsigned convert(struct buf *out, const char *charset, size_t charset_len, const char *octets, size_t len)
{
    unsigned doubt = 0;

    if (charset_len < 2 || memcmp(charset, "x-", 2) != 0)
        return MIME_DOUBT_CHARSET;
    buf_printf(out, "<%.*s>", (int)len, octets);
    if (memchr(charset, 'o', charset_len) != NULL)
        doubt |= MIME_DOUBT_OCTETS;
    if (memchr(charset, 's', charset_len) != NULL)
        doubt |= MIME_DOUBT_ASCII;
    return doubt;
}

/* A strict rule and one that is not, of one condition: why it is unknown; "": it is false, "yes": true. */
static void check_why(const char *message, const char *condition, const char *want)
{
    struct rule_set *set = rule_set_new();
    struct rule_eval *eval;
    struct rule_mail mail;
    struct letter l;
    struct buf rules;
    const char *got;

    buf_init(&rules, 1000);
    buf_printf(&rules, "a: %s -> tls-optional\nb: %s -> requiretls\n", condition, condition);
    assert_non_null(set);
    assert_int_equal(rule_set_read(set, buf_text(&rules), rules.len, NULL), 0);
    assert_int_equal(rule_set_ready(set), 0);
    eval = rule_eval_new(set);
    letter_make(&l, message);
    l.source.convert = convert;
    assert_int_equal(rule_mail_read(&mail, &l.source, rule_set_need(set)), 0);
    rule_eval_run(eval, &mail.message, NULL, NULL);
    got = rule_eval_trace(eval, 0)->truth == RULE_TRUE      ? "yes"
          : rule_eval_trace(eval, 0)->truth == RULE_UNKNOWN ? rule_eval_trace(eval, 0)->why
                                                            : "";
    if (strcmp(got, want) != 0)
        fail_msg("%s, %s: %s", message, condition, got);
    assert_true(*want == '\0' || rule_eval_trace(eval, strcmp(want, "yes") != 0)->fits);
    rule_mail_clear(&mail);
    free(l.octets);
    rule_eval_free(eval);
    rule_set_free(set);
    buf_clear(&rules);
}

static void test_charsets(void **state)
{
    static const struct {
        const char *message, *condition, *want;
    } cases[] = {
        {"Content-Type: text/plain; charset=x-read\n\nabc", "body is \"<abc>\"", "yes"},
        {"Content-Type: text/plain; charset=x-read\n\nabc", "body contains \"z\"", ""},
        {"Content-Type: text/plain; charset=x-o\n\nabc", "body is \"<abc>\"", "yes"},
        {"Content-Type: text/plain; charset=x-o\n\nabc", "body contains \"z\"",
         "a text could not be decoded by its charset"},
        {"Content-Type: text/plain; charset=x-s\n\nabc", "body matches \"^<abc>\\sabc$\"", "yes"},
        {"Content-Type: text/plain; charset=x-s\n\nabc", "body contains \"z\"", ""},
        {"Content-Type: text/plain; charset=x-os\n\nabc", "body contains \"z\"",
         "a text could not be decoded by its charset"},
        {"Content-Type: text/plain; charset=y-z\n\nabc", "body contains \"z\"", "the charset y-z is not known"},
        {"Content-Type: text/plain; charset=y-z\n\nabc", "body contains \"abc\"", "yes"},
        {"Content-Type: text/plain; charset=y-z\n\nabc", "attachment.name contains \"z\"", ""},
        {"Content-Type: text/plain; charset=y-z\n\n", "body contains \"z\"", ""},
        {"Content-Type: text/plain; charset=\"y z%s\"\n\nabc", "body contains \"z\"",
         "the charset of a text is not known"},
        {"Content-Type: image/png; charset=y-z\n\nabc", "body contains \"z\"", ""},
        {"Content-Transfer-Encoding: y\n\nabc", "body contains \"z\"", "the transfer encoding of a part is not known"},
        {"Content-Type: multipart/mixed\n\nabc", "attachment.name contains \"z\"",
         "a message or multipart within the message could not be taken apart"},
        {"Content-Type: image/png; name*=x-read''abc\n\n", "attachment.name is \"<abc>\"", "yes"},
        {"Content-Type: image/png; name*=x-read''abc\n\n", "attachment.name is \"z\"", ""},
        {"Content-Type: image/png; name*=x-s''abc\n\n", "attachment.name is \"<abc>\"", "yes"},
        {"Content-Type: image/png; name*=x-s''abc\n\n", "attachment.name is \"z\"",
         "the name of an attachment could not be decoded"},
        {"Content-Type: image/png; name*=x-s''abc\n\n", "body contains \"z\"", ""},
        {"Subject: =?x-read?q?abc?=\n\n", "subject is \"<abc>\"", "yes"},
        {"Subject: =?x-read?q?abc?=\n\n", "subject contains \"z\"", ""},
        {"Subject: =?y?q?abc?=\n\n", "subject is \"abc\"", "yes"},
        {"subject: =?y?q?abc?=\n\n", "subject matches \"z\"",
         "an encoded word of the header field could not be decoded"},
        {"subject: =?x-s?q?abc?=\n\n", "header \"Subject\" is \"z\"",
         "an encoded word of the header field could not be decoded"},
        {"X: =?y?q?abc?=\nSubject: z\n\n", "subject contains \"y\" or header \"Y\" is \"x\"", ""}, /* another field */
        {"X: =?y?q?abc?=\n\n", "body contains \"abc\"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_why(cases[i].message, cases[i].condition, cases[i].want);
}

/* A message cannot make the converter work without end: what is too much is read as if it were not known. */
static void test_conversions(void **state)
{
    for (size_t words = RULE_MAIL_CONVERSIONS; words <= RULE_MAIL_CONVERSIONS + 1; words++) {
        struct buf message;

        (void)state;
        buf_init(&message, 100000);
        buf_str(&message, "Subject:");
        for (size_t i = 0; i < words; i++)
            buf_str(&message, " =?x-a?q?a?= b");
        buf_str(&message, "\n\n");
        check_why(buf_text(&message), "subject contains \"z\"",
                  words > RULE_MAIL_CONVERSIONS ? "an encoded word of the header field could not be decoded" : "");
        buf_clear(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),   cmocka_unit_test(test_left_out), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_with_rules), cmocka_unit_test(test_charsets), cmocka_unit_test(test_conversions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
