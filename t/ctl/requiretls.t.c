/* requiretls.t.c - tests of requiretls*.c: what people and programs are told of REQUIRETLS mail to a domain. */
#include "requiretls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW      1795341600 /* 2026-11-22T10:00:00Z */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct requiretls r;
static struct dest *dest;

/* A domain with an enforced policy that names *.example.net; "mx1.example.net 10 …" are added. */
static void begin(void)
{
    static const char body[] = "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 86400\n";

    memset(&r, 0, sizeof(r));
    assert_int_equal(nexthop_parse(&r.hop, "example.org", 11, NULL), 0);
    dest = dest_new("example.org");
    assert_non_null(dest);
    dest->mx = DEST_MX_LIST;
    dest->sts.record = DEST_STS_FOUND;
    assert_int_equal(dest_sts_set_policy(&dest->sts, "1", body, sizeof(body) - 1, NOW, NULL), 0);
}

static void add(const char *name, uint16_t preference)
{
    struct dest_host *h = dest_add_host(dest, name, preference);

    assert_non_null(h);
    (void)snprintf(h->address[0], ADDRESS_BUF, "192.0.2.%u", preference);
    h->address_count = 1;
}

static void plan(void)
{
    struct relay_path_in in = {.kind = r.hop.kind, .dest = dest, .age = DECIDE_FRESH, .sts_unknown_hold = 3600};

    r.now = NOW;
    relay_path_plan(&r.path, &in, NOW);
}

static void end(void)
{
    dest_free(dest);
    dest = NULL;
}

static struct requiretls_host *host_of(const char *name)
{
    for (size_t i = 0; i < r.path.usable; i++)
        if (strcmp(r.path.candidate[i].host->name, name) == 0)
            return &r.host[i];
    fail_msg("no host %s", name);
    return NULL;
}

/* What came of asking it. */
static void becomes(const char *name, enum relay_failed what, unsigned steps, struct relay_offer offer)
{
    struct requiretls_host *h = host_of(name);

    h->asked = true;
    h->progress = (struct smtp_client_progress){steps > 0, steps > 1, steps > 2, steps > 3};
    h->offer = offer;
    (void)snprintf(h->address, sizeof(h->address), "192.0.2.1");
    if (steps > 3)
        (void)snprintf(h->tls.version, sizeof(h->tls.version), "TLSv1.3");
    relay_failure_set(&h->why, what, name, NULL, what == RELAY_FAILED_NOTHING ? NULL : "detail");
}

static const struct relay_offer both = {true, true}, after = {false, true}, before = {true, false},
                                none = {false, false};

/* --- conditions --- */

