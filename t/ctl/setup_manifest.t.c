/* setup_manifest.t - what --apply has kept: written, read, and what is refused. */
#include "setup_manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define FILE_JSON(more)                       \
    "{\"path\":\"/etc/x\",\"before\":\"" HASH \
    "\",\"after\":\"\",\"edited\":false,\"mode\":420,\"uid\":0,\"gid\":0,\"number\":0" more "}"
#define ALL(files, done)                                                                                     \
    "{\"version\":1,\"stage\":\"applied\",\"server\":\"postfix\",\"conf\":\"/etc/postern.conf\",\"when\":1," \
    "\"files\":[" files "],\"done\":[" done "]}"

static void test_same_again(void **state)
{
    const char *argv[] = {"postconf", "-e", "a=b 'c'", NULL}, *undo[] = {"postconf", "-X", "a", NULL};
    struct setup_step command = {
        .kind = SETUP_COMMAND, .what = (char *)"what", .daemon = (char *)"tlsrptd", .path = (char *)"/etc/x"};
    struct setup_step entry = {.kind = SETUP_LOCAL, .what = (char *)"a domain", .domain = (char *)"example.com"};
    struct setup_manifest m = {
        .stage = SETUP_APPLYING, .server = strdup("postfix"), .conf_file = strdup("/c"), .when = 7};
    struct setup_manifest again;
    struct setup_kept *f;
    struct setup_done *d;
    struct err e = {""};
    struct buf first, second;

    (void)state;
    command.argv = setup_words_copy(argv);
    command.undo = setup_words_copy(undo);
    f = setup_manifest_add_file(&m, "/etc/x");
    strcpy(f->before, HASH);
    f->link = strdup("y");
    f->mode = 0640;
    assert_ptr_equal(setup_manifest_file(&m, "/etc/x"), f);
    assert_null(setup_manifest_file(&m, "/etc/y"));
    d = setup_manifest_add_done(&m, &command);
    d->said = strdup("a = b\n");
    d->taken = true;
    assert_non_null(setup_manifest_add_done(&m, &entry));
    setup_words_free(command.argv);
    setup_words_free(command.undo);
    buf_init(&first, SETUP_MANIFEST_MAX);
    buf_init(&second, SETUP_MANIFEST_MAX);
    assert_int_equal(setup_manifest_write(&first, &m), 0);
    assert_int_equal(setup_manifest_read(&again, buf_text(&first), first.len, &e), 0);
    assert_string_equal(again.done[0].step.argv[2], "a=b 'c'");
    assert_string_equal(again.done[0].said, "a = b\n");
    assert_string_equal(again.done[0].step.daemon, "tlsrptd");
    assert_true(again.done[0].taken && !again.done[1].taken);
    assert_string_equal(again.file[0].link, "y");
    assert_int_equal(again.file[0].mode, 0640);
    assert_int_equal(again.when, 7);
    assert_int_equal(setup_manifest_write(&second, &again), 0);
    assert_string_equal(buf_text(&first), buf_text(&second));
    setup_manifest_clear(&m);
    setup_manifest_clear(&again);
    buf_clear(&first);
    buf_clear(&second);
}

/* What was there before is any octets, and owners are any numbers. */
static void test_any_octets(void **state)
{
    const char *argv[] = {"postconf", "-e", "a=\xe9\xff", NULL};
    struct setup_step command = {.kind = SETUP_COMMAND, .what = (char *)"\xfc"};
    struct setup_manifest m = {.server = strdup("postfix"), .conf_file = strdup("/\xe4"), .when = 7};
    struct setup_manifest again;
    struct setup_kept *f = setup_manifest_add_file(&m, "/etc/\xe4");
    struct err e = {""};
    struct buf text;

    (void)state;
    f->link = strdup("\xf6");
    f->uid = 4294967294;
    f->gid = 2147483648;
    command.argv = command.undo = command.shows = setup_words_copy(argv);
    setup_manifest_add_done(&m, &command)->said = strdup("a = \xe9\xff\n");
    setup_words_free(command.argv);
    buf_init(&text, SETUP_MANIFEST_MAX);
    assert_int_equal(setup_manifest_write(&text, &m), 0);
    if (setup_manifest_read(&again, buf_text(&text), text.len, &e) != 0)
        fail_msg("%s", e.text);
    assert_string_equal(again.conf_file, m.conf_file);
    assert_string_equal(again.file[0].path, f->path);
    assert_string_equal(again.file[0].link, f->link);
    assert_int_equal(again.file[0].uid, f->uid);
    assert_int_equal(again.file[0].gid, f->gid);
    assert_string_equal(again.done[0].step.what, "\xfc");
    assert_string_equal(again.done[0].step.argv[2], argv[2]);
    assert_string_equal(again.done[0].step.undo[2], argv[2]);
    assert_string_equal(again.done[0].step.shows[2], argv[2]);
    assert_string_equal(again.done[0].said, "a = \xe9\xff\n");
    setup_manifest_clear(&m);
    setup_manifest_clear(&again);
    buf_clear(&text);
}

