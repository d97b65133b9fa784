/*
 * collector_load.c - what counting costs. collector_load REDIS-URL SPOOL EVENTS DOMAINS REASONS: so many events, of so
 * many policy domains in turn, each tenth of them failed, with so many different reasons; as fast as it goes, until
 * Redis has them all. Prints events a second, and seconds of processor a million events.
 */
#include "clock.h"
#include "collector_io.h"
#include "log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TURN 1000 /* events between looks at the sockets */

static double cpu(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int count(struct collector *c, long i, long domains, long reasons)
{
    static const char *const lines[] = {"version: STSv1", "mode: enforce", "mx: mx1.example.net", "max_age: 604800"},
                             *const mx[] = {"mx1.example.net"};
    char domain[48], reason[48];
    struct tlsrpt_failure failure = {.result = TLSRPT_CERTIFICATE_EXPIRED,
                                     .mx_name = "mx1.example.net",
                                     .sending_ip = "192.0.2.1",
                                     .receiving_ip = "2001:db8::25",
                                     .reason = reason};
    struct tlsrpt_policy policy = {TLSRPT_POLICY_STS, domain, lines, 4, mx, 1, NULL, 0, false};

    (void)snprintf(domain, sizeof(domain), "domain%ld.example", i % domains);
    if (i % 10 == 9) {
        (void)snprintf(reason, sizeof(reason), "reason %ld", i % reasons);
        policy.failure = &failure;
        policy.failures = 1;
        policy.failed = true;
    }
    return collector_count(c, 20779,
                           &(struct tlsrpt_event){domain, "v=TLSRPTv1; rua=mailto:a@example.net", &policy, 1});
}

static void over(void *ctx)
{
    event_base_loopbreak(ctx);
}

int main(int argc, char **argv)
{
    struct conf_redis conf = {
        .username = (char *)"", .password = (char *)"", .prefix = (char *)"postern:", .timeout_ms = 5000};
    struct collector_options options = {
        .spool_max = INT64_C(1) << 32, .commit_ms = 1000, .commit_events = 50000, .keep = 604800};
    struct event_base *base = event_base_new();
    struct err e = {""};
    struct redis *redis;
    struct collector *c;
    long events, domains, reasons, lost = 0;
    int64_t begin, end;

    if (argc < 6)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    log_open("collector_load", true, LOGLEVEL_WARNING);
    conf.url = argv[1];
    options.spool = argv[2];
    events = strtol(argv[3], NULL, 10);
    domains = strtol(argv[4], NULL, 10);
    reasons = strtol(argv[5], NULL, 10);
    redis = redis_new(base, &conf, &e);
    c = redis == NULL ? NULL : collector_new(base, redis, &options, &e);
    if (c == NULL) {
        printf("cannot: %s\n", e.text);
        return 1;
    }
    while (!redis_up(redis))
        event_base_loop(base, EVLOOP_ONCE);
    begin = now_ms();
    for (long i = 0; i < events; i++) {
        lost += count(c, i, domains, reasons) != 0;
        if (i % TURN == TURN - 1)
            event_base_loop(base, EVLOOP_NONBLOCK);
    }
    end = now_ms();
    collector_drain(c, 600000, over, base);
    event_base_dispatch(base);
    printf("%ld events, %ld domains, %ld reasons: counted at %.0f a second, in Redis at %.0f a second, %.2f s of "
           "processor a "
           "million, %ld lost, %llu batches\n",
           events, domains, reasons, (double)events * 1000 / (double)(end - begin + 1),
           (double)events * 1000 / (double)(now_ms() - begin + 1), cpu() * 1e6 / (double)events, lost,
           (unsigned long long)collector_stats(c).batches);
    collector_free(c);
    redis_free(redis);
    event_base_free(base);
    return 0;
}
