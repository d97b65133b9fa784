/* tlsa_rollover.t.c - each state of the live records, the steps of a whole rollover, and what must never be. */
#include "tlsa_rollover.h"

#include "certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW  INT64_C(2000000000)
#define HOUR INT64_C(3600)

/* Keys and records by a letter: L live, N next, O old, F of somebody else, A an authority's 2 1 1, U unusable. */
static uint8_t key_l[CERT_DIGEST_LEN] = "live", key_n[CERT_DIGEST_LEN] = "next", key_o[CERT_DIGEST_LEN] = "old",
               key_f[CERT_DIGEST_LEN] = "foreign";

static struct dns_rr rr_of(char letter)
{
    struct dns_rr rr = {.tlsa = {.usage = 3, .selector = 1, .matching_type = 1, .len = CERT_DIGEST_LEN}};

    rr.tlsa.data = letter == 'L' ? key_l : letter == 'N' ? key_n : letter == 'O' ? key_o : key_f;
    if (letter == 'A')
        rr.tlsa.usage = 2;
    if (letter == 'U')
        rr.tlsa.usage = 1;
    return rr;
}

static size_t rrset(struct dns_rr out[8], const char *letters)
{
    size_t n = strlen(letters);

    for (size_t i = 0; i < n; i++)
        out[i] = rr_of(letters[i]);
    return n;
}

/* "LN": there is a live and a next key; O the one before; a, b: the authority's record fits the live, the next chain;
 * w: wanted; p: pending */
static void set_keys(struct tlsa_rollover_facts *f, const char *letters)
{
    f->live_key = strchr(letters, 'L') != NULL ? key_l : NULL;
    f->next_key = strchr(letters, 'N') != NULL ? key_n : NULL;
    f->old_key = strchr(letters, 'O') != NULL ? key_o : NULL;
    f->live_fits = strchr(letters, 'a') != NULL;
    f->next_fits = strchr(letters, 'b') != NULL;
    f->wanted = strchr(letters, 'w') != NULL;
    f->pending = strchr(letters, 'p') != NULL;
}

struct rollover_case {
    const char *name;
    const char *keys, *set; /* set NULL: the look-up failed; "": none */
    int64_t seen, switched; /* before NOW; 0: not known */
    uint32_t ttl;
    enum tlsa_step step;
    const char *flags; /* of the outcome: l, n: publish live, next; o: withdraw old; b: broken */
    int64_t until;     /* behind NOW */
    int64_t kept;      /* next_seen, before NOW; -1: 0 */
};

