/* list_store_io.c - the operator's lists in Redis: keys, scripts and the replies to them. */
#include "list_store_io.h"

#include "list_scripts.h"
#include "token_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BUF   128
#define CHUNK     500              /* entries that are staged with one command */
#define FIELD_MAX LIST_PATTERN_BUF /* octets that are read of a field: one more than a pattern has */

/* --- keys --- */

struct keys {
    char list[KEY_BUF], head[KEY_BUF];
    char generation[TOKEN_BUF]; /* for the case that there is none yet */
};

static int key_make(const struct redis_ask *a, char out[KEY_BUF], const char *kind, const char *name, struct err *e)
{
    if (redis_key(redis_ask_redis(a), out, KEY_BUF, kind, name) == 0)
        return err_set(e, "a Redis key that is too long: shorten the prefix");
    return 0;
}

static int keys_make(const struct redis_ask *a, struct keys *out, enum list_id list, struct err *e)
{
    if (key_make(a, out->list, "list", list_name(list), e) != 0 || key_make(a, out->head, "list", "", e) != 0)
        return -1;
    return token_make(out->generation, e);
}

/* --- replies --- */

static int take_number(void *ctx, const redisReply *reply, struct err *e)
{
    int64_t *out = ctx;

    if (reply->type != REDIS_REPLY_INTEGER)
        return redis_strange(e);
    *out = reply->integer;
    return 0;
}

/* --- the hash about all lists --- */

static int take_head(void *ctx, const redisReply *reply, struct err *e)
{
    struct list_head *out = ctx;

    if (!redis_is_strings(reply) || reply->elements != 2)
        return redis_strange(e);
    (void)snprintf(out->g, sizeof(out->g), "%s", reply->element[0]->str);
    (void)snprintf(out->n, sizeof(out->n), "%s", reply->element[1]->str);
    (void)lists_stamp_parse(&out->stamp, reply->element[0]->str, reply->element[0]->len, reply->element[1]->str,
                            reply->element[1]->len, &out->why);
    return 0;
}

int list_store_head(struct redis_ask *a, struct list_head *out, struct err *e)
{
    char key[KEY_BUF];

    *out = (struct list_head){0};
    if (key_make(a, key, "list", "", e) != 0)
        return -1;
    return redis_ask(a, take_head, out, 4, (const char *const[]){"EVAL", script_head, "1", key}, NULL, e);
}

/* --- reading --- */

struct reading {
    struct list_rows *rows;
    enum list_id list;
};

static void on_field(void *ctx, const char *field, size_t field_len, const char *value, size_t value_len)
{
    const struct reading *r = ctx;

    if (field == NULL)
        list_rows_clear(r->rows);
    else
        list_rows_add_json(r->rows, r->list, field, field_len, value, value_len);
}

int list_store_read(struct redis_ask *a, enum list_id list, struct list_rows *out, struct err *e)
{
    struct reading r = {.rows = out, .list = list};
    struct keys k = {.list = ""};
    const struct redis_hash hash = {
        .key = k.list, .watched = k.head, .field_max = FIELD_MAX, .value_max = LIST_JSON_MAX + 1};

    *out = (struct list_rows){0};
    if (keys_make(a, &k, list, e) != 0)
        return -1;
    if (redis_hash_read(a, &hash, on_field, &r, e) != 0 || out->failed) {
        if (out->failed)
            err_set(e, "no memory");
        list_rows_clear(out);
        return -1;
    }
    list_rows_sort(out);
    list_rows_unique(out); /* a field may have been told twice */
    return 0;
}

int list_store_count(struct redis_ask *a, enum list_id list, int64_t *out, struct err *e)
{
    char key[KEY_BUF];

    *out = -1;
    if (key_make(a, key, "list", list_name(list), e) != 0)
        return -1;
    if (redis_ask(a, take_number, out, 2, (const char *const[]){"HLEN", key}, NULL, e) == 0)
        return 0;
    return strstr(e->text, "WRONGTYPE") != NULL ? 0 : -1;
}

/* --- edits --- */

struct was {
    struct list_rows *rows;
    enum list_id list;
    const char *pattern;
};

