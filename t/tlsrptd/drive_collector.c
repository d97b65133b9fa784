/*
 * drive_collector.c - the collector without the rest of tlsrptd. drive_collector REDIS-URL SPOOL [commit_ms=N]
 * [commit_events=N] [spool_max=N] [keep=N] [timeout=MS] reads from standard input, line by line:
 *
 *   event N DAY DOMAIN ok|fail [REASON]   N events of one session with an STS policy; NUMBERED for REASON: each another
 *   event N DAY DOMAIN ok WORD            the same, each with another record
 *   position SOURCE TEXT
 *   safe WORD         prints "safe WORD" or "unsafe WORD", once that is known
 *   saved SOURCE      prints "saved POSITION"
 *   stats             prints "stats events lost batches spooled spooled_octets spool_failures unreadable full"
 *   counts DAY DOMAIN prints "counts DOMAIN", then "policy RECORD TYPE OK FAILED" and "failure RESULT REASON N" of
 * each, then "end LEFT-OUT BROKEN"; or "counts why …" domains DAY       prints "domains NAME …" wait              until
 * Redis has all drain MS          prints "drained"; and ends
 *
 * At the end of input it ends as a process that was killed. "ready" is printed first.
 */
#include "clock.h"
#include "collector_io.h"
#include "counts_io.h"
#include "log.h"
#include "utc_day.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct event_base *base;
static struct redis *redis;
static struct collector *collector;
static struct bufferevent *input;
static struct event *again;
static bool waits, made;

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

static void count(char *rest)
{
    char *save = NULL, *n = strtok_r(rest, " ", &save), *day_text = strtok_r(NULL, " ", &save),
         *domain = strtok_r(NULL, " ", &save), *how = strtok_r(NULL, " ", &save), *reason = strtok_r(NULL, "", &save);
    static const char *const lines[] = {"version: STSv1", "mode: enforce"}, *const mx[] = {"*.example.net"};
    char numbered[32], record[80] = "v=TLSRPTv1; rua=mailto:a@example.net";
    struct tlsrpt_failure failure = {.result = TLSRPT_CERTIFICATE_EXPIRED, .reason = reason};
    struct tlsrpt_policy policy = {TLSRPT_POLICY_STS, domain, lines, 2, mx, 1, NULL, 0, false};
    const struct tlsrpt_event event = {domain, record, &policy, 1};
    bool many = reason != NULL && strcmp(reason, "NUMBERED") == 0;
    int32_t day;

    if (how == NULL || !utc_day_parse(&day, day_text))
        exit(2);
    if (strcmp(how, "fail") == 0) {
        policy.failure = &failure;
        policy.failures = 1;
        policy.failed = true;
    }
    for (long i = 0; i < strtol(n, NULL, 10); i++) {
        if (reason != NULL && !policy.failed)
            (void)snprintf(record, sizeof(record), "v=TLSRPTv1; rua=mailto:%.20s%ld@example.net", reason, i);
        if (many) {
            (void)snprintf(numbered, sizeof(numbered), "number %ld", i);
            failure.reason = numbered;
        }
        if (collector_count(collector, day, &event) != 0)
            say("lost");
    }
}

static void on_safe(void *ctx, bool safe)
{
    printf("%s %s\n", safe ? "safe" : "unsafe", (char *)ctx);
    fflush(stdout);
    free(ctx);
}

static void on_made(void *ctx, bool safe)
{
    (void)ctx;
    (void)safe;
    made = true;
}

static void stats(void)
{
    struct collector_stats s = collector_stats(collector);

    printf("stats %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d\n", s.events,
           s.lost, s.batches, s.spooled, s.spooled_octets, s.spool_failures, s.unreadable, collector_full(collector));
    fflush(stdout);
}

static void on_counts(void *ctx, const struct counts *c, const char *why)
{
    (void)ctx;
    printf("counts %s%s\n", c == NULL ? "why " : c->domain, c == NULL ? why : "");
    for (size_t i = 0; c != NULL && i < c->policies; i++) {
        const struct counted_policy *p = &c->policy[i];

        printf("policy %s %s %" PRIu64 " %" PRIu64 "\n", p->record, tlsrpt_policy_type_name(p->policy.type),
               p->successful, p->failed);
        for (size_t f = 0; f < p->failures; f++)
            printf("failure %s %s %" PRIu64 "\n", tlsrpt_result_name(p->failure[f].failure.result),
                   p->failure[f].failure.reason, p->failure[f].sessions);
    }
    printf("end %" PRIu64 " %zu\n", c == NULL ? 0 : c->left_out, c == NULL ? 0 : c->broken);
    fflush(stdout);
}

