/* charset_io.t.c - tests of charset_io.c. */
#include "charset_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define S(text) text, sizeof(text) - 1
#define BEYOND  "\357\277\275"

static const struct row {
    const char *charset, *octets;
    size_t len;
    const char *want; /* NULL: whatever */
    unsigned doubt;
} rows[] = {
    {"koi8-r", S("\374\324\317 \323\305\313\322\305\324, nautilus"),
     "\320\255\321\202\320\276 \321\201\320\265\320\272\321\200\320\265\321\202, nautilus", 0},
    {"KOI8-U", S("\343\305 \323\305\313\322\305\324: \247\326\301\313"),
     "\320\246\320\265 \321\201\320\265\320\272\321\200\320\265\321\202: \321\227\320\266\320\260\320\272", 0},
    {"windows-1251", S("\335\362\356 \361\345\352\360\345\362"),
     "\320\255\321\202\320\276 \321\201\320\265\320\272\321\200\320\265\321\202", 0},
    {"cp-1251", S("\361\345\352\360\345\362"), "\321\201\320\265\320\272\321\200\320\265\321\202", 0},
    {"iso-8859-2", S("\256lu\273ou\350k\375 k\371\362"), "\305\275lu\305\245ou\304\215k\303\275 k\305\257\305\210", 0},
    {"iso-8859-5", S("\341\325\332\340\325\342"), "\321\201\320\265\320\272\321\200\320\265\321\202", 0},
    {"iso-8859-7", S("\341\360\374\361\361\347\364\357"),
     "\316\261\317\200\317\214\317\201\317\201\316\267\317\204\316\277", 0},
    {"iso-8859-8-i", S("\361\345\343"), "\327\241\327\225\327\223", 0},
    {"iso-8859-9", S("gizli \376"), "gizli \305\237", 0},
    {"windows-1250", S("tajn\351 \232"), "tajn\303\251 \305\241", 0},
    {"windows-1254", S("\360"), "\304\237", 0},
    {"windows-1255", S("\361\345\343"), "\327\241\327\225\327\223", 0},
    {"windows-1256", S("\323\321"), "\330\263\330\261", 0},
    {"windows-1257", S("\376"), "\305\276", 0},
    {"windows-1258", S("b\355"), "b\303\255", 0},
    {"tis-620", S("\244\307\322\301\305\321\272"),
     "\340\270\204\340\270\247\340\270\262\340\270\241\340\270\245\340\270\261\340\270\232", 0},
    {"gb2312", S("\273\372\303\334 nautilus \326\354\351F\273\371"),
     "\346\234\272\345\257\206 nautilus \346\234\261\351\225\225\345\237\272", 0},
    {"GBK", S("\231C\303\334"), "\346\251\237\345\257\206", 0},
    {"gb18030", S("\273\372\303\334 \2252\2026"), "\346\234\272\345\257\206 \360\240\200\200", 0},
    {"big5", S("\276\367\261K nautilus"), "\346\251\237\345\257\206 nautilus", 0},
    {"euc-jp", S("\310\353\314\251 nautilus"), "\347\247\230\345\257\206 nautilus", 0},
    {"iso-2022-jp", S("\033$BHkL)\033(B nautilus \033$BHkL)\033(B"),
     "\347\247\230\345\257\206 nautilus \347\247\230\345\257\206", 0},
    {"shift_jis", S("\224\351\226\247 \207@ C:\134~"), "\347\247\230\345\257\206 \342\221\240 C:\134~", 0},
    {"windows-31j", S("\224\351\226\247"), "\347\247\230\345\257\206", 0},
    {"euc-kr", S("\272\361\271\320 nautilus"), "\353\271\204\353\260\200 nautilus", 0},
    {"ks_c_5601-1987", S("\272\361\271\320 \214c"), "\353\271\204\353\260\200 \353\230\240", 0},
    {"iso-2022-kr", S("\033$)C\016:q9P\017 nautilus"), "\353\271\204\353\260\200 nautilus", 0},
    {"macintosh", S("\216"), "\303\251", 0},
    {"utf-7", S("Gr+APwA3w-e, secret"), "Gr\303\274\303\237e, secret", MIME_DOUBT_ASCII},
    {"utf-16le", S("s\000e\000c\000r\000e\000t\000 \000\374\000=\330\000\336"), "secret \303\274\360\237\230\200",
     MIME_DOUBT_ASCII},
    {"utf-16", S("\377\376s\000e\000c\000r\000e\000t\000"), "secret", MIME_DOUBT_ASCII},
    {"utf-32be", S("\000\000\000s\000\000\000e\000\000\000c\000\000\000r\000\000\000e\000\000\000t"), "secret",
     MIME_DOUBT_ASCII},
    {"ibm037", S("\242\205\203\231\205\243"), "secret", MIME_DOUBT_ASCII},
    {"ebcdic-us", S("\242\205\203\231\205\243"), "secret", MIME_DOUBT_ASCII},
    /* what a charset does not have hides no ASCII behind it */
    {"koi8-r", S("a\0b"), "a\0b", 0},
    {"euc-kr", S("\260 secret"), BEYOND " secret", 0},
    {"euc-jp", S("\217secret \377secret"), BEYOND "secret " BEYOND "secret", 0},
    {"big5", S("\201 secret"), BEYOND " secret", 0},
    {"gb2312", S("\2010secret \377secret\201"), BEYOND "0secret " BEYOND "secret" BEYOND, 0},
    {"shift_jis", S("\201\nsecret\200"), BEYOND "\nsecret" BEYOND, 0},
    {"windows-1253", S("\322secret"), BEYOND "secret", 0},
    {"windows-1255", S("\340"), "\327\220", 0}, /* a point could follow */
    /* with shifts: a pair without a character does no harm, all else may */
    {"iso-2022-jp", S("\033$B-!HkL)\033(B secret"), BEYOND "\347\247\230\345\257\206 secret", 0},
    {"iso-2022-jp", S("\033$(Qsecret"), "\033$(Qsecret", MIME_DOUBT_OCTETS},
    {"iso-2022-jp", S("\033$B\nsecret\377"), NULL, MIME_DOUBT_OCTETS},
    {"iso-2022-jp", S("secret\033$"), "secret" BEYOND "$", 0}, /* cut off */
    {"iso-2022-kr", S("secret\033x"), "secret\033x", MIME_DOUBT_OCTETS},
    /* units, and their order */
    {"utf-16le", S("\0\334s\0e\0c\0r\0"), BEYOND "secr", MIME_DOUBT_ASCII | MIME_DOUBT_OCTETS},
    {"utf-16be", S("\330\0\0s\0e"), BEYOND "se", MIME_DOUBT_ASCII | MIME_DOUBT_OCTETS},
    {"utf-32le", S("\0\0\0\377s\0\0\0e\0\0\0"), BEYOND "se", MIME_DOUBT_ASCII | MIME_DOUBT_OCTETS},
    {"utf-16le", S("s\0e"), "s" BEYOND, MIME_DOUBT_ASCII},
    {"utf-16", S("\0s\0e"), NULL, MIME_DOUBT_ASCII | MIME_DOUBT_OCTETS},
    {"utf-16", S("\376\377\0s\0e"), "se", MIME_DOUBT_ASCII},
    {"utf-7", S("\377a"), BEYOND "a", MIME_DOUBT_ASCII | MIME_DOUBT_OCTETS},
};

