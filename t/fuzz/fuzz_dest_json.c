/*
 * fuzz_dest_json.c - destination records from Redis: what is taken comes back the same from its own JSON, lives no
 * longer than its policy says, and gives decisions and answers that keep their form, whatever the facts. The octets are
 * tried as a policy body, too: a body that is taken can be stored.
 */
#include "decide.h"
#include "dest.h"
#include "netstring.h"
#include "render.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool held)
{
    if (!held)
        abort();
}

/* Only our own braces: each '{' begins a policy string, and each '}' ends one. */
static void check_braces(const char *text, size_t len)
{
    static const char opening[] = "{ policy_string = ";
    bool inside = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '{') {
            demand(!inside && len - i > sizeof opening && memcmp(text + i, opening, sizeof opening - 1) == 0);
            inside = true;
        } else if (text[i] == '}') {
            demand(inside && text[i - 1] == ' ');
            inside = false;
        }
    }
    demand(!inside);
}

static void check_answer(const struct buf *out, const struct decision *decision)
{
    struct netstring n;

    demand(buf_ok(out));
    demand(netstring_parse(&n, out->data, out->len, SOCKETMAP_REPLY_MAX) == 1 && n.total == out->len);
    for (size_t i = 0; i < n.len; i++)
        demand(n.data[i] >= 0x20 && n.data[i] <= 0x7e);
    check_braces(n.data, n.len);
    demand(!decision->temp || memcmp(n.data, "TEMP ", 5) == 0);
    demand(!decision->use_sts || memcmp(n.data, "TEMP ", 5) == 0 || memcmp(n.data, "OK dane-only", 12) == 0 ||
           memcmp(n.data, "OK secure match=", 16) == 0);
}

static void check_decision(const struct dest *d, enum decide_age age, unsigned bits, int64_t now)
{
    struct decide_options options = decide_options_default();
    struct decision decision;
    struct buf out;

    options.dane = (bits & 1) != 0;
    options.sts = (bits & 2) != 0;
    options.sts_unknown_hold = (bits & 4) != 0 ? 3600 : 0;
    decide(&decision, d, age, &options, now);
    demand(decision.valid_until > now);
    demand(decision.reason_count > 0 && decision.reason_count <= DECIDE_REASONS_MAX);
    demand(!decision.temp || (decision.level == LEVEL_DEFAULT && !decision.use_sts));
    demand(!options.sts || !dest_sts_live(&d->sts, now) || decision.valid_until <= d->sts.expires);
    buf_init(&out, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    render_postfix(&out, &decision, d);
    check_answer(&out, &decision);
    buf_reset(&out);
    render_postfix_tlsrpt(&out, &decision, d);
    check_answer(&out, &decision);
    buf_clear(&out);
}

static void check_decisions(const struct dest *d)
{
    const int64_t times[] = {0, d->resolved, d->valid_until, d->sts.expires - 1, d->sts.expires, d->valid_until + 3600};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        for (unsigned bits = 0; bits < 8; bits++) {
            check_decision(d, DECIDE_FRESH, bits, times[i]);
            check_decision(d, DECIDE_STALE, bits, times[i]);
        }
    }
}

/* To JSON and back is a fixed point. Records that would be longer than they may be are not stored at all. */
static void check_round_trip(const struct dest *d)
{
    struct buf first;
    struct buf second;
    struct dest *back;

    buf_init(&first, DEST_JSON_MAX);
    buf_init(&second, DEST_JSON_MAX);
    dest_to_json(&first, d);
    if (buf_ok(&first)) {
        back = dest_from_json(first.data, first.len, NULL);
        demand(back != NULL);
        dest_to_json(&second, back);
        demand(buf_ok(&second) && second.len == first.len && memcmp(first.data, second.data, first.len) == 0);
        dest_free(back);
    }
    buf_clear(&first);
    buf_clear(&second);
}

static void check_body(const uint8_t *data, size_t size)
{
    struct dest *d = dest_new("example.com");
    struct buf out;

    demand(d != NULL);
    if (dest_sts_set_policy(&d->sts, "1", (const char *)data, size, 1000, NULL) == 0) {
        buf_init(&out, DEST_JSON_MAX);
        dest_to_json(&out, d);
        demand(buf_ok(&out));
        buf_clear(&out);
        check_round_trip(d);
        check_decisions(d);
    }
    dest_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {""};
    struct dest *d = dest_from_json((const char *)data, size, &e);

    demand((d == NULL) == (e.text[0] != '\0'));
    if (d != NULL) {
        demand(!d->sts.has_policy || d->sts.expires == d->sts.fetched + d->sts.policy.max_age);
        check_round_trip(d);
        check_decisions(d);
    }
    dest_free(d);
    check_body(data, size);
    return 0;
}
