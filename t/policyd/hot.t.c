/*
 * hot.t.c - what an answer from memory may cost: no allocation at all, and little memory for each domain that is held.
 * The linker sends every allocation of ours, and libevent those of its own, through the counters here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_io.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURNS        1000
#define DOMAINS      10000
#define CHUNK        16 /* what malloc adds to a block, and rounds it to, at most */
#define OCTETS_PLAIN 220
#define OCTETS_BOUND 700

static size_t allocations, octets;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static void note(size_t size)
{
    allocations++;
    octets += size + CHUNK;
}

void *__wrap_malloc(size_t size)
{
    note(size);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    note(count * size);
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    note(size);
    return __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    note(strlen(text));
    return __real_strdup(text);
}

static const char policy[] = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.example.net\nmax_age: 604800\n";

static struct dest *facts(const char *domain, bool enforce, int64_t now)
{
    struct dest *d = dest_new(domain);

    assert_non_null(d);
    d->mx = DEST_MX_LIST;
    d->resolved = now;
    d->valid_until = now + 3600;
    assert_non_null(dest_add_host(d, "mx1.example.com", 10));
    if (!enforce)
        return d;
    d->sts.record = DEST_STS_FOUND;
    strcpy(d->sts.id, "1");
    assert_int_equal(dest_sts_set_policy(&d->sts, "1", policy, strlen(policy), now, NULL), 0);
    strcpy(d->tlsrpt, "v=TLSRPTv1; rua=mailto:tls-reports@example.com");
    return d;
}

/* As lookup_end_io.c does it. Returns what of it stays. */
static size_t remember_as(struct memory *m, const char *name, const char *domain, bool enforce)
{
    struct decide_options options = decide_options_default();
    int64_t now = (int64_t)time(NULL);
    struct dest *d = facts(domain, enforce, now);
    struct decision decision;
    struct answer *a;
    size_t before;

    decide(&decision, d, DECIDE_FRESH, &options, now);
    a = answer_new(&decision, d, &options);
    assert_non_null(a);
    before = octets;
    assert_int_equal(memory_put(m, name, strlen(name), a), 0);
    dest_free(d);
    return octets - before + sizeof(*a) + a->plain_len + a->tlsrpt_len + CHUNK;
}

static size_t remember(struct memory *m, const char *domain, bool enforce)
{
    return remember_as(m, domain, domain, enforce);
}

/* --- no allocation --- */

static const struct {
    const char *what, *request, *answer;
    const struct conn_protocol *protocol; /* NULL: socketmap */
} rows[] = {
    {"a policy", "19:postfix example.com,", "64:OK secure match=mx1.example.com:.example.net servername=hostname,",
     NULL},
    {"with TLSRPT attributes", "27:QUERYwithTLSRPT example.com,",
     "369:OK secure match=mx1.example.com:.example.net servername=hostname policy_type=sts ", NULL},
    {"no policy", "21:postfix plain.example,", "9:NOTFOUND ,", NULL},
    {"in capitals", "19:postfix Example.COM,", "64:OK secure match=", NULL},
    {"port 25", "22:postfix example.com:25,", "64:OK secure match=", NULL},
    {"a parent", "20:postfix .example.com,", "9:NOTFOUND ,", NULL},
    {"a host", "21:postfix [example.com],", "9:NOTFOUND ,", NULL},
    {"an address", "19:postfix [192.0.2.1],", "9:NOTFOUND ,", NULL},
    {"three at once", "21:postfix plain.example,20:postfix .example.com,21:postfix [example.com],",
     "9:NOTFOUND ,9:NOTFOUND ,9:NOTFOUND ,", NULL},
    {"a tagged recipient",
     "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=\nrecipient=u+requiretls@example.com\n\n",
     "action=PREPEND Require-TLS-ESMTP: yes\n\n", &conn_policy},
    {"a recipient", "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=u@example.com\n\n", "action=DUNNO\n\n",
     &conn_policy},
};

static void ask(struct event_base *base, int fd, size_t row)
{
    const char *request = rows[row].request, *want = rows[row].answer;
    char got[4096];
    ssize_t len;

    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    len = recv(fd, got, sizeof(got), MSG_DONTWAIT);
    if (len < (ssize_t)strlen(want) || memcmp(got, want, strlen(want)) != 0)
        fail_msg("%s: answered \"%.*s\"", rows[row].what, len > 0 ? (int)len : 0, got);
}

static void test_no_allocation(void **state)
{
    static const uint8_t secret[16] = {1};
    static struct conns conns;
    struct event_base *base;
    struct memory memory;
    int fd[2];

    (void)state;
    base = event_base_new();
    assert_non_null(base);
    assert_int_equal(memory_init(&memory, DOMAINS, secret), 0);
    (void)remember(&memory, "example.com", true);
    (void)remember(&memory, "plain.example", false);
    (void)remember_as(&memory, "[example.com]", "plain.example", false);
    (void)remember_as(&memory, "[192.0.2.1]", "plain.example", false);
    conns_init(&conns, base);
    conns.memory = &memory;
    conns.tag = (struct address_tag){'+', "requiretls"};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
        conn_open(&conns, fd[0], rows[row].protocol != NULL ? rows[row].protocol : &conn_socketmap);
        ask(base, fd[1], row); /* the buffer for replies grows once */
        allocations = 0;
        for (unsigned turn = 0; turn < TURNS; turn++)
            ask(base, fd[1], row);
        if (allocations != 0)
            fail_msg("%s: %zu allocations in %d turns", rows[row].what, allocations, TURNS);
        close(fd[1]);
    }
    conns_clear(&conns);
    memory_clear(&memory);
    event_base_free(base);
}

/* The counters count, what our own code allocates and what libevent does. */
static void test_counted(void **state)
{
    struct event_base *base;
    struct dest *d;

    (void)state;
    allocations = 0;
    d = dest_new("example.com");
    assert_int_equal(allocations, 1);
    dest_free(d);
    base = event_base_new();
    assert_non_null(base);
    assert_true(allocations > 1);
    event_base_free(base);
}

/* --- little memory --- */

static size_t octets_each(bool enforce)
{
    static const uint8_t secret[16] = {1};
    struct memory memory;
    char domain[DOMAIN_BUF];
    size_t total = 0;

    assert_int_equal(memory_init(&memory, 0, secret), 0);
    for (unsigned i = 0; i < DOMAINS; i++) {
        snprintf(domain, sizeof(domain), "mail%u.example.com", i);
        total += remember(&memory, domain, enforce);
    }
    memory_clear(&memory);
    return total / DOMAINS;
}

static void test_octets(void **state)
{
    size_t plain = octets_each(false), bound = octets_each(true);

    (void)state;
    print_message("octets for a domain without policy %zu, with policy and TLSRPT attributes %zu\n", plain, bound);
    assert_true(plain <= OCTETS_PLAIN);
    assert_true(bound <= OCTETS_BOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_no_allocation),
        cmocka_unit_test(test_octets),
    };

    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
    return cmocka_run_group_tests_name("hot", tests, NULL, NULL);
}
