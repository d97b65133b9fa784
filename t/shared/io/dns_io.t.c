/* dns_io.t.c - DNS queries against scripted resolvers, see dns_script.h. */
#include "dns_io.h"

#include "dns_script.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define NAME          "mx.example.com"
#define WRONG_15      "iiiiiiiiiiiiiii"
#define GOOD_ADDRESS  "192.0.2.1"
#define GUARD_SECONDS 60     /* a test that is still waiting then has failed */
#define SHORT_MS      1500   /* time-out of a try where one is waited for; longer than for a processor */
#define LONG_MS       150000 /* longer than the guard: nothing may wait for it */

struct got {
    struct event_base *base;
    unsigned calls, wanted;
    enum dns_status status;
    bool secure, unheard;
    char why[128];
    char address[ADDRESS_BUF];
};

static void on_answer(void *ctx, const struct dns_answer *answer)
{
    struct got *g = ctx;

    g->status = answer->status;
    g->secure = answer->secure;
    g->unheard = answer->unheard;
    (void)snprintf(g->why, sizeof(g->why), "%s", answer->why);
    (void)snprintf(g->address, sizeof(g->address), "%s", answer->count > 0 ? answer->rr[0].address : "");
    if (++g->calls == g->wanted)
        event_base_loopbreak(g->base);
}

static void run(struct event_base *base)
{
    const struct timeval guard = {.tv_sec = GUARD_SECONDS};

    event_base_loopexit(base, &guard);
    event_base_dispatch(base);
}

/* Let everything that is pending happen. */
static void run_ms(struct event_base *base, int ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_base_loopexit(base, &tv);
    event_base_dispatch(base);
}

static struct dns *client_new(struct event_base *base, const struct server *s, size_t count, int timeout_ms, int tries,
                              size_t concurrency)
{
    char text[4][32];
    char *list[5] = {NULL};
    struct dns_options options = {
        .resolvers = list, .timeout_ms = timeout_ms, .tries = tries, .concurrency = concurrency};
    struct err e;
    size_t i;

    for (i = 0; i < count; i++) {
        (void)snprintf(text[i], sizeof(text[i]), "127.0.0.1:%u", s[i].port);
        list[i] = text[i];
    }
    return dns_new(base, &options, &e);
}

/* Run the loop until the condition holds. */
#define RUN_UNTIL(base, condition)                            \
    do {                                                      \
        int turns = 0;                                        \
        while (!(condition) && turns++ < GUARD_SECONDS * 100) \
            run_ms(base, 10);                                 \
        assert_true(condition);                               \
    } while (0)

struct row {
    const char *name;
    const char *udp1, *udp2, *tcp1;
    int timeout_ms, tries;
    enum dns_status status;
    bool secure;
    const char *why;
    unsigned seen1, seen2, seen_tcp;
};

