/*
 * resolve_world.h - for the tests of resolve*.c: a small world that answers the machine's actions from lines of text,
 * in any order, and the record that comes of it as one line of text.
 *
 *   {"MX d.example", "s 600 10 mx1.example|20 mx2.example"}    authenticated, TTL 600, two records
 *   {"A mx1.example", "i 60 >end.example 192.0.2.1"}           not authenticated, behind an alias
 *   {"A mx2.example", "s 60 nodata"}, {..., "s 60 nx"}, {..., "fail time-out"}, {..., "never"}
 *   {"FETCH mta-sts.d.example", "ok BODY"}, {..., "error WHY"}, {..., "webpki WHY"}
 *
 * What no line answers is NODATA, authenticated, with a TTL of 3000.
 */
#ifndef POSTERN_T_RESOLVE_WORLD_H
#define POSTERN_T_RESOLVE_WORLD_H

#include "buf.h"
#include "resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW       1795341600 /* 2026-11-22T10:00:00Z */
#define DOMAIN    "d.example"
#define LINES_MAX 20
#define ORDERS    6
#define RRS_MAX   128 /* of one line */

struct line {
    const char *query, *answer;
};

struct world {
    const struct line *line;
    const struct dest *previous;
    struct resolve_options options;
    bool force;
    char asked[RESOLVE_ACTIONS_MAX][8 + DOMAIN_BUF]; /* filled by world_run */
    size_t asked_count;
    size_t fetch_addresses;
};

static inline const char *world_answer(const struct world *w, const char *query)
{
    for (size_t i = 0; i < LINES_MAX && w->line != NULL && w->line[i].query != NULL; i++)
        if (strcmp(w->line[i].query, query) == 0)
            return w->line[i].answer;
    return strncmp(query, "FETCH", 5) == 0 ? "error no server" : "s 3000 nodata";
}

static inline void copy_name(char out[DOMAIN_BUF], const char *name)
{
    assert_true(strlen(name) <= DOMAIN_MAX);
    memcpy(out, name, strlen(name) + 1);
}

/* One record of the type from its text, which ends at '|' or NUL. */
static inline void read_rr(struct dns_rr *rr, enum dns_type type, const char *text, size_t len)
{
    char copy[1200];
    char *rest;

    assert_true(len < sizeof(copy));
    memcpy(copy, text, len);
    copy[len] = '\0';
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        assert_int_equal(address_normalise(rr->address, copy, len), 1);
        break;
    case DNS_MX:
        rr->preference = (uint16_t)strtoul(copy, &rest, 10);
        copy_name(rr->name, strcmp(rest, " .") == 0 ? "" : rest + 1);
        break;
    case DNS_CNAME:
        copy_name(rr->name, copy);
        break;
    case DNS_TXT:
        rr->text = strdup(copy);
        rr->text_len = len;
        break;
    case DNS_TLSA:
        assert_int_equal(tlsa_parse(&rr->tlsa, copy, len, NULL), 0);
        break;
    }
}

static inline void read_answer(struct dns_answer *a, enum dns_type type, const char *name, const char *text)
{
    char *rest;

    memset(a, 0, sizeof(*a));
    if (strncmp(text, "fail ", 5) == 0) {
        dns_answer_fail(a, text + 5);
        a->unheard = strcmp(text + 5, "SERVFAIL") != 0;
        return;
    }
    copy_name(a->name, name);
    a->secure = text[0] == 's';
    a->ttl = (uint32_t)strtoul(text + 1, &rest, 10);
    rest++;
    if (*rest == '>') {
        size_t len = strcspn(rest, " ");

        a->aliased = true;
        memcpy(a->name, rest + 1, len - 1);
        a->name[len - 1] = '\0';
        rest += len + 1;
    }
    a->status = strcmp(rest, "nodata") == 0 ? DNS_NODATA : strcmp(rest, "nx") == 0 ? DNS_NXDOMAIN : DNS_FOUND;
    a->rr = calloc(RRS_MAX, sizeof(*a->rr));
    assert_non_null(a->rr);
    while (a->status == DNS_FOUND && *rest != '\0') {
        size_t len = strcspn(rest, "|");

        assert_true(a->count < RRS_MAX);
        read_rr(&a->rr[a->count++], type, rest, len);
        rest += len + (rest[len] == '|' ? 1 : 0);
    }
}

