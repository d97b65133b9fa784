/* list_line.t.c - tests of list_line.c: lines that people write, and tables that other programs have. */
#include "list_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define TEXT(s) (s), sizeof(s) - 1

/* What a line gives, written back; what is wrong with it, or left out. */
struct row {
    enum list_id list;
    const char *line;
    size_t len;
    enum list_line is;
    const char *written;
    const char *why;
};

#define TAIL " by=anna created=2026-11-21T10:00:00Z"

static const struct row lines[] = {
    {LIST_EXCLUDE, TEXT(""), LIST_LINE_EMPTY, NULL, ""},
    {LIST_EXCLUDE, TEXT(" \t "), LIST_LINE_EMPTY, NULL, ""},
    {LIST_EXCLUDE, TEXT("\r"), LIST_LINE_EMPTY, NULL, ""},
    {LIST_EXCLUDE, TEXT("# a comment"), LIST_LINE_EMPTY, NULL, ""},
    {LIST_EXCLUDE, TEXT("  # a comment # more"), LIST_LINE_EMPTY, NULL, ""},
    {LIST_EXCLUDE, TEXT("Example.COM\r"), LIST_LINE_ENTRY, "example.com" TAIL "\n", ""},
    {LIST_EXCLUDE, TEXT("\t.example.com  # why #1"), LIST_LINE_ENTRY, ".example.com" TAIL " # why #1\n", ""},
    {LIST_EXCLUDE, TEXT("example.com override by=bob created=2025-01-02T03:04:05Z expires=2027-01-01T00:00:00Z # x"),
     LIST_LINE_ENTRY, "example.com override by=bob created=2025-01-02T03:04:05Z expires=2027-01-01T00:00:00Z # x\n",
     ""},
    {LIST_REQUIRE, TEXT("example.com secure"), LIST_LINE_ENTRY, "example.com secure" TAIL "\n", ""},
    {LIST_PROTOCOLS, TEXT("example.com\t>=TLSv1.2   ciphers=high expires=2027-01-01T00:00:00Z"), LIST_LINE_ENTRY,
     "example.com >=TLSv1.2 ciphers=high" TAIL " expires=2027-01-01T00:00:00Z\n", ""},
    {LIST_FALLBACK, TEXT(".example plain-for 1h # flaky"), LIST_LINE_ENTRY, ".example plain-for 1h" TAIL " # flaky\n",
     ""},
    {LIST_EXCLUDE, TEXT("example.com secure"), LIST_LINE_BAD, NULL, "example.com: entries of the list exclude have no"},
    {LIST_REQUIRE, TEXT("example.com"), LIST_LINE_BAD, NULL, "example.com: a value is missing: encrypt, verify"},
    {LIST_EXCLUDE, TEXT("*.example.com"), LIST_LINE_BAD, NULL, "write .example.com"},
    {LIST_EXCLUDE, TEXT("10.1.2.3/8"), LIST_LINE_BAD, NULL, "10.1.2.3/8: the address has bits"},
    {LIST_EXCLUDE, TEXT("example.com expires=tomorrow"), LIST_LINE_BAD, NULL, "2026-11-21T10:00:00Z"},
    {LIST_EXCLUDE, TEXT("example.com expires=2027-01-01"), LIST_LINE_BAD, NULL, "not a time"},
    {LIST_EXCLUDE, TEXT("a.example\0b"), LIST_LINE_BAD, NULL, "NUL"},
    {LIST_EXCLUDE, TEXT("a.example # \377"), LIST_LINE_BAD, NULL, "not UTF-8"},
};

