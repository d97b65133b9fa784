/* sendmail_io.t.c - mails by a program, with stand-ins that are shell scripts (checks W11, W12). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "sendmail_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FROM "postmaster@example.org"

static char dir[] = "/tmp/sendmail.t.XXXXXX";
static char program[64], got[64];
static struct event_base *base;

struct told {
    int calls;
    bool failed;
    char why[500];
};

static void on_done(void *ctx, const char *why)
{
    struct told *t = ctx;

    t->calls++;
    t->failed = why != NULL;
    (void)snprintf(t->why, sizeof(t->why), "%s", why != NULL ? why : "");
    event_base_loopbreak(base);
}

static void write_program(const char *body)
{
    FILE *f = fopen(program, "w");

    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\n%s\n", body);
    fclose(f);
    assert_int_equal(chmod(program, 0700), 0);
    (void)unlink(got);
}

static struct told send_to(const char *to, const char *text, size_t len, int timeout_ms)
{
    const struct timeval guard = {.tv_sec = 90};
    struct told t = {0};
    struct buf message;

    buf_init(&message, 20000000);
    buf_add(&message, text, len);
    assert_non_null(sendmail_start(base, program, FROM, to, &message, timeout_ms, on_done, &t));
    assert_int_equal(message.len, 0);
    assert_int_equal(t.calls, 0);
    event_base_loopexit(base, &guard);
    event_base_dispatch(base);
    assert_int_equal(t.calls, 1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    return t;
}

static char *read_got(void)
{
    char *text = calloc(1, 20000001);
    FILE *f = fopen(got, "r");

    assert_non_null(f);
    (void)!fread(text, 1, 20000000, f);
    fclose(f);
    return text;
}

static void expect_got(const char *want)
{
    char *text = read_got();

    assert_string_equal(text, want);
    free(text);
}

/* W11: the envelope has the sender that it was given. W12: whatever it looks like, it is one argument, after "--". */
static void test_arguments(void **state)
{
    static const char *const to[] = {"tls@example.com", "-oQ/tmp/x@example.com",
                                     "--@example.com",  "$(touch${IFS}x)@e.com",
                                     "`id`@e.com",      "a'b@e.com",
                                     "|cat@e.com",      "*@e.com",
                                     "{a}@e.com"};
    char script[200], want[200];

    (void)state;
    (void)snprintf(script, sizeof(script), "printf '%%s\\n' \"$#\" \"$@\" >%s; cat >/dev/null", got);
    write_program(script);
    for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
        struct told t = send_to(to[i], "x\r\n", 3, 20000);

        assert_string_equal(t.why, "");
        (void)snprintf(want, sizeof(want), "5\n-i\n-f\n" FROM "\n--\n%s\n", to[i]);
        expect_got(want);
    }
}

/* CR LF becomes LF, all else stays; a large message does not stop the loop. */
static void test_message(void **state)
{
    static const char text[] = "A: b\r\n\r\n.\r\na\rb\nc\0\r\r\n\r";
    char script[200];
    char *large = malloc(5000000), *back;
    struct told t;

    (void)state;
    (void)snprintf(script, sizeof(script), "cat >%s", got);
    write_program(script);
    t = send_to("a@b", text, sizeof(text) - 1, 20000);
    assert_false(t.failed);
    back = read_got();
    assert_memory_equal(back, "A: b\n\n.\na\rb\nc\0\r\n\r", 19);
    free(back);
    memset(large, 'x', 5000000);
    (void)snprintf(script, sizeof(script), "sleep 0.3; cat >%s", got);
    write_program(script);
    t = send_to("a@b", large, 5000000, 20000);
    assert_false(t.failed);
    back = read_got();
    assert_int_equal(strlen(back), 5000000);
    free(back);
    free(large);
}

