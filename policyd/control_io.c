/* control_io.c - see control_io.h. */
#include "control_io.h"

#include "activity.h"
#include "address.h"
#include "call_server.h"
#include "clock.h"
#include "counters.h"
#include "log.h"
#include "metrics_json.h"
#include "nexthop.h"
#include "socketmap.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_MODE 0660

struct control {
    struct call_server **server; /* of each worker, NULL: closed */
    size_t workers;
    struct memory *memory;
    struct lookups *lookups;
    const struct operator_lists *lists;
    struct gauges *gauges;
    size_t cache_limit;
    time_t started;
    pid_t pid;
    LIST_HEAD(explain_list, explain) explains;
};

/* One `explain` that waits for its look-up. */
struct explain {
    LIST_ENTRY(explain) link;
    struct call *call;
    struct lookup_wait *wait;
    struct nexthop hop;
    char key[CALL_REQUEST_MAX + 1];
};

/* Send a JSON object and let go of it. */
static void answer_json(struct call *call, json_t *object)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);

    if (text == NULL)
        log_oom();
    call_answer(call, CALL_OK, text, strlen(text));
    free(text);
    json_decref(object);
}

/* --- explain --- */

static json_t *answer_string(const struct answer *a, enum answer_map map)
{
    size_t len;
    const char *text = answer_text(a, map, &len);
    json_t *string = json_stringn(text, len);

    return string != NULL ? string : json_string("(not UTF-8)");
}

static json_t *reasons_of(const struct lookup_result *result)
{
    json_t *list = json_array();

    if (result->decision == NULL)
        json_array_append_new(list, json_string("no newer facts can be had: the last answer goes on"));
    for (size_t i = 0; result->decision != NULL && i < result->decision->reason_count; i++)
        json_array_append_new(list, json_string(result->decision->reason[i]));
    return list;
}

static json_t *record_of(const struct dest *dest)
{
    struct buf text;
    json_t *record = NULL;

    if (dest == NULL)
        return json_null();
    buf_init(&text, DEST_JSON_MAX);
    dest_to_json(&text, dest);
    if (buf_ok(&text))
        record = json_loadb(text.data, text.len, 0, NULL);
    buf_clear(&text);
    return record == NULL ? json_null() : record;
}

static json_t *explanation(const char *key, const struct nexthop *hop, const struct lookup_result *r,
                           const char *source)
{
    const struct decision *d = r->decision;

    return json_pack("{ss ss ss so so sb ss sb sb so ss sI so}", "nexthop", key, "domain", hop->name, "kind",
                     nexthop_kind_name(hop->kind), "answer", answer_string(r->answer, ANSWER_POSTFIX), "answer_tlsrpt",
                     answer_string(r->answer, ANSWER_TLSRPT), "temp", d != NULL && d->temp, "level",
                     d == NULL ? "unknown"
                     : d->temp ? "temp"
                               : tls_level_name(d->level),
                     "smtps", r->answer->smtps, "overridden", d != NULL && d->overridden, "reasons", reasons_of(r),
                     "source", source, "valid_until", (json_int_t)r->answer->valid_until, "record", record_of(r->dest));
}

static void on_explained(void *ctx, const struct lookup_result *result)
{
    struct explain *x = ctx;

    answer_json(x->call, explanation(x->key, &x->hop, result, lookup_source_name(result->source)));
    LIST_REMOVE(x, link);
    free(x);
}

/* A parent domain: nothing is ever answered. */
static void explain_parent(struct call *call, const char *key, const struct nexthop *hop)
{
    struct decide_options options = decide_options_default();
    struct decision decision;
    struct answer *a;

    decide_fixed(&decision, "a parent domain: policies are never inherited (RFC 8461 section 3.4)", 0);
    a = must_have(answer_new(&decision, NULL, &options));
    answer_json(call, explanation(key, hop, &(struct lookup_result){.answer = a, .decision = &decision}, "none"));
    free(a);
}