static const struct refusal {
    const char *text, *why;
} refusals[] = {
    {"", "line 1: '[' or '{' expected near end of file"},
    {"[]", "it is not of version 1"},
    {"{\"version\":2}", "it is not of version 1"},
    {"{\"version\":1,\"stage\":\"done\"}", "\"stage\" is none of the words"},
    {"{\"version\":1,\"stage\":\"applied\"}", "\"server\" is missing"},
    {"{\"version\":1,\"stage\":\"applied\",\"server\":\"x\",\"conf\":\"y\"}",
     "\"when\", \"files\" or \"done\" is missing"},
    {ALL("{}", ""), "file 1: \"path\" is no path from the root"},
    {ALL("{\"path\":\"x\"}", ""), "file 1: \"path\" is no path from the root"},
    {ALL("{\"path\":\"/x\",\"before\":\"a\"}", ""), "file 1: \"before\" is no SHA-256"},
    {ALL(FILE_JSON("") "," FILE_JSON(""), ""), "file 2: \"path\" is there twice"},
    {ALL("{\"path\":\"/x\",\"before\":\"\",\"after\":\"\",\"mode\":99999}", ""), "file 1: \"mode\" is no number"},
    {ALL("", "{\"kind\":\"command\"}"), "step 1: a command without \"argv\""},
    {ALL("", "{\"kind\":\"command\",\"argv\":[]}"), "step 1: \"argv\" is no list of words"},
    {ALL("", "{\"kind\":\"command\",\"argv\":[1]}"), "step 1: \"argv\" is no list of words"},
    {ALL("", "{\"kind\":\"conf\",\"section\":\"a\"}"), "step 1: a setting without"},
    {ALL("", "{\"kind\":\"local\"}"), "step 1: an entry without \"domain\""},
    {ALL("", "{\"kind\":\"note\"}"), "step 1: \"kind\" is none of those that are taken back"},
    {ALL("", "{\"kind\":\"local\",\"domain\":7}"), "step 1: \"domain\" is no text"},
    {ALL("", "{\"kind\":\"local\",\"domain\":{}}"), "step 1: \"domain\" is no text"},
    {ALL("", "{\"kind\":\"local\",\"domain\":{\"hex\":\"6\"}}"), "step 1: \"domain\" is no text"},
    {ALL("", "{\"kind\":\"local\",\"domain\":{\"hex\":\"6x\"}}"), "step 1: \"domain\" is no text"},
    {ALL("", "{\"kind\":\"local\",\"domain\":{\"hex\":\"00\"}}"), "step 1: \"domain\" is no text"},
    {ALL("{\"path\":\"/x\",\"before\":\"\",\"after\":\"\",\"mode\":0,\"uid\":4294967296}", ""),
     "file 1: \"uid\" is no number from 0 to 4294967295"},
};

static void test_refusals(void **state)
{
    struct setup_manifest m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        e.text[0] = '\0';
        assert_int_equal(setup_manifest_read(&m, refusals[i].text, strlen(refusals[i].text), &e), -1);
        if (strncmp(e.text, refusals[i].why, strlen(refusals[i].why)) != 0)
            fail_msg("%s: %s, and not %s", refusals[i].text, e.text, refusals[i].why);
    }
    assert_int_equal(setup_manifest_read(&m, ALL(FILE_JSON(""), ""), strlen(ALL(FILE_JSON(""), "")), &e), 0);
    setup_manifest_clear(&m);
}

static void test_limits(void **state)
{
    struct setup_manifest m = {.stage = SETUP_APPLYING};
    char path[32];

    (void)state;
    for (unsigned i = 0; i < SETUP_FILES_MAX; i++) {
        snprintf(path, sizeof(path), "/x%u", i);
        assert_int_equal(setup_manifest_add_file(&m, path)->number, i);
    }
    assert_null(setup_manifest_add_file(&m, "/one more"));
    setup_manifest_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_any_octets),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
