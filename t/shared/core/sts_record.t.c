/* sts_record.t.c - tests of sts_record.c: RFC 8461 3.1, check A1. */
#include "sts_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define S(s)     s, sizeof(s) - 1
#define N32      "abcdefghijklmnopqrstuvwxyz012345"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
    const char *name;
    const char *txt;
    size_t len;
    int want;
    const char *say; /* the id, or the error text */
};

static const struct row rows[] = {
    {"A1 the RFC's example", S("v=STSv1; id=20160831085700Z;"), 1, "20160831085700Z"},
    {"A1 no blanks", S("v=STSv1;id=a"), 1, "a"},
    {"A1 TAB around ';'", S("v=STSv1\t;\tid=a\t;\t"), 1, "a"},
    {"A1 many blanks", S("v=STSv1 \t ; \t id=a \t ; \t "), 1, "a"},
    {"A1 id of 32 octets", S("v=STSv1; id=" N32), 1, N32},
    {"A1 extensions before and after", S("v=STSv1; x=1; id=Z9; y.z_-=~!:<>"), 1, "Z9"},
    {"A1 extension name of 32 octets", S("v=STSv1; id=a; " N32 "=1"), 1, "a"},
    {"A1 key case counts: ID is an extension", S("v=STSv1; ID=b-; id=a"), 1, "a"},
    {"A1 first id counts", S("v=STSv1; id=a; id=b"), 1, "a"},
    {"A1 a second id must only fit the grammar", S("v=STSv1; id=a; id=b-c"), 1, "a"},
    {"A1 a second version is an extension", S("v=STSv1; v=STSv2; id=a"), 1, "a"},

    {"A1 not ours: empty", S(""), 0, ""},
    {"A1 not ours: SPF", S("v=spf1 -all"), 0, ""},
    {"A1 not ours: next version", S("v=STSv2; id=a"), 0, ""},
    {"A1 not ours: longer version", S("v=STSv10; id=a"), 0, ""},
    {"A1 not ours: blank before", S(" v=STSv1; id=a"), 0, ""},
    {"A1 not ours: case", S("v=stsv1; id=a"), 0, ""},
    {"A1 not ours: no delimiter", S("v=STSv1 id=a"), 0, ""},
    {"A1 not ours: comma", S("v=STSv1, id=a"), 0, ""},
    {"A1 not ours: quoted", S("\"v=STSv1; id=a\""), 0, ""},
    {"A1 not ours: NUL", S("v=STSv1\0; id=a"), 0, ""},
    {"A1 not ours: no-break space", S("v=STSv1\xc2\xa0; id=a"), 0, ""},

    {"A1 bare version", S("v=STSv1"), -1, "there is no id field"},
    {"A1 version and delimiter", S("v=STSv1 ; "), -1, "there is no id field"},
    {"A1 no id", S("v=STSv1; ext=1"), -1, "there is no id field"},
    {"A1 ID is no id", S("v=STSv1; ID=a"), -1, "there is no id field"},
    {"A1 empty id", S("v=STSv1; id="), -1, "octet 13: the id is empty"},
    {"A1 empty id, delimiter", S("v=STSv1; id= ;"), -1, "octet 13: the id is empty"},
    {"A1 id of 33 octets", S("v=STSv1; id=" N32 "6"), -1, "octet 13: the id has 33 octets, but at most 32 are allowed"},
    {"A1 id with '-'", S("v=STSv1; id=test-123"), -1, "octet 17: not allowed in an id: only letters and digits are"},
    {"A1 id with NUL", S("v=STSv1; id=a\0b"), -1, "octet 14: not allowed in an id: only letters and digits are"},
    {"A1 id in Latin-1", S("v=STSv1; id=\xe9"), -1, "octet 13: not allowed in an id: only letters and digits are"},
    {"A1 blank after '='", S("v=STSv1; id= a"), -1, "octet 13: not allowed in an id: only letters and digits are"},
    {"A1 blank at the end", S("v=STSv1; id=a "), -1, "octet 14: not allowed in an id: only letters and digits are"},
    {"A1 LF at the end", S("v=STSv1; id=a\n"), -1, "octet 14: not allowed in an id: only letters and digits are"},
    {"A1 LF around ';'", S("v=STSv1;\nid=a"), -1,
     "octet 9: the name of a field must stand here, it begins with a letter or digit"},
    {"A1 blank before '='", S("v=STSv1; id =a"), -1, "octet 12: '=' must follow the field name \"id\""},
    {"A1 no '='", S("v=STSv1; id"), -1, "octet 12: '=' must follow the field name \"id\""},
    {"A1 ';;'", S("v=STSv1; id=a;;"), -1,
     "octet 15: the name of a field must stand here, it begins with a letter or digit"},
    {"A1 ';;' at once", S("v=STSv1;; id=a"), -1,
     "octet 9: the name of a field must stand here, it begins with a letter or digit"},
    {"A1 name begins with '_'", S("v=STSv1; id=a; _x=1"), -1,
     "octet 16: the name of a field must stand here, it begins with a letter or digit"},
    {"A1 name with '%'", S("v=STSv1; id=a; x%=1"), -1, "octet 17: '=' must follow the field name \"x\""},
    {"A1 name with NUL", S("v=STSv1; id=a; x\0=1"), -1, "octet 17: '=' must follow the field name \"x\""},
    {"A1 name of 33 octets", S("v=STSv1; id=a; " N32 "6=1"), -1,
     "octet 16: the name of a field may have at most 32 octets"},
    {"A1 extension without value", S("v=STSv1; id=a; x="), -1, "octet 18: the field \"x\" has no value"},
    {"A1 extension with '='", S("v=STSv1; id=a; x=a=b"), -1,
     "octet 19: not allowed in the value of \"x\": only visible ASCII without '=' and ';' is"},
    {"A1 extension with a blank", S("v=STSv1; id=a; x=a b"), -1,
     "octet 19: not allowed in the value of \"x\": only visible ASCII without '=' and ';' is"},
    {"A1 extension with NUL", S("v=STSv1; id=a; x=a\0"), -1,
     "octet 19: not allowed in the value of \"x\": only visible ASCII without '=' and ';' is"},
    {"A1 extension with DEL", S("v=STSv1; id=a; x=\x7f"), -1,
     "octet 18: not allowed in the value of \"x\": only visible ASCII without '=' and ';' is"},
    {"A1 extension with UTF-8", S("v=STSv1; id=a; x=\xc3\xa9"), -1,
     "octet 18: not allowed in the value of \"x\": only visible ASCII without '=' and ';' is"},
};