static const struct {
    const char *script, *why;
} faults[] = {
    {"exit 0", ""}, /* does not even read */
    {"cat >/dev/null; exit 75", "exit status 75 (for now)"},
    {"cat >/dev/null; echo 'queue full' >&2; echo more >&2; exit 75", "exit status 75 (for now): queue full"},
    {"echo out; echo >&2; echo 'User unknown' >&2; exit 67", "exit status 67: User unknown"},
    {"kill -9 $$", "it was ended by signal 9"},
    {"i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; exit 1",
     "exit status 1: 0123456789012345678901234567890123456789"},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct told t;

        write_program(faults[i].script);
        t = send_to("a@b", "x\r\n", 3, 20000);
        assert_string_equal(t.why, faults[i].why);
    }
    (void)unlink(program);
    assert_non_null(strstr(send_to("a@b", "x", 1, 20000).why, "cannot be run: No such file"));
}

/* It runs, and is not merely waited for by nobody. */
static bool is_alive(long pid)
{
    char path[64], text[2000] = "";
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
    f = fopen(path, "r");
    if (f == NULL)
        return false;
    (void)!fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    return strstr(text, "State:\tZ") == NULL && strstr(text, "State:\tX") == NULL;
}

/* It and what it has started are killed. */
static void test_timeout(void **state)
{
    char script[200];
    char *text;
    struct told t;

    (void)state;
    (void)snprintf(script, sizeof(script), "sleep 60 & echo $! >%s; echo busy >&2; wait", got);
    write_program(script);
    t = send_to("a@b", "x\r\n", 3, 5000);
    assert_string_equal(t.why, "time-out, it was killed: busy");
    text = read_got();
    for (int i = 0; i < 1200 && is_alive(atol(text)); i++)
        usleep(50000);
    assert_false(is_alive(atol(text)));
    free(text);
}

static void test_surroundings(void **state)
{
    char script[300];
    int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    char *text, *ignored;

    (void)state;
    setenv("SECRET", "x", 1);
    (void)snprintf(script, sizeof(script),
                   "exec 1>%s; /usr/bin/env; ls /proc/$$/fd; /bin/kill -l >/dev/null; "
                   "grep SigIgn /proc/$$/status; cat >/dev/null",
                   got);
    write_program(script);
    assert_string_equal(send_to("a@b", "x\r\n", 3, 20000).why, "");
    text = read_got();
    assert_null(strstr(text, "SECRET"));
    assert_non_null(strstr(text, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
    assert_null(strstr(text, "\n3\n"));
    assert_null(strstr(text, "\n4\n"));
    ignored = strstr(text, "SigIgn:");
    assert_non_null(ignored);
    assert_int_equal(strtoull(ignored + strlen("SigIgn:"), NULL, 16) & (1U << (SIGPIPE - 1)), 0);
    free(text);
    close(fd);
}

static void test_cancel(void **state)
{
    struct told t = {0};
    struct buf message;

    (void)state;
    write_program("sleep 1000");
    buf_init(&message, 100);
    buf_str(&message, "x");
    sendmail_cancel(sendmail_start(base, program, FROM, "a@b", &message, 20000, on_done, &t));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(t.calls, 0);
}

/* Whoever starts it is killed at once: it still has the whole message, and does not take what there is for all. */
static void test_killed(void **state)
{
    enum { LEN = 200000 };
    char script[300];
    char *text;
    pid_t child;

    (void)state;
    (void)snprintf(script, sizeof(script), "sleep 0.2; cat >%s.part; mv %s.part %s", got, got, got);
    write_program(script);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct event_base *own = event_base_new();
        struct told t = {0};
        struct buf message;

        buf_init(&message, LEN);
        for (int i = 0; i < LEN; i++)
            buf_char(&message, 'x');
        (void)sendmail_start(own, program, FROM, "a@b", &message, 20000, on_done, &t);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (int i = 0; i < 1200 && access(got, F_OK) != 0; i++)
        usleep(50000);
    text = read_got();
    assert_int_equal(strlen(text), LEN);
    free(text);
}

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(program, sizeof(program), "%s/sendmail", dir);
    (void)snprintf(got, sizeof(got), "%s/got", dir);
    base = event_base_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(program);
    (void)unlink(got);
    event_base_free(base);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_message), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_timeout),   cmocka_unit_test(test_killed),  cmocka_unit_test(test_surroundings),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("sendmail_io", tests, setup, teardown);
}