/* With a certificate, from CERT on: what is known of it then. */
static void test_conditions(void **state)
{
    static const struct {
        enum relay_failed what;
        unsigned steps;
        bool certificate;
        struct relay_offer offer;
        const char *want; /* connects, STARTTLS, TLS, certificate, REQUIRETLS */
    } cases[] = {
        {RELAY_FAILED_CONNECT, 0, false, none, "no|-|-|-|-"},
        {RELAY_FAILED_CONNECT_TIMEOUT, 0, false, none, "no|-|-|-|-"},
        {RELAY_FAILED_LOST, 1, false, none, "192.0.2.1|-|-|-|-"},
        {RELAY_FAILED_GREETING_PERM, 1, false, none, "192.0.2.1|-|-|-|-"},
        {RELAY_FAILED_EHLO_TEMP, 1, false, none, "192.0.2.1|-|-|-|-"},
        {RELAY_FAILED_EHLO_PERM, 1, false, none, "192.0.2.1|no|-|-|-"},
        {RELAY_FAILED_STARTTLS_ABSENT, 1, false, before, "192.0.2.1|no|-|-|-"},
        {RELAY_FAILED_STARTTLS_TEMP, 2, false, none, "192.0.2.1|refused|-|-|-"},
        {RELAY_FAILED_STARTTLS_PERM, 2, false, none, "192.0.2.1|refused|-|-|-"},
        {RELAY_FAILED_STARTTLS_INJECTION, 2, false, none, "192.0.2.1|broken|-|-|-"},
        {RELAY_FAILED_LOST, 2, false, none, "192.0.2.1|broken|-|-|-"},
        {RELAY_FAILED_HANDSHAKE, 3, false, none, "192.0.2.1|yes|broken|-|-"},
        {RELAY_FAILED_HANDSHAKE_REFUSED, 3, false, none, "192.0.2.1|yes|none fits|-|-"},
        {RELAY_FAILED_CERT_UNTRUSTED, 3, true, none, "192.0.2.1|yes|yes|untrusted|-"},
        {RELAY_FAILED_CERT_EXPIRED, 3, true, none, "192.0.2.1|yes|yes|expired|-"},
        {RELAY_FAILED_CERT_NAME, 3, true, none, "192.0.2.1|yes|yes|other name|-"},
        {RELAY_FAILED_CERT_TLSA, 3, true, none, "192.0.2.1|yes|yes|fits no TLSA|-"},
        {RELAY_FAILED_TLS_EHLO_TEMP, 4, true, none, "192.0.2.1|yes|TLSv1.3|PKIX|-"},
        {RELAY_FAILED_TLS_EHLO_PERM, 4, true, none, "192.0.2.1|yes|TLSv1.3|PKIX|no"},
        {RELAY_FAILED_TIMEOUT, 4, true, none, "192.0.2.1|yes|TLSv1.3|PKIX|-"},
        {RELAY_FAILED_NOTHING, 4, true, none, "192.0.2.1|yes|TLSv1.3|PKIX|no"},
        {RELAY_FAILED_NOTHING, 4, true, before, "192.0.2.1|yes|TLSv1.3|PKIX|in clear only"},
        {RELAY_FAILED_NOTHING, 4, true, both, "192.0.2.1|yes|TLSv1.3|PKIX|offered"},
        {RELAY_FAILED_NOTHING, 4, true, after, "192.0.2.1|yes|TLSv1.3|PKIX|offered"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct requiretls_cell c[REQUIRETLS_CONDITIONS];
        char text[300];

        begin();
        add("mx1.example.net", 10);
        plan();
        becomes("mx1.example.net", cases[i].what, cases[i].steps, cases[i].offer);
        if (cases[i].certificate)
            r.host[0].tls.sha256[0] = 'a';
        requiretls_look(c, &r, 0);
        (void)snprintf(text, sizeof(text), "%s|%s|%s|%s|%s", c[2].how, c[3].how, c[4].how, c[5].how, c[6].how);
        assert_string_equal(text, cases[i].want);
        for (size_t k = 2; k < REQUIRETLS_CONDITIONS; k++)
            assert_int_equal(c[k].holds == REQUIRETLS_OPEN, strcmp(c[k].how, "-") == 0);
        end();
    }
}

enum facts {
    ENFORCED,
    SIGNED,
    SIGNED_ENFORCED,
    SIGNED_UNNAMED,
    UNNAMED,
    TESTING,
    EXPIRED,
    UNKNOWN,
    UNFETCHED,
    NOTHING
};

static void give(enum facts facts)
{
    dest->mx_secure = facts == SIGNED || facts == SIGNED_ENFORCED || facts == SIGNED_UNNAMED;
    if (facts == TESTING)
        dest->sts.policy.mode = STS_MODE_TESTING;
    if (facts == EXPIRED)
        dest->sts.expires = NOW;
    if (facts == SIGNED || facts >= UNKNOWN)
        dest_sts_drop_policy(&dest->sts);
    if (facts == UNKNOWN)
        dest->sts.record = DEST_STS_TEMP;
    if (facts == UNFETCHED)
        dest->sts.failure = DEST_STS_FETCH_ERROR;
    if (facts == NOTHING)
        dest->sts.record = DEST_STS_NONE;
}

/* Who vouches, and the policy. */
static void test_vouching(void **state)
{
    static const struct {
        enum facts facts;
        const char *name;
        enum requiretls_holds mx, policy;
        const char *want;
    } cases[] = {
        {ENFORCED, "mx1.example.net", REQUIRETLS_YES, REQUIRETLS_YES, "MTA-STS|yes"},
        {SIGNED, "mx1.example.net", REQUIRETLS_YES, REQUIRETLS_OPEN, "DNSSEC|-"},
        {SIGNED_ENFORCED, "mx1.example.net", REQUIRETLS_YES, REQUIRETLS_YES, "DNSSEC|yes"},
        {SIGNED_UNNAMED, "mx1.example.com", REQUIRETLS_YES, REQUIRETLS_NO, "DNSSEC|no"},
        {UNNAMED, "mx1.example.com", REQUIRETLS_NO, REQUIRETLS_NO, "no|no"},
        {TESTING, "mx1.example.net", REQUIRETLS_NO, REQUIRETLS_OPEN, "no|testing"},
        {EXPIRED, "mx1.example.net", REQUIRETLS_NO, REQUIRETLS_OPEN, "no|-"},
        {UNKNOWN, "mx1.example.net", REQUIRETLS_NO, REQUIRETLS_OPEN, "no|not known"},
        {UNFETCHED, "mx1.example.net", REQUIRETLS_NO, REQUIRETLS_OPEN, "no|not fetched"},
        {NOTHING, "mx1.example.net", REQUIRETLS_NO, REQUIRETLS_OPEN, "no|-"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct requiretls_cell c[REQUIRETLS_CONDITIONS];
        char text[100];

        begin();
        add(cases[i].name, 10);
        give(cases[i].facts);
        plan();
        requiretls_look(c, &r, 0);
        (void)snprintf(text, sizeof(text), "%s|%s", c[REQUIRETLS_MX].how, c[REQUIRETLS_POLICY].how);
        assert_string_equal(text, cases[i].want);
        assert_int_equal(c[REQUIRETLS_MX].holds, cases[i].mx);
        assert_int_equal(c[REQUIRETLS_POLICY].holds, cases[i].policy);
        end();
    }
}

/* --- the verdict --- */

/* Four hosts: 1 of preference 10, 2 and 3 of 20, 4 of 30. Each is G: takes it, B: takes bounces alone, p: fails for
 * good, t: for now, l: fails on our side, after which no other is tried. */
static void test_judge(void **state)
{
    static const struct {
        const char *hosts, *mail, *bounce;
    } cases[] = {
        {"GGGG", "delivered 10", "delivered 10"},
        {"pGGG", "delivered 20 20", "delivered 20 20"},
        {"tGpG", "delivered 20", "delivered 20"},
        {"tpGG", "delivered 20", "delivered 20"},
        {"pppG", "delivered 30", "delivered 30"},
        {"pppp", "returned 550 5.7.10", "returned 550 5.7.10"},
        {"tppp", "deferred 451 4.4.1", "deferred 451 4.4.1"},
        {"pppt", "deferred 451 4.4.1", "deferred 451 4.4.1"},
        {"BBBB", "returned 550 5.7.30", "delivered 10"},
        {"pBpp", "returned 550 5.7.30", "delivered 20"},
        {"BppG", "delivered 30", "delivered 10"},
        {"tBpp", "deferred 451 4.4.1", "delivered 20"},
        {"lGGG", "deferred 451 4.3.0", "deferred 451 4.3.0"},
        {"GlGG", "delivered 10", "delivered 10"},
    };
    static const char *const names[] = {"a.example.net", "b.example.net", "c.example.net", "d.example.net"};
    static const uint16_t preferences[] = {10, 20, 20, 30};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        for (size_t k = 0; k < 4; k++)
            add(names[k], preferences[k]);
        plan();
        for (size_t k = 0; k < 4; k++) {
            char c = cases[i].hosts[k];

            becomes(names[k],
                    c == 'p'   ? RELAY_FAILED_CERT_NAME
                    : c == 't' ? RELAY_FAILED_CONNECT
                    : c == 'l' ? RELAY_FAILED_LOCAL
                               : RELAY_FAILED_NOTHING,
                    4, c == 'G' ? after : none);
        }
        for (int bounce = 0; bounce < 2; bounce++) {
            struct requiretls_outcome o;
            char text[200];
            int used;

            requiretls_judge(&o, &r, bounce != 0);
            used = snprintf(text, sizeof(text), "%s", requiretls_result_name(o.result));
            for (size_t k = 0; k < o.hosts; k++)
                used += snprintf(text + used, sizeof(text) - (size_t)used, " %u",
                                 r.path.candidate[o.host[k]].host->preference);
            if (o.hosts == 0)
                (void)snprintf(text + used, sizeof(text) - (size_t)used, " %d %s", o.reply.code, o.reply.enhanced);
            assert_string_equal(text, bounce ? cases[i].bounce : cases[i].mail);
        }
        end();
    }
}

/* Barred hosts stand where their preference puts them, and count. */
static void test_order(void **state)
{
    size_t order[DEST_HOSTS_MAX];
    struct requiretls_outcome o;

    (void)state;
    begin();
    add("evil.example.com", 5);
    add("mx1.example.net", 10);
    add("evil2.example.com", 10);
    add("mx2.example.net", 20);
    plan();
    assert_int_equal(requiretls_order(order, &r), 4);
    assert_string_equal(r.path.candidate[order[0]].host->name, "evil.example.com");
    assert_string_equal(r.path.candidate[order[1]].host->name, "evil2.example.com");
    assert_string_equal(r.path.candidate[order[2]].host->name, "mx1.example.net");
    assert_string_equal(r.path.candidate[order[3]].host->name, "mx2.example.net");
    becomes("mx1.example.net", RELAY_FAILED_CERT_NAME, 3, none);
    becomes("mx2.example.net", RELAY_FAILED_CERT_NAME, 3, none);
    requiretls_judge(&o, &r, false);
    assert_int_equal(o.result, REQUIRETLS_RETURNED);
    assert_non_null(strstr(o.reply.text, "evil2.example.com is not named"));
    end();
}

/* --- what is printed --- */

static void prints(bool colour, const char *want)
{
    struct buf out;

    buf_init(&out, 100000);
    requiretls_print(&out, &r, colour);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), want);
    buf_clear(&out);
}

