/*
 * dest.c - destination records in memory: make, fill, free. The rules about what a record may say stand in resolve.c
 * (who fills it) and dest_json.c (who reads it back).
 */
#include "dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dest_mx_name(enum dest_mx mx)
{
    static const char *const names[] = {"temp", "nodomain", "null", "implicit", "list"};

    return (size_t)mx < sizeof names / sizeof names[0] ? names[mx] : "?";
}

const char *dest_dane_name(enum dest_dane dane)
{
    static const char *const names[] = {"none", "usable", "unusable", "temp"};

    return (size_t)dane < sizeof names / sizeof names[0] ? names[dane] : "?";
}

const char *dest_sts_record_name(enum dest_sts_record r)
{
    static const char *const names[] = {"none", "found", "invalid", "temp"};

    return (size_t)r < sizeof names / sizeof names[0] ? names[r] : "?";
}

const char *dest_sts_failure_name(enum dest_sts_failure f)
{
    static const char *const names[] = {"", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"};

    return (size_t)f < sizeof names / sizeof names[0] ? names[f] : "?";
}

/* Copy a name that is in its one form already. Returns -1 when it cannot be, by its length. */
static int copy_name(char out[DOMAIN_BUF], const char *name)
{
    size_t len = strnlen(name, DOMAIN_BUF);

    if (len == 0 || len > DOMAIN_MAX)
        return -1;
    memcpy(out, name, len);
    out[len] = '\0';
    return 0;
}

struct dest *dest_new(const char *domain)
{
    struct dest *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    if (copy_name(d->domain, domain) != 0) {
        free(d);
        return NULL;
    }
    d->mx = DEST_MX_TEMP;
    d->sts.record = DEST_STS_NONE;
    return d;
}

static void host_clear(struct dest_host *host)
{
    for (size_t i = 0; i < host->tlsa_count; i++)
        tlsa_clear(&host->tlsa[i]);
    free(host->tlsa);
    host->tlsa = NULL;
    host->tlsa_count = 0;
}

void dest_free(struct dest *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->host_count; i++)
        host_clear(&d->host[i]);
    free(d->host);
    dest_sts_drop_policy(&d->sts);
    free(d);
}

struct dest_host *dest_add_host(struct dest *d, const char *name, uint16_t preference)
{
    struct dest_host *grown;
    struct dest_host *host;

    if (d->host_count >= DEST_HOSTS_MAX) {
        d->mx_truncated = true;
        return NULL;
    }
    /* One at a time: most domains have one or two hosts, and caches hold many records. */
    grown = realloc(d->host, (d->host_count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    d->host = grown;
    host = &grown[d->host_count];
    memset(host, 0, sizeof *host);
    if (copy_name(host->name, name) != 0)
        return NULL;
    host->preference = preference;
    d->host_count++;
    return host;
}

int dest_add_tlsa(struct dest_host *host, struct tlsa *rr)
{
    struct tlsa *grown;

    if (host->tlsa_count >= DEST_TLSA_MAX)
        return -1;
    grown = realloc(host->tlsa, (host->tlsa_count + 1) * sizeof *grown);
    if (grown == NULL)
        return -1;
    host->tlsa = grown;
    host->tlsa[host->tlsa_count++] = *rr;
    memset(rr, 0, sizeof *rr);
    return 0;
}

bool dest_sts_id_valid(const char *id)
{
    size_t len = strnlen(id, STS_ID_MAX + 1);

    return len > 0 && len <= STS_ID_MAX &&
           strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == len;
}

int dest_sts_set_policy(struct dest_sts *sts, const char *id, const char *body, size_t len, int64_t now, struct err *e)
{
    struct sts_policy policy;
    char kept_id[STS_ID_MAX + 1]; /* id may be sts->policy_id, which is emptied before it is set */
    char *copy;

    if (!dest_sts_id_valid(id))
        return err_set(e, "policy id is not 1 to %d letters and digits", STS_ID_MAX);
    if (now < 0 || now > DEST_TIME_MAX - (int64_t)STS_MAX_AGE_MAX)
        return err_set(e, "time of the fetch is out of range");
    if (len > STS_BODY_MAX)
        return err_set(e, "policy is longer than %d octets", STS_BODY_MAX);
    if (sts_policy_parse(&policy, body, len, e) != 0)
        return -1;
    copy = malloc(len + 1);
    if (copy == NULL) {
        sts_policy_clear(&policy);
        return err_set(e, "out of memory");
    }
    memcpy(copy, body, len);
    copy[len] = '\0';
    snprintf(kept_id, sizeof kept_id, "%s", id);
    dest_sts_drop_policy(sts);
    memcpy(sts->policy_id, kept_id, sizeof kept_id);
    sts->body = copy;
    sts->body_len = len;
    sts->policy = policy;
    sts->fetched = now;
    sts->learnt = now;
    sts->expires = now + policy.max_age;
    sts->has_policy = true;
    return 0;
}

int dest_sts_copy_policy(struct dest_sts *to, const struct dest_sts *from)
{
    if (to == from)
        return 0;
    if (!from->has_policy) {
        dest_sts_drop_policy(to);
        to->learnt = from->learnt;
        return 0;
    }
    return dest_sts_set_policy(to, from->policy_id, from->body, from->body_len, from->fetched, NULL);
}

void dest_sts_drop_policy(struct dest_sts *sts)
{
    sts_policy_clear(&sts->policy);
    free(sts->body);
    sts->body = NULL;
    sts->body_len = 0;
    sts->policy_id[0] = '\0';
    sts->fetched = 0;
    sts->expires = 0;
    sts->has_policy = false;
}

bool dest_sts_live(const struct dest_sts *sts, int64_t now)
{
    return sts->has_policy && now < sts->expires;
}

bool dest_temporary(const struct dest *d)
{
    if (d->mx == DEST_MX_TEMP || d->sts.record == DEST_STS_TEMP)
        return true;
    for (size_t i = 0; i < d->host_count; i++)
        if (d->host[i].dane == DEST_DANE_TEMP)
            return true;
    return false;
}

bool dest_has_dane(const struct dest *d)
{
    if (d->mx == DEST_MX_TEMP)
        return d->dane_before;
    for (size_t i = 0; d->mx_secure && i < d->host_count; i++)
        if (d->host[i].dane != DEST_DANE_NONE)
            return true;
    return false;
}

bool dest_sts_supersedes(const struct dest_sts *sts, int64_t fetched, int64_t now)
{
    int64_t future = now + DEST_CLOCK_SLACK;

    if (!sts->has_policy)
        return sts->learnt > fetched && sts->learnt <= future;
    if ((sts->fetched > future) != (fetched > future))
        return fetched > future;
    return sts->fetched >= fetched;
}

int dest_sts_adopt_policy(struct dest_sts *to, const struct dest_sts *from, int64_t now)
{
    if (!dest_sts_live(from, now) || dest_sts_supersedes(to, from->fetched, now))
        return 0;
    return dest_sts_copy_policy(to, from);
}
