/* decide_facts.h - for the tests of decide.c: destination records from a line of a table. */
#ifndef POSTERN_T_DECIDE_FACTS_H
#define POSTERN_T_DECIDE_FACTS_H

#include "dest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define NOW   1795341600 /* 2026-11-22T10:00:00Z */
#define DAY   86400
#define STALE 3600

enum mode { NOPOLICY, PNONE, TESTING, ENFORCE, EXPIRED_TESTING, EXPIRED_ENFORCE, MODES };

/* What the facts are made of. The hosts: one letter each, u usable, x unusable, n none, t temp. */
struct facts {
    enum dest_mx mx;
    bool secure;
    bool truncated;
    const char *hosts;
    enum dest_sts_record record;
    enum mode mode;
    int64_t ttl; /* valid_until - NOW */
};

static inline enum dest_dane dane_of(char letter)
{
    switch (letter) {
    case 'u':
        return DEST_DANE_USABLE;
    case 'x':
        return DEST_DANE_UNUSABLE;
    case 't':
        return DEST_DANE_TEMP;
    default:
        return DEST_DANE_NONE;
    }
}

static inline void give_policy(struct dest_sts *sts, enum mode mode)
{
    static const char *const words[] = {"", "none", "testing", "enforce", "testing", "enforce"};
    char body[128];
    int n;

    if (mode == NOPOLICY)
        return;
    n = snprintf(body, sizeof body, "version: STSv1\nmode: %s\nmx: mx.example.com\nmax_age: %d\n", words[mode], DAY);
    assert_int_equal(dest_sts_set_policy(sts, "20260101", body, (size_t)n,
                                         mode >= EXPIRED_TESTING ? NOW - DAY : NOW - DAY + 10, NULL),
                     0);
}

static inline struct dest *make(const struct facts *f)
{
    struct dest *d = dest_new("example.com");

    assert_non_null(d);
    d->resolved = NOW - 100;
    d->valid_until = NOW + f->ttl;
    d->mx = f->mx;
    d->mx_secure = f->secure;
    d->mx_truncated = f->truncated;
    for (const char *h = f->hosts; *h != '\0'; h++) {
        struct dest_host *host = dest_add_host(d, "mx.example.com", 10);

        assert_non_null(host);
        host->dane = dane_of(*h);
    }
    d->sts.record = f->record;
    d->sts.temp_since = f->record == DEST_STS_TEMP ? NOW - 60 : 0;
    if (f->record == DEST_STS_FOUND)
        snprintf(d->sts.id, sizeof d->sts.id, "20260101");
    give_policy(&d->sts, f->mode);
    return d;
}

#endif
