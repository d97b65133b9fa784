/*
 * Tests of policyd/verdict.c: what each next hop gets of facts, lists, fallback state and configuration. The order in
 * which lists and facts go is tested with decide_lists.c; here it is which of them reach it.
 */
#include "verdict.h"

#include "decide_facts.h"

#include <stdlib.h>

#define HOUR INT64_C(3600)
#define KEEP DAY

static const uint8_t secret[16] = {7};

static const struct facts nothing = {DEST_MX_LIST, false, false, "n", DEST_STS_NONE, NOPOLICY, 300};
static const struct facts sts = {DEST_MX_LIST, false, false, "n", DEST_STS_FOUND, ENFORCE, 300};
static const struct facts dane = {DEST_MX_LIST, true, false, "u", DEST_STS_NONE, NOPOLICY, 300};
static const struct facts both = {DEST_MX_LIST, true, false, "u", DEST_STS_FOUND, ENFORCE, 300};
static const struct facts unknown = {DEST_MX_TEMP, false, false, "", DEST_STS_NONE, NOPOLICY, 300};
static const struct facts old = {DEST_MX_LIST, false, false, "n", DEST_STS_NONE, NOPOLICY, -100};

/* Lists: entries "LIST PATTERN VALUE", by ';'. States: events "HOST EVENT AGE", by ';', the age in seconds. */
struct row {
    const char *hop;
    const struct facts *facts; /* NULL: none */
    const char *lists;         /* NULL: not known */
    const char *states;        /* NULL: none */
    const char *fallback;      /* configured; NULL: hold */
    const char *default_level; /* configured; NULL: "" */
    const char *level;         /* or "temp" */
    int64_t holds;             /* for so many seconds; 0: whatever */
};

#define FAILED "mx.example.com handshake 100"

