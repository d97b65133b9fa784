/* serve_io.c - see serve_io.h. */
#include "serve_io.h"

#include "call_server.h"
#include "clock.h"
#include "counters.h"
#include "log.h"
#include "metrics_json.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define SERVE_MODE    0660
#define SERVE_WAITING 20 /* of those under way, in `activity` */

/* A call that waits for its record. */
struct asked {
    LIST_ENTRY(asked) link;
    struct call *call;
};

struct serve {
    struct call_server *server;
    struct records *records;
    const struct redis *redis;
    bool dnssec; /* a resolver is believed about it */
    time_t started;
    LIST_HEAD(asked_list, asked) asked;
};

static void answer_record(struct call *call, const struct dest *dest)
{
    struct buf json;

    if (dest == NULL) {
        call_answerf(call, CALL_TEMP, "too many domains are being resolved, try again later");
        return;
    }
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, dest);
    if (buf_ok(&json))
        call_answer(call, CALL_OK, json.data, json.len);
    else
        call_answerf(call, CALL_TEMP, "the record is too large");
    buf_clear(&json);
}

static void on_record(void *ctx, const struct dest *dest)
{
    struct asked *a = ctx;

    answer_record(a->call, dest);
    LIST_REMOVE(a, link);
    free(a);
}

static void do_resolve(struct serve *s, struct call *call, const char *arg, size_t len, enum records_need need)
{
    char domain[DOMAIN_BUF];
    struct err e = {""};
    struct asked *a;

    count(COUNT_REQUESTS);
    if (domain_normalise(domain, arg, len, &e) != 0) {
        call_answerf(call, CALL_PERM, "this is no domain name: %s", e.text);
        return;
    }
    a = must_have(calloc(1, sizeof(*a)));
    a->call = call;
    LIST_INSERT_HEAD(&s->asked, a, link);
    records_get(s->records, domain, need, on_record, a);
}

static void do_status(struct serve *s, struct call *call)
{
    json_t *status =
        json_pack("{ss sI sI ss sb sI sI sI}", "version", PACKAGE_VERSION, "pid", (json_int_t)getpid(), "uptime",
                  (json_int_t)(time(NULL) - s->started), "redis", redis_state(s->redis), "dnssec", s->dnssec, "wanted",
                  (json_int_t)records_wanted(s->records), "waiting", (json_int_t)records_waiting(s->records),
                  "memory_records", (json_int_t)records_in_memory(s->records));
    char *text;

    metrics_json(status, counters, GAUGE_WANTED, 1, strlen("postern_stsd_")); /* the gauges are above */
    text = must_have(json_dumps(status, JSON_COMPACT));
    call_answer(call, CALL_OK, text, strlen(text));
    free(text);
    json_decref(status);
}

/* --- activity --- */

static json_t *under_way(const struct records *r)
{
    struct records_waiting waiting[SERVE_WAITING];
    size_t count = records_oldest(r, waiting, SERVE_WAITING);
    json_t *list = json_array();

    while (count-- > 0)
        json_array_append_new(list, json_pack("{ss sI ss}", "domain", waiting[count].domain, "ms",
                                              (json_int_t)waiting[count].ms, "waits", waiting[count].waits_for));
    return list;
}

static json_t *ended(const struct records *r)
{
    struct slow slow[SLOWEST_MAX];
    int64_t now = now_seconds();
    size_t count = slowest_list(records_slowest(r), slow, now);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{ss sI sI so}", "domain", slow[i].domain, "ms", (json_int_t)slow[i].ms,
                                              "ago", (json_int_t)(now - slow[i].ended), "end",
                                              json_stringn(slow[i].end, strlen(slow[i].end))));
    return list;
}

static void do_activity(const struct serve *s, struct call *call)
{
    json_t *activity = json_pack("{so so}", "under_way", under_way(s->records), "slowest", ended(s->records));
    char *text = must_have(json_dumps(activity, JSON_COMPACT));

    call_answer(call, CALL_OK, text, strlen(text));
    free(text);
    json_decref(activity);
}

static void on_call(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    struct serve *s = ctx;

    if (s->records == NULL)
        call_answerf(call, CALL_TEMP, "still starting");
    else if (strcmp(verb, "resolve") == 0)
        do_resolve(s, call, arg, len, RECORDS_USE);
    else if (strcmp(verb, "refresh") == 0)
        do_resolve(s, call, arg, len, RECORDS_FRESH);
    else if (strcmp(verb, "activity") == 0)
        do_activity(s, call);
    else if (strcmp(verb, "status") == 0)
        do_status(s, call);
    else
        call_answerf(call, CALL_PERM, "stsd does not know the verb %s", verb);
}

struct serve *serve_new(struct event_base *base, const char *address, struct err *e)
{
    struct serve *s = must_have(calloc(1, sizeof(*s)));

    LIST_INIT(&s->asked);
    s->started = time(NULL);
    s->server = call_server_open(base, address, SERVE_MODE, on_call, s, e);
    if (s->server == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void serve_run(struct serve *s, struct records *records, const struct redis *redis, bool dnssec)
{
    s->dnssec = dnssec;
    s->records = records;
    s->redis = redis;
}

void serve_drain(struct serve *s)
{
    call_server_drain(s->server);
}

size_t serve_outstanding(const struct serve *s)
{
    return call_server_outstanding(s->server);
}

void serve_free(struct serve *s)
{
    struct asked *a;

    if (s == NULL)
        return;
    call_server_free(s->server);
    while ((a = LIST_FIRST(&s->asked)) != NULL) {
        LIST_REMOVE(a, link);
        call_answerf(a->call, CALL_TEMP, "stsd is stopping");
        free(a);
    }
    free(s);
}
