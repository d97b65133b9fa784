/* stored_rules_io.c - see stored_rules_io.h. One command reads stamp and text, so they always belong together. */
#include "stored_rules_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lists_stamp.h"
#include "log.h"
#include "millis.h"
#include "rule.h"
#include "rules_kept.h"
#include "whole_file.h"

#define AGAIN_MS 5000 /* after a refusal of Redis, and when the file could not be written */
#define KEY_BUF  256

struct stored_rules {
    struct stored_rules_options options;
    char *file; /* own: the configuration may go */
    struct lists_stamp stamp;
    bool known;
    bool any; /* the text known has something in it */
    bool reading;
    bool told; /* of a change since the present reading began */
    struct event *again;
    struct event *write_again;
    struct buf text; /* what is known */
    struct err problem;
};

static void set_problem(struct stored_rules *s, const char *event, const char *why)
{
    if (strcmp(s->problem.text, why) != 0)
        log_error(event, "why=%s what_to_do=%s", why,
                  s->known ? "the rules known here go on; see posternctl rules" : "see posternctl rules");
    err_set(&s->problem, "%s", why);
}

/* --- the file --- */

static void file_write(struct stored_rules *s)
{
    struct buf out;

    if (s->file[0] == '\0')
        return;
    buf_init(&out, RULES_KEPT_MAX);
    rules_kept_write(&out, &s->stamp, buf_text(&s->text), s->text.len);
    if (!buf_ok(&out) || whole_file_replace(s->file, out.data, out.len) != 0) {
        log_error("rules-file", "file=%s error=%s", s->file, buf_ok(&out) ? strerror(errno) : "the rules are too long");
        timer_start(s->write_again, AGAIN_MS);
    }
    buf_clear(&out);
}

static void on_write_again(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    file_write(ctx);
}

/* --- taking them up --- */

static int take(struct stored_rules *s, const struct lists_stamp *stamp, const char *text, size_t len, struct err *e)
{
    if (s->options.fn(s->options.ctx, text, len, e) != 0)
        return -1;
    buf_reset(&s->text);
    buf_add(&s->text, text, len);
    if (!buf_ok(&s->text))
        log_oom();
    s->stamp = *stamp;
    s->known = true;
    s->any = len > 0;
    return 0;
}

static void file_load(struct stored_rules *s)
{
    struct lists_stamp stamp;
    struct buf data, text;
    struct err e = {""};

    buf_init(&data, RULES_KEPT_MAX);
    buf_init(&text, RULES_KEPT_MAX);
    if (s->file[0] != '\0' && whole_file_read(&data, s->file, &e) == 1 &&
        rules_kept_read(&stamp, &text, buf_text(&data), data.len, &e) == 0)
        take(s, &stamp, buf_text(&text), text.len, &e);
    if (e.text[0] != '\0')
        log_error("rules-file", "file=%s error=%s", s->file, e.text);
    buf_clear(&data);
    buf_clear(&text);
}

/* --- reading from Redis --- */

static bool is_text(const redisReply *r)
{
    return r->type == REDIS_REPLY_STRING;
}

/* [g, n, text]; nils when there is none. Returns 0, or -1 for what is none of ours. */
static int read_reply(struct lists_stamp *stamp, const char **text, size_t *len, const redisReply *reply, struct err *e)
{
    redisReply *const *r = reply->element;

    *stamp = (struct lists_stamp){0};
    *text = "";
    *len = 0;
    if (reply->type == REDIS_REPLY_ERROR)
        return err_set(e, "%s", reply->str);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        return err_set(e, "the reply about the rules has another form");
    if (!is_text(r[0]) && !is_text(r[1]) && !is_text(r[2]))
        return 0;
    if (!is_text(r[0]) || !is_text(r[1]) || !is_text(r[2]))
        return err_set(e, "the hash rules: lacks one of its fields g, n and text");
    if (r[2]->len > RULES_TEXT_MAX)
        return err_set(e, "the rules have %zu octets, of %d that they may have", r[2]->len, RULES_TEXT_MAX);
    *text = r[2]->str;
    *len = r[2]->len;
    return lists_stamp_parse(stamp, r[0]->str, r[0]->len, r[1]->str, r[1]->len, e);
}

static void adopt(struct stored_rules *s, const struct lists_stamp *stamp, const char *text, size_t len)
{
    struct err e = {""};
    bool same = s->known && s->text.len == len && memcmp(buf_text(&s->text), text, len) == 0 &&
                strcmp(s->stamp.generation, stamp->generation) == 0 && s->stamp.count == stamp->count;

    if (!same && take(s, stamp, text, len, &e) != 0) {
        set_problem(s, "rules-wrong", e.text);
        return;
    }
    s->problem.text[0] = '\0';
    if (same)
        return;
    log_info("rules-read", "edits=%lld octets=%zu", (long long)stamp->count, len);
    file_write(s);
}

static void ask(struct stored_rules *s);

static void on_reply(void *ctx, redisReply *reply)
{
    struct stored_rules *s = ctx;
    struct lists_stamp stamp;
    enum lists_stamp_verdict verdict;
    const char *text;
    size_t len;
    struct err e = {""};

    s->reading = false;
    if (reply == NULL)
        return; /* Redis went away: it will tell when it is back */
    if (read_reply(&stamp, &text, &len, reply, &e) != 0) {
        set_problem(s, "rules-unreadable", e.text);
        timer_start(s->again, AGAIN_MS);
        return;
    }
    verdict = lists_stamp_judge(&s->stamp, s->any ? 1 : 0, &stamp);
    if (verdict == LISTS_STAMP_ADOPT)
        adopt(s, &stamp, text, len);
    else
        set_problem(s, "rules-kept",
                    verdict == LISTS_STAMP_KEEP_LOST ? "Redis has lost the rules"
                                                     : "Redis has an older state of the rules");
    if (s->told)
        ask(s);
}

static void ask(struct stored_rules *s)
{
    char key[KEY_BUF];

    s->told = false;
    if (redis_key(s->options.redis, key, sizeof(key), "rules", "") == 0 ||
        redis_send(s->options.redis, on_reply, s, 5, (const char *[]){"HMGET", key, "g", "n", "text"}, NULL) != 0)
        return;
    s->reading = true;
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    stored_rules_told(ctx);
}

void stored_rules_told(struct stored_rules *s)
{
    s->told = true;
    if (!s->reading)
        ask(s);
}

bool stored_rules_known(const struct stored_rules *s)
{
    return s->known;
}

const char *stored_rules_problem(const struct stored_rules *s)
{
    return s->problem.text;
}

/* --- its life --- */

struct stored_rules *stored_rules_new(struct event_base *base, const struct stored_rules_options *options)
{
    struct stored_rules *s = must_have(calloc(1, sizeof(*s)));

    s->options = *options;
    s->file = must_have(strdup(options->file));
    s->again = must_have(evtimer_new(base, on_again, s));
    s->write_again = must_have(evtimer_new(base, on_write_again, s));
    buf_init(&s->text, RULES_KEPT_MAX);
    file_load(s);
    return s;
}

void stored_rules_free(struct stored_rules *s)
{
    if (s == NULL)
        return;
    event_free(s->again);
    event_free(s->write_again);
    buf_clear(&s->text);
    free(s->file);
    free(s);
}