/* The record is copied to a block of its own size, so that the sanitizer sees any octet read beyond it. */
static int parse_exact(struct sts_record *r, const char *txt, size_t len, struct err *e)
{
    char *copy = malloc(len == 0 ? 1 : len);
    int rc;

    assert_non_null(copy);
    memcpy(copy, txt, len);
    rc = sts_record_parse(r, len == 0 ? copy + 1 : copy, len, e);
    free(copy);
    return rc;
}

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sts_record r;
        struct err e = {""};
        print_message("%s\n", rows[i].name);
        memset(&r, 'x', sizeof r);
        assert_int_equal(parse_exact(&r, rows[i].txt, rows[i].len, &e), rows[i].want);
        assert_string_equal(rows[i].want == 1 ? r.id : e.text, rows[i].say);
        if (rows[i].want != 1)
            assert_string_equal(r.id, "");
        assert_int_equal(parse_exact(&r, rows[i].txt, rows[i].len, NULL), rows[i].want);
    }
}

/* Every prefix of a good record: an id only once there is all of one, never a read beyond the end. */
static void parses_prefixes(void **state)
{
    static const char txt[] = "v=STSv1 ; id=a; x=1;";
    static const char want[] = "0000000-------111--11"; /* by length, '-' for an error */

    (void)state;
    for (size_t len = 0; len < sizeof txt; len++) {
        struct sts_record r;
        struct err e;
        int rc = parse_exact(&r, txt, len, &e);
        assert_int_equal(rc, want[len] == '-' ? -1 : want[len] - '0');
    }
}

#define TXT(s)           \
    {                    \
        s, sizeof(s) - 1 \
    }

static void selects(void **state)
{
    static const struct {
        const char *name;
        struct sts_txt txt[4];
        size_t count;
        int want;
        const char *say;
    } sets[] = {
        {"A1 no records", {{NULL, 0}}, 0, 0, ""},
        {"A1 others only", {TXT("v=spf1"), TXT("x"), TXT("")}, 3, 0, ""},
        {"A1 one among others", {TXT("v=spf1"), TXT("v=STSv1; id=a"), TXT("v=STSv2; id=b")}, 3, 1, "a"},
        {"A1 two",
         {TXT("v=STSv1; id=a"), TXT("v=STSv1; id=a")},
         2,
         -1,
         "2 records begin with \"v=STSv1\", but only one is allowed"},
        {"A1 two, one broken",
         {TXT("v=STSv1; id=a"), TXT("v=STSv1; x")},
         2,
         -1,
         "2 records begin with \"v=STSv1\", but only one is allowed"},
        {"A1 one, broken", {TXT("v=spf1"), TXT("v=STSv1; id=")}, 2, -1, "octet 13: the id is empty"},
        {"A1 a record without ';' is dropped", {TXT("v=STSv1"), TXT("v=STSv1; id=b")}, 2, 1, "b"},
        {"A1 the same, other order", {TXT("v=STSv1; id=b"), TXT("v=STSv1 ")}, 2, 1, "b"},
        {"A1 only one without ';'", {TXT("v=STSv1")}, 1, -1, "there is no id field"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct sts_record r;
        struct err e = {""};
        print_message("%s\n", sets[i].name);
        assert_int_equal(sts_record_select(&r, sets[i].txt, sets[i].count, &e), sets[i].want);
        assert_string_equal(sets[i].want == 1 ? r.id : e.text, sets[i].say);
        if (sets[i].want != 1)
            assert_string_equal(r.id, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(parses_prefixes),
        cmocka_unit_test(selects),
    };
    return cmocka_run_group_tests_name("sts_record", tests, NULL, NULL);
}
