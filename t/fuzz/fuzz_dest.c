/*
 * fuzz_dest.c - destination records built from a recipe, with members at their limits: they come back from JSON as they
 * were. Then their JSON with hostile members (other types, huge numbers, odd text, things left out, doubled, nested):
 * what is taken of that keeps the limits, comes back the same and decides as it should.
 */
#include "answer.h"
#include "dest_demand.h"

#include <jansson.h>

#define NOW      1795341600
#define EDITS    6
#define DEPTH    2100 /* jansson reads 2048 levels */
#define LINE_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
                              "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
                              "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
                              "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.x";

/* --- records --- */

static void pick_name(char out[DOMAIN_BUF], struct recipe *in)
{
    unsigned n = take(in);

    if (n == 255)
        memcpy(out, longest, sizeof(longest));
    else
        (void)snprintf(out, DOMAIN_BUF, n % 4 == 3 ? "_h%u.xn--bcher-kva.example" : "h%u.example", n);
}

static int64_t pick_time(struct recipe *in)
{
    static const int64_t times[] = {NOW, 0, 1, DEST_TIME_MAX, DEST_TIME_MAX - 1, NOW + 3600, NOW - 86400};
    unsigned n = take(in);

    return n < sizeof(times) / sizeof(times[0]) ? times[n] : NOW + ((int64_t)n - 128) * 60;
}

/* Words, or as long as can be, of printable octets. */
static void pick_why(char out[DEST_WHY_MAX], struct recipe *in)
{
    unsigned n = take(in);
    size_t len = n == 255 ? DEST_WHY_MAX - 1 : n % 32;

    for (size_t i = 0; i < len; i++)
        out[i] = (char)(' ' + take(in) % 95);
    out[len] = '\0';
}

static void add_tlsa(struct dest_host *host, struct recipe *in)
{
    unsigned n = take(in);
    size_t len = n == 255 && host->tlsa_count == 0 ? (size_t)TLSA_DATA_MAX : (n & 4) != 0 ? take(in) % 100 : 32;
    struct tlsa rr = {(uint8_t)(n & 3), n >> 3 & 1, n >> 4 & 3, (uint16_t)len, malloc(len + 1)};

    demand(rr.data != NULL);
    memset(rr.data, (int)n, len);
    if (dest_add_tlsa(host, &rr) != 0)
        tlsa_clear(&rr);
}

static unsigned take_limited(unsigned max, struct recipe *in)
{
    unsigned n = take(in);

    return n == 255 ? max : n % 3 < max ? n % 3 : max;
}

/* A host says of DANE what its records say. */
static void fill_dane(struct dest_host *host, struct recipe *in)
{
    unsigned count = take_limited(DEST_TLSA_MAX, in);
    size_t usable = 0;

    for (unsigned i = 0; i < count; i++)
        add_tlsa(host, in);
    for (size_t i = 0; i < host->tlsa_count; i++)
        usable += tlsa_usable(&host->tlsa[i], NULL) ? 1 : 0;
    if (count > 0)
        host->dane = usable > 0 ? DEST_DANE_USABLE : DEST_DANE_UNUSABLE;
    else
        host->dane = take(in) % 2 == 0 ? DEST_DANE_NONE : DEST_DANE_TEMP;
    if (host->dane != DEST_DANE_NONE)
        pick_name(host->tlsa_base, in);
}

static void fill_host(struct dest_host *host, struct recipe *in)
{
    unsigned n = take(in);

    host->address_secure = (n & 1) != 0;
    host->address_count = take_limited(DEST_ADDRESSES_MAX, in);
    for (size_t i = 0; i < host->address_count; i++)
        (void)snprintf(host->address[i], ADDRESS_BUF,
                       (n & 2) != 0 ? "2001:db8:1111:2222:3333:4444:5555:%x" : "192.0.2.%u", (unsigned)i + 1);
    if ((n & 4) != 0)
        fill_dane(host, in);
}

