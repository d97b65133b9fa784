/* program_output.t.c - a program's output: what it says, how it ends, and what it is given of ours. */
#include "program_output_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_MAX 1000

static const struct {
    const char *script, *out;
    const char *error; /* a part of it; NULL: it ended well */
} cases[] = {
    {"echo said; echo more >&2", "said\n", NULL},
    {"echo first >&2; echo last >&2; exit 3", "", "/bin/sh failed: last"},
    {"cat", "", NULL},
    {"kill -PIPE $$; echo lives", "", "/bin/sh failed: "},
    {"kill -KILL $$", "", "/bin/sh failed: "},
};

static int run(struct buf *out, const char *text, struct err *e)
{
    char shell[] = "/bin/sh", option[] = "-c", script[100];
    char *argv[] = {shell, option, script, NULL};
    int rc;

    strcpy(script, text);
    buf_init(out, OUT_MAX);
    alarm(300); /* what hangs ends the test */
    rc = program_output(out, argv, e);
    alarm(0);
    return rc;
}

static void test_ends(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* as posternctl has it */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = {""};
        struct buf out;
        int rc = run(&out, cases[i].script, &e);

        if (rc != (cases[i].error != NULL ? -1 : 0) || strcmp(buf_text(&out), cases[i].out) != 0)
            fail_msg("%s: %d, \"%s\", %s", cases[i].script, rc, buf_text(&out), e.text);
        if (cases[i].error != NULL && strstr(e.text, cases[i].error) == NULL)
            fail_msg("%s: %s", cases[i].script, e.text);
        buf_clear(&out);
    }
    (void)signal(SIGPIPE, SIG_DFL);
}

/* With SIGCHLD ignored the kernel forgets how a child ended. */
static void test_unknown_end(void **state)
{
    struct err e = {""};
    struct buf out;

    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(run(&out, "exit 3", &e), -1);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_non_null(strstr(e.text, "/bin/sh: it is not known how it ended: "));
    buf_clear(&out);
}

/* What it leaves behind is not waited for, though it holds the pipes. */
static void test_leaves_one(void **state)
{
    struct err e = {""};
    struct buf out;

    (void)state;
    assert_int_equal(run(&out, "sleep 60 & echo $!", &e), 0);
    assert_int_equal(kill((pid_t)atoi(buf_text(&out)), SIGKILL), 0);
    buf_clear(&out);
}

/* One that has to be killed takes with it what it has started, which holds a pipe of ours open as long as it lives. */
static void test_kills_all(void **state)
{
    struct pollfd held = {.events = POLLIN};
    struct err e = {""};
    struct buf out;
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(run(&out, "sleep 60 & while :; do echo xxxxxxxxxxxxxxxx; done", &e), -1);
    assert_non_null(strstr(e.text, "/bin/sh writes more than 1000 octets"));
    buf_clear(&out);
    close(fd[1]);
    held.fd = fd[0];
    assert_int_equal(poll(&held, 1, 30000), 1);
    close(fd[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ends), cmocka_unit_test(test_unknown_end),
                                       cmocka_unit_test(test_leaves_one), cmocka_unit_test(test_kills_all)};

    return cmocka_run_group_tests_name("ctl/program_output", tests, NULL, NULL);
}
