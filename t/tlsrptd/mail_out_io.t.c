/* mail_out_io.t.c - the two ways of a mail: sendmail (sendmail_io.t.c has more of it), and SMTP to a server that is
 * played by a child, which does as a row says (checks E8, W11, W12). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "mail_out_io.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct event_base *base;
static struct curl_loop *loop;

struct told {
    int calls;
    char why[500];
};

static void on_done(void *ctx, const char *why)
{
    struct told *t = ctx;

    t->calls++;
    (void)snprintf(t->why, sizeof(t->why), "%s", why != NULL ? why : "");
    event_base_loopbreak(base);
}

/* What the server answers to each; NULL: it closes the connection instead. */
struct answers {
    const char *greeting, *rcpt, *end;
};

static void say(FILE *f, const char *line)
{
    if (line == NULL)
        _exit(0);
    (void)fprintf(f, "%s\r\n", line);
    (void)fflush(f);
}

/* One session; all that came goes to log. */
static void serve(int fd, const struct answers *a, FILE *log)
{
    FILE *f = fdopen(accept(fd, NULL, NULL), "r+");
    char line[2000];
    bool data = false;

    say(f, a->greeting);
    while (fgets(line, sizeof(line), f) != NULL) {
        (void)fputs(line, log);
        (void)fflush(log);
        if (data && strcmp(line, ".\r\n") == 0) {
            data = false;
            say(f, a->end);
        } else if (!data && strncmp(line, "RCPT", 4) == 0) {
            say(f, a->rcpt);
        } else if (!data && strncmp(line, "DATA", 4) == 0) {
            data = true;
            say(f, "354 go on");
        } else if (!data) {
            say(f, "250 ok");
        }
    }
    _exit(0);
}

static pid_t server(const struct answers *a, int *port, FILE *log)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(fd, a, log);
    }
    close(fd);
    return pid;
}

static struct told send_by(const char *how, const char *to)
{
    const struct timeval guard = {.tv_sec = 90};
    struct told t = {0};
    struct buf message;

    buf_init(&message, 1000);
    buf_str(&message, "Subject: x\r\n\r\n.dot\r\n.\r\nend\r\n");
    assert_non_null(mail_out_start(base, loop, how, "tls@example.org", to, &message, on_done, &t));
    assert_int_equal(t.calls, 0);
    event_base_loopexit(base, &guard);
    event_base_dispatch(base);
    assert_int_equal(t.calls, 1);
    return t;
}

static const struct {
    struct answers answers;
    const char *to, *why;
} rows[] = {
    {{"220 hello", "250 ok", "250 taken"}, "r@example.com", ""},
    {{"220 hello", "250 ok", "250 taken"}, "-oQ/tmp@example.com", ""},
    {{"220 hello", "250 ok", "250 taken"}, "a{b}'|`c@example.com", ""},
    {{"220 hello", "550 no such user", "250 taken"}, "r@example.com", "550"},
    {{"220 hello", "250 ok", "451 later"}, "r@example.com", "451"},
    {{"220 hello", "250 ok", "554 never"}, "r@example.com", "554"},
    {{"554 go away", "250 ok", "250 taken"}, "r@example.com", "554"},
    {{NULL, "250 ok", "250 taken"}, "r@example.com", " "},
    {{"220 hello", NULL, "250 taken"}, "r@example.com", " "},
    {{"220 hello", "250 ok", NULL}, "r@example.com", " "},
};

static void test_smtp(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        FILE *log = tmpfile();
        char how[64], text[2000] = "", want[200];
        struct told t;
        int port;
        pid_t pid = server(&rows[i].answers, &port, log);

        (void)snprintf(how, sizeof(how), "smtp:127.0.0.1:%d", port);
        t = send_by(how, rows[i].to);
        if (strstr(t.why, rows[i].why) == NULL || (t.why[0] == '\0') != (rows[i].why[0] == '\0'))
            fail_msg("row %zu: %s", i, t.why);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        rewind(log);
        (void)!fread(text, 1, sizeof(text) - 1, log);
        fclose(log);
        if (t.why[0] != '\0')
            continue;
        (void)snprintf(want, sizeof(want), "MAIL FROM:<tls@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n", rows[i].to);
        assert_non_null(strstr(text, want)); /* W11, W12 */
        assert_non_null(strstr(text, "Subject: x\r\n\r\n..dot\r\n..\r\nend\r\n.\r\n"));
        assert_null(strstr(text, "AUTH"));
    }
    assert_string_not_equal(send_by("smtp:127.0.0.1:1", "r@example.com").why, "");
}

static void test_sendmail(void **state)
{
    (void)state;
    assert_string_equal(send_by("sendmail:/bin/true", "r@example.com").why, "");
    assert_string_equal(send_by("sendmail:/bin/false", "r@example.com").why, "exit status 1");
}

static void test_cancel(void **state)
{
    static const char *const how[] = {"sendmail:/bin/true", "smtp:127.0.0.1:1"};
    struct told t = {0};
    struct buf message;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        buf_init(&message, 1000);
        buf_str(&message, "x\r\n");
        mail_out_cancel(mail_out_start(base, loop, how[i], "a@b", "c@d", &message, on_done, &t));
    }
    assert_int_equal(t.calls, 0);
}

static int setup(void **state)
{
    struct err e = {""};

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    loop = curl_loop_new(base, &e);
    return loop != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    curl_loop_free(loop);
    event_base_free(base);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smtp),
        cmocka_unit_test(test_sendmail),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("mail_out_io", tests, setup, teardown);
}