static void test_print(void **state)
{
    (void)state;
    begin();
    add("evil.example.com", 5);
    add("mx1.example.net", 10);
    add("mx2.example.net", 20);
    dest->mx_truncated = true;
    plan();
    becomes("mx1.example.net", RELAY_FAILED_TIMEOUT, 1, none);
    host_of("mx1.example.net")->hurried = true;
    relay_failure_set(&host_of("mx1.example.net")->why, RELAY_FAILED_TIMEOUT, "mx1.example.net", NULL, "bad \033[2J");
    becomes("mx2.example.net", RELAY_FAILED_NOTHING, 4, after);
    prints(false,
           "PREF  HOST              MX       POLICY  CONNECTS   STARTTLS  TLS      CERTIFICATE  REQUIRETLS  TAKES IT\n"
           "5     evil.example.com  no       no      -          -         -        -            -           no\n"
           "10    mx1.example.net   MTA-STS  yes     192.0.2.1  -         -        -            -           not now\n"
           "20    mx2.example.net   MTA-STS  yes     192.0.2.1  yes       TLSv1.3  PKIX         offered     yes\n"
           "\n"
           "evil.example.com is not named by the MTA-STS policy.\n"
           "mx1.example.net did not reply in time: bad ?[2J (postern-relayd waits longer).\n"
           "There are more than 32 MX hosts; the others are not used.\n"
           "\n"
           "REQUIRETLS mail for example.org would be delivered now to mx2.example.net.\n");
    end();
}

