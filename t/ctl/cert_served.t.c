/* cert_served.t.c - tests of cert_served_io.c: servers that say nothing of use, and those without end, are given up.
 * What is served by real ones: lab 100. */
#include "cert_served_io.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct cert_where where = {.host = "127.0.0.1"};
static int listener = -1;

/* A port of its own, where nobody listens yet. */
static int bind_any(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(sa);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        getsockname(listener, (struct sockaddr *)&sa, &len) != 0)
        return -1;
    snprintf(where.port, sizeof(where.port), "%u", (unsigned)ntohs(sa.sin_port));
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return bind_any() != 0 || listen(listener, 16) != 0 ? -1 : 0;
}

/* Says `first` to each that connects, then `again` every 100 ms (20 times at most in the time that is given here, far
 * fewer than the lines a reply may have), or, without it, goes. */
static void serve(const char *first, const char *again)
{
    const struct timespec pause = {.tv_nsec = 100000000};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        bool on = fd >= 0 && write(fd, first, strlen(first)) >= 0;

        while (on && again != NULL) {
            on = write(fd, again, strlen(again)) >= 0;
            nanosleep(&pause, NULL);
        }
        close(fd);
    }
}

#define TEN(line) line line line line line line line line line line

static void gives_up(void **state)
{
    static const struct {
        const char *first, *again, *why;
    } rows[] = {
        {"", "2", "too long"},
        {"", "220-\r\n", "too long"},
        {"", "", "too long"},
        {"220 x\r\n", "250-STARTTLS\r\n", "too long"},
        {"220 x\r\n", TEN(TEN("250-x\r\n")), "a reply without end"},
        {"220 x\r\n250-STARTTLS\r\n250 x\r\n220 x\r\n", "", "TLS handshake: it takes too long"},
        {"220 x\r\n250 x\r\n", NULL, "no STARTTLS"},
        {"554 x\r\n", NULL, "it says \"554"},
        {"220 x\r\n250-STARTTLS\r\n250 x\r\n220 x\r\nnonsense", "", "TLS handshake"},
        {"220 x\r\n", NULL, ""},
    };
    const uint8_t sha256[CERT_DIGEST_LEN] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {""};
        pid_t child = fork();
        int rc;

        assert_true(child >= 0);
        if (child == 0)
            serve(rows[i].first, rows[i].again);
        rc = cert_served_wait(&where, sha256, 2000, &e);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(rc, -1);
        if (strncmp(e.text, "127.0.0.1 port ", 15) != 0 || strstr(e.text, rows[i].why) == NULL)
            fail_msg("row %zu: %s", i, e.text);
    }
}

static void nobody(void **state)
{
    const uint8_t sha256[CERT_DIGEST_LEN] = {0};
    struct err e = {""};

    (void)state;
    close(listener);
    assert_int_equal(bind_any(), 0); /* nobody else gets that port */
    assert_int_equal(cert_served_wait(&where, sha256, 3000, &e), -1);
    assert_non_null(strstr(e.text, "Connection refused"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_up), cmocka_unit_test(nobody)};

    return cmocka_run_group_tests_name("cert_served", tests, begin, NULL);
}