static const struct row rows[] = {
    {"good", "G", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"good, AD from loopback", "A", "", "", LONG_MS, 4, DNS_FOUND, true, "", 1, 0, 0},
    {"no such name", "N", "", "", LONG_MS, 4, DNS_NXDOMAIN, false, "", 1, 0, 0},
    {"wrong id first", "iG", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"wrong question first", "qG", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"garbage first", "gG", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"forged from another port first", "oG", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"all of these first", "ioqggiqoG", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"as many wrong ones as are borne", WRONG_15 "iG", "", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 0},
    {"one more: over TCP, and UDP is not heard", WRONG_15 "iiG", "", "A", LONG_MS, 4, DNS_FOUND, true, "", 1, 0, 1},
    {"so many, and TCP closes", WRONG_15 "ii", "G", "c", LONG_MS, 4, DNS_FOUND, false, "", 1, 1, 1},
    {"only wrong ones", "iqog", "iqog", "", SHORT_MS, 2, DNS_FAILED, false, "time-out", 1, 1, 0},
    {"lost, then the second server", "x", "G", "", SHORT_MS, 4, DNS_FOUND, false, "", 1, 1, 0},
    {"lost twice, then the first again", "x G", "x", "", SHORT_MS, 4, DNS_FOUND, false, "", 2, 1, 0},
    {"SERVFAIL, good at the second", "S", "A", "", LONG_MS, 4, DNS_FOUND, true, "", 1, 1, 0},
    {"REFUSED, good at the second", "R", "G", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 1, 0},
    {"broken, good at the second", "B", "G", "", LONG_MS, 4, DNS_FOUND, false, "", 1, 1, 0},
    {"SERVFAIL everywhere ends at once", "S S S", "S S S", "", LONG_MS, 6, DNS_FAILED, false, "SERVFAIL", 1, 1, 0},
    {"SERVFAIL outweighs silence", "S", "x x", "", SHORT_MS, 3, DNS_FAILED, false, "SERVFAIL", 1, 2, 0},
    {"REFUSED everywhere", "R", "R", "", LONG_MS, 4, DNS_FAILED, false, "REFUSED", 1, 1, 0},
    {"one try only", "S", "G", "", LONG_MS, 1, DNS_FAILED, false, "SERVFAIL", 1, 0, 0},
    {"all dead", "x x", "x x", "", SHORT_MS, 4, DNS_FAILED, false, "time-out", 2, 2, 0},
    {"truncated, good over TCP", "T", "", "A", LONG_MS, 4, DNS_FOUND, true, "", 1, 0, 1},
    {"two replies over TCP", "T", "", "m", LONG_MS, 4, DNS_FOUND, false, "", 1, 0, 1},
    {"TCP hangs, good at the second", "T", "G", "x", SHORT_MS, 4, DNS_FOUND, false, "", 1, 1, 1},
    {"TCP stops half-way, good at the second", "T", "G", "h", SHORT_MS, 4, DNS_FOUND, false, "", 1, 1, 1},
    {"TCP closes, good at the second", "T", "G", "c", LONG_MS, 4, DNS_FOUND, false, "", 1, 1, 1},
    {"TCP hangs, only try", "T", "", "x", SHORT_MS, 1, DNS_FAILED, false, "time-out", 1, 0, 1},
    {"truncated over TCP", "T", "", "T", LONG_MS, 1, DNS_FAILED, false, "truncated over TCP", 1, 0, 1},
    {"wrong id over TCP", "T", "", "i", LONG_MS, 1, DNS_FAILED, false, "a reply to another question over TCP", 1, 0, 1},
    {"SERVFAIL over TCP, good at the second", "T", "G", "S", LONG_MS, 4, DNS_FOUND, false, "", 1, 1, 1},
};

/* All at once, so that those who wait, wait together. */
struct trial {
    struct server s[2];
    struct got got;
    struct dns *d;
};

static void trial_begin(struct trial *t, const struct row *r, struct event_base *base)
{
    t->got = (struct got){.base = base, .wanted = 1};
    server_open(&t->s[0], base, r->udp1, r->tcp1);
    server_open(&t->s[1], base, r->udp2, "");
    t->d = client_new(base, t->s, 2, r->timeout_ms, r->tries, 10);
    assert_non_null(dns_ask(t->d, NAME, DNS_A, on_answer, &t->got));
    assert_int_equal(t->got.calls, 0);
    assert_int_equal(dns_outstanding(t->d), 1);
}

static void trial_check(const struct trial *t, const struct row *r)
{
    const struct got *got = &t->got;

    print_message("  %s\n", r->name);
    assert_int_equal(got->calls, 1);
    assert_int_equal(dns_outstanding(t->d), 0);
    assert_int_equal(got->status, r->status);
    assert_int_equal(got->secure, r->secure);
    assert_string_equal(got->why, r->why);
    assert_int_equal(got->unheard, r->status == DNS_FAILED && strstr(r->why, "SERVFAIL") == NULL);
    assert_string_equal(got->address, r->status == DNS_FOUND ? GOOD_ADDRESS : "");
    assert_int_equal(t->s[0].seen, r->seen1);
    assert_int_equal(t->s[1].seen, r->seen2);
    assert_int_equal(t->s[0].seen_tcp, r->seen_tcp);
}

static bool trials_over(const struct trial *t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (t[i].got.calls == 0)
            return false;
    return true;
}

