/* mime.t.c - tests of mime.c and mime_entity.c: RFC 2045, 2046, 2183. */
#include "mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <stdio.h>

static const struct mime_limits wide = {8, 50, 100000, false};

/* Read a message: header and body in one, LF for CR LF when crlf says so, in memory that ends where it does. */
static void read_message(struct mime *out, const char *message, size_t len, bool more, const struct mime_limits *limits)
{
    struct header_field field[8];
    char *copy = malloc(len + (len == 0));
    size_t count = 0, pos = 0;

    assert_non_null(copy);
    memcpy(copy, message, len);
    while (count < 8 && header_field_next(&field[count], &pos, copy, len) == 1)
        count++;
    assert_int_equal(mime_read(out, field, count, copy + pos, len - pos, more, limits, NULL), 0);
    free(copy);
}

/* The parts, each as DEPTH TYPE[!][ name=NAME][ attached][ <TEXT>], and why it is cut. */
static void describe(struct buf *out, const struct mime *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct mime_part *p = &m->part[i];

        buf_printf(out, "%zu %s%s", p->depth, p->type, p->guessed ? "!" : "");
        if (p->name != NULL)
            buf_printf(out, " name=%s", p->name);
        if (p->attachment && p->name == NULL)
            buf_str(out, " attached");
        if (p->text != NULL) {
            assert_int_equal(strlen(p->text), p->text_len);
            buf_printf(out, " <%s>", p->text);
        }
        buf_char(out, '\n');
    }
    buf_str(out, mime_cut_name(m->cut));
}

static void check(const char *name, const char *message, size_t len, bool more, const struct mime_limits *limits,
                  const char *want)
{
    struct mime m;
    struct buf got;

    print_message("%s\n", name);
    buf_init(&got, 10000);
    read_message(&m, message, len, more, limits);
    describe(&got, &m);
    assert_string_equal(buf_text(&got), want);
    buf_clear(&got);
    mime_clear(&m);
}

/* The same with CR LF. */
static void check_crlf(const char *name, const char *message, size_t len, const char *want)
{
    struct buf crlf;

    buf_init(&crlf, 2 * len);
    for (size_t i = 0; i < len; i++) {
        if (message[i] == '\n')
            buf_char(&crlf, '\r');
        buf_char(&crlf, message[i]);
    }
    check(name, buf_text(&crlf), crlf.len, false, &wide, want);
    buf_clear(&crlf);
}

