/*
 * operator_lists_read_io.c - the operator's lists out of Redis. They are read one after the other, and the stamp before
 * and after them: the first one goes with them, so it is never later than what was read; and when the second one is not
 * of the same data set, or is earlier, what was read is perhaps half of what was there, and is thrown away. What
 * changes meanwhile is told, and read again.
 */
#include "operator_lists_internal.h"

#include "clock.h"
#include "log.h"
#include "millis.h"

#include <string.h>

#define SETTLE_MS 10   /* many edits in a row are one change */
#define TORN_MAX  20   /* readings that are thrown away because of edits meanwhile, one after the other */
#define AGAIN_MS  5000 /* after a refusal of Redis */
#define ALL       ((1U << LISTS) - 1)
#define KEY_BUF   256

/* What was told during the reading. */
static void begin_again(struct operator_lists *o)
{
    if (o->told)
        timer_start(o->begin, SETTLE_MS);
}

/* Whatever was read of it goes. */
static void reading_stop(struct operator_lists *o)
{
    for (size_t i = 0; i < LISTS; i++) {
        list_trash_put(o->trash, i, o->fresh[i].list);
        o->fresh[i] = (struct list_read_result){0};
        o->was_read[i] = false;
    }
    o->reading = false;
}

/* Later, if Redis is there: if it is not, operator_lists_told comes when it is again. */
static void reading_failed(struct operator_lists *o, const char *why)
{
    const struct err before = o->read_problem;

    reading_stop(o);
    o->told = true;
    o->wanted = ALL;
    if (!redis_up(o->options.redis))
        return;
    err_set(&o->read_problem, "%s", why);
    if (strcmp(before.text, o->read_problem.text) != 0)
        log_error("lists-unreadable", "error=%s", why);
    timer_start(o->begin, AGAIN_MS);
}

static void take_list(struct operator_lists *o, size_t i)
{
    struct list_read_result *r = &o->fresh[i];

    if (r->end == LIST_READ_WRONG)
        log_error("list-unreadable", "key=list:%s error=%s", list_name((enum list_id)i), r->why.text);
    if (r->list != NULL) {
        list_trash_put(o->trash, i, o->lists.list[i]);
        o->lists.list[i] = r->list;
        r->list = NULL;
    }
    o->bad[i] = r->bad;
    o->problem[i] = r->why;
}

static size_t count_bad(const struct operator_lists *o)
{
    size_t n = 0;

    for (size_t i = 0; i < LISTS; i++)
        n += o->bad[i];
    return n;
}

static void take_lists(struct operator_lists *o)
{
    if (o->options.replacing != NULL)
        o->options.replacing(o->options.ctx, true);
    for (size_t i = 0; i < LISTS; i++)
        if (o->was_read[i])
            take_list(o, i);
    o->source = OPERATOR_LISTS_REDIS;
    if (o->options.replacing != NULL)
        o->options.replacing(o->options.ctx, false);
}

static void reading_done(struct operator_lists *o)
{
    take_lists(o);
    reading_stop(o);
    o->read_problem.text[0] = '\0';
    o->stamp = o->seen;
    o->since = now_seconds();
    log_info("lists-read", "entries=%zu bad=%zu edits=%lld", lists_count(&o->lists), count_bad(o),
             (long long)o->stamp.count);
    operator_lists_write(o);
    operator_lists_changed(o);
    begin_again(o);
}

static int ask_stamp(struct operator_lists *o, redis_reply_fn *fn)
{
    char key[KEY_BUF];

    if (redis_key(o->options.redis, key, sizeof(key), "list", "") == 0)
        return -1;
    return redis_send(o->options.redis, fn, o, 4, (const char *[]){"HMGET", key, "g", "n"}, NULL);
}

static void on_list(void *ctx, enum list_id list, const struct list_read_result *result);
static void on_stamp_after(void *ctx, redisReply *reply);

static void next_list(struct operator_lists *o)
{
    size_t i = 0;

    if (o->left == 0) {
        if (ask_stamp(o, on_stamp_after) != 0)
            reading_failed(o, "Redis takes no more commands");
        return;
    }
    while ((o->left & (1U << i)) == 0)
        i++;
    o->left &= ~(1U << i);
    if (list_read(o->options.redis, (enum list_id)i, o->secret, on_list, o) != 0)
        reading_failed(o, "Redis takes no more commands");
}

static void on_list(void *ctx, enum list_id list, const struct list_read_result *result)
{
    struct operator_lists *o = ctx;

    if (result->end == LIST_READ_FAILED) {
        reading_failed(o, result->why.text);
        return;
    }
    o->fresh[list] = *result;
    o->was_read[list] = true;
    next_list(o);
}

/* --- the stamp --- */

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING;
}

