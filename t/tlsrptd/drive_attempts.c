/*
 * drive_attempts.c - attempts_io.c with a collector and a fallback that only say what they are given. drive_attempts
 * STSD POLICYD COUNTS reads a command a line from standard input:
 *
 *   attempt DOMAIN HOST TLS TRUST END [TIMES]   the three are numbers, as tls_attempt.h has them
 *   position TEXT      full 0|1      stats      end
 *
 * and prints "counted DOMAIN DAY TYPE:ok|TYPE:RESULT …", "position SOURCE TEXT", "fallback NEXTHOP HOST EVENT AT",
 * "room" and "stats ATTEMPTS REPORTED NOT-JUDGED WAITING FULL".
 */
#include "attempts_io.h"
#include "log.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT 1795341600

static struct event_base *base;
static struct attempts *attempts;
static bool full;

int collector_count(struct collector *c, int32_t day, const struct tlsrpt_event *event)
{
    (void)c;
    printf("counted %s %" PRId32, event->domain, day);
    for (size_t i = 0; i < event->policies; i++) {
        const struct tlsrpt_policy *p = &event->policy[i];

        if (p->failed)
            printf(" %d:%d", (int)p->type, (int)p->failure->result);
        else
            printf(" %d:ok", (int)p->type);
    }
    printf("\n");
    return 0;
}

bool collector_full(const struct collector *c)
{
    (void)c;
    return full;
}

void collector_position(struct collector *c, const char *source, const char *position)
{
    (void)c;
    printf("position %s %s\n", source, position);
}

void fallback_feed_add(struct fallback_feed *f, const char *nexthop, const char *host, enum fallback_event event,
                       int64_t at)
{
    (void)f;
    printf("fallback %s %s %s %" PRId64 "\n", nexthop, host, fallback_event_name(event), at);
}

static void on_room(void *ctx)
{
    (void)ctx;
    printf("room\n");
}

static void attempt_read(const char *line)
{
    struct tls_attempt a = {.at = AT};
    unsigned tls = 0, trust = 0, end = 0, times = 1;

    if (sscanf(line, "%253s %253s %u %u %u %u", a.domain, a.host, &tls, &trust, &end, &times) < 5)
        exit(2);
    if (strcmp(a.host, "-") == 0)
        a.host[0] = '\0';
    a.tls = (enum attempt_tls)tls;
    a.trust = (enum attempt_trust)trust;
    a.end = (enum attempt_end)end;
    for (; times > 0; times--)
        attempts_add(attempts, &a);
}

static void stats_print(void)
{
    struct attempts_stats s = attempts_stats(attempts);

    printf("stats %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu %d\n", s.attempts, s.reported, s.not_judged,
           attempts_waiting(attempts), attempts_full(attempts));
}

static void command(const char *line)
{
    if (strncmp(line, "attempt ", 8) == 0)
        attempt_read(line + 8);
    else if (strncmp(line, "position ", 9) == 0)
        attempts_position(attempts, "log", line + 9);
    else if (strncmp(line, "full ", 5) == 0)
        full = line[5] == '1';
    else if (strcmp(line, "stats") == 0)
        stats_print();
    else if (strcmp(line, "end") == 0)
        event_base_loopexit(base, NULL);
}

/* Commands are short and come whole: the test writes one at a time, and waits for "done". */
static void on_input(evutil_socket_t fd, short what, void *ctx)
{
    static char line[2000];
    static size_t len;
    char *end;
    ssize_t n = read(fd, line + len, sizeof(line) - len - 1);

    (void)what;
    (void)ctx;
    if (n <= 0) {
        event_base_loopexit(base, NULL);
        return;
    }
    len += (size_t)n;
    line[len] = '\0';
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        command(line);
        len -= (size_t)(end + 1 - line);
        memmove(line, end + 1, len + 1);
    }
}

int main(int argc, char **argv)
{
    struct event *input;
    struct err e = {""};

    if (argc != 4)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    log_open("drive_attempts", true, LOGLEVEL_INFO);
    base = event_base_new();
    attempts = attempts_new(base, argv[1], argv[2], argv[3][0] == '1', NULL, NULL, on_room, NULL, &e);
    if (attempts == NULL) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    attempts_patience(attempts, 100, 3);
    input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, NULL);
    event_add(input, NULL);
    event_base_dispatch(base);
    attempts_free(attempts);
    event_free(input);
    event_base_free(base);
    return 0;
}