#define S(s)  s, sizeof(s) - 1
#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
    const char *name, *message;
    size_t len;
    const char *want;
} rows[] = {
    {"nothing", S(""), "0 text/plain <>\nwhole"},
    {"no fields", S("\nhello\n"), "0 text/plain <hello\n>\nwhole"},
    {"a type", S("Content-type: TEXT/html ; charset=x\n\n<b>"), "0 text/html! <<b>>\nwhole"},
    {"a comment", S("Content-Type: (a) text/(b)html; charset=utf-8 (c)\n\nx"), "0 text/plain <x>\nwhole"},
    {"a comment behind", S("Content-Type: text/html (b); charset=utf-8 (c)\n\nx"), "0 text/html <x>\nwhole"},
    {"an open comment", S("Content-Type: text/html; charset=utf-8 (c\n\nx"), "0 text/html! <x>\nwhole"},
    {"type without subtype", S("Content-Type: text\n\nx"), "0 text/plain <x>\nwhole"},
    {"type of odd octets", S("Content-Type: te\374xt/plain\n\nx"), "0 text/plain <x>\nwhole"},
    {"two slashes", S("Content-Type: a/b/c\n\nx"), "0 text/plain <x>\nwhole"},
    {"the first of two types", S("Content-Type: text/html\nContent-Type: a/b\n\nx"), "0 text/html <x>\nwhole"},
    {"no text", S("Content-Type: a/b\n\nx"), "0 a/b\nwhole"},
    {"base64", S("Content-Transfer-Encoding: BASE64\n\naGVs\nbG8=\n"), "0 text/plain <hello>\nwhole"},
    {"quoted", S("Content-Transfer-Encoding: quoted-printable (c)\n\nh=65=\nl \no"), "0 text/plain <hel\no>\nwhole"},
    {"unknown transfer", S("Content-Transfer-Encoding: x-uu\n\nx"), "0 text/plain! <x>\nwhole"},
    {"latin", S("Content-Type: text/plain; charset=\"ISO-8859-15\"\n\n\244"), "0 text/plain <\342\202\254>\nwhole"},
    {"NUL", S("\na\0b"), "0 text/plain <a\357\277\275b>\nwhole"},
    {"name", S("Content-Type: a/b; name=x.pdf\n\n"), "0 a/b name=x.pdf\nwhole"},
    {"filename first", S("Content-Type: a/b; name=x\nContent-Disposition: inline; filename=y\n\n"),
     "0 a/b name=y\nwhole"},
    {"empty filename", S("Content-Type: a/b; name=x\nContent-Disposition: inline; filename=\"\"\n\n"),
     "0 a/b name=x\nwhole"},
    {"attachment", S("Content-Type: a/b\nContent-Disposition: ATTACHMENT\n\n"), "0 a/b attached\nwhole"},
    {"inline", S("Content-Type: a/b\nContent-Disposition: Inline\n\n"), "0 a/b\nwhole"},
    {"unknown disposition", S("Content-Type: a/b\nContent-Disposition: x\n\n"), "0 a/b attached\nwhole"},
    {"folded name", S("Content-Type: a/b;\n\tname*0*=utf-8''%E2%82;\n name*1*=%AC.p12\n\n"),
     "0 a/b name=\342\202\254.p12\nwhole"},

    {"two parts", S(MIXED "pre\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\npost\n"),
     "1 text/plain <one>\n1 text/html <two\n>\nwhole"},
    {"no parts", S(MIXED "pre\n--b--\npost\n"), "whole"},
    {"no boundary ever", S(MIXED "pre\n"), "whole"},
    {"missing end", S(MIXED "--b\n\none\n--b\n\ntwo\n"), "1 text/plain <one>\n1 text/plain <two\n>\nwhole"},
    {"boundary at the end", S(MIXED "--b\n\none\n--b"), "1 text/plain <one>\n1 text/plain <>\nwhole"},
    {"end at the end", S(MIXED "--b\n\none\n--b--"), "1 text/plain <one>\nwhole"},
    {"blanks behind boundaries", S(MIXED "--b \t\n\none\n--b-- \n"), "1 text/plain <one>\nwhole"},
    {"others that begin so", S(MIXED "--b\n\n--bb\n--b x\n--b-\n--b-- x\n--bx--\n --b\n-b\n--\n--B\n--b--\n"),
     "1 text/plain <--bb\n--b x\n--b-\n--b-- x\n--bx--\n --b\n-b\n--\n--B>\nwhole"},
    {"parts behind the end", S(MIXED "--b--\n--b\n\nno part\n"), "whole"},
    {"no header, no empty line", S(MIXED "--b\ntext\n--b--\n"), "1 text/plain <text>\nwhole"},
    {"header cut by a boundary", S(MIXED "--b\nContent-Type: text/html\n--b\n\nx\n--b--\n"),
     "1 text/html <>\n1 text/plain <x>\nwhole"},
    {"a boundary that could be a field",
     S("Content-Type: multipart/mixed; boundary=\"b:c\"\n\n--b:c\nX: y\n--b:c\n\nx\n--b:c--\n"),
     "1 text/plain <>\n1 text/plain <x>\nwhole"},
    {"empty content", S(MIXED "--b\n\n--b\n\n\n--b--\n"), "1 text/plain <>\n1 text/plain <>\nwhole"},
    {"transfer encoding of a multipart means nothing",
     S("Content-Transfer-Encoding: quoted-printable\n" MIXED "--b\n\n=41\n--b--\n"), "1 text/plain <=41>\nwhole"},
    {"boundary in quotes", S("Content-Type: multipart/x; boundary=\"b (c)\\\"; \"\n\n--b (c)\";\n\nx\n--b (c)\";--\n"),
     "1 text/plain <x>\nwhole"},
    {"boundary like an encoded word",
     S("Content-Type: multipart/x; boundary=\"=?x?q?a?=\"\n\n--=?x?q?a?=\n\nx\n--=?x?q?a?=--\n"),
     "1 text/plain <x>\nwhole"},
    {"no boundary said", S("Content-Type: multipart/mixed\n\n--b\n\nx\n"), "0 multipart/mixed! <--b\n\nx\n>\nwhole"},
    {"an empty one", S("Content-Type: multipart/mixed; boundary=\" \"\n\n--\n\nx\n--\n"),
     "0 multipart/mixed! <--\n\nx\n--\n>\nwhole"},

#define INNER(b) "--b\nContent-Type: multipart/mixed; boundary=\"" b "\"\n\n"
    {"within", S(MIXED INNER("c") "--c\n\none\n--c--\npost\n--b\n\ntwo\n--b--\n"),
     "2 text/plain <one>\n1 text/plain <two>\nwhole"},
    {"within, missing end", S(MIXED INNER("c") "--c\n\none\n--b\n\ntwo\n--b--\n"),
     "2 text/plain <one>\n1 text/plain <two>\nwhole"},
    {"within, missing end, its boundary no more", S(MIXED INNER("c") "--c\n\n1\n--b\n\n--c\n2\n--b--\n"),
     "2 text/plain <1>\n1 text/plain <--c\n2>\nwhole"},
    {"within, ended from outside", S(MIXED INNER("c") "--c\n\none\n--b--\n--c\n\nno part\n"),
     "2 text/plain <one>\nwhole"},
    {"within, begins like it", S(MIXED INNER("bb") "--bb\n\none\n--bb--\n--b\n\ntwo\n--b--\n"),
     "2 text/plain <one>\n1 text/plain <two>\nwhole"},
    {"around, begins like it",
     S("Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: multipart/x; "
       "boundary=b\n\n--b\n\n1\n--bb\n\n2\n"),
     "2 text/plain <1>\n1 text/plain <2\n>\nwhole"},
    {"the same boundary", S(MIXED INNER("b") "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n"),
     "2 text/plain <one>\n1 text/plain <two>\nwhole"},
    {"with -- behind it", S(MIXED INNER("b--") "--b--\n\none\n--b----\n--b\n\ntwo\n--b--\n"),
     "2 text/plain <one>\n1 text/plain <two>\nwhole"},

    {"a message", S("Content-Type: message/rfc822\n\nContent-Type: text/html\n\nx"),
     "0 message/rfc822\n1 text/html <x>\nwhole"},
    {"a message without anything", S("Content-Type: message/rfc822\n\n"), "0 message/rfc822\n1 text/plain <>\nwhole"},
    {"an attached message",
     S(MIXED "--b\nContent-Type: message/rfc822; name=m\n\n" MIXED "--b\n\n1\n--b--\n--b\n\n2\n"),
     "1 message/rfc822 name=m\n3 text/plain <1>\n1 text/plain <2\n>\nwhole"},
    {"an encoded message", S("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\naGVsbG8="),
     "0 message/rfc822! <hello>\nwhole"},
    {"a status", S("Content-Type: message/delivery-status\n\nx"), "0 message/delivery-status <x>\nwhole"},
    {"a digest",
     S("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b\nContent-Type: "
       "text/html\n\nz\n--b--"),
     "1 message/rfc822\n2 text/plain <y>\n1 text/html <z>\nwhole"},
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check(rows[i].name, rows[i].message, rows[i].len, false, &wide, rows[i].want);
        check_crlf(rows[i].name, rows[i].message, rows[i].len, rows[i].want);
    }
}

