/* tlsrpt_event_read.t.c - tests of tlsrpt_event_read.c: what libtlsrpt has sent, odd datagrams (D1 to D4, J16, J17,
 * J20), and those that are refused (D5). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "tlsrpt_event_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SAMPLES  TOP_SRCDIR "/t/tlsrptd/samples/libtlsrpt-datagrams.jsonl"

/* What the lines of the sample say, in order. No result: the session came off. */
static const struct sample {
    const char *domain, *type, *policy_domain, *result, *reason, *helo, *receiving_ip;
} samples[] = {
    {"good.example", "sts", "good.example", "", "", "", ""},
    {"good.example", "no-policy-found", "good.example", "", "", "", ""},
    {"good.example", "no-policy-found", "good.example", "", "", "", ""},
    {"good.example", "no-policy-found", "good.example", "", "", "", ""},
    {"good.example", "no-policy-found", "good.example", "", "", "", ""},
    {"untrusted.example", "no-policy-found", "untrusted.example", "", "", "", ""},
    {"untrusted.example", "no-policy-found", "untrusted.example", "", "", "", ""},
    {"untrusted.example", "sts", "untrusted.example", "validation-failure", "unable_to_get_local_issuer_certificate",
     "mx.untrusted.example", "192.0.2.12"},
    {"selfsigned.example", "no-policy-found", "selfsigned.example", "", "", "", ""},
    {"selfsigned.example", "no-policy-found", "selfsigned.example", "", "", "", ""},
    {"selfsigned.example", "sts", "selfsigned.example", "validation-failure", "self-signed_certificate",
     "mx.selfsigned.example", "192.0.2.15"},
    {"expired.example", "no-policy-found", "expired.example", "", "", "", ""},
    {"expired.example", "no-policy-found", "expired.example", "", "", "", ""},
    {"expired.example", "sts", "expired.example", "certificate-expired", "", "mx.expired.example", "192.0.2.14"},
    {"mismatch.example", "no-policy-found", "mismatch.example", "", "", "", ""},
    {"mismatch.example", "no-policy-found", "mismatch.example", "", "", "", ""},
    {"mismatch.example", "sts", "mismatch.example", "certificate-host-mismatch", "", "mx.mismatch.example",
     "192.0.2.13"},
    {"anon.example", "no-policy-found", "anon.example", "", "", "", ""},
    {"nostarttls.example", "no-policy-found", "nostarttls.example", "starttls-not-supported", "",
     "mx.nostarttls.example", "192.0.2.16"},
    {"nostarttls.example", "sts", "nostarttls.example", "starttls-not-supported", "", "mx.nostarttls.example",
     "192.0.2.16"},
    {"tlsrefuse.example", "no-policy-found", "tlsrefuse.example", "starttls-not-supported", "", "mx.tlsrefuse.example",
     "192.0.2.20"},
    {"tlsrefuse.example", "sts", "tlsrefuse.example", "starttls-not-supported", "", "mx.tlsrefuse.example",
     "192.0.2.20"},
    {"reset.example", "sts", "reset.example", "validation-failure", "tls-handshake-failure", "mx.reset.example",
     "192.0.2.17"},
    {"reset.example", "no-policy-found", "reset.example", "validation-failure", "tls-handshake-failure",
     "mx.reset.example", "192.0.2.17"},
    {"reset.example", "no-policy-found", "reset.example", "validation-failure", "tls-handshake-failure",
     "mx.reset.example", "192.0.2.17"},
    {"rst.example", "sts", "rst.example", "validation-failure", "tls-handshake-failure", "mx.rst.example",
     "192.0.2.29"},
    {"rst.example", "no-policy-found", "rst.example", "validation-failure", "tls-handshake-failure", "mx.rst.example",
     "192.0.2.29"},
    {"rst.example", "no-policy-found", "rst.example", "validation-failure", "tls-handshake-failure", "mx.rst.example",
     "192.0.2.29"},
    {"hsfail.example", "sts", "hsfail.example", "validation-failure", "tls-handshake-failure", "mx.hsfail.example",
     "192.0.2.18"},
    {"hsfail.example", "no-policy-found", "hsfail.example", "validation-failure", "tls-handshake-failure",
     "mx.hsfail.example", "192.0.2.18"},
    {"hsfail.example", "no-policy-found", "hsfail.example", "validation-failure", "tls-handshake-failure",
     "mx.hsfail.example", "192.0.2.18"},
    {"garbage.example", "sts", "garbage.example", "validation-failure", "tls-handshake-failure", "mx.garbage.example",
     "192.0.2.19"},
    {"garbage.example", "no-policy-found", "garbage.example", "validation-failure", "tls-handshake-failure",
     "mx.garbage.example", "192.0.2.19"},
    {"garbage.example", "no-policy-found", "garbage.example", "validation-failure", "tls-handshake-failure",
     "mx.garbage.example", "192.0.2.19"},
    {"hang.example", "sts", "hang.example", "validation-failure", "tls-handshake-failure", "mx.hang.example",
     "192.0.2.30"},
    {"hang.example", "no-policy-found", "hang.example", "validation-failure", "tls-handshake-failure",
     "mx.hang.example", "192.0.2.30"},
    {"closetls.example", "no-policy-found", "closetls.example", "", "", "", ""},
    {"dane.example", "tlsa", "mx.dane.example", "", "", "", ""},
    {"dane.example", "tlsa", "mx.dane.example", "", "", "", ""},
    {"danebad.example", "tlsa", "mx.danebad.example", "certificate-not-trusted", "", "mx.danebad.example",
     "192.0.2.35"},
    {"danebad.example", "tlsa", "mx.danebad.example", "certificate-not-trusted", "", "mx.danebad.example",
     "192.0.2.35"},
    {"danenotls.example", "tlsa", "mx.danenotls.example", "starttls-not-supported", "", "mx.nostarttls.example",
     "192.0.2.16"},
    {"good.example", "no-policy-found", "good.example", "", "", "", ""},
    {"hang.example", "no-policy-found", "hang.example", "validation-failure", "tls-handshake-failure",
     "mx.hang.example", "192.0.2.30"},
    {"six.example", "sts", "six.example", "", "", "", ""},
    {"multi.example", "no-policy-found", "multi.example", "starttls-not-supported", "", "mx.nostarttls.example",
     "192.0.2.16"},
    {"multi.example", "no-policy-found", "multi.example", "", "", "", ""},
    {"two.example", "sts", "two.example", "certificate-host-mismatch", "", "mx.good.example", "192.0.2.11"},
    {"temprcpt.example", "no-policy-found", "temprcpt.example", "", "", "", ""},
    {"permrcpt.example", "no-policy-found", "permrcpt.example", "", "", "", ""},
    {"databad.example", "no-policy-found", "databad.example", "", "", "", ""},
    {"good.example", "sts", "good.example", "", "", "", ""},
    {"untrusted.example", "sts", "untrusted.example", "", "", "", ""},
    {"good.example", "sts", "good.example", "", "", "", ""},
    {"good.example", "sts", "good.example", "sts-webpki-invalid", "", "mx.good.example", "192.0.2.11"},
    {"sub.good.example", "sts", "sub.good.example", "", "", "", ""},
    {"sub.good.example", "sts", "sub.good.example", "", "", "", ""},
    {"sub.good.example", "sts", "sub.good.example", "", "", "", ""},
};

