/*
 * load.c - asks a socketmap server as fast as it answers: so many connections, each with one request under way.
 *     load SOCKET REQUEST CONNECTIONS LENGTH [ANSWER [longest]]
 * LENGTH: "2s" for so many seconds, "1000" for so many answers. A # in REQUEST becomes a running number in two labels,
 * "7.12" for the 607th, so that every request is for another name, 50 below each parent. ANSWER: what every answer must
 * begin with ("OK"). Prints answers per second, or with "longest" the milliseconds that the slowest answer took.
 */
#include "netstring.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EVENTS      256
#define TEXT_MAX    1000
#define PATIENCE    120 /* seconds after which all of it has failed */
#define CONNECT_MAX 10000
#define SIBLINGS    50

static const char *text;
static const char *expected = "OK";
static uint64_t asked, answered;
static double longest; /* seconds */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static size_t request_write(char *out, size_t cap)
{
    const char *mark = strchr(text, '#');
    char named[TEXT_MAX + 32];
    unsigned long long low = asked % SIBLINGS, high = asked / SIBLINGS;
    int len = mark == NULL
                  ? snprintf(named, sizeof(named), "%s", text)
                  : snprintf(named, sizeof(named), "%.*s%llu.%llu%s", (int)(mark - text), text, low, high, mark + 1);

    return netstring_write(out, cap, named, (size_t)len);
}

static void ask(int fd)
{
    char request[TEXT_MAX + 64];
    size_t len = request_write(request, sizeof(request));

    if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send");
    asked++;
}

/* Answers are far smaller than what one recv gives whole over a unix socket. */
static void take(int fd)
{
    char buf[65536];
    struct netstring ns;
    ssize_t got = recv(fd, buf, sizeof(buf), 0);

    if (got <= 0 || netstring_parse(&ns, buf, (size_t)got, sizeof(buf)) != 1 || ns.len < strlen(expected) ||
        memcmp(ns.data, expected, strlen(expected)) != 0) {
        fprintf(stderr, "unexpected answer: %.*s\n", got > 0 ? (int)got : 0, buf);
        exit(1);
    }
    answered++;
}

static int connect_to(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(path) >= sizeof(sa.sun_path))
        exit(2);
    strcpy(sa.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
        die(path);
    return fd;
}

/* Ask on every connection, then ask again wherever an answer comes, until the time or the number is reached. */
static double run(int epoll, const int *fd, size_t connections, double length, uint64_t count)
{
    struct epoll_event events[EVENTS];
    double start = seconds(), now = start, before;

    for (size_t i = 0; i < connections && (count == 0 || asked < count); i++)
        ask(fd[i]);
    while (count != 0 ? answered < count : now < start + length) {
        int ready = epoll_wait(epoll, events, EVENTS, 1000);

        for (int i = 0; i < ready; i++) {
            take(events[i].data.fd);
            if (count == 0 || asked < count)
                ask(events[i].data.fd);
        }
        before = now;
        now = seconds();
        longest = now - before > longest ? now - before : longest;
    }
    return now - start;
}

int main(int argc, char **argv)
{
    static int fd[CONNECT_MAX];
    struct epoll_event ev = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    size_t connections;
    double length;
    char *unit;

    if (argc < 5 || strlen(argv[2]) > TEXT_MAX)
        return 2;
    text = argv[2];
    connections = strtoul(argv[3], NULL, 10);
    length = strtod(argv[4], &unit);
    expected = argc > 5 ? argv[5] : expected;
    if (connections > CONNECT_MAX || length < 1)
        return 2;
    alarm(PATIENCE);
    for (size_t i = 0; i < connections; i++) {
        ev.data.fd = fd[i] = connect_to(argv[1]);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &ev);
        if (*unit != 's')
            continue;
        ask(fd[i]); /* the first answers are not counted: they fill the memory */
        take(fd[i]);
    }
    asked = answered = 0;
    length = run(epoll, fd, connections, length, *unit == 's' ? 0 : (uint64_t)length);
    printf("%.0f\n", argc > 6 ? longest * 1e3 : (double)answered / length);
    return 0;
}