/* The octets end where their memory does. */
static unsigned convert(struct buf *out, const char *charset, const char *octets, size_t len)
{
    char *copy = malloc(len + (len == 0));
    unsigned doubt;

    if (copy == NULL)
        abort();
    memcpy(copy, octets, len);
    doubt = charset_convert(out, charset, strlen(charset), copy, len);
    free(copy);
    return doubt;
}

static bool is_as_wanted(const struct row *row)
{
    struct buf out;
    unsigned doubt;
    bool same;

    buf_init(&out, 1000);
    doubt = convert(&out, row->charset, row->octets, row->len);
    same = row->want == NULL || (out.len >= strlen(row->want) && memcmp(buf_text(&out), row->want, out.len) == 0);
    if (!same || doubt != row->doubt || !buf_ok(&out))
        print_error("%s: \"%s\", doubt %u\n", row->charset, buf_text(&out), doubt);
    same = same && doubt == row->doubt && buf_ok(&out);
    buf_clear(&out);
    return same;
}

static void test_charsets(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        wrong += !is_as_wanted(&rows[i]);
    assert_int_equal(wrong, 0);
}

/* Nothing but a charset's name is one. */
static void test_names(void **state)
{
    static const char *const names[] = {
        "",
        "x-none",
        "char",
        "koi8-r//IGNORE",
        "koi8-r//TRANSLIT",
        "koi8-r,utf-8",
        "../x",
        "/etc/passwd",
        " koi8-r",
        "koi8-r\n",
        "k\303\266",
        "koi8-r//",
        "unicode-9-9-utf-7",
        "INTERNAL",
        "koi8-r-and-so-on-and-so-on-and-so-on-beyond",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf out;

        buf_init(&out, 100);
        if (convert(&out, names[i], S("abc")) != MIME_DOUBT_CHARSET || out.len != 0 || !buf_ok(&out))
            fail_msg("%s: %s", names[i], buf_text(&out));
        buf_clear(&out);
    }
    assert_int_equal(charset_convert(&(struct buf){.max = 10}, "koi8\0-r", 7, S("abc")), MIME_DOUBT_CHARSET);
}