static const struct {
    const char *name, *message;
    bool more;
    struct mime_limits limits;
    const char *want;
} limited[] = {
    {"cut, no multipart", "\nab", true, {8, 50, 100, false}, "0 text/plain <ab>\nend"},
    {"cut in a part", MIXED "--b\n\nab", true, {8, 50, 100, false}, "1 text/plain <ab>\nend"},
    {"cut in a boundary", MIXED "--b\n\nab\n--b", true, {8, 50, 100, false}, "1 text/plain <ab\n--b>\nend"},
    {"cut behind a boundary",
     MIXED "--b\n\nab\n--b\n",
     true,
     {8, 50, 100, false},
     "1 text/plain <ab>\n1 text/plain <>\nend"},
    {"cut behind all parts", MIXED "--b\n\nab\n--b--\npost", true, {8, 50, 100, false}, "1 text/plain <ab>\nwhole"},
    {"cut behind the end of one", MIXED INNER("c") "--c--\n", true, {8, 50, 100, false}, "end"},
    {"parts",
     MIXED "--b\n\n1\n--b\n\n2\n--b\n\n3\n",
     false,
     {8, 2, 100, false},
     "1 text/plain <1>\n1 text/plain <2>\nparts"},
    {"as many parts",
     MIXED "--b\n\n1\n--b\n\n2\n--b--\n",
     false,
     {8, 2, 100, false},
     "1 text/plain <1>\n1 text/plain <2>\nwhole"},
    {"no parts at all", "\nx", false, {8, 0, 100, false}, "parts"},
    {"no parts, a message", "Content-Type: message/rfc822; name=x\n\n\nx", false, {8, 0, 100, false}, "parts"},
    {"messages are parts", "Content-Type: message/rfc822\n\n\nx", false, {8, 1, 100, false}, "0 message/rfc822\nparts"},
    {"depth",
     MIXED INNER("c") "--c\n\n1\n--c--\n--b\n\n2\n",
     false,
     {1, 50, 100, false},
     "1 multipart/mixed! <--c\n\n1\n--c-->\n1 text/plain <2\n>\ndepth"},
    {"as deep", MIXED "--b\n\n1\n", false, {1, 50, 100, false}, "1 text/plain <1\n>\nwhole"},
    {"no depth", MIXED "--b\n\n1\n", false, {0, 50, 100, false}, "0 multipart/mixed! <--b\n\n1\n>\ndepth"},
    {"depth of messages",
     "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n\nx",
     false,
     {1, 50, 100, false},
     "0 message/rfc822\n1 message/rfc822! <\nx>\ndepth"},
    {"text",
     MIXED "--b\n\n123\n--b\n\n4\342\202\254\n--b\n\n6\n",
     false,
     {8, 50, 6, false},
     "1 text/plain <123>\n1 text/plain <4>\n1 text/plain <6\n>\ntext"},
    {"as much text",
     MIXED "--b\n\n123\n--b\n\n\342\202\254\n--b--\n",
     false,
     {8, 50, 6, false},
     "1 text/plain <123>\n1 text/plain <\342\202\254>\nwhole"},
    {"no text", "\nx", false, {8, 50, 0, false}, "0 text/plain <>\ntext"},
    {"text that is not wanted",
     MIXED "--b\nContent-Type: text/html; name=n\n\n12",
     false,
     {8, 50, 0, true},
     "1 text/html name=n\nwhole"},
    {"the first reason", MIXED "--b\n\n12\n--b\n\n3\n", true, {8, 1, 1, false}, "1 text/plain <1>\ntext"},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limited) / sizeof(limited[0]); i++)
        check(limited[i].name, limited[i].message, strlen(limited[i].message), limited[i].more, &limited[i].limits,
              limited[i].want);
}

