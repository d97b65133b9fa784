/* requiretls.c - see requiretls.h: the conditions, and the verdict. */
#include "requiretls.h"

#include "mx_match.h"

#include <stdio.h>
#include <string.h>

/* --- conditions --- */

const char *requiretls_condition_name(enum requiretls_condition condition)
{
    static const char *const names[REQUIRETLS_CONDITIONS] = {
        "mx_authenticated", "policy_names_it", "connects", "starttls", "tls", "certificate", "requiretls"};

    return names[condition];
}

static struct requiretls_cell cell(enum requiretls_holds holds, const char *how)
{
    struct requiretls_cell c = {.holds = holds};

    (void)snprintf(c.how, sizeof(c.how), "%s", how);
    return c;
}

static struct requiretls_cell not_reached(void)
{
    return cell(REQUIRETLS_OPEN, "-");
}

static bool is_named(const struct dest *d, const struct dest_host *host)
{
    return mx_match_any(d->sts.policy.mx, d->sts.policy.mx_count, host->name);
}

static bool has_mode(const struct requiretls *r, enum sts_mode mode)
{
    const struct dest_sts *sts = &r->path.dest->sts;

    return dest_sts_live(sts, r->now) && sts->policy.mode == mode;
}

static struct requiretls_cell look_mx(const struct requiretls *r, const struct dest_host *host)
{
    if (r->path.dest->mx_secure)
        return cell(REQUIRETLS_YES, "DNSSEC");
    if (has_mode(r, STS_MODE_ENFORCE) && is_named(r->path.dest, host))
        return cell(REQUIRETLS_YES, "MTA-STS");
    return cell(REQUIRETLS_NO, "no");
}

/* Only a policy in mode enforce binds. */
static struct requiretls_cell look_policy(const struct requiretls *r, const struct dest_host *host)
{
    const struct dest_sts *sts = &r->path.dest->sts;

    if (has_mode(r, STS_MODE_ENFORCE))
        return is_named(r->path.dest, host) ? cell(REQUIRETLS_YES, "yes") : cell(REQUIRETLS_NO, "no");
    if (has_mode(r, STS_MODE_TESTING))
        return cell(REQUIRETLS_OPEN, "testing");
    if (sts->record == DEST_STS_TEMP)
        return cell(REQUIRETLS_OPEN, "not known");
    return sts->failure != DEST_STS_OK ? cell(REQUIRETLS_OPEN, "not fetched") : not_reached();
}

static struct requiretls_cell look_starttls(const struct requiretls_host *h)
{
    switch (h->why.what) {
    case RELAY_FAILED_EHLO_PERM:
    case RELAY_FAILED_STARTTLS_ABSENT:
        return cell(REQUIRETLS_NO, "no");
    case RELAY_FAILED_STARTTLS_TEMP:
    case RELAY_FAILED_STARTTLS_PERM:
        return cell(REQUIRETLS_NO, "refused");
    default:
        break;
    }
    if (h->progress.handshake)
        return cell(REQUIRETLS_YES, "yes");
    return h->progress.starttls ? cell(REQUIRETLS_NO, "broken") : not_reached();
}

static struct requiretls_cell look_tls(const struct requiretls_host *h)
{
    switch (h->why.what) {
    case RELAY_FAILED_HANDSHAKE:
        return cell(REQUIRETLS_NO, "broken");
    case RELAY_FAILED_HANDSHAKE_REFUSED:
        return cell(REQUIRETLS_NO, "none fits");
    default:
        break;
    }
    if (h->progress.verified)
        return cell(REQUIRETLS_YES, h->tls.version);
    return h->tls.sha256[0] != '\0' ? cell(REQUIRETLS_YES, "yes") : not_reached();
}

static struct requiretls_cell look_certificate(const struct requiretls_host *h, const struct relay_candidate *c)
{
    switch (h->why.what) {
    case RELAY_FAILED_CERT_UNTRUSTED:
        return cell(REQUIRETLS_NO, "untrusted");
    case RELAY_FAILED_CERT_EXPIRED:
        return cell(REQUIRETLS_NO, "expired");
    case RELAY_FAILED_CERT_NAME:
        return cell(REQUIRETLS_NO, "other name");
    case RELAY_FAILED_CERT_TLSA:
        return cell(REQUIRETLS_NO, "fits no TLSA");
    default:
        break;
    }
    if (!h->progress.verified)
        return not_reached();
    return cell(REQUIRETLS_YES, !c->dane ? "PKIX" : c->pkix ? "DANE+PKIX" : "DANE");
}

static struct requiretls_cell look_word(const struct requiretls_host *h)
{
    if (h->why.what == RELAY_FAILED_TLS_EHLO_PERM)
        return cell(REQUIRETLS_NO, "no");
    if (h->why.what != RELAY_FAILED_NOTHING)
        return not_reached();
    if (h->offer.after)
        return cell(REQUIRETLS_YES, "offered");
    return cell(REQUIRETLS_NO, h->offer.before ? "in clear only" : "no");
}