static int was_add(const struct was *w, const char *field, size_t field_len, const redisReply *value, struct err *e)
{
    list_rows_add_json(w->rows, w->list, field, field_len, value->str, value->len);
    return w->rows->failed ? err_set(e, "no memory") : 0;
}

static int take_old(void *ctx, const redisReply *reply, struct err *e)
{
    const struct was *w = ctx;

    if (reply->type == REDIS_REPLY_NIL)
        return 0;
    return reply->type == REDIS_REPLY_STRING ? was_add(w, w->pattern, strlen(w->pattern), reply, e) : redis_strange(e);
}

int list_store_put(struct redis_ask *a, enum list_id list, const struct list_entry *entry, struct list_rows *was,
                   struct err *e)
{
    struct was w = {.rows = was, .list = list, .pattern = entry->pattern};
    char value_max[16];
    struct buf json;
    struct keys k;
    int rc = -1;

    *was = (struct list_rows){0};
    buf_init(&json, LIST_JSON_MAX);
    list_entry_to_json(&json, entry);
    (void)snprintf(value_max, sizeof(value_max), "%d", LIST_JSON_MAX + 1);
    if (!buf_ok(&json))
        err_set(e, "no memory, or an entry that is too long");
    else if (keys_make(a, &k, list, e) == 0)
        rc = redis_ask(a, take_old, &w, 9,
                       (const char *const[]){"EVAL", script_put, "2", k.list, k.head, k.generation, entry->pattern,
                                             buf_text(&json), value_max},
                       NULL, e);
    buf_clear(&json);
    return rc;
}

static int take_deleted(void *ctx, const redisReply *reply, struct err *e)
{
    if (reply->type == REDIS_REPLY_NIL)
        return 0;
    if (!redis_is_strings(reply) || reply->elements != 2)
        return redis_strange(e);
    return was_add(ctx, reply->element[0]->str, reply->element[0]->len, reply->element[1], e);
}

int list_store_del(struct redis_ask *a, enum list_id list, const char *pattern, const char *field,
                   struct list_rows *was, struct err *e)
{
    struct was w = {.rows = was, .list = list};
    char value_max[16];
    struct keys k;

    *was = (struct list_rows){0};
    (void)snprintf(value_max, sizeof(value_max), "%d", LIST_JSON_MAX + 1);
    if (keys_make(a, &k, list, e) != 0)
        return -1;
    return redis_ask(
        a, take_deleted, &w, 9,
        (const char *const[]){"EVAL", script_del, "2", k.list, k.head, k.generation, pattern, field, value_max}, NULL,
        e);
}

int list_store_clear(struct redis_ask *a, enum list_id list, int64_t *count, struct err *e)
{
    struct keys k;

    *count = 0;
    if (keys_make(a, &k, list, e) != 0)
        return -1;
    return redis_ask(a, take_number, count, 6,
                     (const char *const[]){"EVAL", script_clear, "2", k.list, k.head, k.generation}, NULL, e);
}

/* --- many entries at once --- */

/* Send a chunk of entries to the staging hash; values are freed after it. */
static int stage_chunk(struct redis_ask *a, const char *staged, const struct list_row *row, size_t count, struct err *e)
{
    const char *word[4 + 2 * CHUNK] = {"EVAL", script_stage, "1", staged};
    struct buf json[CHUNK];
    bool whole = true;
    int rc;

    for (size_t i = 0; i < count; i++) {
        buf_init(&json[i], LIST_JSON_MAX);
        list_entry_to_json(&json[i], row[i].entry);
        whole = whole && buf_ok(&json[i]);
        word[4 + 2 * i] = row[i].entry->pattern;
        word[5 + 2 * i] = buf_text(&json[i]);
    }
    rc = whole ? redis_ask(a, NULL, NULL, 4 + 2 * count, word, NULL, e)
               : err_set(e, "no memory, or an entry that is too long");
    for (size_t i = 0; i < count; i++)
        buf_clear(&json[i]);
    return rc;
}

static int stage(struct redis_ask *a, const char *staged, const struct list_rows *rows, struct err *e)
{
    for (size_t i = 0; i < rows->count; i += CHUNK)
        if (stage_chunk(a, staged, rows->row + i, rows->count - i < CHUNK ? rows->count - i : CHUNK, e) != 0)
            return -1;
    return 0;
}

