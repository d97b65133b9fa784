/*
 * publications_read_io.c - the published policies out of Redis. First the stamp: when it is a few edits later than what
 * is known, these come with it. Else all of them page by page, and the stamp again behind them: edits meanwhile do not
 * matter, as each domain stands by itself and they are told, but another data set does.
 */
#include "publications_internal.h"

#include "clock.h"
#include "log.h"
#include "millis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SETTLE_MS  10   /* many edits in a row are one change */
#define AGAIN_MS   5000 /* after a refusal of Redis */
#define BAD_LOGGED 20
#define NUMBER_(n) #n
#define NUMBER(n)  NUMBER_(n)
#define RECENT     NUMBER(PUBLISHED_RECENT)
#define JSON_CUT   NUMBER(PUBLISHED_JSON_MAX) " + 1"

/* KEYS: the hash about them, the policies. ARGV: g and n that are known. Replies g and n, then domains and their
 * policies ("": it has none) when these are all that has changed. */
static const char head_script[] =
    "local h = redis.call('HMGET', KEYS[1], 'g', 'n') "
    "local out = {" PUBLICATIONS_SEEN(1) ", " PUBLICATIONS_SEEN(
        2) "} "
           "local n, known = tonumber(out[2]), tonumber(ARGV[2]) "
           "if out[1] ~= ARGV[1] or not n or n <= known or n - known > " RECENT " then return out end "
           "for i = known + 1, n do "
           "  local domain = redis.call('HGET', KEYS[1], string.format('e%d', math.fmod(i, " RECENT "))) "
           "  if not domain then return {out[1], out[2]} end "
           "  out[#out + 1] = string.sub(domain, 1, 254) "
           "  out[#out + 1] = string.sub(redis.call('HGET', KEYS[2], domain) or '', 1, " JSON_CUT ") "
           "end "
           "return out";

/* KEYS: the policies. ARGV: cursor. Replies the next cursor, domains and policies. */
static const char page_script[] = "local out, octets = {ARGV[1]}, 0 "
                                  "repeat "
                                  "  local step = redis.call('HSCAN', KEYS[1], out[1], 'COUNT', 10) "
                                  "  out[1] = step[1] "
                                  "  for i, text in ipairs(step[2]) do "
                                  "    text = string.sub(text, 1, i % 2 == 1 and 254 or " JSON_CUT ") "
                                  "    octets = octets + #text "
                                  "    out[#out + 1] = text "
                                  "  end "
                                  "until out[1] == '0' or octets > 200000 or #out > 2000 "
                                  "return out";

/* --- how it ends --- */

static void reading_stop(struct publications_keeper *k)
{
    publications_clear(&k->fresh);
    k->reading = false;
}

void publications_reading_again(struct publications_keeper *k)
{
    reading_stop(k);
    k->told = true;
    timer_start(k->begin, SETTLE_MS);
}

/* Later, if Redis is there: if it is not, we are told when it is again. */
void publications_reading_failed(struct publications_keeper *k, const char *why)
{
    const struct err before = k->problem;

    reading_stop(k);
    k->told = true;
    if (!redis_up(k->redis))
        return;
    err_set(&k->problem, "%s", why);
    if (strcmp(before.text, k->problem.text) != 0)
        log_error("published-unreadable", "error=%s", why);
    timer_start(k->begin, AGAIN_MS);
}

void publications_reading_ends(struct publications_keeper *k)
{
    reading_stop(k);
    k->problem.text[0] = '\0';
    if (k->told)
        timer_start(k->begin, SETTLE_MS);
}

/* --- replies --- */

/* Strings, at least so many; else the reading has failed. */
static bool is_strings(struct publications_keeper *k, const redisReply *reply, size_t least)
{
    bool good = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;

    for (size_t i = 0; good && i < reply->elements; i++)
        good = reply->element[i]->type == REDIS_REPLY_STRING;
    if (!good)
        publications_reading_failed(k, reply == NULL                      ? "Redis went away"
                                       : reply->type == REDIS_REPLY_ERROR ? reply->str
                                                                          : "Redis sent something else");
    return good;
}

static void take_seen(struct publications_seen *out, const redisReply *reply)
{
    const redisReply *g = reply->element[0], *n = reply->element[1];

    *out = (struct publications_seen){.g = ""};
    (void)snprintf(out->g, sizeof(out->g), "%s", g->str);
    (void)snprintf(out->n, sizeof(out->n), "%s", n->str);
    if (g->len > 0 && lists_stamp_parse(&out->stamp, g->str, g->len, n->str, n->len, NULL) != 0)
        out->stamp = (struct lists_stamp){.count = 0};
}

/* Foreign text may have any length, and any octet. */
static void show(char out[DOMAIN_BUF], const redisReply *domain)
{
    (void)snprintf(out, DOMAIN_BUF, "%s", domain->str);
}

static void tell_bad(size_t *bad, const redisReply *domain, const struct err *why)
{
    char shown[DOMAIN_BUF];

    show(shown, domain);
    if ((*bad)++ < BAD_LOGGED)
        log_warning("bad-published", "domain=%s why=%s", shown, why->text);
}

static int ask_head(struct publications_keeper *k, redis_reply_fn *fn)
{
    char n[24];
    const char *const words[] = {"EVAL_RO", head_script, "2", k->head, k->policies, k->stamp.generation, n};

    (void)snprintf(n, sizeof(n), "%" PRId64, k->stamp.count);
    return redis_send(k->redis, fn, k, sizeof(words) / sizeof(words[0]), words, NULL);
}

/* --- all of them --- */