static inline void feed(struct resolve *r, const struct resolve_action *act, const char *text)
{
    struct dns_answer a;

    if (act->what == RESOLVE_QUERY) {
        read_answer(&a, act->type, act->name, text);
        resolve_dns(r, act->slot, &a);
        resolve_dns(r, act->slot, &a); /* the second time is ignored */
        dns_answer_clear(&a);
    } else {
        struct resolve_fetch f = {.failure = DEST_STS_OK};

        if (strncmp(text, "ok ", 3) == 0) {
            f.body = text + 3;
            f.len = strlen(f.body);
        } else {
            f.failure = text[0] == 'w' ? DEST_STS_WEBPKI_INVALID : DEST_STS_FETCH_ERROR;
            f.why = strchr(text, ' ') + 1;
        }
        resolve_fetched(r, act->slot, &f, NOW);
        resolve_fetched(r, act->slot, &f, NOW);
    }
}

static inline void world_start(struct world *w, const struct resolve_action *act)
{
    assert_true(w->asked_count < RESOLVE_ACTIONS_MAX);
    (void)snprintf(w->asked[w->asked_count++], sizeof(w->asked[0]), "%s %s",
                   act->what == RESOLVE_FETCH ? "FETCH" : dns_type_name(act->type), act->name);
    if (act->what == RESOLVE_FETCH)
        w->fetch_addresses = act->address_count;
}

/*
 * Resolve in this world. order 0: results come as they were asked for; 1: the last first; else at random. Where a
 * result never comes the record is taken early.
 */
static inline struct dest *world_run(struct world *w, unsigned order)
{
    struct resolve *r = resolve_new(DOMAIN, w->previous, w->force, NOW, &w->options);
    struct resolve_action act, pending[RESOLVE_ACTIONS_MAX];
    size_t count = 0;
    uint32_t dice = order;
    struct dest *d;

    w->asked_count = 0;
    assert_non_null(r);
    for (;;) {
        while (resolve_next(r, &act) == 1) {
            world_start(w, &act);
            if (strcmp(world_answer(w, w->asked[w->asked_count - 1]), "never") != 0)
                pending[count++] = act;
        }
        if (count == 0)
            break;
        dice = dice * 1103515245U + 12345U;
        size_t pick = order == 0 ? 0 : order == 1 ? count - 1 : (dice >> 16) % count;
        char query[8 + DOMAIN_BUF];

        act = pending[pick];
        memmove(&pending[pick], &pending[pick + 1], (count - pick - 1) * sizeof(act));
        count--;
        (void)snprintf(query, sizeof(query), "%s %s", act.what == RESOLVE_FETCH ? "FETCH" : dns_type_name(act.type),
                       act.name);
        feed(r, &act, world_answer(w, query));
    }
    d = resolve_take(r, NOW);
    assert_non_null(d);
    assert_null(resolve_take(r, NOW));
    resolve_free(r);
    return d;
}

static inline bool world_asked(const struct world *w, const char *query)
{
    for (size_t i = 0; i < w->asked_count; i++)
        if (strcmp(w->asked[i], query) == 0)
            return true;
    return false;
}

/* Every record must survive Redis. */
static inline void check_json(const struct dest *d)
{
    struct err e = {""};
    struct buf b, again;
    struct dest *back;

    buf_init(&b, DEST_JSON_MAX);
    buf_init(&again, DEST_JSON_MAX);
    dest_to_json(&b, d);
    assert_true(buf_ok(&b));
    back = dest_from_json(b.data, b.len, &e);
    if (back == NULL)
        print_message("%s\n", e.text);
    assert_non_null(back);
    dest_to_json(&again, back);
    assert_string_equal(b.data, again.data);
    dest_free(back);
    buf_clear(&b);
    buf_clear(&again);
}

/* "list+s mx1.example/10/usable@mx1.example:2+s ..." */
static inline void show_mx(struct buf *b, const struct dest *d)
{
    buf_printf(b, "%s%s%s", dest_mx_name(d->mx), d->mx_secure ? "+s" : "", d->mx_truncated ? "+t" : "");
    for (size_t i = 0; i < d->host_count; i++) {
        const struct dest_host *h = &d->host[i];

        buf_printf(b, " %s/%u/%s", h->name, h->preference, dest_dane_name(h->dane));
        if (h->tlsa_base[0] != '\0')
            buf_printf(b, "@%s:%zu", h->tlsa_base, h->tlsa_count);
        buf_str(b, h->address_secure ? "+s" : "");
    }
}

/* "found=id enforce=id !sts-policy-invalid (why)" */
static inline void show_sts(struct buf *b, const struct dest *d)
{
    const struct dest_sts *s = &d->sts;

    buf_printf(b, "%s", dest_sts_record_name(s->record));
    if (s->id[0] != '\0')
        buf_printf(b, "=%s", s->id);
    if (s->has_policy)
        buf_printf(b, " %s=%s", sts_mode_name(s->policy.mode), s->policy_id);
    if (s->failure != DEST_STS_OK)
        buf_printf(b, " !%s", dest_sts_failure_name(s->failure));
    if (s->why[0] != '\0')
        buf_printf(b, " (%s)", s->why);
}

#endif