static const struct row rows[] = {
    /* the lists are not known: what binds goes, whatever is configured; they may demand TLS of all else */
    {"example.com", &sts, NULL, NULL, NULL, NULL, "secure", 10},
    {"example.com", &dane, NULL, NULL, NULL, NULL, "dane-only", 300},
    {"example.com", &sts, NULL, FAILED, "plain", "may", "secure", 0},
    {"example.com", &nothing, NULL, NULL, NULL, NULL, "temp", 0},
    {"example.com", &nothing, NULL, FAILED, "plain", NULL, "temp", 0},
    {"example.com", &nothing, NULL, NULL, NULL, "may", "temp", 0},
    {"example.com", &nothing, NULL, NULL, NULL, "encrypt", "temp", 0},
    {"example.com", &unknown, NULL, NULL, NULL, NULL, "temp", 0},
    {"example.com", NULL, NULL, NULL, NULL, NULL, "temp", 0},
    {"example.com:465", &nothing, NULL, NULL, NULL, NULL, "temp", 0},
    {"[mx.example.com]", NULL, NULL, NULL, NULL, NULL, "temp", 0},
    {"[192.0.2.1]", NULL, NULL, NULL, NULL, NULL, "temp", 0},

    /* they are known, and empty */
    {"example.com", &nothing, "", NULL, NULL, NULL, "default", 300},
    {"example.com", &sts, "", NULL, NULL, NULL, "secure", 10},
    {"example.com", &unknown, "", NULL, NULL, NULL, "temp", 0},
    {"example.com", NULL, "", NULL, NULL, NULL, "temp", 0},
    {"example.com", &old, "", NULL, NULL, NULL, "default", 0},

    /* next hops in brackets have no facts: the lists alone say, for an hour */
    {"[mx.example.com]", NULL, "", NULL, NULL, NULL, "default", HOUR},
    {"[192.0.2.1]", NULL, "", NULL, NULL, NULL, "default", HOUR},
    {"[mx.example.com]", NULL, "", NULL, NULL, "encrypt", "encrypt", HOUR},
    {"[mx.example.com]", NULL, "require [mx.example.com] verify", NULL, NULL, NULL, "verify", HOUR},
    {"[mx.example.com]:587", NULL, "require [mx.example.com] verify", NULL, NULL, NULL, "verify", HOUR},
    {"[mx.example.com]", NULL, "require mx.example.com secure", NULL, NULL, NULL, "secure", HOUR},
    {"[mx.example.com]", NULL, "require .example.com encrypt", NULL, NULL, NULL, "encrypt", HOUR},
    {"[other.example.com]", NULL, "require [mx.example.com] verify", NULL, NULL, NULL, "default", HOUR},
    {"mx.example.com", &nothing, "require [mx.example.com] verify", NULL, NULL, NULL, "default", 0},
    {"[192.0.2.1]", NULL, "require [192.0.2.1] secure", NULL, NULL, NULL, "secure", HOUR},
    {"[192.0.2.1]", NULL, "exclude 192.0.2.0/24", NULL, NULL, NULL, "none", HOUR},
    {"[IPv6:2001:db8::1]:25", NULL, "require 2001:db8::/32 verify", NULL, NULL, NULL, "verify", HOUR},
    {"192.0.2.1:2424", NULL, "exclude 192.0.2.1", NULL, NULL, NULL, "none", HOUR},

    /* TLSA records were looked at for port 25 alone; MTA-STS goes for every port */
    {"example.com:25", &dane, "", NULL, NULL, NULL, "dane-only", 300},
    {"example.com:587", &dane, "", NULL, NULL, NULL, "default", 300},
    {"example.com:587", &both, "", NULL, NULL, NULL, "secure", 10},
    {"example.com:587", &dane, "exclude example.com", NULL, NULL, NULL, "none", 0},
    {"example.com", &dane, "exclude example.com", NULL, NULL, NULL, "dane-only", 0},
    {"example.com:587", &nothing, "require example.com secure", NULL, NULL, NULL, "secure", 0},

    /* port 465 is implicit TLS, which has no plain form */
    {"example.com:465", &nothing, "", NULL, NULL, NULL, "encrypt", 300},
    {"[mx.example.com]:465", NULL, "", NULL, NULL, NULL, "encrypt", HOUR},
    {"[192.0.2.1]:465", NULL, "exclude 192.0.2.1", NULL, NULL, NULL, "encrypt", HOUR},
    {"example.com:465", &nothing, "exclude example.com", FAILED, "plain", "may", "encrypt", 0},
    {"example.com:465", &both, "", NULL, NULL, NULL, "secure", 0},
    {"example.com:587", &nothing, "exclude example.com", NULL, NULL, NULL, "none", 0},
    {"example.com:smtps", &nothing, "require example.com verify", NULL, NULL, NULL, "verify", 0},

    /* fallback: the configured mode, with what became of TLS */
    {"example.com", &nothing, "", NULL, "plain", NULL, "default", 0},
    {"example.com", &nothing, "", FAILED, NULL, NULL, "default", 0},
    {"example.com", &nothing, "", FAILED, "hold", NULL, "default", 0},
    {"example.com", &nothing, "", FAILED, "plain", NULL, "none", 0},
    {"example.com", &nothing, "", FAILED, "plain", "encrypt", "none", 0},
    {"example.com:587", &nothing, "", FAILED, "plain", NULL, "none", 0},
    {"example.com", &nothing, "", "mx.example.com later 100", "alternate", NULL, "default", 0},
    {"example.com", &nothing, "", "mx.example.com later 100", "alternate-any", NULL, "none", 0},
    {"example.com", &nothing, "", FAILED ";mx.example.com plain 50", "alternate", NULL, "default", 0},
    {"example.com", &nothing, "", FAILED ";mx.example.com plain 200", "alternate", NULL, "none", 0},
    {"example.com", &nothing, "", FAILED ";mx.example.com tls 50", "plain", NULL, "default", 0},
    {"example.com", &nothing, "", "gone.example.com handshake 100", "plain", NULL, "default", 0},
    {"[mx.example.com]", NULL, "", FAILED, "plain", NULL, "none", HOUR},
    {"[192.0.2.1]", NULL, "", "192.0.2.1 handshake 100", "plain", NULL, "none", HOUR},
    {"example.com", &sts, "", FAILED, "plain", NULL, "secure", 0},
    {"example.com", &dane, "", FAILED, "plain", NULL, "dane-only", 0},
    {"example.com", &unknown, "", FAILED, "plain", NULL, "temp", 0},
    {"example.com", &nothing, "require example.com encrypt", FAILED, "plain", NULL, "encrypt", 0},
    {"example.com", &nothing, "smtps example.com", FAILED, "plain", NULL, "encrypt", 0},

    /* the entry's mode goes before the configured one */
    {"example.com", &nothing, "fallback example.com plain", FAILED, NULL, NULL, "none", 0},
    {"example.com", &nothing, "fallback example.com hold", FAILED, "plain", NULL, "default", 0},
    {"example.com", &nothing, "fallback example.org hold", FAILED, "plain", NULL, "none", 0},
    {"[mx.example.com]", NULL, "fallback [mx.example.com] plain", FAILED, NULL, NULL, "none", 0},

    /* how long: fallback_keep, or with plain-for its own seconds, in the entry and in the configuration */
    {"example.com", &nothing, "", "mx.example.com handshake 86300", "plain", NULL, "none", 100},
    {"example.com", &nothing, "", "mx.example.com handshake 86400", "plain", NULL, "default", 300},
    {"example.com", &nothing, "", "mx.example.com handshake 3500", "plain-for 1h", NULL, "none", 100},
    {"example.com", &nothing, "", "mx.example.com handshake 3600", "plain-for 1h", NULL, "default", 300},
    {"example.com", &nothing, "", "mx.example.com handshake 100000", "plain-for 2d", NULL, "none", 300},
    {"example.com", &nothing, "fallback example.com plain-for 1h", FAILED, "plain-for 2m", NULL, "none", 300},
    {"example.com", &nothing, "fallback example.com plain-for 3m", FAILED, "plain", NULL, "none", 80},
    {"example.com", &nothing, "fallback example.com plain-for 1m", FAILED, "plain", NULL, "default", 300},

    /* the default level, where nothing else has said one */
    {"example.com", &nothing, "", NULL, NULL, "may", "may", 300},
    {"example.com", &nothing, "", NULL, NULL, "encrypt", "encrypt", 300},
    {"example.com", &nothing, "exclude example.com", NULL, NULL, "encrypt", "none", 0},
    {"example.com", &nothing, "protocols example.com TLSv1.2", NULL, NULL, NULL, "encrypt", 0},
    {"example.com", &nothing, "protocols example.com TLSv1.2", NULL, NULL, "may", "may", 0},
    {"example.com", &sts, "", NULL, NULL, "may", "secure", 0},
    {"example.com", &unknown, "", NULL, NULL, "may", "temp", 0},
    {"example.com", &old, "", NULL, NULL, "encrypt", "encrypt", 0},
};