static void test_print_bounce(void **state)
{
    (void)state;
    begin();
    add("mx1.example.net", 10);
    plan();
    becomes("mx1.example.net", RELAY_FAILED_NOTHING, 4, before);
    prints(true,
           "\033[1mPREF\033[0m  \033[1mHOST\033[0m             \033[1mMX\033[0m       \033[1mPOLICY\033[0m  "
           "\033[1mCONNECTS\033[0m   \033[1mSTARTTLS\033[0m  \033[1mTLS\033[0m      \033[1mCERTIFICATE\033[0m  "
           "\033[1mREQUIRETLS\033[0m     \033[1mTAKES IT\033[0m\n"
           "10    mx1.example.net  \033[32mMTA-STS\033[0m  \033[32myes\033[0m     \033[32m192.0.2.1\033[0m  "
           "\033[32myes\033[0m       \033[32mTLSv1.3\033[0m  \033[32mPKIX\033[0m         \033[31min clear only\033[0m  "
           "\033[31mno\033[0m\n"
           "\n"
           "mx1.example.net offers REQUIRETLS before STARTTLS only, where it does not count.\n"
           "\n"
           "REQUIRETLS mail for example.org would be \033[31mgiven back\033[0m: 550 5.7.30 REQUIRETLS mail for "
           "example.org cannot be delivered: mx1.example.net offers REQUIRETLS before STARTTLS only, where it does not "
           "count\n"
           "A bounce, which has no sender and needs verified TLS alone, would be \033[32mdelivered now\033[0m to "
           "mx1.example.net.\n");
    end();
}

static void test_print_without_hosts(void **state)
{
    (void)state;
    begin();
    dest->mx = DEST_MX_NULL;
    plan();
    prints(false, "REQUIRETLS mail for example.org would be given back: 556 5.1.10 REQUIRETLS mail for example.org "
                  "cannot be delivered: the domain takes no mail (null MX)\n");
    end();
    memset(&r, 0, sizeof(r));
    assert_int_equal(nexthop_parse(&r.hop, "[192.0.2.1]", 11, NULL), 0);
    plan();
    prints(false, "REQUIRETLS mail for [192.0.2.1] would be given back: 550 5.7.10 REQUIRETLS mail for 192.0.2.1 "
                  "cannot be delivered: the domain is an address or a host in brackets, without MX records that "
                  "could be authenticated\n");
}

