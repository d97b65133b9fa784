/* tlsa_rollover.c - see tlsa_rollover.h. */
#include "tlsa_rollover.h"

#include "certificate.h"

#include <stdio.h>
#include <string.h>

const char *tlsa_step_name(enum tlsa_step step)
{
    static const char *const names[] = {"nothing", "publish", "wait", "activate", "withdraw", "stop"};
    return names[step];
}

bool tlsa_is_of_key(const struct tlsa *rr, const uint8_t *key_digest)
{
    return key_digest != NULL && rr->usage == 3 && rr->selector == 1 && rr->matching_type == 1 &&
           rr->len == CERT_DIGEST_LEN && memcmp(rr->data, key_digest, CERT_DIGEST_LEN) == 0;
}

/* What the live RRset says of our keys. */
struct seen {
    bool any, usable;
    bool live_own; /* 3 1 1 of the key in use */
    bool live, next, old;
};

static struct seen look(const struct tlsa_rollover_facts *f)
{
    struct seen s = {0};

    if (f->status != DNS_FOUND || f->count == 0)
        return s;
    s.any = true;
    for (size_t i = 0; i < f->count; i++) {
        const struct tlsa *rr = &f->rr[i].tlsa;
        s.usable = s.usable || tlsa_usable(rr, NULL);
        s.live_own = s.live_own || tlsa_is_of_key(rr, f->live_key);
        s.next = s.next || tlsa_is_of_key(rr, f->next_key);
        s.old = s.old || tlsa_is_of_key(rr, f->old_key);
    }
    s.live = f->live_key != NULL && (s.live_own || f->live_fits);
    s.next = f->next_key != NULL && (s.next || f->next_fits);
    return s;
}

static bool same_key(const uint8_t *a, const uint8_t *b)
{
    return a != NULL && b != NULL && memcmp(a, b, CERT_DIGEST_LEN) == 0;
}

static int64_t not_future(int64_t at, int64_t now)
{
    return at > now ? now : at;
}

/*
 * Since when caches that hold a set hold one with the next key. A set that has gone as a whole does not change that:
 * those who still have it have the one that was seen.
 */
static int64_t next_seen(const struct tlsa_rollover_facts *f, const struct seen *s)
{
    int64_t before = not_future(f->next_seen, f->now);

    if (f->next_key == NULL || (s->any && !s->next))
        return 0;
    return s->next && before <= 0 ? f->now : before;
}

static void say(struct tlsa_rollover *out, enum tlsa_step step, const char *why)
{
    out->step = step;
    (void)snprintf(out->why, sizeof(out->why), "%s", why);
}

static void wait_until(struct tlsa_rollover *out, int64_t until, const char *why)
{
    out->until = until;
    say(out, TLSA_WAIT, why);
}

static void publish(struct tlsa_rollover *out, bool live, bool next, const char *why)
{
    out->publish_live = live;
    out->publish_next = next;
    say(out, TLSA_PUBLISH, why);
}

/* There are no records. The first ones must fit what is served already: only a key in use brings them about. */
static void judge_absent(struct tlsa_rollover *out, const struct tlsa_rollover_facts *f, int64_t ready)
{
    bool first = f->wanted && f->live_key != NULL;

    if (f->pending && out->next_seen != 0 && f->now < ready)
        wait_until(out, ready, "the TLSA records have gone, but caches may hold those without the next key");
    else if (first)
        publish(out, true, f->next_key != NULL, "there are no TLSA records yet");
    else if (f->pending)
        say(out, TLSA_ACTIVATE, "there are no TLSA records: no sender goes by DANE");
    else
        say(out, TLSA_NOTHING, "there are no TLSA records");
}

/* What is missing in the set. Where the key in use goes by the record of an authority, the next one may, too, and that
 * is known when its certificate is there. */
static bool missing(struct tlsa_rollover *out, const struct tlsa_rollover_facts *f, const struct seen *s)
{
    bool by_authority = s->live && !s->live_own && !f->pending;
    bool live = f->live_key != NULL && !s->live;
    bool next = f->next_key != NULL && !s->next && !by_authority;

    if (live && s->usable)
        publish(out, live, next, "no TLSA record fits the certificate in use: senders under DANE refuse the server");
    else if (live)
        publish(out, live, next, "there are TLSA records, but none that can be used");
    else if (next)
        publish(out, live, next, "the next key has no TLSA record yet");
    return live || next;
}

static void judge_set(struct tlsa_rollover *out, const struct tlsa_rollover_facts *f, const struct seen *s,
                      int64_t ready, int64_t old_may_go)
{
    bool old = s->old && s->live && !same_key(f->old_key, f->live_key) && !same_key(f->old_key, f->next_key);

    out->broken = s->usable && f->live_key != NULL && !s->live;
    out->withdraw_old = old && f->now >= old_may_go;
    if (f->pending && s->next && f->now >= ready)
        say(out, TLSA_ACTIVATE, "the TLSA record of the next key is known everywhere");
    else if (missing(out, f, s))
        return;
    else if (out->withdraw_old)
        say(out, TLSA_WITHDRAW, "no cache needs the TLSA record of the key before any more");
    else if (f->pending && (!old || ready <= old_may_go))
        wait_until(out, ready, "caches may hold TLSA records without the next key");
    else if (old)
        wait_until(out, old_may_go, "the TLSA record of the key before must stay for a while after the switch");
    else
        say(out, TLSA_NOTHING, "the TLSA records fit");
}

void tlsa_rollover_judge(struct tlsa_rollover *out, const struct tlsa_rollover_facts *facts)
{
    struct tlsa_rollover_facts f = *facts;
    struct seen s;

    f.pending = f.pending && f.next_key != NULL;
    s = look(&f);
    memset(out, 0, sizeof(*out));
    out->ttl = s.any && (int64_t)f.ttl > f.tlsa_ttl ? (int64_t)f.ttl : f.tlsa_ttl;
    if (f.status == DNS_FAILED) {
        out->next_seen = not_future(f.next_seen, f.now);
        say(out, TLSA_STOP, "the TLSA records cannot be looked up now");
        return;
    }
    out->next_seen = next_seen(&f, &s);
    if (s.any)
        judge_set(out, &f, &s, out->next_seen + 2 * out->ttl, not_future(f.switched, f.now) + 2 * out->ttl);
    else
        judge_absent(out, &f, out->next_seen + 2 * out->ttl);
}