/* A policy that cannot be read does not take away the one that is known. */
static void take_field(struct publications_keeper *k, const redisReply *domain, const redisReply *json)
{
    const struct publication *known;
    struct err why = {""};

    if (publications_add(&k->fresh, domain->str, domain->len, json->str, json->len, &why) == 0)
        return;
    tell_bad(&k->fresh_bad, domain, &why);
    known = publications_find(&k->known, domain->str);
    if (known != NULL)
        (void)publications_add(&k->fresh, known->domain, strlen(known->domain), known->json, known->json_len, NULL);
}

static void take_all(struct publications_keeper *k)
{
    publications_clear(&k->known);
    k->known = k->fresh;
    k->fresh = (struct publications){0};
    k->bad = k->fresh_bad;
    k->is_known = true;
    log_info("published-read", "domains=%zu bad=%zu edits=%" PRId64, k->known.count, k->bad, k->seen.stamp.count);
}

/* Is what Redis has what became of what is known? */
static bool goes_on(const struct lists_stamp *known, const struct lists_stamp *seen)
{
    return known->generation[0] == '\0' ||
           (strcmp(known->generation, seen->generation) == 0 && seen->count >= known->count);
}

static void take_over(struct publications_keeper *k)
{
    struct publications_seen seen = k->seen;
    int64_t lacking;

    if (goes_on(&k->stamp, &seen.stamp)) {
        take_all(k);
        publications_current(k, &seen.stamp);
        publications_reading_ends(k);
        return;
    }
    lacking = publications_merge(&k->fresh, &k->known);
    if (lacking < 0)
        log_oom();
    log_warning("published-lost", "domains=%" PRId64 " why=%s", lacking,
                "Redis has lost published policies, or has older ones: they are served as before, and put back");
    take_all(k);
    k->current = false;
    k->back = 0;
    publications_give_back(k);
}

static void on_head_after(void *ctx, redisReply *reply)
{
    struct publications_keeper *k = ctx;
    struct publications_seen after;

    if (!is_strings(k, reply, 2))
        return;
    take_seen(&after, reply);
    if (strcmp(after.g, k->seen.g) != 0 || after.stamp.count < k->seen.stamp.count) {
        publications_reading_again(k);
        return;
    }
    publications_sort(&k->fresh);
    take_over(k);
}

static void on_page(void *ctx, redisReply *reply);

static int ask_page(struct publications_keeper *k, const char *cursor)
{
    const char *const words[] = {"EVAL_RO", page_script, "1", k->policies, cursor};

    return redis_send(k->redis, on_page, k, sizeof(words) / sizeof(words[0]), words, NULL);
}

static void on_page(void *ctx, redisReply *reply)
{
    struct publications_keeper *k = ctx;
    bool last;

    if (!is_strings(k, reply, 1))
        return;
    for (size_t i = 1; i + 1 < reply->elements; i += 2)
        take_field(k, reply->element[i], reply->element[i + 1]);
    last = strcmp(reply->element[0]->str, "0") == 0;
    if ((last ? ask_head(k, on_head_after) : ask_page(k, reply->element[0]->str)) != 0)
        publications_reading_failed(k, "Redis takes no more commands");
}

/* --- the last edits --- */

static void take_edit(struct publications_keeper *k, const redisReply *domain, const redisReply *json)
{
    char shown[DOMAIN_BUF];
    struct err why = {""};

    show(shown, domain);
    if (json->len == 0) {
        if (publications_remove(&k->known, domain->str, domain->len))
            log_info("published-removed", "domain=%s", shown);
    } else if (publications_put(&k->known, domain->str, domain->len, json->str, json->len, &why) < 0) {
        tell_bad(&k->bad, domain, &why);
    } else {
        log_info("published-changed", "domain=%s", shown);
    }
}

static void on_head(void *ctx, redisReply *reply)
{
    struct publications_keeper *k = ctx;
    bool same;

    if (!is_strings(k, reply, 2))
        return;
    take_seen(&k->seen, reply);
    same = k->stamp.generation[0] != '\0' && strcmp(k->stamp.generation, k->seen.stamp.generation) == 0 &&
           k->stamp.count == k->seen.stamp.count;
    for (size_t i = 2; i + 1 < reply->elements; i += 2)
        take_edit(k, reply->element[i], reply->element[i + 1]);
    /* An edit may have been of what cannot be read: a full reading counts anew. */
    if (same || (reply->elements > 2 && k->bad == 0)) {
        bool news = !same || !k->current;

        k->since = now_seconds();
        if (news)
            publications_current(k, &k->seen.stamp);
        publications_reading_ends(k);
        return;
    }
    k->fresh_bad = 0;
    if (ask_page(k, "0") != 0)
        publications_reading_failed(k, "Redis takes no more commands");
}

static void on_begin(evutil_socket_t fd, short what, void *ctx)
{
    struct publications_keeper *k = ctx;

    (void)fd;
    (void)what;
    if (k->reading || !k->told)
        return;
    k->told = false;
    k->reading = true;
    if (ask_head(k, on_head) != 0)
        publications_reading_failed(k, "Redis takes no more commands");
}

void publications_keeper_told(struct publications_keeper *k)
{
    if (k == NULL)
        return;
    k->told = true;
    if (!k->reading && !evtimer_pending(k->begin, NULL))
        timer_start(k->begin, SETTLE_MS);
}

void publications_reading_init(struct publications_keeper *k)
{
    k->begin = must_have(evtimer_new(k->base, on_begin, k));
    if (redis_key(k->redis, k->head, sizeof(k->head), PUBLISHED_KEY, "") == 0 ||
        redis_key(k->redis, k->policies, sizeof(k->policies), PUBLISHED_KEY, PUBLISHED_POLICIES) == 0)
        log_error("published-unreadable", "error=%s", "the prefix of the Redis keys is too long");
}

void publications_reading_free(struct publications_keeper *k)
{
    reading_stop(k);
    event_free(k->begin);
}