static const struct rollover_case cases[] = {
    {"no DANE, nothing waits", "LN", "", 0, 0, 0, TLSA_NOTHING, "", 0, -1},
    {"no DANE, a certificate waits", "LNp", "", 0, 0, 0, TLSA_ACTIVATE, "", 0, -1},
    {"the first certificate of all", "Np", "", 0, 0, 0, TLSA_ACTIVATE, "", 0, -1},
    {"the first of all, and wanted: what is served is not known", "Npw", "", 0, 0, 0, TLSA_ACTIVATE, "", 0, -1},
    {"wanted, nothing at all yet", "w", "", 0, 0, 0, TLSA_NOTHING, "", 0, -1},
    {"wanted: both", "LNw", "", 0, 0, 0, TLSA_PUBLISH, "ln", 0, -1},
    {"wanted: there is no next key", "Lw", "", 0, 0, 0, TLSA_PUBLISH, "l", 0, -1},
    {"wanted before the switch", "LNpw", "", 0, 0, 0, TLSA_PUBLISH, "ln", 0, -1},
    {"pending without its key", "Lp", "L", 0, 0, 3600, TLSA_NOTHING, "", 0, -1},

    {"not known", "LNp", NULL, 0, 0, 0, TLSA_STOP, "", 0, -1},
    {"not known, and it was time", "LNp", NULL, 9 * HOUR, 0, 0, TLSA_STOP, "", 0, 9 * HOUR},
    {"not known, and old could go", "LNO", NULL, 0, 9 * HOUR, 0, TLSA_STOP, "", 0, -1},

    {"next is missing", "LNp", "L", 0, 0, 3600, TLSA_PUBLISH, "n", 0, -1},
    {"next is missing, nothing waits", "LN", "L", 0, 0, 3600, TLSA_PUBLISH, "n", 0, -1},
    {"no next", "L", "L", 0, 0, 3600, TLSA_NOTHING, "", 0, -1},
    {"next is seen for the first time", "LNp", "LN", 0, 0, 3600, TLSA_WAIT, "", 2 * HOUR, 0},
    {"next is seen, nothing waits", "LN", "LN", 0, 0, 3600, TLSA_NOTHING, "", 0, 0},
    {"a second too early", "LNp", "LN", 2 * HOUR - 1, 0, 3600, TLSA_WAIT, "", 1, 2 * HOUR - 1},
    {"in time", "LNp", "NL", 2 * HOUR, 0, 3600, TLSA_ACTIVATE, "", 0, 2 * HOUR},
    {"the live TTL is the larger one", "LNp", "LN", 3 * HOUR, 0, 7200, TLSA_WAIT, "", HOUR, 3 * HOUR},
    {"the live TTL has run down in a cache", "LNp", "LN", HOUR, 0, 1, TLSA_WAIT, "", HOUR, HOUR},
    {"seen in the future: the clock was set back", "LNp", "LN", -5 * HOUR, 0, 3600, TLSA_WAIT, "", 2 * HOUR, 0},
    {"next has vanished", "LNp", "L", 9 * HOUR, 0, 3600, TLSA_PUBLISH, "n", 0, -1},
    {"another next key than was seen", "LN", "LO", 9 * HOUR, 0, 3600, TLSA_PUBLISH, "n", 0, -1},
    {"all have vanished, and it was time", "LNp", "", 2 * HOUR, 0, 0, TLSA_ACTIVATE, "", 0, 2 * HOUR},
    {"all have vanished, caches have them", "LNp", "", HOUR, 0, 0, TLSA_WAIT, "", HOUR, HOUR},
    {"there is no next key to have been seen", "L", "L", HOUR, 0, 3600, TLSA_NOTHING, "", 0, -1},

    {"none for the key in use", "L", "F", 0, 0, 3600, TLSA_PUBLISH, "lb", 0, -1},
    {"none for either", "LNp", "F", 0, 0, 3600, TLSA_PUBLISH, "lnb", 0, -1},
    {"only for next: not before it is time", "LNp", "N", HOUR, 0, 3600, TLSA_PUBLISH, "lb", 0, HOUR},
    {"only for next: it mends it", "LNp", "N", 2 * HOUR, 0, 3600, TLSA_ACTIVATE, "b", 0, 2 * HOUR},
    {"no usable ones", "LN", "U", 0, 0, 3600, TLSA_PUBLISH, "ln", 0, -1},
    {"no usable ones, a certificate waits", "LNp", "U", 0, 0, 3600, TLSA_PUBLISH, "ln", 0, -1},
    {"records, but no certificate of ours yet", "Np", "F", 0, 0, 3600, TLSA_PUBLISH, "n", 0, -1},

    {"foreign ones do not matter", "LNp", "FLUNA", 2 * HOUR, 0, 3600, TLSA_ACTIVATE, "", 0, 2 * HOUR},
    {"the authority fits", "La", "A", 0, 0, 3600, TLSA_NOTHING, "", 0, -1},
    {"the authority fits, next is not known yet", "LNa", "A", 0, 0, 3600, TLSA_NOTHING, "", 0, -1},
    {"the authority fits both", "LNabp", "A", 0, 0, 3600, TLSA_WAIT, "", 2 * HOUR, 0},
    {"the authority fits both, and it is time", "LNabp", "A", 2 * HOUR, 0, 3600, TLSA_ACTIVATE, "", 0, 2 * HOUR},
    {"another authority issued the next", "LNap", "A", 9 * HOUR, 0, 3600, TLSA_PUBLISH, "n", 0, -1},
    {"the authority fits, with an own record next should have one", "LNa", "AL", 0, 0, 3600, TLSA_PUBLISH, "n", 0, -1},

    {"old may go", "LO", "LO", 0, 2 * HOUR, 3600, TLSA_WITHDRAW, "o", 0, -1},
    {"old may not go yet", "LO", "LO", 0, HOUR, 3600, TLSA_WAIT, "", HOUR, -1},
    {"old, long TTL", "LO", "LO", 0, 2 * HOUR, 7200, TLSA_WAIT, "", 2 * HOUR, -1},
    {"old, the clock was set back", "LO", "LO", 0, -HOUR, 3600, TLSA_WAIT, "", 2 * HOUR, -1},
    {"old, nobody knows when", "LO", "LO", 0, 0, 3600, TLSA_WITHDRAW, "o", 0, -1},
    {"old has gone", "LO", "L", 0, HOUR, 3600, TLSA_NOTHING, "", 0, -1},
    {"old is all there is", "LO", "O", 0, 9 * HOUR, 3600, TLSA_PUBLISH, "lb", 0, -1},
    {"next before old", "LNO", "LO", 0, 2 * HOUR, 3600, TLSA_PUBLISH, "no", 0, -1},
    {"the next switch before old", "LNOp", "LNO", 2 * HOUR, 9 * HOUR, 3600, TLSA_ACTIVATE, "o", 0, 2 * HOUR},
    {"old goes while next waits", "LNOp", "LNO", HOUR, 9 * HOUR, 3600, TLSA_WITHDRAW, "o", 0, HOUR},
    {"the sooner of two: next", "LNOp", "LNO", HOUR + 1, HOUR, 3600, TLSA_WAIT, "", HOUR - 1, HOUR + 1},
    {"the sooner of two: old", "LNOp", "LNO", HOUR, HOUR + 1, 3600, TLSA_WAIT, "", HOUR - 1, HOUR},
};

