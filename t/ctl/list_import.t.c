/* list_import.t.c - files of entries read whole: what is taken, what is wrong, what is left out. */
#include "list_import.h"
#include "list_line.h"
#include "list_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct file {
    const char *text;
    const char *entries; /* as list_line.h writes them */
    const char *errors;
    const char *notes;
    size_t others;
};

static void expect(enum list_id list, bool postfix, const struct file *f, size_t len)
{
    struct list_import i;
    struct buf out;

    list_import_read(&i, list, f->text, len, postfix, "F");
    buf_init(&out, 100000);
    assert_int_equal(list_export_print(&out, &i.rows), 0);
    assert_string_equal(buf_text(&out), f->entries);
    assert_string_equal(buf_text(&i.errors), f->errors);
    assert_string_equal(buf_text(&i.notes), f->notes != NULL ? f->notes : "");
    assert_int_equal(i.others, f->others);
    buf_clear(&out);
    list_import_clear(&i);
}

static void test_lines(void **state)
{
    static const struct file files[] = {
        {.text = "", .entries = "", .errors = ""},
        {.text = "b.example\na.example", .entries = "a.example\nb.example\n", .errors = ""},
        {.text = "\xef\xbb\xbf"
                 "a.example\r\n\r\n# x\r\n",
         .entries = "a.example\n",
         .errors = ""},
        {.text = "A.example. by=anna # x\n", .entries = "a.example by=anna # x\n", .errors = ""},
        {.text = "b\xc3\xbc"
                 "cher.example\n",
         .entries = "xn--bcher-kva.example\n",
         .errors = ""},
        {.text = "a.example\nA.EXAMPLE by=anna\n", .entries = "a.example by=anna\n", .errors = ""},
        {.text = "a.example override\n\na.example\n",
         .entries = "a.example\n",
         .errors = "F:3: a.example stands in line 1 already, and says something else there\n"},
        {.text = "10.0.0.1/8\n*.example.com\nok.example\n",
         .entries = "ok.example\n",
         .errors = "F:1: 10.0.0.1/8: the address has bits behind its prefix: write 10.0.0.0/8, or 10.0.0.1 for that "
                   "address alone\n"
                   "F:2: *.example.com: no \"*\": write .example.com for the names below it\n"},
    };
    static const struct file nul = {
        .text = "\0a.example\nb.example\n", .entries = "b.example\n", .errors = "F:1: a NUL octet in the line\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        expect(LIST_EXCLUDE, false, &files[i], strlen(files[i].text));
    expect(LIST_EXCLUDE, false, &nul, 21);
}

#define TABLE                                 \
    "# table\n"                               \
    "a.example encrypt protocols=>=TLSv1.2\n" \
    "b.example secure\n"                      \
    "# between\n"                             \
    "  match=nexthop\n"                       \
    "\n"                                      \
    "\tciphers=high\n"                        \
    "c.example none\n"                        \
    "d.example may\n"

static void test_postfix(void **state)
{
    static const struct file require = {
        .text = TABLE,
        .entries = "a.example encrypt\nb.example secure\n",
        .errors = "",
        .notes = "F:3: b.example: match=nexthop is left out\nF:9: d.example: level may has no list\n",
        .others = 1};
    static const struct file exclude = {
        .text = TABLE,
        .entries = "c.example\n",
        .errors = "",
        .notes = "F:3: b.example: match=nexthop is left out\nF:9: d.example: level may has no list\n",
        .others = 1};
    static const struct file protocols = {.text = TABLE,
                                          .entries = "a.example >=TLSv1.2\nb.example ciphers=high\n",
                                          .errors = "",
                                          .notes = "F:3: b.example: match=nexthop is left out\n",
                                          .others = 2};
    static const struct file wrong = {
        .text = "a.example\n  encrypt\n[mx.example]:587 encrypt\n[mx.example encrypt\nb.example\n",
        .entries = "a.example encrypt\n",
        .errors = "F:4: [mx.example: a next hop stands in brackets, without a port, such as [host.example.com]\n"
                  "F:5: b.example: no level behind it\n",
        .notes = "F:3: [mx.example]:587: a next hop stands in brackets, without a port, such as [host.example.com]\n"};

    (void)state;
    expect(LIST_REQUIRE, true, &require, strlen(TABLE));
    expect(LIST_EXCLUDE, true, &exclude, strlen(TABLE));
    expect(LIST_PROTOCOLS, true, &protocols, strlen(TABLE));
    expect(LIST_REQUIRE, true, &wrong, strlen(wrong.text));
}

/* A line that never ends, and very many that are wrong. */
static void test_many(void **state)
{
    struct list_import i;
    struct buf text;

    (void)state;
    buf_init(&text, 1000000);
    for (int n = 0; n < 50; n++)
        buf_str(&text, "no..name\n");
    list_import_read(&i, LIST_EXCLUDE, buf_text(&text), text.len, false, "F");
    assert_int_equal(i.bad, 50);
    assert_null(strstr(buf_text(&i.errors), "F:21:"));
    assert_non_null(strstr(buf_text(&i.errors), "F:20: no..name: "));
    list_import_clear(&i);
    buf_reset(&text);
    buf_str(&text, "a.example encrypt\n");
    for (int n = 0; n < 5000; n++)
        buf_str(&text, " match=x.example\n");
    buf_str(&text, "b.example encrypt\n");
    list_import_read(&i, LIST_REQUIRE, buf_text(&text), text.len, true, "F");
    assert_string_equal(buf_text(&i.errors), "F:1: the line is too long\n");
    assert_int_equal(i.rows.count, 1);
    list_import_clear(&i);
    buf_clear(&text);
}

/* Each prefix of a file is read without harm. */
static void test_cut(void **state)
{
    static const char text[] = TABLE "\xef\xbb\xbf[x] # y\0z";
    struct list_import i;

    (void)state;
    for (size_t len = 0; len <= sizeof(text); len++) {
        for (int postfix = 0; postfix < 2; postfix++) {
            char *copy = malloc(len + 1);

            memcpy(copy, text, len < sizeof(text) ? len : sizeof(text));
            copy[len] = '\0';
            list_import_read(&i, LIST_REQUIRE, copy, len, postfix, "F");
            list_import_clear(&i);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_postfix),
                                       cmocka_unit_test(test_many), cmocka_unit_test(test_cut)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