/* The next of the parts of text, by ';', into out. NULL: there is none. */
static const char *next_part(const char *text, char out[200])
{
    size_t len = strcspn(text, ";");

    if (*text == '\0')
        return NULL;
    assert_true(len < 200);
    memcpy(out, text, len);
    out[len] = '\0';
    return text + len + (text[len] == ';' ? 1 : 0);
}

static void put_entry(struct lists *lists, const char *text)
{
    struct list_entry_in in = {.author = "anna", .comment = "", .created = NOW - DAY};
    char name[40], pattern[100], value[60] = "";
    struct list_pattern p;
    struct list_entry *entry;
    enum list_id list;

    assert_true(sscanf(text, "%39s %99s %59[^;]", name, pattern, value) >= 2);
    in.value = value;
    assert_int_equal(list_by_name(&list, name, NULL), 0);
    assert_int_equal(list_pattern_parse(&p, pattern, strlen(pattern), NULL), 0);
    entry = list_entry_new(list, &p, &in, NULL);
    assert_non_null(entry);
    assert_int_equal(list_put(lists->list[list], entry), 0);
}

static void make_lists(struct lists *lists, const char *text)
{
    char part[200];

    assert_int_equal(lists_init(lists, secret), 0);
    while ((text = next_part(text, part)) != NULL)
        put_entry(lists, part);
}