static void fill_mx(struct dest *d, struct recipe *in)
{
    unsigned n = take(in);
    unsigned max = 0;

    d->mx = (enum dest_mx)((n + DEST_MX_LIST) % (DEST_MX_LIST + 1));
    d->mx_secure = (n & 8) != 0;
    d->mx_truncated = (n & 16) != 0;
    d->dane_before = (n & 32) != 0;
    d->mx_never_known = (n & 64) != 0;
    pick_why(d->mx_why, in);
    if (d->mx == DEST_MX_LIST)
        max = DEST_HOSTS_MAX;
    else if (d->mx == DEST_MX_IMPLICIT)
        max = 1;
    for (unsigned i = take_limited(max, in); i > 0; i--) {
        char name[DOMAIN_BUF];
        struct dest_host *host;

        pick_name(name, in);
        host = dest_add_host(d, name, (uint16_t)take16(in));
        demand(host != NULL);
        fill_host(host, in);
    }
}

static void fill_id(char id[STS_ID_MAX + 1], struct recipe *in)
{
    unsigned n = take(in);
    size_t len = n == 255 ? STS_ID_MAX : n % 8 + 1;

    for (size_t i = 0; i < len; i++)
        id[i] = "0123456789abcdefghijABCDEFGHIJxyz"[(n + i) % 33];
    id[len] = '\0';
}

/* A policy, perhaps one as long as can be. */
static void fill_policy(struct dest_sts *sts, struct recipe *in)
{
    static const char *const modes[] = {"enforce", "testing", "none"};
    unsigned n = take(in);
    char id[STS_ID_MAX + 1];
    struct buf body;

    fill_id(id, in);
    buf_init(&body, STS_BODY_MAX);
    buf_printf(&body, "version: STSv1\nmode: %s\nmx: *.example\nmax_age: %u\nx: {%s}\n", modes[n % 3],
               take16(in) * 1000, (n & 8) != 0 ? "\xc3\xa9\xe2\x80\xa8" : "\"");
    for (unsigned i = n == 255 ? take(in) : n >> 5; i > 0; i--)
        buf_printf(&body, "mx: h%u.%s.example\n", i, (n & 16) != 0 ? "long-label-long-label-long-label-long" : "h");
    demand(body.data != NULL);
    (void)dest_sts_set_policy(sts, id, body.data, body.len, pick_time(in), NULL);
    buf_clear(&body);
}

static void fill_sts(struct dest_sts *sts, struct recipe *in)
{
    unsigned n = take(in);

    sts->record = (enum dest_sts_record)(n & 3);
    if (sts->record == DEST_STS_FOUND)
        fill_id(sts->id, in);
    sts->failure = (enum dest_sts_failure)(n >> 2 & 3);
    pick_why(sts->why, in);
    sts->attempted = pick_time(in);
    sts->temp_since = pick_time(in);
    if ((n & 32) != 0)
        sts->learnt = pick_time(in);
    if ((n & 16) != 0)
        fill_policy(sts, in);
}

static struct dest *make_dest(struct recipe *in)
{
    char name[DOMAIN_BUF];
    struct dest *d;
    unsigned n = take(in);

    pick_name(name, in);
    d = dest_new(name);
    demand(d != NULL);
    d->resolved = pick_time(in);
    d->valid_until = pick_time(in);
    fill_mx(d, in);
    fill_sts(&d->sts, in);
    if ((n & 1) != 0)
        (void)snprintf(d->tlsrpt, sizeof(d->tlsrpt), "v=TLSRPTv1;%srua=mailto:a@b.example; x=%0*d",
                       (n & 2) != 0 ? "\t" : "", (n & 4) != 0 ? DEST_TLSRPT_MAX - 38 : 1, 7);
    return d;
}

/* --- hostile JSON --- */

static json_t *nested(unsigned depth, bool objects)
{
    json_t *value = json_null();

    for (; depth > 0; depth--) {
        json_t *outer = objects ? json_object() : json_array();

        if (objects)
            demand(json_object_set_new(outer, "mx", value) == 0);
        else
            demand(json_array_append_new(outer, value) == 0);
        value = outer;
    }
    return value;
}

