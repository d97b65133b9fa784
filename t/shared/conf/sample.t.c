/*
 * Tests that contrib/postern.conf and postern.conf(5) say what conf_table.c says. With the word "print" this program
 * writes the file that contrib/postern.conf must be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 100000

static void sample(struct buf *out)
{
    buf_str(out, "# postern.conf - every setting of Postern with its default; postern.conf(5) says more.\n"
                 "# All programs read this one file. Times: 500ms, 90s, 15m, 4h, 30d. Lists: {\"a\", \"b\"}.\n");
    for (const struct conf_section *s = conf_sections; s->name != NULL; s++) {
        buf_printf(out, "\n%s {\n", s->name);
        for (const struct conf_option *o = s->option; o->name != NULL; o++)
            buf_printf(out, "%s    # %s\n    # %s = %s\n", o == s->option ? "" : "\n", o->help, o->name, o->fallback);
        buf_str(out, "}\n");
    }
}

static char *read_file(const char *path)
{
    char *text = calloc(1, FILE_MAX);
    FILE *f = fopen(path, "r");

    assert_non_null(text);
    if (f == NULL)
        fail_msg("cannot read %s", path);
    assert_true(fread(text, 1, FILE_MAX - 1, f) > 0);
    fclose(f);
    return text;
}

static void test_sample_is_up_to_date(void **state)
{
    char *have = read_file(TOP_SRCDIR "/contrib/postern.conf");
    struct buf want;

    (void)state;
    buf_init(&want, FILE_MAX);
    sample(&want);
    assert_string_equal(have, want.data);
    buf_clear(&want);
    free(have);
}

static void test_sample_is_valid(void **state)
{
    struct conf *conf = NULL;
    struct err e = {""};

    (void)state;
    if (conf_read(&conf, TOP_SRCDIR "/contrib/postern.conf", &e) != 0)
        fail_msg("%s", e.text);
    conf_free(conf);
}

/* The value in the manual's source as it is read. Returns whether it is this one. */
static bool manual_says(const char *at, const char *value)
{
    static const struct {
        const char *source;
        char read;
    } escapes[] = {{"\\(dq", '"'}, {"\\(aq", '\''}, {"\\-", '-'}, {"\\&", '\0'}, {"\\e", '\\'}};
    const size_t count = sizeof(escapes) / sizeof(escapes[0]);

    while (*at != '\n') {
        size_t i = 0;

        while (i < count && strncmp(at, escapes[i].source, strlen(escapes[i].source)) != 0)
            i++;
        if (i == count || escapes[i].read != '\0')
            if (*value++ != (i == count ? *at : escapes[i].read))
                return false;
        at += i == count ? 1 : strlen(escapes[i].source);
    }
    return *value == '\0';
}

/* The manual page has an item for each key with its default, under the section's own heading, in the order of the
 * tables, and no other. */
static void test_manual_names_every_key(void **state)
{
    char *manual = read_file(TOP_SRCDIR "/doc/postern.conf.5");
    const char *at = manual;
    char item[128];
    size_t items = 0;

    (void)state;
    for (const struct conf_section *s = conf_sections; s->name != NULL; s++) {
        snprintf(item, sizeof(item), "\n.Ss %s\n", s->name);
        at = strstr(at, item);
        if (at == NULL)
            fail_msg("no subsection %s", s->name);
        for (const struct conf_option *o = s->option; o->name != NULL; o++) {
            snprintf(item, sizeof(item), "\n.It Ic %s No = Ar ", o->name);
            at = strstr(at, item);
            if (at == NULL)
                fail_msg("%s: no item %s, or not in its place", s->name, o->name);
            if (!manual_says(at + strlen(item), o->fallback))
                fail_msg("%s: %s: the default is %s", s->name, o->name, o->fallback);
            items++;
        }
    }
    for (at = manual; (at = strstr(at, "\n.It Ic ")) != NULL; at++)
        items--;
    assert_int_equal(items, 0);
    free(manual);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_is_up_to_date),
        cmocka_unit_test(test_sample_is_valid),
        cmocka_unit_test(test_manual_names_every_key),
    };

    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        struct buf out;

        buf_init(&out, FILE_MAX);
        sample(&out);
        fputs(buf_text(&out), stdout);
        buf_clear(&out);
        return 0;
    }
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
