/* sts_policy.t.c - tests of sts_policy.c: RFC 8461 3.2, checks A5 to A7. */
#include "sts_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(s)     s, sizeof(s) - 1
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define N32      "abcdefghijklmnopqrstuvwxyz012345"

/* A good beginning, to which one line is added; that line is line 4. */
#define BASE "version: STSv1\nmode: enforce\nmx: mx.example.net\n"
#define GOOD BASE "max_age: 86400\n" /* the added line is line 5 */

struct row {
    const char *name;
    const char *body;
    size_t len;
    const char *want; /* "mode max_age pattern ...", or "!" and the error text */
};

static const struct row rows[] = {
    {"A5 the RFC's example",
     S("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
       "mx: backupmx.example.com\r\nmax_age: 604800\r\n"),
     "enforce 604800 mail.example.com *.example.net backupmx.example.com"},
    {"A5 LF, no last terminator", S(BASE "max_age: 1"), "enforce 1 mx.example.net"},
    {"A5 CRLF, no last terminator", S("version: STSv1\r\nmode: none\r\nmax_age: 1"), "none 1"},
    {"A5 both line ends", S("version: STSv1\r\nmode: none\nmax_age: 1\r\n"), "none 1"},
    {"A5 any order", S("mx: a.b\nmax_age: 5\nmode: testing\nversion: STSv1\n"), "testing 5 a.b"},
    {"A5 no blanks", S("version:STSv1\nmode:enforce\nmx:a.b\nmax_age:0"), "enforce 0 a.b"},
    {"A5 many blanks", S("version: \t STSv1 \t\nmode:\tenforce\t\nmx:  *.b.c  \nmax_age: 1 \n"), "enforce 1 *.b.c"},
    {"A5 mode none without mx", S("version: STSv1\nmode: none\nmax_age: 1\n"), "none 1"},
    {"A5 mode none with mx", S("version: STSv1\nmode: none\nmx: a.b\nmax_age: 1\n"), "none 1 a.b"},
    {"A5 max_age of ten digits", S(BASE "max_age: 0000000123"), "enforce 123 mx.example.net"},
    {"A5 max_age maximum", S(BASE "max_age: 31557600"), "enforce 31557600 mx.example.net"},
    {"A5 max_age clamped", S(BASE "max_age: 31557601"), "enforce 31557600 mx.example.net"},
    {"A5 max_age clamped, beyond 32 bits", S(BASE "max_age: 9999999999"), "enforce 31557600 mx.example.net"},
    {"A6 mx in lower case", S(GOOD "mx: *.EXAMPLE.Org"), "enforce 86400 mx.example.net *.example.org"},
    {"A5 mx twice", S(GOOD "mx: b.c\nmx: MX.example.NET\nmx: b.c\n"), "enforce 86400 mx.example.net b.c"},
    {"A5 mx of one label", S(GOOD "mx: *.net\nmx: localhost"), "enforce 86400 mx.example.net *.net localhost"},
    {"A5 mx A-label", S(GOOD "mx: xn--mx-xka.example"), "enforce 86400 mx.example.net xn--mx-xka.example"},
    {"A5 mx with numeric labels", S(GOOD "mx: 1.2.3.example"), "enforce 86400 mx.example.net 1.2.3.example"},
    {"A5 unknown key", S(GOOD "x-1_.y: a  b:c=;{}"), "enforce 86400 mx.example.net"},
    {"A5 unknown key, UTF-8", S(GOOD "note: caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
     "enforce 86400 mx.example.net"},
    {"A5 key of 32 octets", S(GOOD N32 ": x"), "enforce 86400 mx.example.net"},
    {"A5 keys are case-sensitive", S(GOOD "Mode: none\nMODE: none\nMX: [1.2.3.4]"), "enforce 86400 mx.example.net"},
    {"A5 first mode counts", S(GOOD "mode: none"), "enforce 86400 mx.example.net"},
    {"A5 first mode counts, nonsense after", S(GOOD "mode: x y"), "enforce 86400 mx.example.net"},
    {"A5 first max_age counts", S(GOOD "max_age: 1\nmax_age: z"), "enforce 86400 mx.example.net"},
    {"A5 first version counts", S(GOOD "version: STSv2"), "enforce 86400 mx.example.net"},

    {"A5 empty", S(""), "!the policy is empty"},
    {"A5 only a line end", S("\n"), "!line 1: the line is empty, but each must be \"name: value\""},
    {"A5 HTML", S("<!DOCTYPE html>\n<html>"), "!line 1: \"<!DOCTYPE html>\" is not \"name: value\""},
    {"A5 byte order mark", S("\xef\xbb\xbfversion: STSv1\n"), "!line 1: a byte order mark is not allowed"},
    {"A5 no version", S("mode: none\nmax_age: 1\n"), "!there is no version line"},
    {"A5 no mode", S("version: STSv1\nmax_age: 1\n"), "!there is no mode line"},
    {"A5 no max_age", S("version: STSv1\nmode: none\n"), "!there is no max_age line"},
    {"A5 enforce without mx", S("version: STSv1\nmode: enforce\nmax_age: 1\n"),
     "!there is no mx line, but mode is enforce"},
    {"A5 testing without mx", S("version: STSv1\nmode: testing\nmax_age: 1\n"),
     "!there is no mx line, but mode is testing"},
    {"A5 version STSv2", S("version: STSv2\n"), "!line 1: version is \"STSv2\", not STSv1"},
    {"A5 version STSv10", S("version: STSv10\n"), "!line 1: version is \"STSv10\", not STSv1"},
    {"A5 version case", S("version: stsv1\n"), "!line 1: version is \"stsv1\", not STSv1"},
    {"A5 mode case", S("version: STSv1\nmode: Enforce\n"),
     "!line 2: mode is \"Enforce\", not one of enforce, testing, none"},
    {"A5 wrong mode first", S("mode: x\nmode: enforce\n"), "!line 1: mode is \"x\", not one of enforce, testing, none"},
    {"A5 mode longer", S("mode: nonesuch\n"), "!line 1: mode is \"nonesuch\", not one of enforce, testing, none"},
    {"A5 mode cut", S("mode: enforc\n"), "!line 1: mode is \"enforc\", not one of enforce, testing, none"},
    {"A5 max_age negative", S(BASE "max_age: -1"), "!line 4: max_age is \"-1\", not a number of seconds"},
    {"A5 max_age fraction", S(BASE "max_age: 1.5"), "!line 4: max_age is \"1.5\", not a number of seconds"},
    {"A5 max_age with unit", S(BASE "max_age: 1d"), "!line 4: max_age is \"1d\", not a number of seconds"},
    {"A5 max_age of eleven digits", S(BASE "max_age: 01234567890"), "!line 4: max_age has more than 10 digits"},
    {"A5 max_age empty", S(BASE "max_age: \n"), "!line 4: \"max_age\" has no value"},
    {"A5 empty line", S(BASE "\nmax_age: 1"), "!line 4: the line is empty, but each must be \"name: value\""},
    {"A5 empty line at the end", S(GOOD "\n"), "!line 5: the line is empty, but each must be \"name: value\""},
    {"A5 empty CRLF line", S(GOOD "\r\n"), "!line 5: the line is empty, but each must be \"name: value\""},
    {"A5 line of blanks", S(GOOD " \n"), "!line 5: \" \" is not \"name: value\""},
    {"A5 blank before the key", S(GOOD " a: b\n"), "!line 5: \" a: b\" is not \"name: value\""},
    {"A5 blank before ':'", S(GOOD "a : b\n"), "!line 5: \"a : b\" is not \"name: value\""},
    {"A5 '=' for ':'", S("version=STSv1"), "!line 1: \"version=STSv1\" is not \"name: value\""},
    {"A5 no ':'", S(GOOD "abc"), "!line 5: \"abc\" is not \"name: value\""},
    {"A5 comment", S(GOOD "# a: b"), "!line 5: \"# a: b\" is not \"name: value\""},
    {"A5 key begins with '_'", S(GOOD "_a: b"), "!line 5: \"_a: b\" is not \"name: value\""},
    {"A5 no key", S(GOOD ": b"), "!line 5: \": b\" is not \"name: value\""},
    {"A5 key of 33 octets", S(GOOD N32 "6: x"), "!line 5: the name has 33 octets, but at most 32 are allowed"},
    {"A5 unknown key without value", S(GOOD "a:"), "!line 5: \"a\" has no value"},
    {"A5 NUL in a value", S(GOOD "a: b\0c"), "!line 5: octet 5: NUL"},
    {"A5 NUL at the end", S(GOOD "\0"), "!line 5: \"\" is not \"name: value\""},
    {"A5 NUL after mode", S("mode: enforce\0\n"), "!line 1: octet 14: NUL"},
    {"A5 TAB in a value", S(GOOD "a: b\tc"), "!line 5: octet 5: control octet 0x09"},
    {"A5 DEL in a value", S(GOOD "a: b\x7f"), "!line 5: octet 5: control octet 0x7f"},
    {"A5 Latin-1", S(GOOD "a: caf\xe9"), "!line 5: octet 7: 0xe9 is no UTF-8"},
    {"A5 overlong UTF-8", S(GOOD "a: \xc0\xae"), "!line 5: octet 4: 0xc0 is no UTF-8"},
    {"A5 surrogate", S(GOOD "a: \xed\xa0\x80"), "!line 5: octet 4: 0xed is no UTF-8"},
    {"A5 UTF-8 key", S(GOOD "\xc3\xa9: x"), "!line 5: \"\xc3\xa9: x\" is not \"name: value\""},

    {"A5 a lone CR ends no line", S("version: STSv1\rmode: none\rmax_age: 1\r"),
     "!line 1: octet 15: CR without LF: lines end with LF or CRLF"},
    {"A5 CR CR LF", S("version: STSv1\r\r\nmode: none\n"),
     "!line 1: octet 15: CR without LF: lines end with LF or CRLF"},
    {"A5 CR at the very end", S(BASE "max_age: 1\r"), "!line 4: octet 11: CR without LF: lines end with LF or CRLF"},
    {"A5 VT ends no line", S("version: STSv1\vmode: none\n"), "!line 1: octet 15: control octet 0x0b"},
    {"A5 FF ends no line", S("version: STSv1\fmode: none\n"), "!line 1: octet 15: control octet 0x0c"},
    {"A5 U+2028 ends no line", S("x: y\xe2\x80\xa8mode: none\n" GOOD), "enforce 86400 mx.example.net"},
    {"A5 U+2029 ends no line", S("x: y\xe2\x80\xa9mode: none\n" GOOD), "enforce 86400 mx.example.net"},
    {"A5 U+0085 ends no line", S("x: y\xc2\x85mode: none\n" GOOD), "enforce 86400 mx.example.net"},
    {"A5 octet 0x85 ends no line", S("x: y\x85mode: none\n" GOOD), "!line 1: octet 5: 0x85 is no UTF-8"},
    {"A5 octet 0x1c ends no line", S("x: y\x1cmode: none\n" GOOD), "!line 1: octet 5: control octet 0x1c"},

    {"A5 mx IPv4", S(GOOD "mx: 192.0.2.1"),
     "!line 5: mx pattern \"192.0.2.1\" is an address, but only host names are allowed"},
    {"A5 mx IPv4 literal", S(GOOD "mx: [192.0.2.1]"),
     "!line 5: mx pattern \"[192.0.2.1]\" is an address, but only host names are allowed"},
    {"A5 mx IPv6", S(GOOD "mx: 2001:db8::1"),
     "!line 5: mx pattern \"2001:db8::1\" is an address, but only host names are allowed"},
    {"A5 mx IPv6 literal", S(GOOD "mx: [IPv6:2001:db8::1]"),
     "!line 5: mx pattern \"[IPv6:2001:db8::1]\" is an address, but only host names are allowed"},
    {"A5 mx star and address", S(GOOD "mx: *.192.0.2.1"),
     "!line 5: mx pattern \"*.192.0.2.1\": the last label is a number"},
    {"A5 mx only a star", S(GOOD "mx: *"),
     "!line 5: mx pattern \"*\": '*' is only allowed as the whole left-most label"},
    {"A5 mx star and dot", S(GOOD "mx: *."), "!line 5: mx pattern \"*.\" ends with a dot"},
    {"A5 mx two stars", S(GOOD "mx: *.*.example"),
     "!line 5: mx pattern \"*.*.example\": '*' is only allowed as the whole left-most label"},
    {"A5 mx double star", S(GOOD "mx: **.example"),
     "!line 5: mx pattern \"**.example\": '*' is only allowed as the whole left-most label"},
    {"A5 mx star within a label", S(GOOD "mx: m*.example"),
     "!line 5: mx pattern \"m*.example\": '*' is only allowed as the whole left-most label"},
    {"A5 mx star in the middle", S(GOOD "mx: a.*.example"),
     "!line 5: mx pattern \"a.*.example\": '*' is only allowed as the whole left-most label"},
    {"A5 mx begins with a dot", S(GOOD "mx: .example.net"), "!line 5: mx pattern \".example.net\": an empty label"},
    {"A5 mx two dots", S(GOOD "mx: a..example"), "!line 5: mx pattern \"a..example\": an empty label"},
    {"A5 mx final dot", S(GOOD "mx: a.example."), "!line 5: mx pattern \"a.example.\" ends with a dot"},
    {"A5 mx '_'", S(GOOD "mx: a_b.example"), "!line 5: mx pattern \"a_b.example\": a host name cannot have '_'"},
    {"A5 mx label ends with '-'", S(GOOD "mx: test.example-"),
     "!line 5: mx pattern \"test.example-\": a label begins or ends with '-'"},
    {"A5 mx U-label", S(GOOD "mx: m\xc3\xb8x.example"),
     "!line 5: mx pattern \"m\xc3\xb8x.example\": international names must be written as A-labels (xn--...)"},
    {"A5 mx empty", S(GOOD "mx:"), "!line 5: \"mx\" has no value"},
    {"A5 mx two names", S(GOOD "mx: a.b c.d"), "!line 5: mx pattern \"a.b c.d\": an octet that no domain name has"},
    {"A5 mx comma", S(GOOD "mx: a.b,c.d"), "!line 5: mx pattern \"a.b,c.d\": an octet that no domain name has"},
    {"A12 mx with attributes", S(GOOD "mx: a.b servername=x"),
     "!line 5: mx pattern \"a.b servername=x\": an octet that no domain name has"},
    {"A12 mx with braces", S(GOOD "mx: {a.b}"), "!line 5: mx pattern \"{a.b}\": an octet that no domain name has"},
    {"A12 mx with a colon", S(GOOD "mx: a.b:c.d"), "!line 5: mx pattern \"a.b:c.d\": an octet that no domain name has"},
    {"A5 mx broken though mode is none", S("version: STSv1\nmode: none\nmax_age: 1\nmx: 1.2.3.4"),
     "!line 4: mx pattern \"1.2.3.4\" is an address, but only host names are allowed"},
};

/* The policy in the words of the table. */
static void describe(char *out, size_t cap, const struct sts_policy *p)
{
    int n = snprintf(out, cap, "%s %u", sts_mode_name(p->mode), (unsigned)p->max_age);

    for (size_t i = 0; i < p->mx_count; i++)
        n += snprintf(out + n, cap - (size_t)n, " %s", p->mx[i]);
}

/* The body is copied to a block of its own size, so that the sanitizer sees any octet read beyond it. */
static int parse_exact(struct sts_policy *p, const char *body, size_t len, struct err *e)
{
    char *copy = malloc(len == 0 ? 1 : len);
    int rc;

    assert_non_null(copy);
    memcpy(copy, body, len);
    rc = sts_policy_parse(p, len == 0 ? copy + 1 : copy, len, e);
    free(copy);
    return rc;
}

static void assert_empty(const struct sts_policy *p)
{
    static const struct sts_policy empty;

    assert_memory_equal(p, &empty, sizeof empty);
}

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sts_policy p;
        struct err e = {""};
        char got[512];
        print_message("%s\n", rows[i].name);
        memset(&p, 'x', sizeof p);
        if (parse_exact(&p, rows[i].body, rows[i].len, &e) == 0) {
            describe(got, sizeof got, &p);
        } else {
            assert_empty(&p);
            (void)snprintf(got, sizeof got, "!%s", e.text);
        }
        assert_string_equal(got, rows[i].want);
        sts_policy_clear(&p);
        sts_policy_clear(&p);
        assert_empty(&p);
        assert_int_equal(parse_exact(&p, rows[i].body, rows[i].len, NULL), rows[i].want[0] == '!' ? -1 : 0);
        sts_policy_clear(&p);
    }
    sts_policy_clear(NULL);
}