void requiretls_look(struct requiretls_cell out[REQUIRETLS_CONDITIONS], const struct requiretls *r, size_t candidate)
{
    const struct relay_candidate *c = &r->path.candidate[candidate];
    const struct requiretls_host *h = &r->host[candidate];

    for (size_t i = 0; i < REQUIRETLS_CONDITIONS; i++)
        out[i] = not_reached();
    out[REQUIRETLS_MX] = look_mx(r, c->host);
    out[REQUIRETLS_POLICY] = look_policy(r, c->host);
    if (c->barred == RELAY_FAILED_ADDRESS_TEMP)
        out[REQUIRETLS_CONNECTS] = cell(REQUIRETLS_NO, "no address");
    if (!h->asked)
        return;
    out[REQUIRETLS_CONNECTS] = h->progress.connected ? cell(REQUIRETLS_YES, h->address) : cell(REQUIRETLS_NO, "no");
    out[REQUIRETLS_STARTTLS] = look_starttls(h);
    out[REQUIRETLS_TLS] = look_tls(h);
    out[REQUIRETLS_CERTIFICATE] = look_certificate(h, c);
    out[REQUIRETLS_WORD] = look_word(h);
}

/* --- the verdict --- */

enum relay_failed requiretls_failed(const struct requiretls *r, size_t candidate, bool null_reverse_path)
{
    const struct requiretls_host *h = &r->host[candidate];
    bool say = false;

    if (r->path.candidate[candidate].barred != RELAY_FAILED_NOTHING)
        return r->path.candidate[candidate].barred;
    if (!h->asked || h->why.what != RELAY_FAILED_NOTHING)
        return h->why.what;
    return relay_path_offer(&say, &h->offer, null_reverse_path);
}

const char *requiretls_result_name(enum requiretls_result result)
{
    static const char *const names[] = {"delivered", "returned", "deferred", "undecided"};

    return names[result];
}

/* Those of one preference that take it: chance decides between them. */
static void take_equals(struct requiretls_outcome *out, const struct requiretls *r, uint16_t preference,
                        bool null_reverse_path)
{
    size_t order[DEST_HOSTS_MAX];
    size_t count = requiretls_order(order, r);

    out->result = REQUIRETLS_DELIVERED;
    for (size_t i = 0; i < count; i++)
        if (r->path.candidate[order[i]].host->preference == preference &&
            requiretls_failed(r, order[i], null_reverse_path) == RELAY_FAILED_NOTHING)
            out->host[out->hosts++] = order[i];
}

static void judge_offline(struct requiretls_outcome *out, const struct requiretls *r)
{
    size_t order[DEST_HOSTS_MAX];
    size_t count = requiretls_order(order, r);

    out->result = REQUIRETLS_UNDECIDED;
    for (size_t i = 0; i < count; i++)
        if (r->path.candidate[order[i]].barred == RELAY_FAILED_NOTHING)
            out->host[out->hosts++] = order[i];
}

static void tally_host(struct relay_tally *t, const struct requiretls *r, size_t candidate, enum relay_failed what)
{
    const struct relay_failure *why = &r->host[candidate].why;
    struct relay_failure f;

    if (what == why->what)
        f = *why;
    else
        relay_failure_set(&f, what, r->path.candidate[candidate].host->name, NULL, NULL);
    relay_tally_add(t, &f);
}

void requiretls_judge(struct requiretls_outcome *out, const struct requiretls *r, bool null_reverse_path)
{
    struct relay_tally tally;
    bool next = true;

    memset(&tally, 0, sizeof(tally));
    memset(out, 0, sizeof(*out));
    if (r->offline && r->path.usable > 0) {
        judge_offline(out, r);
        return;
    }
    for (size_t i = 0; i < r->path.usable && next; i++) {
        enum relay_failed what = requiretls_failed(r, i, null_reverse_path);

        if (what == RELAY_FAILED_NOTHING) {
            take_equals(out, r, r->path.candidate[i].host->preference, null_reverse_path);
            return;
        }
        tally_host(&tally, r, i, what);
        next = relay_failed_next(what);
    }
    relay_path_tally(&tally, &r->path);
    relay_tally_reply(&out->reply, &tally, r->hop.name);
    out->result = out->reply.code < 500 ? REQUIRETLS_DEFERRED : REQUIRETLS_RETURNED;
}

static bool comes_before(const struct dest_host *a, const struct dest_host *b)
{
    return a->preference < b->preference || (a->preference == b->preference && strcmp(a->name, b->name) < 0);
}

size_t requiretls_order(size_t out[DEST_HOSTS_MAX], const struct requiretls *r)
{
    for (size_t i = 0; i < r->path.count; i++) {
        size_t to = i;

        for (; to > 0 && comes_before(r->path.candidate[i].host, r->path.candidate[out[to - 1]].host); to--)
            out[to] = out[to - 1];
        out[to] = i;
    }
    return r->path.count;
}