static void do_explain(struct control *c, struct call *call, const char *arg, size_t len)
{
    struct explain *x;
    struct nexthop hop;
    struct err e = {""};
    char key[CALL_REQUEST_MAX + 1];

    if (nexthop_parse(&hop, arg, len, &e) != 0) {
        call_answerf(call, CALL_PERM, "this is no next hop: %s", e.text);
        return;
    }
    memcpy(key, arg, len);
    key[len] = '\0';
    if (hop.kind == NEXTHOP_PARENT) {
        explain_parent(call, key, &hop);
        return;
    }
    x = must_have(calloc(1, sizeof(*x)));
    x->call = call;
    x->hop = hop;
    memcpy(x->key, key, len + 1);
    x->wait = lookup_start(c->lookups, &hop, on_explained, x);
    if (x->wait == NULL) {
        call_answerf(call, CALL_TEMP, "too many domains are being looked up, try again later");
        free(x);
        return;
    }
    LIST_INSERT_HEAD(&c->explains, x, link);
}

/* --- the memory --- */

/* valid_until 0: it is known to be out of date, and looked up again when it is wanted. */
static json_t *entry_json(const struct control *c, const char *domain, const struct answer *a)
{
    int64_t until = a->epoch == c->memory->epoch ? a->valid_until : 0;

    return json_pack("{ss so sI sI}", "domain", domain, "answer", answer_string(a, ANSWER_POSTFIX), "valid_until",
                     (json_int_t)until, "hits", (json_int_t)a->hits);
}

static void do_cache_show(struct control *c, struct call *call)
{
    json_t *list = json_array();
    const void *cursor = NULL;
    const struct answer *a;
    const char *domain;
    size_t octets = 0;
    bool more = false;

    while ((a = cache_next(c->memory->cache, &cursor, &domain)) != NULL) {
        octets += a->plain_len + CACHE_KEY_MAX;
        if (json_array_size(list) == CONTROL_SHOW_MAX || octets > CALL_REPLY_MAX / 2) {
            more = true;
            break;
        }
        json_array_append_new(list, entry_json(c, domain, a));
    }
    answer_json(call, json_pack("{sI sI sb so}", "entries", (json_int_t)cache_count(c->memory->cache), "limit",
                                (json_int_t)c->cache_limit, "more", more, "domains", list));
}

static void do_cache_get(struct control *c, struct call *call, const char *domain)
{
    const struct answer *a = cache_peek(c->memory->cache, domain, strlen(domain));
    json_t *entry;

    if (a == NULL) {
        call_answerf(call, CALL_PERM, "not in memory");
        return;
    }
    entry = entry_json(c, domain, a);
    json_object_set_new(entry, "answer_tlsrpt", answer_string(a, ANSWER_TLSRPT));
    answer_json(call, entry);
}

static void do_cache_flush(struct control *c, struct call *call, const char *domain)
{
    size_t flushed;

    if (domain == NULL)
        flushed = cache_flush(c->memory->cache);
    else
        flushed = cache_remove(c->memory->cache, domain, strlen(domain)) ? 1 : 0;
    log_info("memory-flushed", "domain=%s count=%zu", domain == NULL ? "all" : domain, flushed);
    answer_json(call, json_pack("{sI}", "flushed", (json_int_t)flushed));
}

/* --- activity --- */

static void do_activity(const struct control *c, struct call *call)
{
    struct lookup_waiting waiting[ACTIVITY_WAITING];
    size_t count = lookups_oldest(c->lookups, waiting, ACTIVITY_WAITING);

    answer_json(call, activity_json(c->memory, waiting, count, now_seconds()));
}

/* --- status --- */

/* "up", "down", "none", or that some workers have it. */
static json_t *redis_word(const struct control *c, size_t workers)
{
    uint64_t up = counters_sum(GAUGE_REDIS_UP);

    if (up == 0 || up == workers)
        return json_string(redis_state(c->gauges->redis));
    return json_sprintf("up for %d of %d workers", (int)up, (int)workers);
}

static json_t *list_json(const struct operator_lists_state *state, size_t i)
{
    json_t *list = json_pack("{sI}", "entries", (json_int_t)state->list[i].entries);

    if (state->list[i].problem[0] != '\0') {
        json_object_set_new(list, "bad", json_integer((json_int_t)state->list[i].bad));
        json_object_set_new(list, "problem", json_string(state->list[i].problem));
    }
    return list;
}