static json_t *pick_string(struct recipe *in)
{
    static const char *const texts[] = {
        "",
        "enforce",
        "none",
        "usable",
        "temp",
        "found",
        "list",
        "implicit",
        "192.0.2.1",
        "2001:DB8::1",
        "a..b",
        "A.example",
        "mx.example match=x",
        "{",
        "}",
        "x\ny",
        "\xe2\x80\xa8",
        "3 1 1 00",
        "3 1 1",
        "v=TLSRPTv1; rua=mailto:a@b",
        "-",
        "version: STSv1\nmode: none\nmax_age: 0\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 9\n",
        longest,
    };
    unsigned n = take(in);
    char raw[256];
    json_t *value;

    if (n < sizeof(texts) / sizeof(texts[0]))
        return json_string(texts[n]);
    value = json_stringn(raw, take_octets(raw, n, in));
    return value != NULL ? value : json_stringn("\0", 1); /* it was no UTF-8 */
}

static json_t *pick_value(struct recipe *in)
{
    static const int64_t numbers[] = {0,         1,        -1, 2, 65535, 65536, NOW, DEST_TIME_MAX, DEST_TIME_MAX + 1,
                                      INT64_MAX, INT64_MIN};
    unsigned n = take(in);

    switch (n % 8) {
    case 0:
    case 1:
        return pick_string(in);
    case 2:
        return json_integer(numbers[take(in) % (sizeof(numbers) / sizeof(numbers[0]))]);
    case 3:
        return json_boolean((n & 8) != 0);
    case 4:
        return json_null();
    case 5:
        return json_real((n & 8) != 0 ? 1e300 : 1.0);
    case 6:
        return (n & 8) != 0 ? json_array() : json_object();
    default:
        return nested(n == 255 ? DEPTH : n >> 3, (n & 8) != 0);
    }
}

/* Edit one member of an object, or of an array: another value, none, its neighbour's. */
static void edit_here(json_t *at, size_t which, struct recipe *in)
{
    unsigned how = take(in) % 4;
    void *member = json_object_iter(at);

    if (json_is_array(at)) {
        if (how == 0)
            (void)json_array_remove(at, which);
        else if (how == 1) /* once more, and once more */
            for (unsigned i = take(in) % 40; i > 0; i--)
                demand(json_array_append_new(at, json_deep_copy(json_array_get(at, which))) == 0);
        else
            (void)json_array_set_new(at, which, pick_value(in));
        return;
    }
    for (; which > 0; which--)
        member = json_object_iter_next(at, member);
    if (how == 0)
        demand(json_object_del(at, json_object_iter_key(member)) == 0);
    else if (how == 1)
        demand(json_object_set_new(at, "other", pick_value(in)) == 0);
    else
        demand(json_object_iter_set_new(at, member, pick_value(in)) == 0);
}

static json_t *member_at(json_t *at, size_t which)
{
    void *member = json_object_iter(at);

    if (json_is_array(at))
        return json_array_get(at, which);
    for (; which > 0; which--)
        member = json_object_iter_next(at, member);
    return json_object_iter_value(member);
}

static size_t member_count(const json_t *at)
{
    return json_is_array(at) ? json_array_size(at) : json_object_size(at);
}

/* Walk down as the recipe says, and change something there. */
static void edit(json_t *root, struct recipe *in)
{
    json_t *at = root;

    for (unsigned step = 0; step < 6 && member_count(at) > 0; step++) {
        unsigned n = take(in);
        size_t which = (n & 127) % member_count(at);
        json_t *below = member_at(at, which);

        if ((n & 128) != 0 || member_count(below) == 0) {
            edit_here(at, which, in);
            return;
        }
        at = below;
    }
}

