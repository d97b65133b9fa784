/*
 * load.c - asks a socketmap server as fast as it answers: so many connections, each with one request under way, for so
 * many seconds. Prints answers per second. load SOCKET REQUEST CONNECTIONS SECONDS [ANSWER-MUST-BEGIN-WITH]
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

#define EVENTS 256

static char request[1024];
static size_t request_len;
static const char *expected = "OK";

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

static void ask(int fd)
{
    if (send(fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        die("send");
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

int main(int argc, char **argv)
{
    struct epoll_event ev = {.events = EPOLLIN}, events[EVENTS];
    int epoll = epoll_create1(0);
    uint64_t answers = 0;
    double start, end, now;

    if (argc < 5)
        return 2;
    if (argc > 5)
        expected = argv[5];
    request_len = netstring_write(request, sizeof(request), argv[2], strlen(argv[2]));
    for (int i = 0; i < atoi(argv[3]); i++) {
        ev.data.fd = connect_to(argv[1]);
        ask(ev.data.fd); /* the first answers are not counted: they fill the memory */
        take(ev.data.fd);
        epoll_ctl(epoll, EPOLL_CTL_ADD, ev.data.fd, &ev);
        ask(ev.data.fd);
    }
    start = seconds();
    end = start + atof(argv[4]);
    while ((now = seconds()) < end) {
        int count = epoll_wait(epoll, events, EVENTS, 1000);

        for (int i = 0; i < count; i++) {
            take(events[i].data.fd);
            ask(events[i].data.fd);
        }
        answers += count > 0 ? (uint64_t)count : 0;
    }
    printf("%.0f\n", (double)answers / (now - start));
    return 0;
}