/* [generation, count], or nils when there is none. Returns 0, or -1 for what is no stamp. */
static int stamp_of(struct lists_stamp *out, const redisReply *reply, struct err *e)
{
    memset(out, 0, sizeof(*out));
    if (reply->type == REDIS_REPLY_ERROR)
        return err_set(e, "%s", reply->str);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
        return err_set(e, "the reply about the stamp of the lists has another form");
    if (!is_text(reply->element[0]) || !is_text(reply->element[1]))
        return 0;
    return lists_stamp_parse(out, reply->element[0]->str, reply->element[0]->len, reply->element[1]->str,
                             reply->element[1]->len, e);
}

/* What Redis has is not what is known: stay with that. */
static void keep(struct operator_lists *o, enum lists_stamp_verdict verdict)
{
    if (o->verdict != verdict)
        log_error("lists-kept", "redis=%s entries=%zu what_to_do=%s", lists_stamp_verdict_name(verdict),
                  lists_count(&o->lists), "the lists known here go on; see posternctl list restore");
    o->verdict = verdict;
    o->awaited = false;
    reading_stop(o);
    o->read_problem.text[0] = '\0';
    operator_lists_changed(o);
    begin_again(o);
}

static void on_stamp(void *ctx, redisReply *reply)
{
    struct operator_lists *o = ctx;
    enum lists_stamp_verdict verdict;
    struct err e = {""};

    if (reply == NULL) {
        reading_failed(o, "Redis went away");
        return;
    }
    if (stamp_of(&o->seen, reply, &e) != 0) {
        reading_failed(o, e.text);
        return;
    }
    verdict = lists_stamp_judge(&o->stamp, lists_count(&o->lists), &o->seen);
    if (verdict != LISTS_STAMP_ADOPT) {
        keep(o, verdict);
        return;
    }
    if (o->verdict != LISTS_STAMP_ADOPT || strcmp(o->stamp.generation, o->seen.generation) != 0)
        o->left = ALL;
    o->verdict = verdict;
    next_list(o);
}

static bool same_data(const struct lists_stamp *before, const struct lists_stamp *after)
{
    return strcmp(before->generation, after->generation) == 0 && after->count >= before->count;
}

static unsigned those_read(const struct operator_lists *o)
{
    unsigned read = 0;

    for (size_t i = 0; i < LISTS; i++)
        if (o->was_read[i])
            read |= 1U << i;
    return read;
}

/* One short list and nothing else: it was read at one moment. */
static bool is_one_page(const struct operator_lists *o)
{
    size_t pages = 0;

    for (size_t i = 0; i < LISTS; i++)
        pages += o->fresh[i].pages;
    return pages == 1;
}

/* What was read may be half of one state and half of the next, which nobody ever wrote. */
static void on_stamp_after(void *ctx, redisReply *reply)
{
    struct operator_lists *o = ctx;
    struct lists_stamp after;
    struct err e = {"Redis went away"};
    unsigned again = ALL;

    if (reply == NULL || stamp_of(&after, reply, &e) != 0) {
        reading_failed(o, e.text);
        return;
    }
    if (same_data(&o->seen, &after)) {
        if (after.count == o->seen.count || is_one_page(o) || ++o->torn > TORN_MAX) {
            o->torn = 0;
            reading_done(o);
            return;
        }
        again = those_read(o);
    }
    reading_stop(o);
    o->wanted |= again;
    o->told = true;
    begin_again(o);
}

static void on_begin(evutil_socket_t fd, short what, void *ctx)
{
    struct operator_lists *o = ctx;

    (void)fd;
    (void)what;
    if (o->reading || !o->told)
        return;
    o->left = o->wanted;
    o->wanted = 0;
    o->told = false;
    if (ask_stamp(o, on_stamp) == 0)
        o->reading = true;
    else
        reading_failed(o, "Redis takes no more commands");
}

void operator_lists_told(struct operator_lists *o, const char *name, size_t len)
{
    if (name == NULL || o->source != OPERATOR_LISTS_REDIS)
        o->wanted = ALL;
    for (size_t i = 0; i < LISTS && o->wanted != ALL; i++) {
        const char *known = list_name((enum list_id)i);

        if (strlen(known) == len && memcmp(known, name, len) == 0)
            o->wanted |= 1U << i;
    }
    o->told = true;
    if (!o->reading && (name == NULL || !evtimer_pending(o->begin, NULL)))
        timer_start(o->begin, name == NULL ? 0 : SETTLE_MS);
}

void lists_reading_init(struct operator_lists *o)
{
    o->begin = must_have(evtimer_new(o->base, on_begin, o));
}

void lists_reading_free(struct operator_lists *o)
{
    reading_stop(o);
    event_free(o->begin);
}