static void make_states(struct fallback_hosts *hosts, const char *text)
{
    char part[200];

    memset(hosts, 0, sizeof(*hosts));
    while ((text = next_part(text, part)) != NULL) {
        struct fallback_state state = {0};
        char host[100], name[20], age[20];
        enum fallback_event event;

        assert_int_equal(sscanf(part, "%99s %19s %19s", host, name, age), 3);
        assert_int_equal(fallback_event_by_name(&event, name, NULL), 0);
        for (size_t i = 0; i < hosts->count; i++)
            if (strcmp(hosts->host[i].name, host) == 0)
                state = hosts->host[i].state;
        fallback_note(&state, event, NOW - strtol(age, NULL, 10));
        fallback_hosts_put(hosts, host, &state);
    }
}

static void make_rules(struct verdict_rules *rules, const struct row *row)
{
    char fallback[40], level[20];
    struct conf_policyd conf = {.dane = true,
                                .sts = true,
                                .sts_unknown_hold = 4 * HOUR,
                                .stale_max = STALE,
                                .fallback = fallback,
                                .fallback_keep = KEEP,
                                .default_level = level};

    snprintf(fallback, sizeof(fallback), "%s", row->fallback != NULL ? row->fallback : "hold");
    snprintf(level, sizeof(level), "%s", row->default_level != NULL ? row->default_level : "");
    verdict_rules(rules, &conf);
}

static void check_row(size_t i)
{
    const struct row *row = &rows[i];
    struct dest *dest = row->facts == NULL ? NULL : make(row->facts);
    struct fallback_hosts states;
    struct lists lists;
    struct verdict_rules rules;
    struct verdict_in in = {.dest = dest, .age = row->facts == &old ? DECIDE_STALE : DECIDE_FRESH};
    struct decision d;
    const char *level;

    make_rules(&rules, row);
    assert_int_equal(nexthop_parse(&in.hop, row->hop, strlen(row->hop), NULL), 0);
    if (row->lists != NULL) {
        make_lists(&lists, row->lists);
        in.lists = &lists;
    }
    if (row->states != NULL) {
        make_states(&states, row->states);
        in.states = &states;
    }
    verdict(&d, &in, &rules, NOW);
    level = d.temp ? "temp" : tls_level_name(d.level);
    if (strcmp(level, row->level) != 0)
        fail_msg("row %zu (%s, lists \"%s\"): %s, not %s: %s", i, row->hop, row->lists, level, row->level,
                 d.reason[d.reason_count - 1]);
    if (row->holds != 0 && d.valid_until != NOW + row->holds)
        fail_msg("row %zu (%s): holds for %lld s, not %lld", i, row->hop, (long long)(d.valid_until - NOW),
                 (long long)row->holds);
    assert_true(d.reason_count > 0 && d.valid_until > NOW);
    if (row->lists != NULL)
        lists_clear(&lists);
    dest_free(dest);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(i);
}

/* The MTA is told why its mail waits: the last reason. */
static void test_unknown_lists_are_named(void **state)
{
    struct dest *dest = make(&nothing);
    struct verdict_rules rules;
    struct decision d;
    struct verdict_in in = {.dest = dest};

    (void)state;
    make_rules(&rules, &rows[0]);
    assert_int_equal(nexthop_parse(&in.hop, "example.com", 11, NULL), 0);
    verdict(&d, &in, &rules, NOW);
    assert_true(d.temp);
    assert_non_null(strstr(d.reason[d.reason_count - 1], "lists are not known"));
    dest_free(dest);
}

/* An enforced policy is known that these facts say nothing of. */
static void test_policy_elsewhere(void **state)
{
    struct dest *dest = make(&nothing);
    struct verdict_rules rules;
    struct lists lists;
    struct decision d;
    struct verdict_in in = {.dest = dest, .sts_elsewhere = true, .lists = &lists};

    (void)state;
    make_rules(&rules, &rows[0]);
    make_lists(&lists, "exclude example.com");
    assert_int_equal(nexthop_parse(&in.hop, "example.com", 11, NULL), 0);
    verdict(&d, &in, &rules, NOW);
    assert_true(d.temp);
    lists_clear(&lists);
    dest_free(dest);
}