/* However an enforcing policy is cut, or whichever octet is overwritten, it is never read as "none". */
static void never_reads_enforce_as_none(void **state)
{
    static const char body[] = "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nx: mode: none\r\nmax_age: 99\r\n";
    static const char octets[] = {'\0', '\t', '\n', '\v', '\f', '\r', ' ', ':', ';', '\x1c', '\x7f', '\x85', '\xa8'};
    char copy[sizeof body];
    struct sts_policy p;

    (void)state;
    for (size_t len = 0; len < sizeof body; len++) {
        if (parse_exact(&p, body, len, NULL) == 0)
            assert_int_equal(p.mode, STS_MODE_ENFORCE);
        sts_policy_clear(&p);
    }
    for (size_t at = 0; at < sizeof body - 1; at++) {
        for (size_t k = 0; k < COUNT(octets); k++) {
            memcpy(copy, body, sizeof body);
            copy[at] = octets[k];
            if (parse_exact(&p, copy, sizeof body - 1, NULL) == 0)
                assert_int_equal(p.mode, STS_MODE_ENFORCE);
            sts_policy_clear(&p);
        }
    }
}

static char *many_mx(size_t count, size_t *len)
{
    size_t cap = 64 + count * 24;
    char *body = malloc(cap);
    int n;

    assert_non_null(body);
    n = snprintf(body, cap, "version: STSv1\nmode: enforce\nmax_age: 1\n");
    for (size_t i = 0; i < count; i++)
        n += snprintf(body + n, cap - (size_t)n, "mx: m%zu.example\n", i);
    *len = (size_t)n;
    return body;
}

