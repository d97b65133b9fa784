/* conf_edit.t - settings in the text of postern.conf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "conf_edit.h"

/* value NULL: taken out */
static const struct change {
    const char *what, *section, *key, *value, *before, *after;
} changes[] = {
    {"an empty file", "tlsrptd", "log", "\"journal\"", "", "tlsrptd {\n    log = \"journal\"\n}\n"},
    {"another section", "tlsrptd", "log", "\"journal\"", "stsd { }\n",
     "stsd { }\n\ntlsrptd {\n    log = \"journal\"\n}\n"},
    {"no line feed at the end", "tlsrptd", "log", "\"journal\"", "stsd { }",
     "stsd { }\n\ntlsrptd {\n    log = \"journal\"\n}\n"},
    {"below its comment", "tlsrptd", "log", "\"journal\"",
     "tlsrptd {\n    # the log\n    # log = \"\"\n\n    # log_name = \"postfix\"\n}\n",
     "tlsrptd {\n    # the log\n    # log = \"\"\n    log = \"journal\"\n\n    # log_name = \"postfix\"\n}\n"},
    {"a comment with tabs", "tlsrptd", "log", "\"journal\"", "tlsrptd {\n\t#log=\"\"\n}\n",
     "tlsrptd {\n\t#log=\"\"\n\tlog = \"journal\"\n}\n"},
    {"a comment of another section", "tlsrptd", "tlsrpt", "\"\"", "stsd {\n    # tlsrpt = \"\"\n}\ntlsrptd {\n}\n",
     "stsd {\n    # tlsrpt = \"\"\n}\ntlsrptd {\n    tlsrpt = \"\"\n}\n"},
    {"a comment that is prose", "tlsrptd", "log", "\"journal\"", "tlsrptd {\n    # log of Postfix\n}\n",
     "tlsrptd {\n    # log of Postfix\n    log = \"journal\"\n}\n"},
    {"a section in one line", "tlsrptd", "log", "\"journal\"", "tlsrptd { contact = \"a@b.example\" }\n",
     "tlsrptd { contact = \"a@b.example\" log = \"journal\" }\n"},
    {"a section without anything", "tlsrptd", "log", "\"journal\"", "tlsrptd {}\n", "tlsrptd { log = \"journal\" }\n"},
    {"replaced", "tlsrptd", "log", "\"journal\"", "tlsrptd {\n    log = \"/var/log/mail.log\" # ours\n}\n",
     "tlsrptd {\n    log = \"journal\" # ours\n}\n"},
    {"replaced, not its comment", "tlsrptd", "log", "\"journal\"", "tlsrptd {\n    # log = \"\"\n    log=\"x\"\n}\n",
     "tlsrptd {\n    # log = \"\"\n    log=\"journal\"\n}\n"},
    {"a list is replaced", "policyd", "exim_listen", "{\"unix:/run/x\"}",
     "policyd {\n    exim_listen = {\n        \"unix:/a\", # one\n        \"unix:/b}\"\n    }\n}\n",
     "policyd {\n    exim_listen = {\"unix:/run/x\"}\n}\n"},
    {"the second section of the name", "tlsrptd", "log", "\"journal\"",
     "tlsrptd { log_counts = no }\nstsd { }\ntlsrptd { log = \"x\" }\n",
     "tlsrptd { log_counts = no }\nstsd { }\ntlsrptd { log = \"journal\" }\n"},
    {"a key within a value", "tlsrptd", "log", "\"journal\"", "tlsrptd {\n    organization = \"log = x }\"\n}\n",
     "tlsrptd {\n    organization = \"log = x }\"\n    log = \"journal\"\n}\n"},
    {"a section within a comment", "tlsrptd", "log", "\"journal\"",
     "/* tlsrptd { } */\n// tlsrptd { }\n# tlsrptd { }\n",
     "/* tlsrptd { } */\n// tlsrptd { }\n# tlsrptd { }\n\ntlsrptd {\n    log = \"journal\"\n}\n"},
    {"an escaped quote", "tlsrptd", "log", "\"journal\"", "tlsrptd {\n    organization = \"a\\\" }\"\n}\n",
     "tlsrptd {\n    organization = \"a\\\" }\"\n    log = \"journal\"\n}\n"},
    {"taken out", "tlsrptd", "log", NULL, "tlsrptd {\n    # log = \"\"\n    log = \"journal\"\n\n    # x\n}\n",
     "tlsrptd {\n    # log = \"\"\n\n    # x\n}\n"},
    {"taken out of one line", "tlsrptd", "log", NULL, "tlsrptd { log = \"journal\" log_counts = no }\n",
     "tlsrptd { log_counts = no }\n"},
    {"taken out, a comment stays", "tlsrptd", "log", NULL, "tlsrptd {\n    log = \"journal\" # mine\n}\n",
     "tlsrptd {\n    # mine\n}\n"},
    {"not there", "tlsrptd", "log", NULL, "tlsrptd {\n}\n", "tlsrptd {\n}\n"},
};

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct change *c = &changes[i];
        struct err e = {""};
        struct conf *conf;
        struct buf out, value;
        int rc;

        buf_init(&out, CONF_FILE_MAX);
        buf_init(&value, CONF_FILE_MAX);
        if (c->value != NULL)
            rc = conf_edit_set(&out, c->before, strlen(c->before), c->section, c->key, c->value, &e);
        else
            rc = conf_edit_unset(&out, c->before, strlen(c->before), c->section, c->key, &e);
        if (rc != 0 || strcmp(buf_text(&out), c->after) != 0)
            fail_msg("%s: is\n%s\nand not\n%s", c->what, buf_text(&out), c->after);
        rc = conf_edit_get(&value, out.data, out.len, c->section, c->key);
        if (rc != (c->value != NULL) || strcmp(buf_text(&value), c->value != NULL ? c->value : "") != 0)
            fail_msg("%s: read back: %d, %s", c->what, rc, buf_text(&value));
        if (strcmp(c->key, "tlsrpt") != 0 || strcmp(c->section, "tlsrptd") != 0) {
            if (conf_parse(&conf, "x", out.data, out.len, &e) != 0)
                fail_msg("%s: %s", c->what, e.text);
            conf_free(conf);
        }
        buf_clear(&out);
        buf_clear(&value);
    }
}