/* --- what is not known of the lists, or of the MX hosts that entries may fit, is not plain --- */

/* "u": a host with usable TLSA records, "x" with unusable ones, "n" without; NULL: the MX look-up has failed. */
static struct dest *with_hosts(const char *hosts)
{
    struct dest *d = dest_new("example.com");
    char name[] = "a.mx.example";

    assert_non_null(d);
    d->resolved = NOW;
    d->valid_until = NOW + 600;
    d->sts.record = DEST_STS_NONE;
    if (hosts == NULL)
        return d;
    d->mx = DEST_MX_LIST;
    d->mx_secure = true;
    for (; *hosts != '\0'; hosts++, name[0]++) {
        struct dest_host *host = dest_add_host(d, name, 10);

        assert_non_null(host);
        host->dane = dane_of(*hosts);
    }
    return d;
}

static const struct {
    const char *hosts;
    bool dane;
    const char *lists; /* NULL: not known */
    const char *answer;
} unknown_rows[] = {
    {"n", true, "", "default"},
    {"n", true, NULL, "temp"},
    {"uu", true, NULL, "dane-only"},
    {"un", true, NULL, "temp"}, /* an entry may demand TLS of the host without TLSA records */
    {"xn", true, NULL, "temp"},
    {"n", false, "require a.mx.example encrypt", "encrypt"},
    {"n", false, "require z.mx.example encrypt", "default"},
    {NULL, false, "require a.mx.example encrypt", "temp"},
    {NULL, false, "require example.com encrypt", "encrypt"},
    {NULL, false, "", "default"},
};

static void test_unknown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unknown_rows) / sizeof(unknown_rows[0]); i++) {
        const struct verdict_rules rules = {.options = {.dane = unknown_rows[i].dane, .sts = true}};
        struct dest *dest = with_hosts(unknown_rows[i].hosts);
        struct lists lists;
        struct verdict_in in = {.hop = {.kind = NEXTHOP_DOMAIN, .name = "example.com"}, .dest = dest};
        struct decision d;
        const char *answer;

        make_lists(&lists, unknown_rows[i].lists == NULL ? "" : unknown_rows[i].lists);
        in.lists = unknown_rows[i].lists == NULL ? NULL : &lists;
        verdict(&d, &in, &rules, NOW);
        answer = d.temp ? "temp" : tls_level_name(d.level);
        if (strcmp(answer, unknown_rows[i].answer) != 0)
            fail_msg("row %zu: %s (%s)", i, answer, d.reason[d.reason_count - 1]);
        lists_clear(&lists);
        dest_free(dest);
    }
}

/* Why DANE does not count says the port only where the port is why. */
static void test_other_port(void **state)
{
    static const struct {
        uint16_t port;
        bool dane;
        const char *reason;
    } ports[] = {
        {0, true, "DANE: every MX host (2) has usable TLSA records, authenticated by DNSSEC"},
        {25, true, "DANE: every MX host (2) has usable TLSA records, authenticated by DNSSEC"},
        {587, true, "DANE: does not count, only TLSA records of port 25 are looked up"},
        {587, false, "DANE: switched off"},
    };
    struct dest *dest = with_hosts("uu");

    (void)state;
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        const struct verdict_rules rules = {.options = {.dane = ports[i].dane, .sts = true}};
        struct verdict_in in = {.hop = {.kind = NEXTHOP_DOMAIN, .name = "example.com", .port = ports[i].port},
                                .dest = dest};
        struct decision d;

        verdict(&d, &in, &rules, NOW);
        assert_string_equal(d.reason[1], ports[i].reason);
    }
    dest_free(dest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unknown_lists_are_named),
        cmocka_unit_test(test_policy_elsewhere),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_other_port),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
