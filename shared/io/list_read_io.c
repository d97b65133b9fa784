/*
 * list_read_io.c - see list_read_io.h. HSCAN shows every entry that is there from the beginning to the end; of edits
 * meanwhile it may show a half.
 */
#include "list_read_io.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE        1000 /* entries, about; fewer if these are octets enough: always less than a reply may be */
#define PAGE_OCTETS 300000
#define STEP        100 /* of these it is made */
#define KEY_BUF     256
#define BAD_LOGGED  20
#define PATTERN_MAX 300 /* octets; longer than any */

#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* What is longer than an entry or a pattern can be is cut, so that it is seen to be too long. */
static const char page_script[] = "local all, octets, cursor = {}, 0, ARGV[1] "
                                  "repeat "
                                  "local step = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', ARGV[2]) "
                                  "cursor = step[1] "
                                  "for i, text in ipairs(step[2]) do "
                                  "local most = i % 2 == 1 and ARGV[3] or ARGV[4] "
                                  "if #text > tonumber(most) then text = string.sub(text, 1, most + 1) end "
                                  "octets = octets + #text "
                                  "all[#all + 1] = text end "
                                  "until cursor == '0' or octets > tonumber(ARGV[6]) or #all >= 2 * ARGV[5] "
                                  "return {cursor, all}";

struct list_reading {
    struct redis *redis;
    enum list_id id;
    list_read_fn *fn;
    void *ctx;
    struct list_read_result result;
    struct list *list;
};

static void finish(struct list_reading *r, enum list_read_end end)
{
    r->result.end = end;
    if (end == LIST_READ)
        r->result.list = r->list;
    else
        list_free(r->list);
    r->fn(r->ctx, r->id, &r->result);
    free(r);
}

static void take_bad(struct list_reading *r, const redisReply *pattern, const struct err *why)
{
    int len = (int)(pattern->len < 200 ? pattern->len : 200);
    char text[200 + 1];

    memcpy(text, pattern->str, (size_t)len);
    text[len] = '\0';
    if (r->result.bad == 0)
        err_set(&r->result.why, "%s: %s", text, why->text);
    if (r->result.bad++ < BAD_LOGGED)
        log_warning("bad-list-entry", "key=list:%s entry=%s why=%s", list_name(r->id), text, why->text);
}

static void take_entry(struct list_reading *r, const redisReply *pattern, const redisReply *json)
{
    struct err why = {""};
    struct list_entry *entry = list_entry_from_json(r->id, pattern->str, pattern->len, json->str, json->len, &why);

    if (entry == NULL)
        take_bad(r, pattern, &why);
    else if (list_put(r->list, entry) != 0)
        log_oom();
}

/* [cursor, [pattern, JSON, pattern, JSON, …]] */
static bool is_page(const redisReply *reply)
{
    const redisReply *entries;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY || reply->element[1]->elements % 2 != 0)
        return false;
    entries = reply->element[1];
    for (size_t i = 0; i < entries->elements; i++)
        if (entries->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

static int ask_page(struct list_reading *r, const char *cursor);

static void take_page(struct list_reading *r, const redisReply *reply)
{
    const redisReply *entries = reply->element[1];
    const char *cursor = reply->element[0]->str;

    for (size_t i = 0; i < entries->elements; i += 2)
        take_entry(r, entries->element[i], entries->element[i + 1]);
    if (strcmp(cursor, "0") == 0)
        finish(r, LIST_READ);
    else if (ask_page(r, cursor) != 0)
        finish(r, LIST_READ_FAILED);
}

static void on_page(void *ctx, redisReply *reply)
{
    struct list_reading *r = ctx;

    if (reply != NULL && is_page(reply)) {
        take_page(r, reply);
        return;
    }
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "WRONGTYPE") != NULL) {
        err_set(&r->result.why, "WRONGTYPE the key holds no hash; \"posternctl list clear %s\" takes it away",
                list_name(r->id));
        finish(r, LIST_READ_WRONG);
        return;
    }
    err_set(&r->result.why, "%s",
            reply == NULL                      ? "Redis went away"
            : reply->type == REDIS_REPLY_ERROR ? reply->str
                                               : "its reply is no page of a hash");
    finish(r, LIST_READ_FAILED);
}

static int ask_page(struct list_reading *r, const char *cursor)
{
    char key[KEY_BUF];
    const char *const words[] = {"EVAL_RO",
                                 page_script,
                                 "1",
                                 key,
                                 cursor,
                                 TEXT_OF(STEP),
                                 TEXT_OF(PATTERN_MAX),
                                 TEXT_OF(LIST_JSON_MAX),
                                 TEXT_OF(PAGE),
                                 TEXT_OF(PAGE_OCTETS)};

    if (redis_key(r->redis, key, sizeof(key), "list", list_name(r->id)) == 0)
        return -1;
    r->result.pages++;
    return redis_send(r->redis, on_page, r, sizeof(words) / sizeof(words[0]), words, NULL);
}

int list_read(struct redis *redis, enum list_id list, const uint8_t secret[16], list_read_fn *fn, void *ctx)
{
    struct list_reading *r = must_have(calloc(1, sizeof(*r)));

    *r = (struct list_reading){.redis = redis, .id = list, .fn = fn, .ctx = ctx, .list = must_have(list_new(secret))};
    if (ask_page(r, "0") == 0)
        return 0;
    list_free(r->list);
    free(r);
    return -1;
}