/* Of this worker; the others read the same. */
static json_t *lists_json(const struct control *c)
{
    struct operator_lists_state state;
    json_t *lists = json_object();

    operator_lists_state(&state, c->lists);
    for (size_t i = 0; i < LISTS; i++)
        if (state.list[i].entries != 0 || state.list[i].problem[0] != '\0')
            json_object_set_new(lists, list_name((enum list_id)i), list_json(&state, i));
    return json_pack("{ss ss sI ss ss so}", "from", operator_lists_source_name(state.source), "redis",
                     lists_stamp_verdict_name(state.verdict), "read", (json_int_t)state.since, "read_problem",
                     state.read_problem, "file_problem", state.file_problem, "lists", lists);
}

static void do_status(struct control *c, struct call *call)
{
    const struct metric *numbers;
    size_t workers;
    json_t *status;

    gauges_update(c->gauges);
    numbers = counters_all(&workers);
    status = json_pack("{ss sI sI sI so sb}", "version", PACKAGE_VERSION, "pid", (json_int_t)c->pid, "uptime",
                       (json_int_t)(time(NULL) - c->started), "workers", (json_int_t)workers, "redis",
                       redis_word(c, workers), "tracking", counters_sum(GAUGE_TRACKING) == workers);
    metrics_json(status, numbers, COUNTERS, workers, strlen("postern_policyd_"));
    json_object_set_new(status, "lists", lists_json(c));
    answer_json(call, status);
}

static void on_call(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    struct control *c = ctx;
    char name[NEXTHOP_BUF];
    struct nexthop hop;
    struct err e = {""};

    if (c->memory == NULL)
        call_answerf(call, CALL_TEMP, "still starting");
    else if (strcmp(verb, "explain") == 0)
        do_explain(c, call, arg, len);
    else if (strcmp(verb, "status") == 0)
        do_status(c, call);
    else if (strcmp(verb, "activity") == 0)
        do_activity(c, call);
    else if (strcmp(verb, "cache-show") == 0)
        do_cache_show(c, call);
    else if (strcmp(verb, "cache-flush") == 0 && len == 0)
        do_cache_flush(c, call, NULL);
    else if (strcmp(verb, "cache-get") != 0 && strcmp(verb, "cache-flush") != 0)
        call_answerf(call, CALL_PERM, "policyd does not know the verb %s", verb);
    else if (nexthop_parse(&hop, arg, len, &e) != 0)
        call_answerf(call, CALL_PERM, "this is no next hop: %s", e.text);
    else {
        nexthop_text(name, &hop);
        if (strcmp(verb, "cache-get") == 0)
            do_cache_get(c, call, name);
        else
            do_cache_flush(c, call, name);
    }
}

static void close_servers(struct control *c)
{
    for (size_t i = 0; i < c->workers; i++)
        call_server_free(c->server[i]);
}

static int open_servers(struct control *c, struct event_base *base, const char *address, struct err *e)
{
    struct address a;

    for (size_t i = 0; i < c->workers; i++) {
        if (address_nth(&a, address, (unsigned)i + 1, e) != 0)
            return err_prefix(e, "control");
        c->server[i] = call_server_open(base, a.text, CONTROL_MODE, on_call, c, e);
        if (c->server[i] == NULL)
            return -1;
    }
    return 0;
}

struct control *control_new(struct event_base *base, const char *address, size_t workers, struct err *e)
{
    struct control *c = must_have(calloc(1, sizeof(*c)));

    LIST_INIT(&c->explains);
    c->started = time(NULL);
    c->pid = getpid();
    c->workers = workers;
    c->server = must_have(calloc(workers, sizeof(struct call_server *)));
    if (open_servers(c, base, address, e) != 0) {
        control_free(c);
        return NULL;
    }
    return c;
}

void control_run(struct control *c, size_t worker, struct memory *memory, struct lookups *lookups,
                 const struct operator_lists *lists, struct gauges *gauges, size_t cache_limit)
{
    struct call_server *own = c->server[worker];

    c->server[worker] = NULL;
    close_servers(c);
    c->server[0] = own;
    c->workers = 1;
    c->memory = memory;
    c->lookups = lookups;
    c->lists = lists;
    c->gauges = gauges;
    c->cache_limit = cache_limit;
}

void control_free(struct control *c)
{
    struct explain *x;

    if (c == NULL)
        return;
    close_servers(c);
    free(c->server);
    while ((x = LIST_FIRST(&c->explains)) != NULL) {
        LIST_REMOVE(x, link);
        lookup_cancel(x->wait);
        call_answerf(x->call, CALL_TEMP, "policyd is stopping");
        free(x);
    }
    free(c);
}
