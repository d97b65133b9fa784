/* tlsrpt_record.t.c - tests of tlsrpt_record.c: RFC 8460 3, checks W3, W10 and W12. The URIs themselves: rua_uri.t.c.
 */
#include "tlsrpt_record.h"

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

static const struct {
    const char *txt;
    size_t len;
    const char *want; /* the URIs, a blank before each; "0"; or "!" and the error text */
} rows[] = {
    {S("v=TLSRPTv1;rua=mailto:reports@example.com"), " mailto:reports@example.com"},
    {S("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"), " https://reporting.example.com/v1/tlsrpt"},
    {S("v=TLSRPTv1; rua=mailto:a@b.example;"), " mailto:a@b.example"},
    {S("v=TLSRPTv1\t;\trua=mailto:a@b\t;\t"), " mailto:a@b"},
    {S("v=TLSRPTv1; rua=mailto:a@b , \t\t https://c/d"), " mailto:a@b https://c/d"},
    {S("v=TLSRPTv1; rua=mailto:a@b,https://c/d?e=f=g"), " mailto:a@b https://c/d?e=f=g"},
    {S("v=TLSRPTv1; rua=mailto:x@x.example; rua=mailto:y@x.example"), " mailto:x@x.example mailto:y@x.example"},
    {S("v=TLSRPTv1; ext=1; rua=mailto:a@b; x.y-z_=:"), " mailto:a@b"},
    {S("v=TLSRPTv1; rua=mailto:a@b,https://c,mailto:a@b; rua=https://c"), " mailto:a@b https://c"}, /* W10 */
    {S("v=TLSRPTv1; rua=mailto:ab@cd,mailto:ab@c,mailto:ab@cde"), " mailto:ab@cd mailto:ab@c mailto:ab@cde"},
    {S("v=TLSRPTv1; rua=MAILTO:a@b"), " MAILTO:a@b"},
    {S("v=TLSRPTv1; rua=http://c/d,mailto:a@b,ftp://e"), " mailto:a@b"},
    {S("v=TLSRPTv1; rua=file:///etc/passwd"), ""}, /* W12, W3: valid, but no usable URI */

    {S(""), "0"},
    {S("v=TLSRPTv2; rua=mailto:a@b"), "0"},
    {S("v=TLSRPTv10; rua=mailto:a@b"), "0"},
    {S("v=tlsrptv1; rua=mailto:a@b"), "0"},
    {S(" v=TLSRPTv1; rua=mailto:a@b"), "0"},
    {S("v=TLSRPTv1 rua=mailto:a@b"), "0"},
    {S("v=STSv1; id=a"), "0"},

    {S("v=TLSRPTv1"), "!there is no rua field"},
    {S("v=TLSRPTv1;"), "!there is no rua field"},
    {S("v=TLSRPTv1; ext=1"), "!there is no rua field"},
    {S("v=TLSRPTv1; RUA=mailto:a@b"), "!there is no rua field"},
    {S("v=TLSRPTv1; rua="), "!octet 17: a URI must stand here"},
    {S("v=TLSRPTv1; rua= ;"), "!octet 17: a URI must stand here"},
    {S("v=TLSRPTv1; rua=,, ,"), "!octet 17: a URI must stand here"},
    {S("v=TLSRPTv1; rua=mailto:a@b, "), "!octet 29: a URI must stand here"},
    {S("v=TLSRPTv1; rua=mailto:a@b,,mailto:c@d"), "!octet 28: a URI must stand here"},
    {S("v=TLSRPTv1; rua=noscheme"), "!octet 17: a URI begins with a scheme, such as mailto:"},
    {S("v=TLSRPTv1; rua=mailto:a@b, c@d"), "!octet 29: a URI begins with a scheme, such as mailto:"},
    {S("v=TLSRPTv1; rua=mailto:a@b other"), "!octet 17: octet 0x20 is not allowed in a URI"},
    {S("v=TLSRPTv1; rua= mailto:a@b"), "!octet 17: a URI begins with a scheme, such as mailto:"},
    {S("v=TLSRPTv1; rua=mailto:a@b "), "!octet 17: octet 0x20 is not allowed in a URI"},
    {S("v=TLSRPTv1; rua=mailto:a@b\0"), "!octet 17: octet 0x00 is not allowed in a URI"},
    {S("v=TLSRPTv1; rua=mailto:a@b?subject=x"),
     "!octet 17: a mailto: URI for reports must be an address only, without '?' and '#'"},
    {S("v=TLSRPTv1; rua=http://c/d, mailto:a"), "!octet 29: the address has no '@'"},
    {S("v=TLSRPTv1; rua =mailto:a@b"), "!octet 16: '=' must follow the field name \"rua\""},
    {S("v=TLSRPTv1; rua=mailto:a@b;;"),
     "!octet 28: the name of a field must stand here, it begins with a letter or digit"},
    {S("v=TLSRPTv1; rua=mailto:a@b; more="), "!octet 34: the field \"more\" has no value"},
    {S("v=TLSRPTv1; rua=mailto:a@b; test=="),
     "!octet 34: not allowed in the value of \"test\": only visible ASCII without '=' and ';' is"},
    {S("v=TLSRPTv1; rua=mailto:a@b; rua=x"), "!octet 33: a URI begins with a scheme, such as mailto:"},
};

