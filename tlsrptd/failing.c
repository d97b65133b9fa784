/* failing.c - see failing.h. */
#include "failing.h"

#include "ascii.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char out[NEXTHOP_BUF], const char *text)
{
    snprintf(out, NEXTHOP_BUF, "%s", text);
    ascii_make_printable(out);
}

/* What is from the future, as clocks differ, is not over. */
static bool is_over(const struct failing_domain *d, int64_t now)
{
    return d->domain[0] == '\0' || now - d->last >= FAILING_KEEP;
}

static struct failing_domain *find(struct failing *f, const char *domain)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->domain[i].domain, domain) == 0)
            return &f->domain[i];
    return NULL;
}

/* A free place, or that of the one of which nothing has been heard longest. */
static struct failing_domain *place_for(struct failing *f)
{
    struct failing_domain *oldest = &f->domain[0];

    /* One that was forgotten has the time 0. */
    if (f->count < FAILING_MAX)
        return &f->domain[f->count++];
    for (size_t i = 1; i < FAILING_MAX; i++)
        if (f->domain[i].last < oldest->last)
            oldest = &f->domain[i];
    return oldest;
}

static struct failing_domain *domain_for(struct failing *f, const char *foreign, const char *host, int64_t at)
{
    char domain[NEXTHOP_BUF];
    struct failing_domain *d;

    copy_text(domain, foreign);
    d = find(f, domain);

    if (d == NULL)
        d = place_for(f);
    if (strcmp(d->domain, domain) != 0 || is_over(d, at)) {
        memset(d, 0, sizeof(*d));
        copy_text(d->domain, domain);
    }
    if (host != NULL && host[0] != '\0')
        copy_text(d->host, host);
    if (at > d->last)
        d->last = at;
    return d;
}

/* TLS went well there: with that host, or a domain of which no host was told. */
static void forget(struct failing *f, const char *domain, const char *host)
{
    struct failing_domain *d = find(f, domain);

    if (d != NULL && (d->host[0] == '\0' || strcmp(d->host, host) == 0))
        memset(d, 0, sizeof(*d));
}

void failing_fallback(struct failing *f, const char *nexthop, const char *host, enum fallback_event event, int64_t at)
{
    struct failing_domain *d;

    if (event == FALLBACK_TLS_DONE)
        forget(f, nexthop, host);
    if (event != FALLBACK_HANDSHAKE_FAILED && event != FALLBACK_LATER_FAILED)
        return;
    d = domain_for(f, nexthop, host, at);
    d->untyped++;
    if (d->typed == 0)
        snprintf(d->result, sizeof(d->result), "%s", fallback_event_name(event));
}

void failing_event(struct failing *f, const struct tlsrpt_event *event, int64_t at)
{
    const struct tlsrpt_policy *p = NULL;
    const struct tlsrpt_failure *last = NULL;
    struct failing_domain *d;

    for (size_t i = 0; p == NULL && i < event->policies; i++)
        if (event->policy[i].failed)
            p = &event->policy[i];
    if (p == NULL || event->domain == NULL || event->domain[0] == '\0')
        return;
    if (p->failures > 0)
        last = &p->failure[p->failures - 1];
    d = domain_for(f, event->domain, last != NULL ? last->mx_name : NULL, at);
    d->typed++;
    snprintf(d->result, sizeof(d->result), "%s",
             tlsrpt_result_name(last != NULL ? last->result : TLSRPT_VALIDATION_FAILURE));
}

uint64_t failing_count(const struct failing_domain *d)
{
    return d->typed > d->untyped ? d->typed : d->untyped;
}

/* More failures go first; equal ones by name. */
static bool goes_before(const struct failing_domain *x, const struct failing_domain *y)
{
    if (failing_count(x) != failing_count(y))
        return failing_count(x) > failing_count(y);
    return strcmp(x->domain, y->domain) < 0;
}

size_t failing_list(const struct failing *f, const struct failing_domain **out, size_t max, int64_t now)
{
    size_t count = 0;

    for (size_t i = 0; i < f->count && max > 0; i++) {
        size_t at = count < max ? count : max - 1;

        if (is_over(&f->domain[i], now) || (count == max && !goes_before(&f->domain[i], out[at])))
            continue;
        for (; at > 0 && goes_before(&f->domain[i], out[at - 1]); at--)
            out[at] = out[at - 1];
        out[at] = &f->domain[i];
        count += count < max ? 1 : 0;
    }
    return count;
}