/* At every limit whole characters, and the error. */
static void test_limits(void **state)
{
    (void)state;
    for (size_t max = 0; max <= 9; max++) {
        struct buf out;

        buf_init(&out, max);
        convert(&out, "gb2312", S("\273\372\303\334\377"));
        assert_int_equal(out.len, max / 3 * 3);
        assert_int_equal(buf_ok(&out), max == 9);
        buf_clear(&out);
    }
}

/* Longer than one piece, and not a multiple of it. */
static void test_long(void **state)
{
    const size_t pairs = 20001;
    struct buf octets, out;

    (void)state;
    buf_init(&octets, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < pairs; i++)
        buf_str(&octets, "\273\372");
    assert_int_equal(charset_convert(&out, S("gbk"), buf_text(&octets), octets.len), 0);
    assert_int_equal(out.len, 3 * pairs);
    assert_memory_equal(buf_text(&out) + out.len - 3, "\346\234\272", 3);
    buf_clear(&octets);
    buf_clear(&out);
}

/* No octet of any charset becomes more than mime_charset.h says, and nothing goes on for ever. */
static void test_growth(void **state)
{
    static const char *const names[] = {"tscii",       "big5-hkscs", "tcvn",         "euc-jisx0213", "ibm1364",
                                        "iso-2022-kr", "johab",      "iso_6937",     "armscii-8",    "utf-7",
                                        "iso-2022-cn", "ibm930",     "iso-2022-jp-3"};
    char octets[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (unsigned seed = 1; seed < 200; seed++) {
            struct buf out;
            unsigned n = seed;

            for (size_t k = 0; k < sizeof(octets); k++) {
                n = n * 1103515245U + 12345U;
                octets[k] = (char)(seed == 199 ? 0xaa : n >> 16);
            }
            buf_init(&out, MIME_CHARSET_GROWTH * sizeof(octets));
            convert(&out, names[i], octets, sizeof(octets));
            assert_true(buf_ok(&out));
            buf_clear(&out);
        }
}

static void *convert_all(void *bad)
{
    for (unsigned round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            if (!is_as_wanted(&rows[i]))
                *(bool *)bad = true;
    return NULL;
}

static void test_threads(void **state)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    bool bad[THREADS] = {false};

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, convert_all, &bad[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_false(bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charsets), cmocka_unit_test(test_names),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_long),     cmocka_unit_test(test_growth), cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
