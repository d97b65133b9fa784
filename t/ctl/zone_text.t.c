/* zone_text.t.c - lines of a zone file, and that nothing in a record can end its line or its string. */
#include "zone_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OUTPUT_MAX 65536

struct txt_case {
    const char *name, *text;
    size_t len;
    const char *line;
};

#define CASE(name, text, line)                  \
    {                                           \
        name, text, sizeof(text) - 1, line "\n" \
    }

static const struct txt_case txts[] = {
    CASE("plain", "v=TLSRPTv1; rua=mailto:a@b.example", "a.example. 60 IN TXT \"v=TLSRPTv1; rua=mailto:a@b.example\""),
    CASE("empty", "", "a.example. 60 IN TXT \"\""),
    CASE("a quote", "a\" IN A 192.0.2.1 \"b", "a.example. 60 IN TXT \"a\\\" IN A 192.0.2.1 \\\"b\""),
    CASE("a backslash at the end", "a\\", "a.example. 60 IN TXT \"a\\\\\""),
    CASE("a line feed", "a\nb.example. IN A 192.0.2.1", "a.example. 60 IN TXT \"a\\010b.example. IN A 192.0.2.1\""),
    CASE("CR, TAB, NUL, DEL", "\r\t\0\177", "a.example. 60 IN TXT \"\\013\\009\\000\\127\""),
    CASE("a comment, parentheses, a directive", "; ( ) $INCLUDE /etc/passwd @",
         "a.example. 60 IN TXT \"; ( ) $INCLUDE /etc/passwd @\""),
    CASE("not ASCII", "\xc3\xbc", "a.example. 60 IN TXT \"\\195\\188\""),
};

static void test_txt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(txts) / sizeof(txts[0]); i++) {
        struct buf out;

        buf_init(&out, OUTPUT_MAX);
        zone_txt(&out, "a.example", 60, txts[i].text, txts[i].len);
        if (strcmp(buf_text(&out), txts[i].line) != 0)
            fail_msg("%s: %s", txts[i].name, buf_text(&out));
        buf_clear(&out);
    }
}

/* A string is of 255 octets at most, each counted once however it is written. */
static void test_split(void **state)
{
    static const size_t lengths[] = {0, 1, 254, 255, 256, 510, 511, 4096};
    char text[4096];

    (void)state;
    memset(text, '"', sizeof(text));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t strings = lengths[i] == 0 ? 1 : (lengths[i] + 254) / 255;
        struct buf out;

        buf_init(&out, OUTPUT_MAX);
        zone_strings(&out, text, lengths[i]);
        assert_true(buf_ok(&out));
        assert_int_equal(out.len, 2 * lengths[i] + 2 * strings + (strings - 1));
        if (strings > 1)
            assert_memory_equal(buf_text(&out) + 1 + 2 * 255 - 2, "\\\"\" \"\\", 6);
        buf_clear(&out);
    }
}

static void test_names(void **state)
{
    static const char *const names[][2] = {
        {"example.com", "example.com."},
        {"_mta-sts.xn--bcher-kva.example", "_mta-sts.xn--bcher-kva.example."},
        {"a b;\n\"$@.example", "a\\032b\\059\\010\\034\\036\\064.example."},
        {"", "."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf out;

        buf_init(&out, OUTPUT_MAX);
        zone_name(&out, names[i][0]);
        assert_string_equal(buf_text(&out), names[i][1]);
        buf_clear(&out);
    }
}

static void test_tlsa(void **state)
{
    uint8_t data[32] = {0x01, 0xab};
    const struct tlsa rr = {3, 1, 1, sizeof(data), data};
    struct buf out;

    (void)state;
    buf_init(&out, OUTPUT_MAX);
    zone_tlsa(&out, "mx.example.com", 25, 3600, &rr);
    assert_string_equal(buf_text(&out), "_25._tcp.mx.example.com. 3600 IN TLSA 3 1 1 "
                                        "01ab000000000000000000000000000000000000000000000000000000000000\n");
    buf_clear(&out);
}

static void test_comment(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, OUTPUT_MAX);
    zone_comment(&out, "%s", "");
    zone_comment(&out, "%s", "a\nb.example. IN A 192.0.2.1");
    zone_comment(&out, "%0100d %s", 1, "second");
    zone_comment(&out, "%0150d", 1);
    assert_string_equal(
        buf_text(&out),
        "; \n; a\\x0ab.example. IN A 192.0.2.1\n"
        "; 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001\n"
        "; second\n"
        "; 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000001\n");
    buf_clear(&out);
}

/* Too long: nothing, and it shows. */
static void test_full(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 10);
    zone_txt(&out, "a.example", 60, "v=TLSRPTv1", 10);
    assert_false(buf_ok(&out));
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_txt),  cmocka_unit_test(test_split),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_tlsa), cmocka_unit_test(test_comment), cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