static void describe(char *out, size_t cap, int rc, const struct tlsrpt_record *r, const struct err *e)
{
    int n = 0;

    out[0] = '\0';
    if (rc != 1)
        (void)snprintf(out, cap, "%s%s", rc == 0 ? "0" : "!", e->text);
    for (size_t i = 0; i < r->rua_count; i++)
        n += snprintf(out + n, cap - (size_t)n, " %s", r->rua[i]);
}

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tlsrpt_record r;
        struct err e = {""};
        char got[512];
        char *copy = malloc(rows[i].len == 0 ? 1 : rows[i].len);
        print_message("W3 %s\n", rows[i].txt);
        assert_non_null(copy);
        memcpy(copy, rows[i].txt, rows[i].len);
        memset(&r, 'x', sizeof r);
        describe(got, sizeof got, tlsrpt_record_parse(&r, rows[i].len == 0 ? copy + 1 : copy, rows[i].len, &e), &r, &e);
        free(copy);
        assert_string_equal(got, rows[i].want);
    }
}

static void passes_over_more_uris(void **state)
{
    char txt[TLSRPT_RECORD_MAX + 2] = "v=TLSRPTv1; rua=mailto:a0@b";
    struct tlsrpt_record r;
    struct err e;

    (void)state;
    for (int i = 1; i <= TLSRPT_RUA_MAX; i++) {
        size_t n = strlen(txt);
        (void)snprintf(txt + n, sizeof txt - n, ",mailto:a%d@b", i);
    }
    assert_int_equal(tlsrpt_record_parse(&r, txt, strlen(txt), &e), 1);
    assert_int_equal(r.rua_count, TLSRPT_RUA_MAX);
    assert_string_equal(r.rua[TLSRPT_RUA_MAX - 1], "mailto:a15@b");
    (void)strncat(txt, ",bad", sizeof txt - strlen(txt) - 1); /* those passed over must be URIs too */
    assert_int_equal(tlsrpt_record_parse(&r, txt, strlen(txt), &e), -1);
    assert_int_equal(r.rua_count, 0);
    assert_string_equal(r.rua[0], "");
}

/* Put the words over the beginning of the text, without a NUL. */
static void overwrite(char *text, const char *words)
{
    for (size_t i = 0; words[i] != '\0'; i++)
        text[i] = words[i];
}

static void limits_length(void **state)
{
    char txt[TLSRPT_RECORD_MAX + 1] = "v=TLSRPTv1; rua=mailto:a@b; x=";
    struct tlsrpt_record r;
    struct err e;

    (void)state;
    memset(txt + strlen(txt), 'y', sizeof txt - strlen(txt));
    assert_int_equal(tlsrpt_record_parse(&r, txt, TLSRPT_RECORD_MAX, &e), 1);
    assert_int_equal(tlsrpt_record_parse(&r, txt, TLSRPT_RECORD_MAX + 1, &e), -1);
    assert_string_equal(e.text, "the record has 4097 octets, but at most 4096 are taken");
    overwrite(txt, "v=TLSRPTv1; rua=https://a/");
    memset(txt + 26, 'y', sizeof txt - 26);
    assert_int_equal(tlsrpt_record_parse(&r, txt, 16 + TLSRPT_URI_MAX, &e), 1);
    assert_int_equal(strlen(r.rua[0]), TLSRPT_URI_MAX);
    assert_int_equal(tlsrpt_record_parse(&r, txt, 16 + TLSRPT_URI_MAX + 1, &e), -1);
    assert_string_equal(e.text, "octet 17: the URI has 513 octets, but at most 512 are taken");
}

#define TXT(s)           \
    {                    \
        s, sizeof(s) - 1 \
    }

static void selects(void **state)
{
    static const struct {
        struct sts_txt txt[3];
        size_t count;
        int want;
        size_t which;
        const char *say;
    } sets[] = {
        {{{NULL, 0}}, 0, 0, 0, ""},
        {{TXT("v=spf1"), TXT("v=TLSRPTv2; rua=mailto:a@b")}, 2, 0, 0, ""},
        {{TXT("v=spf1"), TXT("v=TLSRPTv1; rua=mailto:a@b")}, 2, 1, 1, ""},
        {{TXT("v=TLSRPTv1; rua=mailto:a@b"), TXT("v=TLSRPTv1")}, 2, 1, 0, ""},
        {{TXT("v=TLSRPTv1; rua=mailto:a@b"), TXT("v=TLSRPTv1; rua=mailto:a@b")},
         2,
         -1,
         0,
         "2 records begin with \"v=TLSRPTv1\", but only one is allowed"},
        {{TXT("v=TLSRPTv1;")}, 1, -1, 0, "there is no rua field"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct err e = {""};
        size_t which = 0;
        print_message("W3 set %zu\n", i);
        assert_int_equal(tlsrpt_record_select(&which, sets[i].txt, sets[i].count, &e), sets[i].want);
        assert_int_equal(which, sets[i].which);
        assert_string_equal(e.text, sets[i].say);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(passes_over_more_uris),
        cmocka_unit_test(limits_length),
        cmocka_unit_test(selects),
    };
    return cmocka_run_group_tests_name("tlsrpt_record", tests, NULL, NULL);
}