static const struct row postfix_lines[] = {
    {LIST_EXCLUDE, TEXT("example.com none"), LIST_LINE_ENTRY, "example.com" TAIL "\n", ""},
    {LIST_EXCLUDE, TEXT("example.com encrypt"), LIST_LINE_OTHER, NULL, ""},
    {LIST_REQUIRE, TEXT("example.com encrypt"), LIST_LINE_ENTRY, "example.com encrypt" TAIL "\n", ""},
    {LIST_REQUIRE, TEXT("example.com SECURE match=a.example servername=hostname"), LIST_LINE_ENTRY,
     "example.com secure" TAIL "\n", "example.com: match=a.example is left out"},
    {LIST_REQUIRE, TEXT("[mx.example.com] dane-only"), LIST_LINE_ENTRY, "[mx.example.com] dane-only" TAIL "\n", ""},
    {LIST_REQUIRE, TEXT("[mx.example.com]:587 encrypt"), LIST_LINE_BAD, NULL, "without a port"},
    {LIST_REQUIRE, TEXT("example.com may"), LIST_LINE_OTHER, NULL, "level may has no list"},
    {LIST_REQUIRE, TEXT("example.com fingerprint match=3D:95"), LIST_LINE_OTHER, NULL, "level fingerprint has no list"},
    {LIST_REQUIRE, TEXT("example.com"), LIST_LINE_BAD, NULL, "no level"},
    {LIST_PROTOCOLS, TEXT("example.com encrypt protocols=!SSLv2,!SSLv3 ciphers=high"), LIST_LINE_ENTRY,
     "example.com !SSLv2:!SSLv3 ciphers=high" TAIL "\n", ""},
    {LIST_PROTOCOLS, TEXT("example.com may protocols=TLSv1.2"), LIST_LINE_ENTRY, "example.com TLSv1.2" TAIL "\n", ""},
    {LIST_PROTOCOLS, TEXT("example.com encrypt"), LIST_LINE_OTHER, NULL, ""},
    {LIST_PROTOCOLS, TEXT("example.com encrypt protocols=TLSv9"), LIST_LINE_BAD, NULL, "no TLS version"},
    {LIST_REQUIRE, TEXT("example.com encrypt protocols=TLSv1.2"), LIST_LINE_ENTRY, "example.com encrypt" TAIL "\n", ""},
    {LIST_REQUIRE, TEXT("# example.com encrypt"), LIST_LINE_EMPTY, NULL, ""},
};

typedef enum list_line read_fn(struct list_entry **out, enum list_id list, const char *line, size_t len,
                               const char *author, int64_t created, struct err *e);

static void check(const struct row *row, read_fn *read)
{
    struct list_entry *entry = NULL;
    struct err e = {""};
    struct buf written;
    enum list_line is = read(&entry, row->list, row->line, row->len, "anna", 1795255200, &e);

    if (is != row->is)
        fail_msg("%s: %d: %s", row->line, (int)is, e.text);
    if (strstr(e.text, row->why) == NULL || (row->why[0] == '\0' && e.text[0] != '\0'))
        fail_msg("%s: %s", row->line, e.text);
    assert_int_equal(entry != NULL, row->written != NULL);
    if (entry == NULL)
        return;
    buf_init(&written, 4096);
    list_line_write(&written, entry);
    assert_string_equal(buf_text(&written), row->written);
    buf_clear(&written);
    free(entry);
}

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check(&lines[i], list_line_read);
}

static void test_postfix(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(postfix_lines) / sizeof(postfix_lines[0]); i++)
        check(&postfix_lines[i], list_line_read_postfix);
}

static void test_long_line(void **state)
{
    static char line[LIST_LINE_MAX + 1];
    struct list_entry *entry = NULL;
    struct err e = {""};

    (void)state;
    memset(line, 'a', sizeof(line));
    assert_int_equal(list_line_read(&entry, LIST_EXCLUDE, line, sizeof(line), "", 0, &e), LIST_LINE_BAD);
    assert_non_null(strstr(e.text, "longer than 2048"));
    assert_int_equal(list_line_read(&entry, LIST_EXCLUDE, line, sizeof(line) - 1, "", 0, &e), LIST_LINE_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_postfix),
        cmocka_unit_test(test_long_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
