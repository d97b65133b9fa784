/* user_program.t.c - programs that end, and those that do not. */
#include "user_program_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *script;
    int seconds, status; /* status: -1 for what is not in time */
    const char *said;
} cases[] = {
    {"echo said; echo more >&2; exit 3", 20, 3, "said\nmore\n"},
    {"sleep 60", 1, -1, ""},
    {"exec >/dev/null 2>&1; exec sleep 60", 1, -1, ""},
    {"exec >&- 2>&-; sleep 60; exit 0", 1, -1, ""},
    {"exec >/dev/null 2>&1; sleep 1; exit 4", 20, 4, ""},
    {"sleep 60 & echo $!", 20, 0, NULL},
    {"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", 1, -1, NULL},
};

static void test_ends(void **state)
{
    const char *user = getuid() == 0 ? "nobody" : getpwuid(getuid())->pw_name;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char shell[] = "/bin/sh", option[] = "-c", script[100];
        char *argv[] = {shell, option, script, NULL};
        const struct user_program p = {.user = user, .argv = argv, .seconds = cases[i].seconds};
        struct err e = {""};
        struct buf said;
        int status;

        strcpy(script, cases[i].script);
        buf_init(&said, 1000);
        alarm(300); /* what hangs ends the test */
        status = user_program_run(&said, &p, &e);
        alarm(0);
        if (status != cases[i].status)
            fail_msg("%s: %d, %s", cases[i].script, status, e.text);
        if (cases[i].said != NULL)
            assert_string_equal(buf_text(&said), cases[i].said);
        if (strchr(cases[i].script, '$') != NULL)
            kill((pid_t)atoi(buf_text(&said)), SIGKILL);
        if (status < 0)
            assert_non_null(strstr(e.text, "took more than 1 seconds"));
        buf_clear(&said);
    }
}

/* With SIGCHLD ignored the kernel forgets how a child ended. */
static void test_unknown_end(void **state)
{
    const char *user = getuid() == 0 ? "nobody" : getpwuid(getuid())->pw_name;
    char shell[] = "/bin/sh", option[] = "-c", script[] = "exit 3";
    char *argv[] = {shell, option, script, NULL};
    const struct user_program p = {.user = user, .argv = argv, .seconds = 20};
    struct err e = {""};
    struct buf said;

    (void)state;
    buf_init(&said, 1000);
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(user_program_run(&said, &p, &e), -1);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_non_null(strstr(e.text, "/bin/sh: it is not known how it ended: "));
    buf_clear(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ends), cmocka_unit_test(test_unknown_end)};

    return cmocka_run_group_tests_name("ctl/user_program", tests, NULL, NULL);
}