static void limits_patterns(void **state)
{
    struct sts_policy p;
    struct err e;
    size_t len;
    char *body = many_mx(STS_MX_PATTERN_MAX, &len);

    (void)state;
    assert_int_equal(parse_exact(&p, body, len, &e), 0);
    assert_int_equal(p.mx_count, STS_MX_PATTERN_MAX);
    assert_string_equal(p.mx[0], "m0.example");
    assert_string_equal(p.mx[STS_MX_PATTERN_MAX - 1], "m999.example");
    sts_policy_clear(&p);
    free(body);
    body = many_mx(STS_MX_PATTERN_MAX + 1, &len);
    assert_int_equal(parse_exact(&p, body, len, &e), -1);
    assert_string_equal(e.text, "line 1004: more than 1000 mx lines");
    assert_empty(&p);
    free(body);
}

static void limits_size(void **state)
{
    static const char start[] = "version: STSv1\nmode: none\nmax_age: 1\nx: ";
    char *body = malloc(STS_BODY_MAX + 1);
    struct sts_policy p;
    struct err e;

    (void)state;
    assert_non_null(body);
    memset(body, 'y', STS_BODY_MAX + 1);
    memcpy(body, start, sizeof start - 1);
    assert_int_equal(sts_policy_parse(&p, body, STS_BODY_MAX, &e), 0);
    sts_policy_clear(&p);
    assert_int_equal(sts_policy_parse(&p, body, STS_BODY_MAX + 1, &e), -1);
    assert_string_equal(e.text, "the policy has 65537 octets, but at most 65536 are allowed");
    free(body);
}