static const struct tlsrpt_failure no_failure = {.reason = "", .mx_helo = "", .receiving_ip = ""};

static void says(const struct tlsrpt_event_read *r, const struct sample *s)
{
    const struct tlsrpt_policy *p = r->event.policy;
    const struct tlsrpt_failure *f = p->failures > 0 ? p->failure : &no_failure;
    bool failed = s->result[0] != '\0';

    assert_int_equal(r->notes, 0);
    assert_int_equal(r->event.policies, 1);
    assert_string_equal(r->event.domain, s->domain);
    assert_non_null(strstr(r->event.record, s->domain));
    assert_string_equal(tlsrpt_policy_type_name(p->type), s->type);
    assert_string_equal(p->domain, s->policy_domain);
    assert_int_equal(p->failed, failed);
    assert_int_equal(p->failures, failed ? 1 : 0);
    assert_string_equal(f->reason, s->reason);
    assert_string_equal(f->mx_helo, s->helo);
    assert_string_equal(f->receiving_ip, s->receiving_ip);
    if (failed) {
        assert_string_equal(tlsrpt_result_name(f->result), s->result);
        assert_string_equal(f->sending_ip, "192.0.2.246");
        assert_string_equal(f->additional, "");
    }
}

/* The line as we write it: the name alone of the reply to EHLO, TLSA data in lower case. */
static void as_ours(struct buf *out, char *line)
{
    char *h = strstr(line, "\"h\": \"250-"), *tlsa = strstr(line, "[\"3 1 1 "), *rest = line;

    for (char *c = tlsa; c != NULL && *c != ']'; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c + 32 : *c);
    if (h != NULL) {
        buf_add(out, line, (size_t)(h - line) + 6);
        buf_add(out, h + 10, strcspn(h + 10, "\\"));
        rest = strchr(h + 10, '"');
    }
    buf_str(out, rest);
}