static void test_scripts(void **state)
{
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    static struct trial trial[ROWS];
    struct event_base *base = event_base_new();

    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        trial_begin(&trial[i], &rows[i], base);
    for (int turns = 0; !trials_over(trial, ROWS) && turns < GUARD_SECONDS * 100; turns++)
        run_ms(base, 10);
    for (size_t i = 0; i < ROWS; i++) {
        trial_check(&trial[i], &rows[i]);
        dns_free(trial[i].d);
        server_close(&trial[i].s[0]);
        server_close(&trial[i].s[1]);
    }
    event_base_free(base);
}

/*
 * From now on it is as if nobody listened there: it hears only one who never speaks. Nobody else gets its port, as the
 * socket of a query might, which would hear itself then.
 */
static void server_deafen(const struct server *s)
{
    const struct sockaddr_in mute = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(1)};

    assert_int_equal(connect(s->fd, (const struct sockaddr *)&mute, sizeof(mute)), 0);
}

/* Nobody listens on server 1: the second one is asked at once, not after the time-out. */
static void test_refused_port(void **state)
{
    struct event_base *base = event_base_new();
    struct server s[2];
    struct got got = {.base = base, .wanted = 1};
    struct dns *d;

    (void)state;
    server_open(&s[0], base, "", "");
    server_open(&s[1], base, "G", "");
    d = client_new(base, s, 2, GUARD_SECONDS * 2000, 4, 10);
    server_deafen(&s[0]);
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    run(base);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.status, DNS_FOUND);
    dns_free(d);

    got = (struct got){.base = base, .wanted = 1};
    d = client_new(base, s, 1, SHORT_MS, 2, 10);
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    run(base);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.status, DNS_FAILED);
    assert_string_equal(got.why, strerror(ECONNREFUSED));
    dns_free(d);
    server_close(&s[0]);
    server_close(&s[1]);
    event_base_free(base);
}

/* Ids and ports must not be guessable; at the least they differ (64 equal ones in a row are no chance). */
static void test_random(void **state)
{
    struct event_base *base = event_base_new();
    struct server s;
    struct got got = {.base = base, .wanted = 32};
    struct dns *d;
    unsigned i, same_id = 0, same_port = 0, next_id = 0;

    (void)state;
    server_open(&s, base, "G G G G G G G G G G G G G G G G G G G G G G G G G G G G G G G G", "");
    d = client_new(base, &s, 1, LONG_MS, 1, 32);
    for (i = 0; i < 32; i++)
        dns_ask(d, NAME, DNS_A, on_answer, &got);
    run(base);
    assert_int_equal(got.calls, 32);
    for (i = 1; i < 32; i++) {
        same_id += s.id[i] == s.id[i - 1];
        next_id += s.id[i] == s.id[i - 1] + 1;
        same_port += s.from[i] == s.from[i - 1];
    }
    assert_true(same_id < 4);
    assert_true(next_id < 4);
    assert_true(same_port < 4);
    dns_free(d);
    server_close(&s);
    event_base_free(base);
}

struct order {
    struct got *got;
    unsigned place; /* of its answer, 1 for the first */
};

static void on_ordered(void *ctx, const struct dns_answer *answer)
{
    struct order *o = ctx;

    on_answer(o->got, answer);
    o->place = o->got->calls;
}

/* Two at a time: the third waits until one is done, and a cancelled one that waits takes no turn. */
static void test_concurrency(void **state)
{
    struct event_base *base = event_base_new();
    struct server s;
    struct got got = {.base = base, .wanted = 4};
    struct order o[5] = {{.got = &got}, {.got = &got}, {.got = &got}, {.got = &got}, {.got = &got}};
    struct dns_query *q[5];
    struct dns *d;
    size_t i;

    (void)state;
    server_open(&s, base, "x x G G", "");
    d = client_new(base, &s, 1, 3000, 1, 2);
    for (i = 0; i < 5; i++)
        q[i] = dns_ask(d, NAME, DNS_A, on_ordered, &o[i]);
    assert_int_equal(dns_outstanding(d), 5);
    RUN_UNTIL(base, s.seen == 2);
    run_ms(base, 50);
    assert_int_equal(s.seen, 2);
    dns_cancel(q[2]);
    assert_int_equal(dns_outstanding(d), 4);
    run(base);
    assert_int_equal(got.calls, 4);
    assert_int_equal(o[2].place, 0);
    assert_int_equal(o[0].place + o[1].place, 1 + 2);
    assert_int_equal(s.seen, 4);
    assert_int_equal(dns_outstanding(d), 0);
    dns_free(d);
    server_close(&s);
    event_base_free(base);
}