static void cuts_long_values_in_errors(void **state)
{
    char body[1200] = "mode: ";
    struct sts_policy p;
    struct err e;

    (void)state;
    memset(body + 6, 'e', 1000);
    assert_int_equal(sts_policy_parse(&p, body, 1006, &e), -1);
    assert_int_equal(strlen(e.text), strlen("line 1: mode is \"\", not one of enforce, testing, none") + 80);
}

static void normalises_patterns(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* "!": the error text */
    } table[] = {
        {"MX.Example.NET", "mx.example.net"},
        {"*.Example.NET", "*.example.net"},
        {"mx.example.net.", "mx.example.net"},
        {"_a.example", "_a.example"},
        {"*.b\xc3\xbc"
         "cher.example",
         "*.xn--bcher-kva.example"},
        {"", "!mx pattern \"\": an empty name"},
        {"*.", "!mx pattern \"*.\": an empty name"},
        {"*.*.a", "!mx pattern \"*.*.a\": '*' is only allowed as the whole left-most label"},
        {"127.0.0.1", "!mx pattern \"127.0.0.1\" is an address, but only host names are allowed"},
        {"::1", "!mx pattern \"::1\" is an address, but only host names are allowed"},
        {"[::1]", "!mx pattern \"[::1]\" is an address, but only host names are allowed"},
        {"[]", "!mx pattern \"[]\": an octet that no domain name has"},
        {"[", "!mx pattern \"[\": an octet that no domain name has"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char out[DOMAIN_BUF] = "x";
        struct err e;
        bool bad = table[i].want[0] == '!';
        print_message("A5 A6 %s\n", table[i].text);
        assert_int_equal(sts_pattern_normalise(out, table[i].text, strlen(table[i].text), &e), bad ? -1 : 0);
        assert_string_equal(bad ? e.text : out, bad ? table[i].want + 1 : table[i].want);
        if (bad)
            assert_string_equal(out, "");
    }
}