static void written_is(const struct tlsrpt_event *event, const char *want)
{
    struct buf out;

    buf_init(&out, TLSRPT_EVENT_MAX);
    tlsrpt_event_write(&out, event);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), want);
    buf_clear(&out);
}

static void of_libtlsrpt(void **state)
{
    FILE *f = fopen(SAMPLES, "r");
    char line[4096];
    size_t n = 0;

    (void)state;
    assert_non_null(f);
    for (; fgets(line, sizeof(line), f) != NULL; n++) {
        struct tlsrpt_event_read r;
        struct err e = {""};
        struct buf want;

        print_message("J20 datagram %zu\n", n + 1);
        assert_in_range(n, 0, COUNT(samples) - 1);
        line[strcspn(line, "\n")] = '\0';
        assert_int_equal(tlsrpt_event_read(&r, line, strlen(line), &e), 0);
        says(&r, &samples[n]);
        buf_init(&want, sizeof(line));
        as_ours(&want, line);
        written_is(&r.event, buf_text(&want));
        buf_clear(&want);
        tlsrpt_event_read_clear(&r);
        tlsrpt_event_read_clear(&r);
    }
    fclose(f);
    assert_int_equal(n, 58);
}

#define EVENT(domain, policies) "{\"dpv\": \"1\",\"d\": \"" domain "\",\"pr\": \"r\",\"policies\":[" policies "]}"
#define FAILED(details, t)      "{\"policy-type\":9,\"failure-details\":[" details "],\"t\":" t ",\"f\":1}"
#define FAILURE(members)        EVENT("a.test", FAILED("{" members "}", "1"))
#define GOOD                    "{\"policy-type\":9,\"t\":0,\"f\":0}"

/* What is odd is counted, and is then as `want`, written. */
static const struct odd {
    const char *check, *datagram, *want; /* want: NULL for the same */
    unsigned notes;
} odds[] = {
    {"D1", "{\"d\": \"a.test\",\"pr\": \"r\",\"policies\":[" GOOD "]}",
     EVENT("a.test", "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"t\":0,\"f\":0}"), 0},
    {"D1", "{\"dpv\": \"2\",\"d\": \"a.test\",\"pr\": \"r\",\"policies\":[" GOOD "]}",
     EVENT("a.test", "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"t\":0,\"f\":0}"), TLSRPT_NOTE_VERSION},
    {"D1", "{\"dpv\": 1,\"d\": \"a.test\",\"pr\": \"r\",\"policies\":[" GOOD "]}",
     EVENT("a.test", "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"t\":0,\"f\":0}"), TLSRPT_NOTE_VERSION},
    {"D3", EVENT("a.test", FAILED("{\"c\":201}", "2")),
     EVENT("a.test",
           "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"failure-details\":[{\"c\":201}],\"t\":1,\"f\":1}"),
     TLSRPT_NOTE_COUNT},
    {"D3", EVENT("a.test", "{\"policy-type\":9,\"failure-details\":[{\"c\":201}],\"f\":1}"),
     EVENT("a.test",
           "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"failure-details\":[{\"c\":201}],\"t\":1,\"f\":1}"),
     TLSRPT_NOTE_COUNT},
    {"D4", EVENT("A.Test.", "{\"policy-type\":2,\"policy-domain\": \"A.TEST.\",\"t\":0,\"f\":0}"),
     EVENT("a.test", "{\"policy-type\":2,\"policy-domain\": \"a.test\",\"t\":0,\"f\":0}"), 0},
    {"J9",
     EVENT("b\xc3\xbc"
           "cher.test",
           GOOD),
     EVENT("xn--bcher-kva.test", "{\"policy-type\":9,\"policy-domain\": \"xn--bcher-kva.test\",\"t\":0,\"f\":0}"), 0},
    {"J17", "{\"dpv\": \"1\",\"d\": \"a.test\",\"pr\": \"\xff\xc3\xa4\xe2\x82\",\"policies\":[" GOOD "]}",
     "{\"dpv\": \"1\",\"d\": \"a.test\",\"pr\": \"?\xc3\xa4??\",\"policies\":[{\"policy-type\":9,\"policy-domain\": "
     "\"a.test\",\"t\":0,\"f\":0}]}",
     TLSRPT_NOTE_UTF8},
    {"J20",
     EVENT("a.test", "{\"policy-type\":3,\"policy-domain\": \"a.test\",\"policy-string\":[\"x\"],\"t\":0,\"f\":0}"),
     EVENT("a.test", "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"t\":0,\"f\":0}"), TLSRPT_NOTE_POLICY_TYPE},
};