/* Each setting of the sample, set and taken out again */
static void test_sample(void **state)
{
    static const char path[] = TOP_SRCDIR "/contrib/postern.conf";
    char text[65536];
    FILE *in = fopen(path, "r");
    size_t len, tried = 0;

    (void)state;
    assert_non_null(in);
    len = fread(text, 1, sizeof(text), in);
    fclose(in);
    for (const struct conf_section *s = conf_sections; s->name != NULL; s++)
        for (const struct conf_option *o = s->option; o->name != NULL; o++) {
            struct err e = {""};
            struct buf set, back;

            buf_init(&set, CONF_FILE_MAX);
            buf_init(&back, CONF_FILE_MAX);
            assert_int_equal(conf_edit_get(&back, text, len, s->name, o->name), 0);
            assert_int_equal(conf_edit_set(&set, text, len, s->name, o->name, "\"v\"", &e), 0);
            assert_int_equal(set.len, len + strlen(o->name) + strlen("     = \"v\"\n") - 0);
            assert_int_equal(conf_edit_get(&back, set.data, set.len, s->name, o->name), 1);
            assert_string_equal(buf_text(&back), "\"v\"");
            buf_reset(&back);
            assert_int_equal(conf_edit_unset(&back, set.data, set.len, s->name, o->name, &e), 0);
            assert_int_equal(back.len, len);
            assert_memory_equal(back.data, text, len);
            buf_clear(&set);
            buf_clear(&back);
            tried++;
        }
    assert_true(tried > 100);
}

static void test_full(void **state)
{
    struct err e = {""};
    struct buf out;

    (void)state;
    buf_init(&out, 10);
    assert_int_equal(conf_edit_set(&out, "stsd { }", 8, "stsd", "log", "1", &e), -1);
    assert_string_equal(e.text, "it would be longer than 10 octets");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