static void limits_pattern_length(void **state)
{
    char text[DOMAIN_BUF + 8] = "*.";
    char out[DOMAIN_BUF];
    struct err e;

    (void)state;
    for (size_t i = 2; i < DOMAIN_MAX; i++) /* one-letter labels: "*.a.a.a" */
        text[i] = i % 2 == 0 ? 'a' : '.';
    assert_int_equal(sts_pattern_normalise(out, text, DOMAIN_MAX, &e), 0);
    assert_int_equal(strlen(out), DOMAIN_MAX);
    text[DOMAIN_MAX] = 'b';
    assert_int_equal(sts_pattern_normalise(out, text, DOMAIN_MAX + 1, &e), -1);
    assert_string_equal(out, "");
    assert_non_null(strstr(e.text, "longer than a host name can be"));
}

static void iterates_lines(void **state)
{
    static const struct {
        const char *body;
        size_t len;
        const char *want; /* each line followed by '|' */
    } table[] = {
        {S(""), ""},
        {S("a"), "a|"},
        {S("a\n"), "a|"},
        {S("a\r\n"), "a|"},
        {S("a\nb"), "a|b|"},
        {S("a\r\nb\n"), "a|b|"},
        {S("\n\na\n"), "||a|"},
        {S("a\n\n"), "a||"},
        {S("a\rb\r"), "a\rb\r|"},
        {S("a\r\r\n"), "a\r|"},
        {S("\r\n"), "|"},
        {S("a\vb\fc"), "a\vb\fc|"},
        {S("a\xe2\x80\xa8"
           "b\xc2\x85"
           "c"),
         "a\xe2\x80\xa8"
         "b\xc2\x85"
         "c|"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char got[64] = "";
        const char *line;
        size_t len, pos = 0;
        while (sts_policy_line(&line, &len, &pos, table[i].body, table[i].len) == 1) {
            (void)strncat(got, line, len);
            (void)strncat(got, "|", sizeof got - strlen(got) - 1);
        }
        assert_string_equal(got, table[i].want);
        assert_int_equal(sts_policy_line(&line, &len, &pos, table[i].body, table[i].len), 0);
    }
}

static void names_modes(void **state)
{
    static const enum sts_mode modes[] = {STS_MODE_NONE, STS_MODE_TESTING, STS_MODE_ENFORCE};
    static const char *const words[] = {"none", "testing", "enforce"};
    enum sts_mode mode;

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_string_equal(sts_mode_name(modes[i]), words[i]);
        assert_int_equal(sts_mode_from_name(&mode, words[i], strlen(words[i])), 1);
        assert_int_equal(mode, modes[i]);
        assert_int_equal(sts_mode_from_name(&mode, words[i], strlen(words[i]) - 1), 0);
    }
    assert_int_equal(sts_mode_from_name(&mode, S("None")), 0);
    assert_int_equal(sts_mode_from_name(&mode, S("")), 0);
    assert_int_equal(sts_mode_from_name(&mode, S("none\0")), 0);
}

