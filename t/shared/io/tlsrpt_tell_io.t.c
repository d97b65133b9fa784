/* tlsrpt_tell_io.t.c - tests of tlsrpt_tell_io.c with a collector by call_server.h: away, back, slow, refusing. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "tlsrpt_tell_io.h"

#include "call_server.h"
#include "tlsrpt_event.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 60
#define HELD_MAX   100

struct env {
    char dir[64];
    char address[120];
    struct event_base *base;
    struct call_server *collector;
    struct tlsrpt_tell *tell;
    bool hold; /* do not answer */
    enum call_status answer;
    size_t sour; /* the number of the event that is answered TEMP whatever the others are; 0: none */
    struct call *held[HELD_MAX];
    size_t held_count;
    size_t next; /* the number of the event that is to come */
    size_t got;
    bool in_order;
    bool drained;
};

static void on_event(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    struct env *v = ctx;
    char digits[32] = "";
    size_t number;

    memcpy(digits, arg, len < sizeof(digits) ? len : sizeof(digits) - 1);
    number = strtoul(digits, NULL, 10);
    assert_string_equal(verb, "event");
    v->in_order = v->in_order && number == v->next;
    v->next = number + 1;
    v->got++;
    if (v->hold) {
        assert_in_range(v->held_count, 0, HELD_MAX - 1);
        v->held[v->held_count++] = call;
    } else {
        call_answer(call, v->sour != 0 && number == v->sour ? CALL_TEMP : v->answer, "so", 2);
    }
}

static void collector_up(struct env *v)
{
    struct err e = {""};

    v->collector = call_server_open(v->base, v->address, 0600, on_event, v, &e);
    assert_string_equal(e.text, "");
}

static void collector_down(struct env *v)
{
    call_server_free(v->collector);
    v->collector = NULL;
    for (size_t i = 0; i < v->held_count; i++)
        call_answer(v->held[i], CALL_OK, "", 0);
    v->held_count = 0;
}

static int setup(void **state)
{
    struct env *v = calloc(1, sizeof(*v));

    signal(SIGPIPE, SIG_IGN);
    snprintf(v->dir, sizeof(v->dir), "/tmp/tell.t.XXXXXX");
    assert_non_null(mkdtemp(v->dir));
    snprintf(v->address, sizeof(v->address), "unix:%s/c", v->dir);
    v->base = event_base_new();
    v->answer = CALL_OK;
    v->in_order = true;
    v->tell = tlsrpt_tell_new(v->base, v->address, NULL);
    assert_non_null(v->tell);
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    struct env *v = *state;

    tlsrpt_tell_free(v->tell);
    if (v->collector != NULL)
        collector_down(v);
    assert_return_code(rmdir(v->dir), errno);
    event_base_free(v->base);
    free(v);
    return 0;
}

static void on_limit(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    *(bool *)ctx = true;
}

/* Turn the loop until so many wait. */
static void until_waiting(struct env *v, uint64_t wanted)
{
    const struct timeval limit = {PATIENCE_S, 0};
    bool late = false;
    struct event *timer = evtimer_new(v->base, on_limit, &late);

    evtimer_add(timer, &limit);
    while (tlsrpt_tell_stats(v->tell).waiting != wanted) {
        event_base_loop(v->base, EVLOOP_ONCE);
        assert_false(late);
    }
    event_free(timer);
}

/* Turn the loop until the sour one has been asked about behind this one, or nothing waits. */
static void until_next(struct env *v, size_t number)
{
    const struct timeval limit = {PATIENCE_S, 0};
    bool late = false, taken = false;
    struct event *timer = evtimer_new(v->base, on_limit, &late);

    evtimer_add(timer, &limit);
    while (!taken || (v->next != v->sour + 1 && tlsrpt_tell_stats(v->tell).waiting > 0)) {
        event_base_loop(v->base, EVLOOP_ONCE);
        taken = taken || v->next == number + 1;
        assert_false(late);
    }
    event_free(timer);
}

static void turn(struct env *v, int ms)
{
    const struct timeval limit = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

    event_base_loopexit(v->base, &limit);
    event_base_dispatch(v->base);
}

static void tell_many(struct env *v, size_t from, size_t to)
{
    char json[32];

    for (size_t i = from; i < to; i++)
        tlsrpt_tell(v->tell, json, (size_t)snprintf(json, sizeof(json), "%zu", i));
}

static void stats_are(struct env *v, uint64_t events, uint64_t lost, uint64_t waiting)
{
    struct tlsrpt_tell_stats s = tlsrpt_tell_stats(v->tell);

    assert_int_equal(s.events, events);
    assert_int_equal(s.lost, lost);
    assert_int_equal(s.waiting, waiting);
}

static void in_their_order(void **state)
{
    struct env *v = *state;

    collector_up(v);
    tell_many(v, 0, 1000);
    stats_are(v, 1000, 0, 1000);
    until_waiting(v, 0);
    stats_are(v, 1000, 0, 0);
    assert_int_equal(v->got, 1000);
    assert_true(v->in_order);
}

/* Nothing is lost, nothing comes twice, though it was away from the beginning, and then again. */
static void away_and_back(void **state)
{
    struct env *v = *state;

    tell_many(v, 0, 500);
    turn(v, 700);
    stats_are(v, 500, 0, 500);
    collector_up(v);
    until_waiting(v, 0);
    assert_int_equal(v->got, 500);
    collector_down(v);
    tell_many(v, 500, 1000);
    turn(v, 300);
    stats_are(v, 1000, 0, 500);
    collector_up(v);
    until_waiting(v, 0);
    stats_are(v, 1000, 0, 0);
    assert_int_equal(v->got, 1000);
    assert_true(v->in_order);
}