static int64_t ago(int64_t seconds)
{
    return seconds == 0 ? 0 : NOW - seconds;
}

static void judge_case(struct tlsa_rollover *out, const struct rollover_case *c)
{
    struct dns_rr rr[8];
    struct tlsa_rollover_facts f = {
        .ttl = c->ttl, .rr = rr, .next_seen = ago(c->seen), .switched = ago(c->switched), .now = NOW, .tlsa_ttl = HOUR};

    f.status = c->set == NULL ? DNS_FAILED : c->set[0] == '\0' ? DNS_NXDOMAIN : DNS_FOUND;
    f.count = rrset(rr, c->set != NULL ? c->set : "");
    set_keys(&f, c->keys);
    tlsa_rollover_judge(out, &f);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct rollover_case *c = &cases[i];
        struct tlsa_rollover r;
        char flags[8];

        judge_case(&r, c);
        (void)snprintf(flags, sizeof(flags), "%s%s%s%s", r.publish_live ? "l" : "", r.publish_next ? "n" : "",
                       r.withdraw_old ? "o" : "", r.broken ? "b" : "");
        if (r.step != c->step || strcmp(flags, c->flags) != 0 || r.until != (c->until != 0 ? NOW + c->until : 0) ||
            r.next_seen != (c->kept < 0 ? 0 : NOW - c->kept) || r.why[0] == '\0')
            fail_msg("%s: %s \"%s\" until %lld, seen %lld: %s", c->name, tlsa_step_name(r.step), flags,
                     (long long)(r.until != 0 ? r.until - NOW : 0),
                     (long long)(r.next_seen != 0 ? NOW - r.next_seen : -1), r.why);
    }
}

