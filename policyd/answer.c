/* answer.c - decisions made into replies that only need to be copied to the socket. */
#include "answer.h"

#include "netstring.h"
#include "refresh.h"
#include "render.h"

#include <stdlib.h>
#include <string.h>

/* Room for the longest reply that the protocol allows. */
#define WIRE_MAX (SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD)

/*
 * What binds goes on when newer facts cannot be had: an enforced policy until it expires, DANE (which the MTA checks
 * again itself) without end. What does not bind goes on for stale_max; but what is plain for a time, no longer.
 */
static int64_t stale_until(const struct decision *decision, const struct dest *dest,
                           const struct decide_options *options)
{
    int64_t until;

    if (decision->temp || dest == NULL)
        return 0;
    if (decision->level == LEVEL_DANE || decision->level == LEVEL_DANE_ONLY)
        return INT64_MAX;
    if (decision->use_sts)
        return dest->sts.expires;
    until = dest->valid_until + options->stale_max;
    return decision->ends != 0 && decision->ends < until ? decision->ends : until;
}

static int64_t refresh_at(const struct decision *decision, const struct dest *dest)
{
    int64_t at = dest == NULL ? decision->valid_until : refresh_facts_at(dest);

    return at < decision->valid_until ? at : decision->valid_until;
}

static struct answer *answer_pack(const struct buf *plain, const struct buf *tlsrpt)
{
    bool same = plain->len == tlsrpt->len && memcmp(plain->data, tlsrpt->data, plain->len) == 0;
    size_t second = same ? 0 : tlsrpt->len;
    struct answer *a = calloc(1, sizeof(*a) + plain->len + second);

    if (a == NULL)
        return NULL;
    a->plain_len = (uint32_t)plain->len;
    a->tlsrpt_len = (uint32_t)second;
    memcpy(a->wire, plain->data, plain->len);
    memcpy(a->wire + plain->len, tlsrpt->data, second);
    return a;
}

static void note_policy(struct answer *a, const struct dest *dest, const struct decide_options *options)
{
    if (dest == NULL || !options->sts || !dest->sts.has_policy || dest->sts.policy.mode != STS_MODE_ENFORCE)
        return;
    a->policy_fetched = dest->sts.fetched;
    a->policy_until = dest->sts.expires;
}

struct answer *answer_new(const struct decision *decision, const struct dest *dest,
                          const struct decide_options *options)
{
    struct answer *a = NULL;
    struct buf plain, tlsrpt;

    buf_init(&plain, WIRE_MAX);
    buf_init(&tlsrpt, WIRE_MAX);
    render_postfix(&plain, decision, dest);
    render_postfix_tlsrpt(&tlsrpt, decision, dest);
    if (buf_ok(&plain) && buf_ok(&tlsrpt))
        a = answer_pack(&plain, &tlsrpt);
    if (a != NULL) {
        a->valid_until = decision->valid_until;
        a->resolved = dest == NULL ? 0 : dest->resolved;
        a->stale_until = stale_until(decision, dest, options);
        a->refresh_at = refresh_at(decision, dest);
        note_policy(a, dest, options);
        a->level = (unsigned char)decision->level;
        a->by = (unsigned char)decision->by;
        a->smtps = decision->smtps;
        a->binds = decision->binds && !decision->temp && decision->level >= LEVEL_ENCRYPT;
    }
    buf_clear(&plain);
    buf_clear(&tlsrpt);
    return a;
}

bool answer_outlives(const struct answer *a, const struct dest *dest, int64_t now)
{
    return now < a->policy_until && !dest_sts_supersedes(&dest->sts, a->policy_fetched, now);
}

void answer_keep_policy(struct answer *a, const struct answer *before)
{
    a->policy_fetched = before->policy_fetched;
    a->policy_until = before->policy_until;
}

bool answer_due(struct answer *a, int64_t now)
{
    if (now < a->refresh_at)
        return false;
    a->refresh_at = now + ANSWER_REFRESH_AGAIN;
    return true;
}

const char *answer_level(const struct answer *a)
{
    return a->by >= DECIDE_TEMP_UNKNOWN ? "temp" : tls_level_name((enum tls_level)a->level);
}

const char *answer_wire(const struct answer *a, enum answer_map map, size_t *len)
{
    if (map == ANSWER_TLSRPT && a->tlsrpt_len != 0) {
        *len = a->tlsrpt_len;
        return a->wire + a->plain_len;
    }
    *len = a->plain_len;
    return a->wire;
}

const char *answer_text(const struct answer *a, enum answer_map map, size_t *len)
{
    size_t wire_len;
    const char *wire = answer_wire(a, map, &wire_len);
    struct netstring ns;

    if (netstring_parse(&ns, wire, wire_len, SOCKETMAP_REPLY_MAX) != 1) {
        *len = 0;
        return "";
    }
    *len = ns.len;
    return ns.data;
}