/* It goes with what it has not answered: that comes again. */
static void unanswered(void **state)
{
    struct env *v = *state;

    collector_up(v);
    v->hold = true;
    tell_many(v, 0, 200);
    for (int i = 0; i < PATIENCE_S * 100 && v->got < 64; i++)
        turn(v, 10);
    turn(v, 300);
    assert_int_equal(v->got, 64); /* no more at one time */
    stats_are(v, 200, 0, 200);
    collector_down(v);
    turn(v, 100);
    v->hold = false;
    v->next = v->got = 0;
    collector_up(v);
    until_waiting(v, 0);
    stats_are(v, 200, 0, 0);
    assert_int_equal(v->got, 200);
    assert_true(v->in_order);
}

/* TEMP: it cannot keep them now; PERM: never. */
static void refused(void **state)
{
    struct env *v = *state;

    collector_up(v);
    v->answer = CALL_TEMP;
    tell_many(v, 0, 3);
    turn(v, 200);
    stats_are(v, 3, 0, 3);
    v->answer = CALL_PERM;
    until_waiting(v, 0);
    stats_are(v, 3, 3, 0);
    v->answer = CALL_OK;
    tell_many(v, 3, 6);
    until_waiting(v, 0);
    stats_are(v, 6, 3, 0);
}

/* One that the collector does not take for now holds nobody up, and goes when all others have been taken so often. */
static void refused_alone(void **state)
{
    struct env *v = *state;
    size_t told = 200;

    v->sour = 1;
    collector_up(v);
    tell_many(v, 0, told);
    until_waiting(v, 1);
    stats_are(v, told, 0, 1);
    for (; tlsrpt_tell_stats(v->tell).lost == 0; told++) {
        assert_in_range(told, 200, 220);
        tell_many(v, told, told + 1);
        until_next(v, told);
    }
    until_waiting(v, 0);
    stats_are(v, told, 1, 0);
}

/* It takes none: then all are kept, however often they were refused. */
static void refused_together(void **state)
{
    struct env *v = *state;

    collector_up(v);
    v->answer = CALL_TEMP;
    tell_many(v, 0, 2);
    while (v->got < 4)
        event_base_loop(v->base, EVLOOP_ONCE);
    stats_are(v, 2, 0, 2);
    v->answer = CALL_OK;
    until_waiting(v, 0);
    stats_are(v, 2, 0, 0);
}

static void bounded_in_number(void **state)
{
    struct env *v = *state;

    tell_many(v, 0, TLSRPT_TELL_EVENTS + 7);
    stats_are(v, TLSRPT_TELL_EVENTS + 7, 7, TLSRPT_TELL_EVENTS);
    collector_up(v);
    until_waiting(v, 0);
    assert_int_equal(v->got, TLSRPT_TELL_EVENTS);
    assert_true(v->in_order);
}

static void bounded_in_size(void **state)
{
    struct env *v = *state;
    static char json[TLSRPT_EVENT_MAX];
    uint64_t fit;

    memset(json, '1', sizeof(json));
    for (int i = 0; i < 300; i++)
        tlsrpt_tell(v->tell, json, sizeof(json));
    fit = tlsrpt_tell_stats(v->tell).waiting;
    assert_in_range(fit, TLSRPT_TELL_OCTETS / sizeof(json) - 2, TLSRPT_TELL_OCTETS / sizeof(json));
    stats_are(v, 300, 300 - fit, fit);
    collector_up(v); /* the largest event is a request that can be read */
    until_waiting(v, 0);
    assert_int_equal(v->got, fit);
    tlsrpt_tell(v->tell, json, sizeof(json));
    until_waiting(v, 0);
    stats_are(v, 301, 300 - fit, 0);
}

static void on_drained(void *ctx)
{
    *(bool *)ctx = true;
}

static void drain(void **state)
{
    struct env *v = *state;

    assert_true(tlsrpt_tell_drain(v->tell, INT64_C(1000) * PATIENCE_S, on_drained, &v->drained));
    assert_true(tlsrpt_tell_drain(NULL, INT64_C(1000) * PATIENCE_S, on_drained, &v->drained));
    collector_up(v);
    tell_many(v, 0, 100);
    assert_false(tlsrpt_tell_drain(v->tell, INT64_C(1000) * PATIENCE_S, on_drained, &v->drained));
    assert_false(v->drained);
    while (!v->drained)
        event_base_loop(v->base, EVLOOP_ONCE);
    stats_are(v, 100, 0, 0);
    collector_down(v);
    v->drained = false;
    tell_many(v, 100, 200);
    assert_false(tlsrpt_tell_drain(v->tell, 20, on_drained, &v->drained));
    while (!v->drained) /* not for ever */
        event_base_loop(v->base, EVLOOP_ONCE);
    stats_are(v, 200, 0, 100);
}

static void nobody(void **state)
{
    struct err e = {""};

    (void)state;
    tlsrpt_tell(NULL, "{}", 2);
    assert_int_equal(tlsrpt_tell_stats(NULL).events, 0);
    tlsrpt_tell_free(NULL);
    assert_null(tlsrpt_tell_new(NULL, "nowhere", &e));
    assert_true(e.text[0] != '\0');
}

#define WITH_ENV(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENV(in_their_order), WITH_ENV(away_and_back),    WITH_ENV(unanswered),        WITH_ENV(refused),
        WITH_ENV(refused_alone),  WITH_ENV(refused_together), WITH_ENV(bounded_in_number), WITH_ENV(bounded_in_size),
        WITH_ENV(drain),          cmocka_unit_test(nobody),
    };
    return cmocka_run_group_tests_name("tlsrpt_tell_io", tests, NULL, NULL);
}