static void test_print_offline(void **state)
{
    (void)state;
    begin();
    add("mx1.example.net", 10);
    add("mx2.example.net", 20);
    add("mx3.example.net", 30);
    plan();
    r.offline = true;
    prints(false,
           "PREF  HOST             MX       POLICY  CONNECTS  STARTTLS  TLS  CERTIFICATE  REQUIRETLS  TAKES IT\n"
           "10    mx1.example.net  MTA-STS  yes     -         -         -    -            -           -\n"
           "20    mx2.example.net  MTA-STS  yes     -         -         -    -            -           -\n"
           "30    mx3.example.net  MTA-STS  yes     -         -         -    -            -           -\n"
           "\n"
           "REQUIRETLS mail for example.org would be offered to mx1.example.net, mx2.example.net or mx3.example.net; "
           "no host was asked (--offline).\n");
    end();
}

/* --- JSON --- */

static void is_json(const char *want)
{
    json_t *object = requiretls_json(&r);
    char *text = json_dumps(object, JSON_COMPACT);

    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
    json_decref(object);
}

#define OPEN "{\"holds\":null,\"how\":\"-\"}"

static void test_json(void **state)
{
    struct requiretls_host *h;

    (void)state;
    begin();
    add("evil.example.com", 5);
    add("mx1.example.net", 10);
    plan();
    becomes("mx1.example.net", RELAY_FAILED_NOTHING, 4, none);
    h = host_of("mx1.example.net");
    (void)snprintf(h->tls.cipher, sizeof(h->tls.cipher), "TLS_X");
    (void)snprintf(h->tls.names, sizeof(h->tls.names), "mx1.example.net");
    (void)snprintf(h->tls.issuer, sizeof(h->tls.issuer), "CN=CA");
    (void)snprintf(h->tls.expires, sizeof(h->tls.expires), "2027-01-01T00:00:00Z");
    (void)snprintf(h->tls.sha256, sizeof(h->tls.sha256), "ab");
    is_json(
        "{\"domain\":\"example.org\",\"kind\":\"domain\",\"offline\":false,\"failed\":null,\"hosts\":["
        "{\"host\":\"evil.example.com\",\"preference\":5,\"barred\":true,\"asked\":false,\"conditions\":{"
        "\"mx_authenticated\":{\"holds\":false,\"how\":\"no\"},\"policy_names_it\":{\"holds\":false,\"how\":\"no\"},"
        "\"connects\":" OPEN ",\"starttls\":" OPEN ",\"tls\":" OPEN ",\"certificate\":" OPEN ",\"requiretls\":" OPEN
        "},\"takes\":false,\"failed\":\"not-in-policy\",\"why\":\"is not named by the MTA-STS policy\","
        "\"detail\":null,\"permanent\":true,\"hurried\":false,\"cipher\":null,\"certificate\":null},"
        "{\"host\":\"mx1.example.net\",\"preference\":10,\"barred\":false,\"asked\":true,\"conditions\":{"
        "\"mx_authenticated\":{\"holds\":true,\"how\":\"MTA-STS\"},"
        "\"policy_names_it\":{\"holds\":true,\"how\":\"yes\"},"
        "\"connects\":{\"holds\":true,\"how\":\"192.0.2.1\"},\"starttls\":{\"holds\":true,\"how\":\"yes\"},"
        "\"tls\":{\"holds\":true,\"how\":\"TLSv1.3\"},\"certificate\":{\"holds\":true,\"how\":\"PKIX\"},"
        "\"requiretls\":{\"holds\":false,\"how\":\"no\"}},\"takes\":false,\"failed\":\"requiretls\","
        "\"why\":\"does not offer REQUIRETLS\",\"detail\":null,\"permanent\":true,\"hurried\":false,"
        "\"cipher\":\"TLS_X\",\"certificate\":{\"names\":\"mx1.example.net\",\"issuer\":\"CN=CA\","
        "\"expires\":\"2027-01-01T00:00:00Z\",\"sha256\":\"ab\"}}],"
        "\"mail\":{\"result\":\"returned\",\"hosts\":[],\"code\":550,\"enhanced\":\"5.7.30\",\"text\":"
        "\"REQUIRETLS mail for example.org cannot be delivered: mx1.example.net does not offer REQUIRETLS; "
        "evil.example.com is not named by the MTA-STS policy\"},"
        "\"bounce\":{\"result\":\"delivered\",\"hosts\":[\"mx1.example.net\"],\"code\":null,\"enhanced\":null,"
        "\"text\":null}}");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_vouching),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_bounce),
        cmocka_unit_test(test_print_without_hosts),
        cmocka_unit_test(test_print_offline),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
