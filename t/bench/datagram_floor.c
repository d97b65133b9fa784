/*
 * datagram_floor.c - the least that a receiver of datagrams can do: a real-time process that takes one after another
 * and forgets it. What it loses, the machine loses.
 *     datagram_floor unix:PATH
 * Speaks as t/tlsrptd/datagram_sink does.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SCHEME 5 /* octets of "unix:" */

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

int main(int argc, char **argv)
{
    const struct sched_param least = {.sched_priority = 1};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    unsigned long received = 0;
    struct rusage used;
    char octets[4096];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (argc < 2)
        return 2;
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1] + SCHEME);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
    (void)sched_setscheduler(0, SCHED_FIFO, &least);
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        return 1;
    printf("ready\n");
    fflush(stdout);
    while (ended == 0)
        if (recv(fd, octets, sizeof(octets), 0) > 0)
            received++;
    getrusage(RUSAGE_SELF, &used);
    printf("counted %lu received %lu dropped 0 us %lld\n", received, received,
           (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
               used.ru_stime.tv_usec);
    return 0;
}