static void compares(void **state)
{
    static const char *const others[] = {
        "version: STSv1\nmode: testing\nmax_age: 86400\nmx: a.example\nmx: b.example\n",
        "version: STSv1\nmode: enforce\nmax_age: 86401\nmx: a.example\nmx: b.example\n",
        "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: a.example\n",
        "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: b.example\nmx: a.example\n",
    };
    static const char one[] = "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: a.example\nmx: b.example\n";
    struct sts_policy a, b;
    struct err e;

    (void)state;
    assert_int_equal(sts_policy_parse(&a, one, strlen(one), &e), 0);
    assert_int_equal(sts_policy_parse(&b, one, strlen(one), &e), 0);
    assert_true(sts_policy_equal(&a, &b));
    sts_policy_clear(&b);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(sts_policy_parse(&b, others[i], strlen(others[i]), &e), 0);
        assert_false(sts_policy_equal(&a, &b));
        sts_policy_clear(&b);
    }
    sts_policy_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(never_reads_enforce_as_none),
        cmocka_unit_test(limits_patterns),
        cmocka_unit_test(limits_size),
        cmocka_unit_test(cuts_long_values_in_errors),
        cmocka_unit_test(normalises_patterns),
        cmocka_unit_test(limits_pattern_length),
        cmocka_unit_test(iterates_lines),
        cmocka_unit_test(names_modes),
        cmocka_unit_test(compares),
    };
    return cmocka_run_group_tests_name("sts_policy", tests, NULL, NULL);
}