/* Every combination: sets of records, keys, times. */
static const char *const every_set[] = {NULL, "",   "L",  "N",  "O",  "F",   "A",   "U",   "LN",
                                        "LO", "NO", "LF", "LA", "NA", "LNO", "LNA", "FNU", "LNOFAU"};
static const int64_t every_time[] = {0,        -HOUR,        -1,       1,        HOUR,     2 * HOUR - 1,
                                     2 * HOUR, 2 * HOUR + 1, 4 * HOUR, 8 * HOUR, 48 * HOUR};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool holds(const char *set, char letter)
{
    return set != NULL && strchr(set, letter) != NULL;
}

static void never(const struct rollover_case *c, const struct tlsa_rollover *r)
{
    bool none = c->set != NULL && c->set[0] == '\0';
    bool next = holds(c->set, 'N') || holds(c->keys, 'b');
    int64_t wait = 2 * (c->ttl > HOUR && !none ? (int64_t)c->ttl : HOUR);
    bool ripe = c->seen >= wait;

    if (r->step == TLSA_ACTIVATE)
        assert_true(holds(c->keys, 'p') && holds(c->keys, 'N') && ((none && (c->seen == 0 || ripe)) || (next && ripe)));
    if (r->step == TLSA_WITHDRAW)
        assert_true(r->withdraw_old);
    if (r->withdraw_old)
        assert_true(holds(c->set, 'O') && (holds(c->set, 'L') || holds(c->keys, 'a')) && holds(c->keys, 'L') &&
                    (c->switched == 0 || c->switched >= wait));
    if (c->set == NULL)
        assert_true(r->step == TLSA_STOP && !r->withdraw_old && !r->publish_live && !r->publish_next);
    if (r->step == TLSA_WAIT)
        assert_true(r->until > NOW);
    if (r->step == TLSA_PUBLISH)
        assert_true(r->publish_live || r->publish_next);
    assert_true(r->next_seen <= NOW);
}

static void every(const char *keys)
{
    static const uint32_t ttls[] = {0, 3600, 14400};

    for (size_t set = 0; set < COUNT(every_set); set++)
        for (size_t seen = 0; seen < COUNT(every_time); seen++)
            for (size_t switched = 0; switched < COUNT(every_time); switched++)
                for (size_t ttl = 0; ttl < COUNT(ttls); ttl++) {
                    struct rollover_case c = {.keys = keys, .set = every_set[set], .ttl = ttls[ttl]};
                    struct tlsa_rollover r;

                    c.seen = every_time[seen];
                    c.switched = every_time[switched];
                    judge_case(&r, &c);
                    never(&c, &r);
                }
}

static void test_never(void **state)
{
    static const char letters[] = "LNOabwp";

    (void)state;
    for (unsigned bits = 0; bits < 1U << 7; bits++) {
        char keys[8] = "";
        size_t n = 0;

        for (size_t i = 0; i < 7; i++)
            if (bits & 1U << i)
                keys[n++] = letters[i];
        if ((strchr(keys, 'a') == NULL || strchr(keys, 'L') != NULL) &&
            (strchr(keys, 'b') == NULL || strchr(keys, 'N') != NULL))
            every(keys);
    }
}

/* A key that is the same as another. */
static void test_same_keys(void **state)
{
    struct dns_rr rr[8];
    struct tlsa_rollover_facts f = {.status = DNS_FOUND, .rr = rr, .ttl = 3600, .now = NOW, .tlsa_ttl = HOUR};
    struct tlsa_rollover r;

    (void)state;
    f.count = rrset(rr, "L");
    f.live_key = f.old_key = key_l;
    tlsa_rollover_judge(&r, &f);
    assert_int_equal(r.step, TLSA_NOTHING);
    assert_false(r.withdraw_old);

    f.count = rrset(rr, "LN");
    f.next_key = f.old_key = key_n;
    tlsa_rollover_judge(&r, &f);
    assert_int_equal(r.step, TLSA_NOTHING);
    assert_false(r.withdraw_old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_same_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
