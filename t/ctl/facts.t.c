/* facts.t.c - destination records as people see them: whole texts. */
#include "facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1763748000) /* 2025-11-21T18:00:00Z */

#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void expect(struct dest *d, bool colour, const char *text)
{
    struct buf out;

    buf_init(&out, 100000);
    facts_print(&out, d, NOW, colour);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), text);
    buf_clear(&out);
    dest_free(d);
}

static struct dest *new_dest(const char *domain, enum dest_mx mx)
{
    struct dest *d = dest_new(domain);

    assert_non_null(d);
    d->mx = mx;
    d->resolved = NOW - 180;
    d->valid_until = NOW + 840;
    return d;
}

static struct dest_host *new_host(struct dest *d, const char *name, uint16_t preference, enum dest_dane dane)
{
    struct dest_host *h = dest_add_host(d, name, preference);

    assert_non_null(h);
    h->dane = dane;
    return h;
}

static void add_tlsa(struct dest_host *h, const char *text)
{
    if (h->tlsa == NULL) {
        h->tlsa = calloc(4, sizeof(*h->tlsa));
        assert_non_null(h->tlsa);
    }
    assert_int_equal(tlsa_parse(&h->tlsa[h->tlsa_count++], text, strlen(text), NULL), 0);
}

static void set_policy(struct dest *d, const char *mode, int64_t fetched)
{
    char body[200];

    snprintf(body, sizeof(body), "version: STSv1\nmode: %s\nmax_age: 604800\nmx: mx1.example.com\nmx: *.example.net\n",
             mode);
    assert_int_equal(dest_sts_set_policy(&d->sts, "20251101", body, strlen(body), fetched, NULL), 0);
    d->sts.attempted = fetched;
}

static void test_nothing(void **state)
{
    (void)state;
    expect(new_dest("example.com", DEST_MX_NULL), false,
           "domain          example.com\n"
           "MX              null MX: takes no mail, not DNSSEC-signed\n"
           "MTA-STS record  none\n"
           "MTA-STS policy  none\n"
           "TLSRPT record   none\n"
           "resolved        2025-11-21T17:57:00Z (3 m ago)\n"
           "valid until     2025-11-21T18:14:00Z (in 14 m)\n");
}

static void test_all(void **state)
{
    struct dest *d = new_dest("example.com", DEST_MX_LIST);
    struct dest_host *h = new_host(d, "mx1.example.com", 10, DEST_DANE_USABLE);

    (void)state;
    d->mx_secure = true;
    h->address_secure = true;
    strcpy(h->address[0], "192.0.2.1");
    strcpy(h->address[1], "2001:db8::1");
    h->address_count = 2;
    add_tlsa(h, "3 1 1 " DIGEST);
    add_tlsa(h, "1 0 1 " DIGEST);
    add_tlsa(h, "3 1 2 " DIGEST DIGEST);
    new_host(d, "mx.backup.example.net", 200, DEST_DANE_NONE);
    d->sts.record = DEST_STS_FOUND;
    strcpy(d->sts.id, "20251101");
    set_policy(d, "enforce", NOW - 7200);
    strcpy(d->tlsrpt, "v=TLSRPTv1; rua=mailto:t@example.com");
    expect(d, false,
           "domain          example.com\n"
           "MX              DNSSEC-signed\n"
           "MTA-STS record  found, id 20251101\n"
           "MTA-STS policy  enforce\n"
           "  id            20251101\n"
           "  max_age       604800 (7 d)\n"
           "  mx            mx1.example.com\n"
           "                *.example.net\n"
           "  fetched       2025-11-21T16:00:00Z (2 h ago)\n"
           "  expires       2025-11-28T16:00:00Z (in 6 d)\n"
           "TLSRPT record   v=TLSRPTv1; rua=mailto:t@example.com\n"
           "resolved        2025-11-21T17:57:00Z (3 m ago)\n"
           "valid until     2025-11-21T18:14:00Z (in 14 m)\n"
           "\n"
           "PREF  HOST                   ADDRESS      SIGNED  DANE    TLSA\n"
           "10    mx1.example.com        192.0.2.1    yes     usable  3 1 1 " DIGEST "\n"
           "                             2001:db8::1                  1 0 1 " DIGEST " unusable\n"
           "                                                          3 1 2 " DIGEST "0001020304... (64 octets)\n"
           "200   mx.backup.example.net  none         no      none\n");
}