static void on_domains(void *ctx, const char *const *domain, size_t domains, const char *why)
{
    (void)ctx;
    printf("domains%s%s", why != NULL ? " why " : "", why != NULL ? why : "");
    for (size_t i = 0; i < domains; i++)
        printf(" %s", domain[i]);
    say("");
}

static void on_drained(void *ctx)
{
    (void)ctx;
    say("drained");
    event_base_loopbreak(base);
}

static void position(char *rest)
{
    char *save = NULL, *source = strtok_r(rest, " ", &save), *text = strtok_r(NULL, "", &save);

    collector_position(collector, source, text);
}

static void ask(char *rest, bool one)
{
    char *save = NULL, *day_text = strtok_r(rest, " ", &save), *domain = strtok_r(NULL, " ", &save);
    int32_t day;
    int rc = utc_day_parse(&day, day_text) ? 0 : -1;

    if (rc == 0)
        rc = one ? counts_get(redis, day, domain, on_counts, NULL) : counts_domains(redis, day, on_domains, NULL);
    if (rc != 0)
        say("counts why away\nend 0 0");
}

static void obey(char *line)
{
    char *rest = strchr(line, ' ');

    if (rest != NULL)
        *rest++ = '\0';
    if (strcmp(line, "event") == 0)
        count(rest);
    else if (strcmp(line, "position") == 0)
        position(rest);
    else if (strcmp(line, "safe") == 0)
        collector_when_safe(collector, on_safe, strdup(rest));
    else if (strcmp(line, "stats") == 0)
        stats();
    else if (strcmp(line, "saved") == 0)
        printf("saved %s\n", collector_saved(collector, rest)), fflush(stdout);
    else if (strcmp(line, "counts") == 0)
        ask(rest, true);
    else if (strcmp(line, "domains") == 0)
        ask(rest, false);
    else if (strcmp(line, "wait") == 0) {
        waits = true;
        made = false;
        collector_when_safe(collector, on_made, NULL);
    } else if (strcmp(line, "drain") == 0)
        collector_drain(collector, strtol(rest, NULL, 10), on_drained, NULL);
}

static bool redis_has_all(void)
{
    struct collector_stats s = collector_stats(collector);

    return made && redis_up(redis) && s.spooled == 0;
}

/* Lines in turn; "wait" holds them up until a batch was made, and Redis has it. */
static void on_input(struct bufferevent *bev, void *ctx)
{
    struct evbuffer *in = bufferevent_get_input(bev);
    char *line;

    (void)ctx;
    while (!waits && (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
        obey(line);
        free(line);
    }
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    if (waits && redis_has_all()) {
        waits = false;
        on_input(input, ctx);
    }
}

static void on_end(struct bufferevent *bev, short what, void *ctx)
{
    (void)bev;
    (void)what;
    (void)ctx;
    event_base_loopbreak(base);
}

static int64_t number(int argc, char **argv, const char *key, int64_t otherwise)
{
    size_t len = strlen(key);

    for (int i = 3; i < argc; i++)
        if (strncmp(argv[i], key, len) == 0 && argv[i][len] == '=')
            return strtoll(argv[i] + len + 1, NULL, 10);
    return otherwise;
}

int main(int argc, char **argv)
{
    struct err e = {""};
    struct conf_redis conf = {.url = argv[1],
                              .username = (char *)"postern-tlsrptd",
                              .password = (char *)"secret",
                              .prefix = (char *)"postern:"};
    struct collector_options options = {.spool = argv[2],
                                        .spool_max = number(argc, argv, "spool_max", 1 << 30),
                                        .commit_ms = number(argc, argv, "commit_ms", 50),
                                        .commit_events = number(argc, argv, "commit_events", 1000),
                                        .keep = number(argc, argv, "keep", 604800)};
    struct timeval every = {.tv_usec = 20000};

    (void)signal(SIGPIPE, SIG_IGN);
    log_open("drive_collector", true, LOGLEVEL_INFO);
    conf.timeout_ms = number(argc, argv, "timeout", 2000);
    base = event_base_new();
    redis = redis_new(base, &conf, &e);
    collector = redis == NULL ? NULL : collector_new(base, redis, &options, &e);
    if (collector == NULL) {
        printf("cannot: %s\n", e.text);
        redis_free(redis);
        event_base_free(base);
        return 1;
    }
    input = bufferevent_socket_new(base, 0, 0);
    bufferevent_setcb(input, on_input, NULL, on_end, NULL);
    bufferevent_enable(input, EV_READ);
    again = event_new(base, -1, EV_PERSIST, on_again, NULL);
    event_add(again, &every);
    say("ready");
    event_base_dispatch(base);
    event_free(again);
    bufferevent_free(input);
    collector_free(collector);
    redis_free(redis);
    event_base_free(base);
    return 0;
}