/* Cancelled before the start, in flight over UDP, in flight over TCP: no callback, and the next one runs. */
static void test_cancel(void **state)
{
    struct event_base *base = event_base_new();
    struct server s;
    struct got got = {.base = base, .wanted = 1};
    struct got never = {.base = base};
    struct dns_query *q;
    struct dns *d;

    (void)state;
    server_open(&s, base, "x T G", "x");
    d = client_new(base, &s, 1, LONG_MS, 1, 1);
    dns_cancel(dns_ask(d, NAME, DNS_A, on_answer, &never));
    run_ms(base, 20);
    assert_int_equal(s.seen, 0);
    q = dns_ask(d, NAME, DNS_A, on_answer, &never);
    RUN_UNTIL(base, s.seen == 1);
    dns_cancel(q);
    q = dns_ask(d, NAME, DNS_A, on_answer, &never);
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    RUN_UNTIL(base, s.seen_tcp == 1);
    dns_cancel(q);
    run(base);
    assert_int_equal(got.status, DNS_FOUND);
    assert_int_equal(got.calls, 1);
    assert_int_equal(never.calls, 0);
    dns_free(d);
    server_close(&s);
    event_base_free(base);
}

struct again {
    struct dns *d;
    struct event_base *base;
    struct dns_query *other;
    struct got *second;
    unsigned calls;
};

static void ask_again(void *ctx, const struct dns_answer *answer)
{
    struct again *a = ctx;

    (void)answer;
    a->calls++;
    dns_cancel(a->other);
    dns_ask(a->d, NAME, DNS_A, on_answer, a->second);
    assert_int_equal(a->second->calls, 0);
}

static void free_all(void *ctx, const struct dns_answer *answer)
{
    struct again *a = ctx;

    assert_int_equal(answer->status, DNS_FOUND);
    a->calls++;
    dns_free(a->d);
    event_base_loopbreak(a->base);
}

/* Asking, cancelling and freeing within a callback. */
static void test_reentrant(void **state)
{
    struct event_base *base = event_base_new();
    struct server s;
    struct got second = {.base = base, .wanted = 1}, never = {.base = base};
    struct again a = {.base = base, .second = &second};

    (void)state;
    server_open(&s, base, "G x x G", "");
    a.d = client_new(base, &s, 1, SHORT_MS, 2, 10);
    dns_ask(a.d, NAME, DNS_A, ask_again, &a);
    a.other = dns_ask(a.d, NAME, DNS_A, on_answer, &never);
    run(base);
    assert_int_equal(a.calls, 1);
    assert_int_equal(second.calls, 1);
    assert_int_equal(never.calls, 0);
    dns_free(a.d);

    s.udp = "G G";
    a.calls = 0;
    a.d = client_new(base, &s, 1, LONG_MS, 2, 10);
    dns_ask(a.d, NAME, DNS_A, free_all, &a);
    dns_ask(a.d, NAME, DNS_A, free_all, &a);
    run(base);
    assert_int_equal(a.calls, 1);
    server_close(&s);
    event_base_free(base);
}

/* dns_free with queries waiting and running: nothing is called, nothing leaks (AddressSanitizer sees to it). */
static void test_free_pending(void **state)
{
    struct event_base *base = event_base_new();
    struct server s;
    struct got never = {.base = base};
    struct dns *d;

    (void)state;
    server_open(&s, base, "x T x", "x");
    d = client_new(base, &s, 1, LONG_MS, 2, 2);
    dns_ask(d, NAME, DNS_A, on_answer, &never);
    dns_ask(d, NAME, DNS_A, on_answer, &never);
    dns_ask(d, NAME, DNS_A, on_answer, &never);
    run_ms(base, 50);
    dns_free(d);
    dns_free(NULL);
    run_ms(base, 50);
    assert_int_equal(never.calls, 0);
    server_close(&s);
    event_base_free(base);
}

