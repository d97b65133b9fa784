/*
 * counts_io.c - a hash or set of any size comes by HSCAN or SSCAN, some at a time, so that no reply is too large
 * (redis_replies.h) and Redis is never held up. What it gives twice is kept once.
 */
#include "counts_io.h"
#include "log.h"
#include "utc_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF         768
#define CURSOR_BUF      24
#define FIELDS_AT_ONCE  "25"   /* a policy has up to 16 KiB */
#define DOMAINS_AT_ONCE "1000" /* each up to 253 octets */
#define FIELDS_MAX      32768
#define OCTETS_MAX      67108864 /* of one hash */
#define DOMAINS_MAX     10000000

struct scan {
    struct redis *redis;
    const char *command, *at_once;
    char key[KEY_BUF], cursor[CURSOR_BUF];
    char **text; /* fields and values in turn, or domains */
    size_t *length;
    size_t count, room, max, octets;
    /* whom to tell */
    int32_t day;
    char domain[DOMAIN_BUF];
    counts_fn *counts;
    counts_domains_fn *domains;
    void *ctx;
};

static void scan_free(struct scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->text[i]);
    free(s->text);
    free(s->length);
    free(s);
}

/* --- telling --- */

static int text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void tell_domains(struct scan *s, const char *why)
{
    size_t kept = 0;

    if (s->count > 0)
        qsort(s->text, s->count, sizeof(*s->text), text_order);
    for (size_t i = 0; i < s->count; i++)
        if (kept > 0 && strcmp(s->text[kept - 1], s->text[i]) == 0)
            free(s->text[i]);
        else
            s->text[kept++] = s->text[i];
    s->count = kept;
    if (why != NULL)
        s->domains(s->ctx, NULL, 0, why);
    else
        s->domains(s->ctx, (const char *const *)s->text, s->count, NULL);
}

static void tell_counts(struct scan *s, const char *why)
{
    struct counts counts;
    struct counts_field *field;

    if (why != NULL) {
        s->counts(s->ctx, NULL, why);
        return;
    }
    field = must_have(calloc(s->count / 2 + 1, sizeof(*field)));
    for (size_t i = 0; i < s->count / 2; i++)
        field[i] = (struct counts_field){s->text[2 * i], s->text[2 * i + 1], s->length[2 * i], s->length[2 * i + 1]};
    if (counts_read(&counts, s->day, s->domain, field, s->count / 2) != 0)
        log_oom();
    free(field);
    s->counts(s->ctx, &counts, NULL);
    counts_clear(&counts);
}

static void scan_end(struct scan *s, const char *why)
{
    if (s->counts != NULL)
        tell_counts(s, why);
    else
        tell_domains(s, why);
    scan_free(s);
}

/* --- asking --- */

static void keep(struct scan *s, const redisReply *text)
{
    if (s->count == s->room) {
        s->room = s->room * 2 + 64;
        s->text = must_have(realloc(s->text, s->room * sizeof(*s->text)));
        s->length = must_have(realloc(s->length, s->room * sizeof(*s->length)));
    }
    s->text[s->count] = must_have(malloc(text->len + 1));
    memcpy(s->text[s->count], text->str, text->len);
    s->text[s->count][text->len] = '\0';
    s->length[s->count++] = text->len;
    s->octets += text->len;
}

/* NULL, or why this is no part of it. */
static const char *part_take(struct scan *s, const redisReply *reply)
{
    const redisReply *cursor, *part;

    if (reply->type == REDIS_REPLY_ERROR)
        return reply->str;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
        return "a reply that cannot be";
    cursor = reply->element[0];
    part = reply->element[1];
    if (cursor->type != REDIS_REPLY_STRING || cursor->len >= CURSOR_BUF || part->type != REDIS_REPLY_ARRAY ||
        (s->counts != NULL && part->elements % 2 != 0))
        return "a reply that cannot be";
    memcpy(s->cursor, cursor->str, cursor->len + 1);
    for (size_t i = 0; i < part->elements; i++) {
        const redisReply *text = part->element[i];

        if (text->type != REDIS_REPLY_STRING)
            return "a reply that cannot be";
        if (s->counts != NULL || (text->len <= DOMAIN_MAX && memchr(text->str, '\0', text->len) == NULL))
            keep(s, text);
    }
    return s->count > s->max || (s->counts != NULL && s->octets > OCTETS_MAX) ? "there is too much of it" : NULL;
}

static redis_reply_fn on_part;

static int scan_send(struct scan *s)
{
    const char *const word[] = {s->command, s->key, s->cursor, "COUNT", s->at_once};

    return redis_send(s->redis, on_part, s, sizeof(word) / sizeof(word[0]), word, NULL);
}

static void on_part(void *ctx, redisReply *reply)
{
    struct scan *s = ctx;
    const char *why = reply == NULL ? "Redis went away, or gave no reply in time" : part_take(s, reply);

    if (why != NULL || strcmp(s->cursor, "0") == 0)
        scan_end(s, why);
    else if (scan_send(s) != 0)
        scan_end(s, "Redis is away");
}

static int scan_begin(struct scan *s, const char *kind, const char *name)
{
    (void)snprintf(s->cursor, sizeof(s->cursor), "0");
    if (redis_key(s->redis, s->key, sizeof(s->key), kind, name) > 0 && scan_send(s) == 0)
        return 0;
    scan_free(s);
    return -1;
}

int counts_domains(struct redis *r, int32_t day, counts_domains_fn *fn, void *ctx)
{
    struct scan *s = must_have(calloc(1, sizeof(*s)));
    char text[UTC_DAY_BUF];

    *s = (struct scan){.redis = r, .command = "SSCAN", .at_once = DOMAINS_AT_ONCE, .max = DOMAINS_MAX};
    s->domains = fn;
    s->ctx = ctx;
    utc_day_text(text, day);
    return scan_begin(s, "tlsrpt-domains", text);
}

int counts_get(struct redis *r, int32_t day, const char *domain, counts_fn *fn, void *ctx)
{
    struct scan *s = must_have(calloc(1, sizeof(*s)));
    char text[UTC_DAY_BUF], name[UTC_DAY_BUF + DOMAIN_BUF];

    *s = (struct scan){.redis = r, .command = "HSCAN", .at_once = FIELDS_AT_ONCE, .max = (size_t)2 * FIELDS_MAX};
    s->day = day;
    s->counts = fn;
    s->ctx = ctx;
    (void)snprintf(s->domain, sizeof(s->domain), "%s", domain);
    utc_day_text(text, day);
    (void)snprintf(name, sizeof(name), "%s:%s", text, domain);
    return scan_begin(s, "tlsrpt", name);
}
