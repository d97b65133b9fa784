/*
 * yardstick.c - the least that a socketmap server can do: one thread, epoll, a constant netstring for whatever arrives.
 * What policyd reaches is stated beside it. yardstick SOCKET
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS 256

static const char answer[] = "64:OK secure match=mx1.example.com:.example.net servername=hostname,";

static void serve(int fd)
{
    char buf[4096];
    ssize_t got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (got > 0)
        got = send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        close(fd);
}

int main(int argc, char **argv)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct epoll_event ev = {.events = EPOLLIN}, events[EVENTS];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int epoll = epoll_create1(0);

    if (argc != 2 || strlen(argv[1]) >= sizeof(sa.sun_path))
        return 2;
    strcpy(sa.sun_path, argv[1]);
    unlink(argv[1]);
    if (bind(listener, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(listener, 1024) != 0) {
        perror(argv[1]);
        return 1;
    }
    ev.data.fd = listener;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd);
                continue;
            }
            ev.data.fd = accept(listener, NULL, NULL);
            if (ev.data.fd >= 0)
                epoll_ctl(epoll, EPOLL_CTL_ADD, ev.data.fd, &ev);
        }
    }
}