/* CR LF counts as one octet of text, also where it is encoded. */
static void test_text_limit_crlf(void **state)
{
    const struct mime_limits limits = {8, 50, 4, false};

    (void)state;
    check("plain", S("\n\r\n\r\n\r\n\r\n"), false, &limits, "0 text/plain <\n\n\n\n>\nwhole");
    check("base64", S("Content-Transfer-Encoding: base64\n\nDQoNCg0KDQo="), false, &limits,
          "0 text/plain <\n\n\n\n>\nwhole");
}

/* A value of so many octets, one more, and names and boundaries as long as they may be. */
static void test_long_fields(void **state)
{
    static const struct {
        const char *name, *begin;
        size_t fill;
        const char *want;
    } longs[] = {
        {"value", "Content-Type: text/html; x=", MIME_VALUE_MAX - 14, "0 text/html <z>\nwhole"},
        {"value", "Content-Type: text/html; x=", MIME_VALUE_MAX - 13, "0 text/html <z>\nfield"},
        {"boundary", "Content-Type: multipart/mixed; boundary=", MIME_BOUNDARY_MAX, "whole"},
        {"boundary", "Content-Type: multipart/mixed; boundary=", MIME_BOUNDARY_MAX + 1,
         "0 multipart/mixed! <z>\nfield"},
        {"charset", "Content-Type: text/plain; charset=", MIME_CHARSET_MAX + 1, "0 text/plain! <z>\nfield"},
        {"within", "Content-Type: message/rfc822\n\nContent-Type: text/html; charset=", MIME_CHARSET_MAX + 1,
         "0 message/rfc822\n1 text/html! <z>\nfield"},
        {"type", "Content-Type: x/", MIME_TYPE_MAX - 1, "0 text/plain <z>\nfield"},
    };
    char *message = malloc(MIME_VALUE_MAX + 100);

    (void)state;
    assert_non_null(message);
    for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
        size_t len = strlen(longs[i].begin);

        memcpy(message, longs[i].begin, len);
        memset(message + len, 'y', longs[i].fill);
        len += longs[i].fill;
        memcpy(message + len, "\n\nz", 3);
        check(longs[i].name, message, len + 3, false, &wide, longs[i].want);
    }
    free(message);
}

static void test_long_name(void **state)
{
    struct mime m;
    struct buf message;

    (void)state;
    buf_init(&message, 4000);
    buf_str(&message, "Content-Type: a/b; name=");
    for (size_t i = 0; i < 400; i++)
        buf_str(&message, "\342\202\254");
    buf_str(&message, "\n\n");
    read_message(&m, message.data, message.len, false, &wide);
    assert_int_equal(m.cut, MIME_CUT_FIELD);
    assert_int_equal(strlen(m.part[0].name), MIME_NAME_MAX / 3 * 3);
    mime_clear(&m);
    buf_clear(&message);
}

/* Every cut of a message is read, and ends where it must. */
static void test_every_cut(void **state)
{
    static const char message[] =
        MIXED "pre\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" MIXED
              "--b\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n--b\r\n\r\nx\r\n--b--\n";

    (void)state;
    for (size_t len = 0; len < sizeof(message); len++) {
        struct mime m;

        read_message(&m, message, len, true, &wide);
        assert_int_equal(m.cut, len == sizeof(message) - 1 ? MIME_WHOLE : MIME_CUT_END);
        assert_true(m.count <= 4);
        mime_clear(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),    cmocka_unit_test(test_limits),    cmocka_unit_test(test_text_limit_crlf),
        cmocka_unit_test(test_long_fields), cmocka_unit_test(test_long_name), cmocka_unit_test(test_every_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
