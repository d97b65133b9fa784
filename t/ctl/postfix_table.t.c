/* postfix_table.t.c - regexp: and pcre: tables as Postfix reads them (regexp_table(5), pcre_table(5)). */
#include "postfix_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct lookup {
    bool pcre;
    const char *table, *address;
    bool substitution;
    size_t line; /* that answers; 0: none */
    const char *answer;
};

static const struct lookup lookups[] = {
    {false, "/\\+t@/ a:", "u+t@x", false, 1, "a:"},
    {false, "/\\+t@/ a:", "u+s@x", false, 0, ""},
    /* case, and the flags that turn it round */
    {false, "/\\+T@/ a:", "u+t@x", false, 1, "a:"},
    {false, "/\\+T@/i a:", "u+t@x", false, 0, ""},
    {false, "/\\+T@/ii a:", "u+t@x", false, 1, "a:"},
    {false, "/a+@/x a:", "a+@x", false, 1, "a:"},
    {true, "/\\+T@/ a:", "u+t@x", false, 1, "a:"},
    {true, "/\\+T@/i a:", "u+t@x", false, 0, ""},
    {true, "/(?<=\\+t)@/ a:", "u+t@x", false, 1, "a:"},
    {true, "/u \\+ t@/x a:", "uut@x", false, 0, ""},
    {true, "/u \\+ t@/x a:", "u+t@x", false, 1, "a:"},
    /* what Postfix passes over */
    {false, "/@/z a:\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "/(/ a:\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "/@ a:\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "@ a:\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "word a:\n/@/ b:", "u@x", false, 2, "b:"},
    {true, "/(/ a:\n/@/ b:", "u@x", false, 2, "b:"},
    /* $1: never in transport maps, $$ is a $ */
    {false, "/^(.*)@/ a:$1\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "/^(.*)@/ a:${1}\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "/^(.*)@/ a:$(1)\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "/^(.*)@/ a:$$1", "u@x", false, 1, "a:$1"},
    {false, "/^(.*)@(.*)$/ $2-$(1)${1}", "u@x", true, 1, "x-uu"},
    {true, "/^(.*)@(.*)$/ $2-$(1)${1}$9", "u@x", true, 1, "x-uu"},
    {false, "!/y$/ a:$1\n/@/ b:", "u@x", true, 2, "b:"},
    /* delimiters, negation, blanks, continued lines, comments */
    {false, "#@#  a:  ", "u@x", false, 0, ""},
    {false, "|@|  a:  ", "u@x", false, 1, "a:"},
    {false, "/a\\/b@/ a:", "a/b@x", false, 1, "a:"},
    {false, "!/y$/ a:", "u@x", false, 1, "a:"},
    {false, "!/x$/ a:", "u@x", false, 0, ""},
    {false, "! !/x$/ a:", "u@x", false, 1, "a:"},
    {false, "# /@/ a:\n\n  # b\n/@/\n  # c\n  b:", "u@x", false, 4, "b:"},
    {false, "/@/", "u@x", false, 1, ""},
    {false, "/@/ a b", "u@x", false, 1, "a b"},
    /* if */
    {false, "if /x$/\n/@/ a:\nendif\n/@/ b:", "u@x", false, 2, "a:"},
    {false, "if /x$/\n/@/ a:\nendif\n/@/ b:", "u@y", false, 4, "b:"},
    {false, "IF !/@(x|y)$/\n/@/ a:\nENDIF", "u@y", false, 0, ""},
    {false, "if /x$/\nif /u/\n/@/ a:\nendif\n/@/ b:\nendif\n/@/ c:", "u@x", false, 3, "a:"},
    {false, "if /x$/\nif /u/\n/@/ a:\nendif\n/@/ b:\nendif\n/@/ c:", "v@x", false, 5, "b:"},
    {false, "if /x$/\nif /u/\n/@/ a:\nendif\n/@/ b:\nendif\n/@/ c:", "u@y", false, 7, "c:"},
    {false, "if /x$/\n/@/ a:", "u@y", false, 0, ""},
    {false, "endif\n/@/ a:\nendif", "u@y", false, 2, "a:"},
    {false, "if /(/\n/@/ a:\nendif\n", "u@y", false, 2, "a:"},
    /* not evaluated here, but it has its endif */
    {false, "if /x$/\nif /u/!/v/\n/a@/ a:\nendif\n/@/ b:\nendif\n/@/ c:", "u@y", false, 7, "c:"},
    {false, "iffy\n/@/ a:", "u@y", false, 2, "a:"},
    {false, "if\n/@/ a:", "u@y", false, 2, "a:"},
    /* too much to be evaluated */
    {false, "/((a{1,100}){1,100}){1,100}/ a:\n/@/ b:", "u@x", false, 2, "b:"},
    {false, "/(.++++++++++++++++++++++++++*)/ a:\n/@/ b:", "u@x", false, 2, "b:"},
    {true, "/^(([a-z])+.)+[A-Z]([a-z])+$/i a:\n/@/ b:", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@", false, 2, "b:"},
};

static void look_up(const struct lookup *l, const struct postfix_table *t)
{
    const struct postfix_rule *r;
    struct buf out;

    buf_init(&out, 1000);
    r = postfix_table_find(t, l->address, l->substitution, &out);
    if ((r != NULL ? r->line : 0) != l->line || strcmp(buf_text(&out), l->answer) != 0)
        fail_msg("%s: %s: line %zu: %s", l->table, l->address, r != NULL ? r->line : 0, buf_text(&out));
    buf_clear(&out);
}

static void test_lookups(void **state)
{
    struct postfix_table t;

    (void)state;
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        assert_int_equal(postfix_table_read(&t, lookups[i].pcre, lookups[i].table, strlen(lookups[i].table), NULL), 0);
        look_up(&lookups[i], &t);
        postfix_table_free(&t);
    }
}

static void test_inline(void **state)
{
    static const struct lookup lines[] = {
        {false, "{ {/^a/ x:}, {/@b c$/ y:} }", "u@b c", false, 2, "y:"},
        {false, "{{if /@/} {/u/ x:} {endif}}", "u@b", false, 2, "x:"},
        {false, "{}", "u@b", false, 0, ""},
        {false, "{", "u@b", false, 0, ""},
    };
    struct postfix_table t;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(postfix_table_inline(&t, false, lines[i].table, strlen(lines[i].table), NULL), 0);
        look_up(&lines[i], &t);
        postfix_table_free(&t);
    }
}

/* Expressions on which a careless reader would spend its stack or memory */
static void test_hostile(void **state)
{
    static const char units[] = "(|*?+{[\\";
    const size_t len = 900000;
    char *text = calloc(len + 16, 1);
    struct postfix_table t;
    struct err e = {""};

    (void)state;
    assert_non_null(text);
    for (const char *u = units; *u != '\0'; u++) {
        memset(text, *u, len);
        memcpy(text, "/a", 2);
        memcpy(text + len, "/ a:", 5);
        for (int pcre = 0; pcre < 2; pcre++) {
            assert_int_equal(postfix_table_read(&t, pcre != 0, text, len + 4, NULL), 0);
            assert_null(postfix_table_find(&t, "u@x", true, NULL));
            postfix_table_free(&t);
        }
    }
    memset(text, 'x', len);
    for (size_t i = 0; i + 1 < len; i += 2)
        text[i] = '\n';
    assert_int_equal(postfix_table_read(&t, false, text, len, &e), -1);
    assert_non_null(strstr(e.text, "lines"));
    assert_int_equal(postfix_table_read(&t, false, "/a/ b\0c", 7, &e), -1);
    assert_non_null(strstr(e.text, "NUL"));
    assert_int_equal(postfix_table_read(&t, false, text, POSTFIX_TABLE_MAX + 1, &e), -1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