static void odd_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odds); i++) {
        struct tlsrpt_event_read r;
        struct err e = {""};

        print_message("%s row %zu\n", odds[i].check, i);
        assert_int_equal(tlsrpt_event_read(&r, odds[i].datagram, strlen(odds[i].datagram), &e), 0);
        assert_int_equal(r.notes, odds[i].notes);
        written_is(&r.event, odds[i].want);
        tlsrpt_event_read_clear(&r);
    }
}

/* One failure: its members, and as they are then. */
static void failures(void **state)
{
    static const struct {
        const char *check, *members, *want;
        unsigned notes;
    } rows[] = {
        {"J20", "\"c\":901", "\"c\":205,\"f\": \"unknown-result-901\"", TLSRPT_NOTE_RESULT},
        {"J20", "\"c\":999,\"f\": \"why\"", "\"c\":205,\"f\": \"unknown-result-999:why\"", TLSRPT_NOTE_RESULT},
        {"J20", "\"c\":-4294967095", "\"c\":205,\"f\": \"unknown-result--4294967095\"", TLSRPT_NOTE_RESULT},
        {"J16", "\"c\":201,\"s\": \"2001:DB8:0:0::1\",\"r\": \"192.0.2.1\"",
         "\"c\":201,\"s\": \"2001:db8::1\",\"r\": \"192.0.2.1\"", 0},
        {"J16", "\"c\":201,\"s\": \"fe80::1%eth0\",\"r\": \"192.0.2.1:25\"", "\"c\":201", TLSRPT_NOTE_ADDRESS},
        {"J16", "\"c\":201,\"s\": \"[192.0.2.1]\",\"r\": \"::1\"", "\"c\":201,\"r\": \"::1\"", TLSRPT_NOTE_ADDRESS},
        {"J9", "\"c\":201,\"n\": \"MX.A.Test.\"", "\"c\":201,\"n\": \"mx.a.test\"", 0},
        {"J9", "\"c\":201,\"n\": \"mx a\"", "\"c\":201", TLSRPT_NOTE_NAME},
        {"J13", "\"c\":201,\"h\": \"250 mx.a.test\"", "\"c\":201,\"h\": \"mx.a.test\"", 0},
        {"J13", "\"c\":201,\"h\": \"250-mx.a.test Hello [192.0.2.1]\\r\\n250 DSN\"", "\"c\":201,\"h\": \"mx.a.test\"",
         0},
        {"J13", "\"c\":201,\"h\": \"250 \\r\\n\"", "\"c\":201", 0},
        {"J13", "\"c\":201,\"h\": \"mx.a.test says so\"", "\"c\":201,\"h\": \"mx.a.test says so\"", 0},
        {"J13", "\"c\":201,\"h\": \"500 no\\r\\n\"", "\"c\":201,\"h\": \"500 no\\r\\n\"", 0},
        {"J17", "\"c\":205,\"h\": \"\\\"\\u007f\xff\",\"a\": \"https://a.test/\"",
         "\"c\":205,\"h\": \"\\\"\\u007f?\",\"a\": \"https://a.test/\"", TLSRPT_NOTE_UTF8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tlsrpt_event_read r;
        struct err e = {""};
        char text[1000], want[1000];

        print_message("%s row %zu\n", rows[i].check, i);
        snprintf(text, sizeof(text), FAILURE("%s"), rows[i].members);
        snprintf(want, sizeof(want),
                 EVENT("a.test",
                       "{\"policy-type\":9,\"policy-domain\": \"a.test\",\"failure-details\":[{%s}],\"t\":1,\"f\":1}"),
                 rows[i].want);
        assert_int_equal(tlsrpt_event_read(&r, text, strlen(text), &e), 0);
        assert_int_equal(r.notes, rows[i].notes);
        written_is(&r.event, want);
        tlsrpt_event_read_clear(&r);
    }
}

static void refused_with(const char *check, const char *datagram, size_t len, const char *say)
{
    char *exact = malloc(len == 0 ? 1 : len); /* no octet more, so that reading past the end is seen */
    struct tlsrpt_event_read r;
    struct err e = {""};

    print_message("%s %s\n", check, say);
    assert_non_null(exact);
    memcpy(exact, datagram, len);
    assert_int_equal(tlsrpt_event_read(&r, exact, len, &e), -1);
    assert_null(r.memory);
    if (strncmp(e.text, say, strlen(say)) != 0)
        assert_string_equal(e.text, say);
    free(exact);
}

static void refused(void **state)
{
    static const struct {
        const char *check, *datagram, *say;
    } rows[] = {
        {"D2", "{\"d\": \"a.test\",\"pr\": \"r\"}", "policies: is missing"},
        {"D2", EVENT("a.test", ""), "policies: is empty"},
        {"D4", EVENT("a.test..", GOOD), "d: is no domain: an empty label"},
        {"D4", EVENT(".", GOOD), "d: is no domain: an empty label"},
        {"D4", EVENT("", GOOD), "d: is no domain: an empty name"},
        {"D4", EVENT("a b", GOOD), "d: is no domain: an octet that no domain name has"},
        {"D4", EVENT("a.test", "{\"policy-type\":2,\"policy-domain\": \"..\",\"t\":0,\"f\":0}"),
         "policies: 1: policy-domain: is no domain: an empty label"},
        {"D5", "", "is empty"},
        {"D5", "x", "no JSON: "},
        {"D5", "{", "no JSON: "},
        {"D5", EVENT("a.test", GOOD) "x", "no JSON: "},
        {"D5", "{\"d\": \"a.test\",\"d\": \"b.test\"}", "no JSON: duplicate object key"},
        {"D5", EVENT("a\\u0000.test", GOOD), "no JSON: "},
        {"D5", "[]", "is not an object"},
        {"D5", "7", "no JSON: "},
        {"D5", "{\"policies\":{}}", "policies: is not an array"},
        {"D5", "{\"policies\":[" GOOD "]}", "d: is no domain: an empty name"},
        {"D5", "{\"d\":1,\"policies\":[" GOOD "]}", "d: is not a text"},
        {"D5", "{\"d\":\"a.test\",\"pr\":[],\"policies\":[" GOOD "]}", "pr: is not a text"},
        {"D5", EVENT("a.test", GOOD ",7"), "policies: 2: is not an object"},
        {"D5", EVENT("a.test", "{\"t\":0,\"f\":0}"), "policies: 1: policy-type: is missing"},
        {"D5", EVENT("a.test", "{\"policy-type\":\"9\",\"t\":0,\"f\":0}"),
         "policies: 1: policy-type: is not an integer"},
        {"D5", EVENT("a.test", "{\"policy-type\":9.0,\"t\":0,\"f\":0}"), "policies: 1: policy-type: is not an integer"},
        {"D5", EVENT("a.test", "{\"policy-type\":9,\"t\":0}"), "policies: 1: f: is missing"},
        {"D5", EVENT("a.test", "{\"policy-type\":9,\"t\":0,\"f\":true}"), "policies: 1: f: is not an integer"},
        {"D5", EVENT("a.test", "{\"policy-type\":2,\"policy-string\":\"x\",\"t\":0,\"f\":0}"),
         "policies: 1: policy-string: is not an array"},
        {"D5", EVENT("a.test", "{\"policy-type\":2,\"mx-host\":[\"x\",1],\"t\":0,\"f\":0}"),
         "policies: 1: mx-host: 2: is not a text"},
        {"D5", EVENT("a.test", "{\"policy-type\":2,\"failure-details\":{},\"t\":0,\"f\":0}"),
         "policies: 1: failure-details: is not an array"},
        {"D5", EVENT("a.test", FAILED("7", "1")), "policies: 1: failure-details: 1: is not an object"},
        {"D5", EVENT("a.test", FAILED("{}", "1")), "policies: 1: failure-details: 1: c: is missing"},
        {"D5", FAILURE("\"c\":\"201\""), "policies: 1: failure-details: 1: c: is not an integer"},
        {"D5", FAILURE("\"c\":201,\"n\":1"), "policies: 1: failure-details: 1: n: is not a text"},
        {"D5", FAILURE("\"c\":201,\"s\":1"), "policies: 1: failure-details: 1: s: is not a text"},
        {"D5", FAILURE("\"c\":99999999999999999999"), "no JSON: too big integer"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        refused_with(rows[i].check, rows[i].datagram, strlen(rows[i].datagram), rows[i].say);
    refused_with("D5 NUL at the end", EVENT("a.test", GOOD), sizeof(EVENT("a.test", GOOD)), "no JSON: ");
    refused_with("D5 NUL", "\0\0\0", 3, "no JSON: ");
}

/* D5: each beginning of a datagram, so each place at which it can be cut. */
static void truncated(void **state)
{
    static const char whole[] = FAILURE("\"c\":205,\"h\": \"250-\xc3\xa4\\r\\n\",\"r\": \"192.0.2.1\"");
    struct err e;

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        char *exact = malloc(len + 1);
        struct tlsrpt_event_read r;

        assert_non_null(exact);
        memcpy(exact, whole, len);
        assert_int_equal(tlsrpt_event_read(&r, exact, len, &e), -1);
        free(exact);
    }
}

/* D5: 64 kB, 200 kB and more, of one octet, of nesting, and of too much. */
static void large(void **state)
{
    static const size_t lengths[] = {65536, 204800, TLSRPT_READ_MAX, TLSRPT_READ_MAX + 1};
    static const char octets[] = {'x', '[', '{', '"', '\0', '\xff', ' ', '9'};
    char *text = malloc(TLSRPT_READ_MAX + 1);
    struct buf many;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (size_t k = 0; k < COUNT(octets); k++) {
            memset(text, octets[k], lengths[i]);
            refused_with("D5 large", text, lengths[i],
                         lengths[i] > TLSRPT_READ_MAX ? "longer than 262144 octets" : "no JSON: ");
        }
    free(text);
    buf_init(&many, TLSRPT_READ_MAX);
    buf_str(&many, "{\"d\": \"a.test\",\"policies\":[" GOOD);
    for (int i = 0; i < TLSRPT_READ_POLICIES; i++)
        buf_str(&many, "," GOOD);
    buf_str(&many, "]}");
    refused_with("D5 policies", many.data, many.len, "policies: more than 16");
    buf_reset(&many);
    buf_str(&many, "{\"d\": \"a.test\",\"policies\":[{\"policy-type\":9,\"failure-details\":[7");
    for (int i = 0; i < TLSRPT_READ_FAILURES; i++)
        buf_str(&many, ",7");
    buf_str(&many, "]}]}");
    refused_with("D5 failures", many.data, many.len, "policies: 1: more than 64 failure-details");
    buf_clear(&many);
}

/* J17: a part of 10 kB is cut at a whole character, strings where the next does not fit; it is counted. */
static void cut(void **state)
{
    struct tlsrpt_event_read r;
    struct err e = {""};
    struct buf text;

    (void)state;
    buf_init(&text, TLSRPT_READ_MAX);
    buf_str(&text, "{\"d\": \"a.test\",\"pr\": \"x");
    for (int i = 0; i < 5000; i++)
        buf_str(&text, "\xc3\xa4");
    buf_str(&text, "\",\"policies\":[{\"policy-type\":2,\"policy-string\":[\"a\"");
    for (int i = 0; i < 5000; i++)
        buf_str(&text, ",\"bbbbb\"");
    buf_str(&text, "],\"failure-details\":[{\"c\":901,\"h\": \"250-");
    for (int i = 0; i < 10000; i++)
        buf_char(&text, 'h');
    buf_str(&text, "\",\"f\": \"");
    for (int i = 0; i < 10000; i++)
        buf_char(&text, 'f');
    buf_str(&text, "\"}],\"t\":1,\"f\":1}]}");
    assert_true(buf_ok(&text));
    assert_int_equal(tlsrpt_event_read(&r, text.data, text.len, &e), 0);
    assert_int_equal(r.notes, TLSRPT_NOTE_CUT | TLSRPT_NOTE_RESULT);
    assert_int_equal(strlen(r.event.record), TLSRPT_RECORD_TEXT - 1);
    assert_int_equal(r.event.policy->strings, 1 + (TLSRPT_STRINGS_MAX - 3) / 8);
    assert_int_equal(strlen(r.event.policy->failure->mx_helo), TLSRPT_HELO_MAX);
    assert_int_equal(strlen(r.event.policy->failure->reason), TLSRPT_REASON_MAX);
    assert_memory_equal(r.event.policy->failure->reason, "unknown-result-901:fff", 22);
    tlsrpt_event_read_clear(&r);
    buf_clear(&text);
}

/* One string, and two, that just fit with their quotes and the comma, and are too long by one octet. */
static void cut_between_strings(void **state)
{
    static const struct {
        size_t first, second, kept;
    } rows[] = {{TLSRPT_STRINGS_MAX - 2, 0, 1},
                {TLSRPT_STRINGS_MAX - 1, 0, 0},
                {TLSRPT_STRINGS_MAX - 10, 5, 2},
                {TLSRPT_STRINGS_MAX - 10, 6, 1}};
    static char line[TLSRPT_STRINGS_MAX];

    (void)state;
    memset(line, 'x', sizeof(line));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tlsrpt_event_read r;
        struct buf text;

        buf_init(&text, TLSRPT_READ_MAX);
        buf_printf(&text, EVENT("a.test", "{\"policy-type\":2,\"policy-string\":[\"%.*s\"%s%.*s%s],\"t\":0,\"f\":0}"),
                   (int)rows[i].first, line, rows[i].second > 0 ? ",\"" : "", (int)rows[i].second, line,
                   rows[i].second > 0 ? "\"" : "");
        assert_int_equal(tlsrpt_event_read(&r, text.data, text.len, NULL), 0);
        assert_int_equal(r.event.policy->strings, rows[i].kept);
        assert_int_equal(r.notes, i % 2 == 0 ? 0 : TLSRPT_NOTE_CUT);
        tlsrpt_event_read_clear(&r);
        buf_clear(&text);
    }
}

/* J19: what we write of two policies is read as it was. */
static void round_trip(void **state)
{
    const char *const tlsa[] = {"3 1 1 00ab"}, *const lines[] = {"version: STSv1", "", "mode: \"x\"\t"};
    const char *const mx[] = {"*.a.test", "MX.a.test"};
    const struct tlsrpt_failure f[] = {
        {TLSRPT_STS_POLICY_INVALID, "192.0.2.1", "mx.a.test", "mx.a.test", "2001:db8::1", "https://a.test/", "r"},
        {.result = TLSRPT_DANE_REQUIRED}};
    const struct tlsrpt_policy p[] = {{TLSRPT_POLICY_TLSA, "mx.a.test", tlsa, 1, NULL, 0, f, 2, false},
                                      {TLSRPT_POLICY_STS, "a.test", lines, 3, mx, 2, f, 1, true}};
    const struct tlsrpt_event event = {"a.test", "v=TLSRPTv1; rua=mailto:\xc3\xa4@a.test", p, 2};
    struct tlsrpt_event_read r;
    struct buf text;

    (void)state;
    buf_init(&text, TLSRPT_EVENT_MAX);
    tlsrpt_event_write(&text, &event);
    assert_int_equal(tlsrpt_event_read(&r, text.data, text.len, NULL), 0);
    assert_int_equal(r.notes, 0);
    written_is(&r.event, buf_text(&text));
    assert_int_equal(r.event.policy[1].mx_count, 2);
    assert_string_equal(r.event.policy[1].string[2], lines[2]);
    tlsrpt_event_read_clear(&r);
    buf_clear(&text);
}

static void notes_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TLSRPT_NOTES; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(tlsrpt_note_name((enum tlsrpt_note)(1U << i)),
                                    tlsrpt_note_name((enum tlsrpt_note)(1U << k)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_libtlsrpt), cmocka_unit_test(odd_ones),
        cmocka_unit_test(failures),     cmocka_unit_test(refused),
        cmocka_unit_test(truncated),    cmocka_unit_test(large),
        cmocka_unit_test(cut),          cmocka_unit_test(cut_between_strings),
        cmocka_unit_test(round_trip),   cmocka_unit_test(notes_have_names),
    };
    return cmocka_run_group_tests_name("tlsrpt_event_read", tests, NULL, NULL);
}