/* What no JSON value can say: a doubled member, a number that no integer holds, octets in the middle. */
static void edit_text(struct buf *out, const char *text, struct recipe *in)
{
    static const char *const pieces[] = {"\"v\":1,", "1e400,", "99999999999999999999", "\\u0000", "\xff", "{",
                                         "]",        "//"};
    size_t len = strlen(text);
    unsigned n = take(in);
    size_t at = len == 0 ? 0 : take16(in) % len;

    if (n == 0) {
        buf_str(out, text);
        return;
    }
    if (n % 8 == 1)
        at = 1;
    buf_add(out, text, at);
    buf_str(out, pieces[(n - 1) % 8]);
    buf_str(out, (n & 128) != 0 ? "" : text + at);
}

static bool is_reply(const char *kept, size_t len, const struct buf *rendered)
{
    return len == rendered->len && memcmp(kept, rendered->data, len) == 0;
}

/* What policyd keeps: the replies as they were rendered, for no longer than they hold. */
static void demand_kept(const struct dest *d)
{
    const struct decide_options options = decide_options_default();
    struct decision decision;
    struct buf plain, tlsrpt;
    struct answer *a;
    const char *kept;
    size_t len;

    decide(&decision, d, DECIDE_FRESH, &options, NOW);
    buf_init(&plain, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    buf_init(&tlsrpt, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    render_postfix(&plain, &decision, d);
    render_postfix_tlsrpt(&tlsrpt, &decision, d);
    a = answer_new(&decision, d, &options);
    demand(a != NULL && a->valid_until == decision.valid_until && a->refresh_at <= a->valid_until);
    kept = answer_wire(a, ANSWER_POSTFIX, &len);
    demand(is_reply(kept, len, &plain));
    kept = answer_wire(a, ANSWER_TLSRPT, &len);
    demand(is_reply(kept, len, &tlsrpt));
    demand(a->binds == (decision.level >= LEVEL_ENCRYPT) && (!decision.temp || a->stale_until == 0));
    demand(!decision.use_sts || (a->policy_until == d->sts.expires && a->stale_until >= d->sts.expires));
    demand(!answer_outlives(a, d, NOW)); /* the same policy is known */
    free(a);
    buf_clear(&plain);
    buf_clear(&tlsrpt);
}

/* What was taken keeps the limits, as what was built did. */
static void demand_taken(const struct dest *d, unsigned how)
{
    demand(d->host_count <= DEST_HOSTS_MAX && strlen(d->tlsrpt) <= DEST_TLSRPT_MAX);
    demand(!d->sts.has_policy || d->sts.expires == d->sts.fetched + d->sts.policy.max_age);
    demand(d->host_count == 0 || d->mx == DEST_MX_LIST || (d->mx == DEST_MX_IMPLICIT && d->host_count == 1));
    demand_round_trip(d);
    demand_decisions(d, how);
}

static void try_hostile(const struct dest *d, struct recipe *in)
{
    struct buf b, edited;
    struct err e = {""};
    struct dest *back;
    json_t *root;
    char *text;

    buf_init(&b, DEST_JSON_MAX);
    buf_init(&edited, DEST_JSON_MAX + 1000);
    dest_to_json(&b, d);
    if (!buf_ok(&b)) { /* too long */
        buf_clear(&b);
        return;
    }
    root = json_loadb(b.data, b.len, 0, NULL);
    demand(root != NULL);
    for (unsigned i = take(in) % EDITS; i > 0; i--)
        edit(root, in);
    text = json_dumps(root, JSON_COMPACT);
    if (text != NULL) { /* too deep */
        edit_text(&edited, text, in);
        back = dest_from_json(buf_text(&edited), edited.len, &e);
        demand((back == NULL) == (e.text[0] != '\0'));
        if (back != NULL)
            demand_taken(back, take(in));
        dest_free(back);
    }
    free(text);
    json_decref(root);
    buf_clear(&edited);
    buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    struct dest *d = make_dest(&in);

    demand_decisions(d, take(&in));
    demand_kept(d);
    demand_round_trip(d);
    try_hostile(d, &in);
    dest_free(d);
    return 0;
}