/* From now on no descriptor can be opened. Returns the limit that was. */
static rlim_t descriptors_end(int below)
{
    struct rlimit limit;
    rlim_t before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)below;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static int descriptor_lowest(void)
{
    int fd = dup(0);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

/* Our own fault: not heard of the resolver, which is asked again later, over UDP and TCP. */
static void test_no_descriptors(void **state)
{
    struct event_base *base = event_base_new();
    struct server s;
    struct got got = {.base = base, .wanted = 1};
    uint8_t query[DNS_QUERY_MAX], reply[DNS_QUERY_MAX];
    struct sockaddr_in client = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t len;
    rlim_t before;
    struct dns *d;
    int lowest;

    (void)state;
    server_open(&s, base, "G x G", "");
    d = client_new(base, &s, 1, SHORT_MS, 2, 10);
    before = descriptors_end(descriptor_lowest());
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    run(base);
    assert_int_equal(got.status, DNS_FAILED);
    assert_true(got.unheard);
    assert_string_equal(got.why, strerror(EMFILE));
    assert_int_equal(s.seen, 0);

    got = (struct got){.base = base, .wanted = 1};
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    run_ms(base, SHORT_MS / 5);
    (void)descriptors_end((int)before);
    run(base);
    assert_int_equal(got.status, DNS_FOUND);
    assert_int_equal(s.seen, 1);

    got = (struct got){.base = base, .wanted = 1};
    lowest = descriptor_lowest();
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    RUN_UNTIL(base, s.seen == 2);
    (void)descriptors_end(lowest); /* the query's own UDP socket is beyond that */
    len = (size_t)dns_query_build(query, sizeof(query), NAME, DNS_A, s.id[1], NULL);
    client.sin_port = s.from[1];
    len = packet_build(reply, 'T', query, len);
    assert_int_equal(sendto(s.fd, reply, len, 0, (struct sockaddr *)&client, sizeof(client)), (ssize_t)len);
    run_ms(base, SHORT_MS / 5);
    assert_int_equal(got.calls, 0);
    (void)descriptors_end((int)before);
    run(base);
    assert_int_equal(got.status, DNS_FOUND);
    assert_int_equal(s.seen_tcp, 0);
    dns_free(d);
    server_close(&s);
    event_base_free(base);
}

/* No way leads there at all: the time runs on, and then it is our own fault. */
static void test_no_way(void **state)
{
    static char broadcast[] = "255.255.255.255:53"; /* which a socket must ask leave for */
    static char *const list[] = {broadcast, NULL};
    const struct dns_options options = {.resolvers = list, .timeout_ms = SHORT_MS, .tries = 2, .concurrency = 1};
    struct event_base *base = event_base_new();
    struct got got = {.base = base, .wanted = 1};
    struct dns *d = dns_new(base, &options, NULL);

    (void)state;
    dns_ask(d, NAME, DNS_A, on_answer, &got);
    run(base);
    assert_int_equal(got.status, DNS_FAILED);
    assert_true(got.unheard);
    dns_free(d);
    event_base_free(base);
}

static void test_bad_options(void **state)
{
    static char good[] = "127.0.0.1:53", name[] = "resolver.example";
    static char *const bad[] = {good, name, NULL};
    const struct dns_options options = {.resolvers = bad, .timeout_ms = 1, .tries = 1, .concurrency = 1};
    struct event_base *base = event_base_new();
    struct err e = {.text = ""};

    (void)state;
    assert_null(dns_new(base, &options, &e));
    assert_string_not_equal(e.text, "");
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),      cmocka_unit_test(test_refused_port), cmocka_unit_test(test_random),
        cmocka_unit_test(test_concurrency),  cmocka_unit_test(test_cancel),       cmocka_unit_test(test_reentrant),
        cmocka_unit_test(test_free_pending), cmocka_unit_test(test_bad_options),  cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_no_way),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("dns_io", tests, NULL, NULL);
}