static void test_failures(void **state)
{
    struct dest *d = new_dest("example.com", DEST_MX_TEMP);

    (void)state;
    strcpy(d->mx_why, "SERVFAIL");
    d->mx_truncated = true;
    d->sts.record = DEST_STS_FOUND;
    strcpy(d->sts.id, "2");
    set_policy(d, "testing", NOW - 700000);
    d->sts.failure = DEST_STS_FETCH_ERROR;
    strcpy(d->sts.why, "HTTP status 404\033[2J");
    d->sts.attempted = NOW - 60;
    expect(d, false,
           "domain          example.com\n"
           "MX              not known now: SERVFAIL\n"
           "MTA-STS record  found, id 2\n"
           "MTA-STS policy  testing, but expired\n"
           "  id            20251101\n"
           "  max_age       604800 (7 d)\n"
           "  mx            mx1.example.com\n"
           "                *.example.net\n"
           "  fetched       2025-11-13T15:33:20Z (8 d ago)\n"
           "  expires       2025-11-20T15:33:20Z (26 h ago)\n"
           "  last error    sts-policy-fetch-error: HTTP status 404\\x1b[2J\n"
           "  last attempt  2025-11-21T17:59:00Z (1 m ago)\n"
           "TLSRPT record   none\n"
           "resolved        2025-11-21T17:57:00Z (3 m ago)\n"
           "valid until     2025-11-21T18:14:00Z (in 14 m)\n");
}

static const struct {
    enum dest_mx mx;
    enum dest_sts_record record;
    const char *why, *mx_line, *record_line;
} words[] = {
    {DEST_MX_NODOMAIN, DEST_STS_NONE, "", "MX              no such domain, DNSSEC-signed, more hosts than are kept\n",
     "MTA-STS record  none\n"},
    {DEST_MX_IMPLICIT, DEST_STS_INVALID, "two records",
     "MX              none: the domain itself is the host, DNSSEC-signed, more hosts than are kept\n",
     "MTA-STS record  invalid, counts as none: two records\n"},
    {DEST_MX_LIST, DEST_STS_TEMP, "SERVFAIL", "MX              DNSSEC-signed, more hosts than are kept\n",
     "MTA-STS record  not known now: SERVFAIL\n"},
    {DEST_MX_TEMP, DEST_STS_TEMP, "", "MX              not known now\n", "MTA-STS record  not known now\n"},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct dest *d = new_dest("example.com", words[i].mx);
        struct buf out;

        d->mx_secure = true;
        d->mx_truncated = true;
        d->sts.record = words[i].record;
        strcpy(d->sts.why, words[i].why);
        buf_init(&out, 10000);
        facts_print(&out, d, NOW, false);
        assert_non_null(strstr(buf_text(&out), words[i].mx_line));
        assert_non_null(strstr(buf_text(&out), words[i].record_line));
        buf_clear(&out);
        dest_free(d);
    }
}

static void test_colour(void **state)
{
    struct dest *d = new_dest("example.com", DEST_MX_TEMP);
    struct buf out;

    (void)state;
    set_policy(d, "enforce", NOW);
    new_host(d, "mx1.example.com", 1, DEST_DANE_TEMP);
    buf_init(&out, 10000);
    facts_print(&out, d, NOW, true);
    assert_non_null(strstr(buf_text(&out), "\033[1mexample.com\033[0m\n"));
    assert_non_null(strstr(buf_text(&out), "\033[31mnot known now\033[0m\n"));
    assert_non_null(strstr(buf_text(&out), "\033[32menforce\033[0m\n"));
    assert_non_null(strstr(buf_text(&out), "\033[31mtemp\033[0m\n"));
    buf_clear(&out);
    dest_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_all),    cmocka_unit_test(test_failures),
        cmocka_unit_test(test_words),   cmocka_unit_test(test_colour),
    };
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
