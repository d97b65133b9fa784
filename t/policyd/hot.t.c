/*
 * hot.t.c - what an answer from memory may cost: no allocation at all, and little memory for each domain that is held.
 * The linker sends every allocation of ours, and libevent those of its own, through the counters here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cert_store_io.h"
#include "conn_io.h"
#include "make_cert.h"
#include "sni_store_io.h"

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

/* One request on a connection: what is counted is what an answer costs. */
static const struct {
    const char *what, *request, *answer;
} exim_rows[] = {
    {"Exim: a policy", "policy example.com\n",
     "status=ok level=secure mx=mx1.example.com:.example.net sni=hostname transport=smtp\n"},
    {"Exim: in capitals", "policy Example.COM\n", "status=ok level=secure mx="},
    {"Exim: no policy", "policy plain.example\n", "status=ok level=default transport=smtp\n"},
    {"Exim: an MX host", "mx example.com a.example.net\n", "status=ok mx=yes\n"},
    {"Exim: another one", "mx example.com mx.evil.test\n", "status=ok mx=no why="},
    {"Exim: a recipient", "route u@example.com\n", "status=ok route=none\n"},
};

static void ask(struct event_base *base, int fd, const char *what, const char *request, const char *want)
{
    char got[4096];
    ssize_t len;

    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    len = recv(fd, got, sizeof(got), MSG_DONTWAIT);
    if (len < (ssize_t)strlen(want) || memcmp(got, want, strlen(want)) != 0)
        fail_msg("%s: answered \"%.*s\"", what, len > 0 ? (int)len : 0, got);
}

struct world {
    struct event_base *base;
    struct memory memory;
    struct conns conns;
};

static struct world *world_new(void)
{
    static const uint8_t secret[16] = {1};
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->base = event_base_new();
    assert_non_null(w->base);
    assert_int_equal(memory_init(&w->memory, DOMAINS, secret), 0);
    (void)remember(&w->memory, "example.com", true);
    (void)remember(&w->memory, "plain.example", false);
    (void)remember_as(&w->memory, "[example.com]", "plain.example", false);
    (void)remember_as(&w->memory, "[192.0.2.1]", "plain.example", false);
    conns_init(&w->conns, w->base);
    w->conns.memory = &w->memory;
    w->conns.tag = (struct address_tag){'+', "requiretls"};
    w->conns.optional_tag = (struct address_tag){'+', "tlsoptional"};
    return w;
}

static void world_free(struct world *w)
{
    conns_clear(&w->conns);
    memory_clear(&w->memory);
    event_base_free(w->base);
    free(w);
}

static void test_no_allocation(void **state)
{
    struct world *w = world_new();
    int fd[2];

    (void)state;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
        conn_open(&w->conns, fd[0], rows[row].protocol != NULL ? rows[row].protocol : &conn_socketmap);
        /* the buffer for replies grows once */
        ask(w->base, fd[1], rows[row].what, rows[row].request, rows[row].answer);
        allocations = 0;
        for (unsigned turn = 0; turn < TURNS; turn++)
            ask(w->base, fd[1], rows[row].what, rows[row].request, rows[row].answer);
        if (allocations != 0)
            fail_msg("%s: %zu allocations in %d turns", rows[row].what, allocations, TURNS);
        close(fd[1]);
    }
    world_free(w);
}

/* A folder with one certificate. */
static void store_make(char *folder)
{
    struct made m = {"mx.example.com", "DNS:mx.example.com,DNS:*.example.net", -3650, 3650, false, false};
    EVP_PKEY *key = make_key("P-256");
    X509 *cert = make_cert(&m, key, NULL, NULL);
    struct buf pem;

    buf_init(&pem, CERT_PEM_MAX);
    add_key(&pem, key, NULL);
    add_cert(&pem, cert);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(cert_file_write(folder, "one", CERT_FILE_LIVE, pem.data, pem.len, NULL, NULL), 0);
    buf_clear(&pem);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static const struct {
    const char *what, *request, *answer;
} sni_rows[] = {
    {"a certificate", "18:sni mx.example.com,", ":OK LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t"},
    {"a wildcard in capitals", "17:sni A.Example.NET,", ":OK LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t"},
    {"no certificate", "19:sni mx2.example.com,", "9:NOTFOUND ,"},
    {"a parent", "16:sni .example.com,", "9:NOTFOUND ,"},
    {"no name", "8:sni a..b,", "9:NOTFOUND ,"},
};

static void on_read(void *ctx)
{
    *(bool *)ctx = true;
}

/* Also: what went out does not stay in the buffer that all connections share. */
static void test_no_allocation_sni(void **state)
{
    char folder[] = "/tmp/postern-hot-XXXXXX";
    struct world *w = world_new();
    struct sni_store *store;
    bool read = false;
    int fd[2];

    (void)state;
    store_make(folder);
    store = sni_store_new(w->base, folder, true);
    sni_store_when_read(store, on_read, &read);
    while (!read)
        assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
    w->conns.sni = store;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    conn_open(&w->conns, fd[0], &conn_sni);
    for (size_t row = 0; row < sizeof(sni_rows) / sizeof(sni_rows[0]); row++) {
        const char *wanted = sni_rows[row].answer;
        size_t counted = 0;

        for (unsigned turn = 0; turn <= TURNS; turn++) {
            char got[4096] = "";

            allocations = 0;
            assert_int_equal(write(fd[1], sni_rows[row].request, strlen(sni_rows[row].request)),
                             strlen(sni_rows[row].request));
            assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
            assert_true(recv(fd[1], got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
            if (strstr(got, wanted) == NULL)
                fail_msg("%s: answered \"%.40s\"", sni_rows[row].what, got);
            if (turn > 0) /* the buffer for replies is made once */
                counted += allocations;
        }
        assert_int_equal(counted, 0);
        assert_null(memmem(w->conns.out.data, w->conns.out.cap, "LS0tLS1", 7));
    }
    close(fd[1]);
    sni_store_free(store);
    world_free(w);
    assert_int_equal(cert_entry_remove(folder, "one", NULL), 0);
    if (rmdir(folder) != 0) { /* its lock */
        char lock[64];

        (void)snprintf(lock, sizeof(lock), "%s/.lock", folder);
        (void)unlink(lock);
        assert_int_equal(rmdir(folder), 0);
    }
}

/* A connection of its own for each; the end of it is part of what is counted. */
static size_t exim_allocations(struct world *w, size_t row)
{
    size_t counted;
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    conn_open(&w->conns, fd[0], &conn_exim);
    allocations = 0;
    ask(w->base, fd[1], exim_rows[row].what, exim_rows[row].request, exim_rows[row].answer);
    assert_int_equal(shutdown(fd[1], SHUT_WR), 0);
    assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
    counted = allocations;
    assert_int_equal(w->conns.count, 0);
    close(fd[1]);
    return counted;
}

static void test_no_allocation_exim(void **state)
{
    struct world *w = world_new();

    (void)state;
    for (size_t row = 0; row < sizeof(exim_rows) / sizeof(exim_rows[0]); row++) {
        (void)exim_allocations(w, row); /* the buffer for replies grows once */
        for (unsigned turn = 0; turn < TURNS; turn++) {
            size_t counted = exim_allocations(w, row);

            if (counted != 0)
                fail_msg("%s: %zu allocations", exim_rows[row].what, counted);
        }
    }
    world_free(w);
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
        cmocka_unit_test(test_no_allocation_sni),
        cmocka_unit_test(test_no_allocation_exim),
        cmocka_unit_test(test_octets),
    };

    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
    return cmocka_run_group_tests_name("hot", tests, NULL, NULL);
}
