/*
 * datagram_sink.c - datagram_io.c with a counter behind it, for tests and for t/bench/datagrams.
 *     datagram_sink ADDRESS [memory=OCTETS] [mode=MODE] [bad=PATH] [refuse=N]
 * Writes "ready", and at SIGTERM or SIGINT, after all that came was counted, one line: "counted N failed N received N
 * unreadable N dropped N odd N us N", us being microseconds of processor time. refuse: of the events that many are
 * refused first.
 */
#include "datagram_io.h"

#include "log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct sink {
    struct event_base *base;
    struct datagrams *datagrams;
    unsigned long long counted, failed, refuse;
};

static bool count(void *ctx, const struct tlsrpt_event *event)
{
    struct sink *s = ctx;

    if (s->refuse > 0) {
        s->refuse--;
        return false;
    }
    s->counted++;
    for (size_t i = 0; i < event->policies; i++)
        s->failed += event->policy[i].failed;
    return true;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct sink *s = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(s->base);
}

static void tell(struct sink *s)
{
    struct datagrams_stats stats = datagrams_stats(s->datagrams);
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    printf("counted %llu failed %llu received %llu unreadable %llu dropped %llu odd %llu us %lld\n", s->counted,
           s->failed, (unsigned long long)stats.received, (unsigned long long)stats.unreadable,
           (unsigned long long)stats.dropped, (unsigned long long)stats.odd,
           (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
               used.ru_stime.tv_usec);
}

static const char *option(int argc, char **argv, const char *name, const char *usual)
{
    size_t len = strlen(name);

    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return argv[i] + len + 1;
    return usual;
}

int main(int argc, char **argv)
{
    struct sink s = {.base = event_base_new()};
    struct event *term = evsignal_new(s.base, SIGTERM, on_signal, &s);
    struct event *interrupt = evsignal_new(s.base, SIGINT, on_signal, &s);
    struct err e = {""};

    log_open("datagram_sink", true, LOGLEVEL_INFO);
    if (argc < 2)
        return 2;
    s.refuse = strtoull(option(argc, argv, "refuse", "0"), NULL, 10);
    s.datagrams = datagrams_open(s.base, argv[1], (unsigned)strtoul(option(argc, argv, "mode", "0666"), NULL, 8),
                                 strtoul(option(argc, argv, "memory", "67108864"), NULL, 10),
                                 option(argc, argv, "bad", ""), count, &s, &e);
    if (s.datagrams == NULL || datagrams_run(s.datagrams, &e) != 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    event_add(term, NULL);
    event_add(interrupt, NULL);
    printf("ready\n");
    fflush(stdout);
    event_base_dispatch(s.base);
    datagrams_drain(s.datagrams);
    tell(&s);
    datagrams_close(s.datagrams);
    event_free(term);
    event_free(interrupt);
    event_base_free(s.base);
    return 0;
}
