/*
 * publish_tlsa_plan.c - the steps in which the key of a server changes under DANE (RFC 7671 8.1, 8.4), and in which of
 * them it is now.
 */
#include "publish_tlsa.h"

#include "tlsa_match.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(struct tlsa_plan *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct tlsa_plan *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(out->step[out->count].text, sizeof(out->step[0].text), fmt, args);
    va_end(args);
    out->count++;
}

/* now: the step from 1 on; 0: it is not known; beyond the last: all is done. */
static void mark(struct tlsa_plan *out, size_t now)
{
    for (size_t i = 0; i < out->count; i++)
        out->step[i].state = now == 0 || i + 1 > now ? "later" : i + 1 == now ? "now" : "done";
}

static bool in_dns(const struct tlsa_live *dns, const struct tlsa_key *key)
{
    bool there = false;

    for (size_t i = 0; key->there && i < dns->count; i++)
        there = there || tlsa_is_of_key(&dns->rr[i].tlsa, key->digest);
    return there;
}

static void judge(struct tlsa_plan *out, const struct tlsa_view *view)
{
    struct tlsa_rollover_facts f = {.status = view->dns->status,
                                    .rr = view->dns->rr,
                                    .count = view->dns->count,
                                    .ttl = view->dns->ttl,
                                    .live_key = view->live->there ? view->live->digest : NULL,
                                    .next_key = view->next->there ? view->next->digest : NULL,
                                    .wanted = true,
                                    .pending = view->next->there,
                                    .next_seen = view->next_seen,
                                    .now = view->now,
                                    .tlsa_ttl = view->tlsa_ttl};

    f.live_fits = tlsa_set_fits(f.rr, f.count, &view->live->chain);
    f.next_fits = tlsa_set_fits(f.rr, f.count, &view->next->chain);
    tlsa_rollover_judge(&out->judged, &f);
}

/* All of the server shows the next key: what is left is to forget the old one. */
static size_t after_switch(const struct tlsa_view *view)
{
    if (!in_dns(view->dns, view->next))
        return 1;
    return in_dns(view->dns, view->live) ? 4 : 6;
}

static size_t now_at(const struct tlsa_plan *plan, const struct tlsa_view *view)
{
    enum tlsa_step step = plan->judged.step;

    if (step == TLSA_STOP)
        return 0;
    if (tlsa_served(view) == TLSA_SERVED_NEXT)
        return after_switch(view);
    return step == TLSA_PUBLISH ? 1 : step == TLSA_WAIT ? 2 : 3;
}

static void rollover(struct tlsa_plan *out, const struct tlsa_view *view)
{
    long long ttl = (long long)out->judged.ttl;
    bool first = view->dns->status != DNS_FAILED && view->dns->count == 0;
    char negative[120] = "";

    if (first)
        (void)snprintf(negative, sizeof(negative), ", and %lu s more, for which caches keep that there are no records",
                       (unsigned long)view->dns->ttl);
    add(out, "Publish both records%s.", first ? "" : " beside those that are there");
    add(out, "Wait 2 x TTL, %lld s%s: then no cache is left that has records without the next key.", 2 * ttl, negative);
    add(out,
        "Have the server use the certificate of the next key%s%s%s; posternctl publish tlsa %s --check tells whether "
        "it fits.",
        view->next_name[0] != '\0' ? " (posternctl cert use " : "", view->next_name,
        view->next_name[0] != '\0' ? ")" : "", view->host);
    add(out, "Wait 2 x TTL, %lld s, before anything is taken away.", 2 * ttl);
    add(out,
        "Take the record of the old key (%s) out of DNS. What is left is the record of the new one; before the next "
        "change, begin at 1.",
        view->live->label);
    mark(out, now_at(out, view));
}

static void one_key(struct tlsa_plan *out, const struct tlsa_view *view)
{
    add(out, "Publish the record%s.", view->dns->count == 0 ? "" : " beside those that are there");
    add(out,
        "Before the key changes (and a certificate that is renewed may have another key): posternctl publish tlsa "
        "%s --cert CERTIFICATE --next KEY, which names the steps.",
        view->host);
    mark(out, out->judged.step == TLSA_STOP ? 0 : out->judged.step == TLSA_PUBLISH ? 1 : 3);
    if (out->judged.step == TLSA_NOTHING)
        out->step[1].state = "later";
}

void tlsa_plan(struct tlsa_plan *out, const struct tlsa_view *view)
{
    memset(out, 0, sizeof(*out));
    judge(out, view);
    if (view->next->there)
        rollover(out, view);
    else
        one_key(out, view);
}