/* What was staged and not used; it would end by itself. */
static void unstage(struct redis_ask *a, const char *staged)
{
    (void)redis_ask(a, NULL, NULL, 2, (const char *const[]){"UNLINK", staged}, NULL, NULL);
}

int list_store_import(struct redis_ask *a, enum list_id list, const struct list_rows *rows, bool replace, struct err *e)
{
    char token[TOKEN_BUF], staged[KEY_BUF], count[24];
    struct keys k;

    if (rows->count == 0)
        return replace ? err_set(e, "no entries to replace the list with") : 0;
    if (keys_make(a, &k, list, e) != 0 || token_make(token, e) != 0 || key_make(a, staged, "import", token, e) != 0)
        return -1;
    (void)snprintf(count, sizeof(count), "%zu", rows->count);
    if (stage(a, staged, rows, e) == 0 &&
        redis_ask(a, NULL, NULL, 9,
                  (const char *const[]){"EVAL", script_place, "3", k.list, k.head, staged, k.generation, count,
                                        replace ? "1" : "0"},
                  NULL, e) == 0)
        return 0;
    unstage(a, staged);
    return -1;
}

/* --- lists that were lost --- */

int list_store_discard(struct redis_ask *a, struct err *e)
{
    char key[KEY_BUF], generation[TOKEN_BUF];

    if (key_make(a, key, "list", "", e) != 0 || token_make(generation, e) != 0)
        return -1;
    return redis_ask(a, NULL, NULL, 5, (const char *const[]){"EVAL", script_discard, "1", key, generation}, NULL, e);
}

struct restore {
    char head[KEY_BUF], list[LISTS][KEY_BUF], staged[LISTS][KEY_BUF];
    char n[24], count[LISTS][24];
};

static int restore_stage(struct redis_ask *a, struct restore *r, const struct list_rows rows[LISTS], struct err *e)
{
    char token[TOKEN_BUF], name[TOKEN_BUF + 24];

    if (key_make(a, r->head, "list", "", e) != 0 || token_make(token, e) != 0)
        return -1;
    for (size_t i = 0; i < LISTS; i++) {
        const char *list = list_name((enum list_id)i);

        (void)snprintf(name, sizeof(name), "%s:%s", token, list);
        (void)snprintf(r->count[i], sizeof(r->count[i]), "%zu", rows[i].count);
        if (key_make(a, r->list[i], "list", list, e) != 0 || key_make(a, r->staged[i], "import", name, e) != 0 ||
            stage(a, r->staged[i], &rows[i], e) != 0)
            return -1;
    }
    return 0;
}

static int restore_place(struct redis_ask *a, const struct restore *r, const char *g, const struct list_head *seen,
                         struct err *e)
{
    const char *word[8 + 3 * LISTS] = {"EVAL", script_restore};
    size_t words = 2;
    char keys[16];

    (void)snprintf(keys, sizeof(keys), "%d", 1 + 2 * LISTS);
    word[words++] = keys;
    word[words++] = r->head;
    for (size_t i = 0; i < LISTS; i++) {
        word[words++] = r->list[i];
        word[words++] = r->staged[i];
    }
    word[words++] = seen->g;
    word[words++] = seen->n;
    word[words++] = g;
    word[words++] = r->n;
    for (size_t i = 0; i < LISTS; i++)
        word[words++] = r->count[i];
    return redis_ask(a, NULL, NULL, words, word, NULL, e);
}

int list_store_restore(struct redis_ask *a, const struct list_rows rows[LISTS], const struct lists_stamp *stamp,
                       const struct list_head *seen, struct err *e)
{
    struct restore r = {.head = ""};

    (void)snprintf(r.n, sizeof(r.n), "%" PRId64, stamp->count + 1);
    if (restore_stage(a, &r, rows, e) == 0 && restore_place(a, &r, stamp->generation, seen, e) == 0)
        return 0;
    for (size_t i = 0; i < LISTS; i++)
        if (r.staged[i][0] != '\0')
            unstage(a, r.staged[i]);
    return -1;
}
