/* door_io.c - see door_io.h. */
#include "door_io.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "call_server.h"
#include "clock.h"
#include "counters.h"
#include "domain.h"
#include "log.h"
#include "metrics_json.h"
#include "tlsrpt_event_read.h"
#include "utc_day.h"

#define DOOR_MODE    0660
#define ROWS_MAX     1000                 /* rows of an answer; of more only the number is told */
#define OCTETS_MAX   (CALL_REPLY_MAX / 2) /* and no more octets of them than that */
#define SEND_WORDS   3
#define FAILING_ROWS 40

/* A call that waits for its answer: until its event is safe, or until its reports are sent. */
struct asked {
    LIST_ENTRY(asked) link;
    struct door *door;
    struct call *call;
    json_t *rows;
    size_t octets;
    size_t left_out;
    size_t left_out_unsent; /* of these */
};

struct door {
    struct call_server *server;
    const struct door_hooks *hooks;
    void *ctx;
    struct report_job *job;
    const struct redis *redis;
    const struct failing *failing;
    time_t started;
    LIST_HEAD(asked_list, asked) asked;
};

static struct asked *asked_new(struct door *d, struct call *call)
{
    struct asked *a = must_have(calloc(1, sizeof(*a)));

    a->door = d;
    a->call = call;
    LIST_INSERT_HEAD(&d->asked, a, link);
    return a;
}

/* The door may be closed meanwhile: then the call was answered. */
static void asked_end(struct asked *a)
{
    if (a->door != NULL)
        LIST_REMOVE(a, link);
    json_decref(a->rows);
    free(a);
}

static void answer_json(struct call *call, json_t *value)
{
    char *text = must_have(json_dumps(value, JSON_COMPACT));

    call_answer(call, CALL_OK, text, strlen(text));
    free(text);
    json_decref(value);
}

static void on_safe(void *ctx, bool safe)
{
    struct asked *a = ctx;

    if (a->door != NULL && safe)
        call_answer(a->call, CALL_OK, "", 0);
    else if (a->door != NULL)
        call_answerf(a->call, CALL_TEMP, "it cannot be kept now: neither the spool nor Redis takes it");
    asked_end(a);
}

static void do_event(struct door *d, struct call *call, const char *arg, size_t len)
{
    struct tlsrpt_event_read read;
    struct err e = {""};

    count(COUNT_CALLED);
    if (tlsrpt_event_read(&read, arg, len, &e) != 0) {
        count(COUNT_CALLED_REFUSED);
        call_answerf(call, CALL_PERM, "this is no outcome: %s", e.text);
        return;
    }
    if (d->hooks->event(d->ctx, &read.event))
        d->hooks->when_safe(d->ctx, on_safe, asked_new(d, call));
    else
        call_answerf(call, CALL_TEMP, "there is no room for it now");
    tlsrpt_event_read_clear(&read);
}

static void add_row(struct asked *a, const struct report_sent *row)
{
    json_t *json = json_pack("{ss ss ss ss*}", "domain", row->domain, "destination", row->destination, "state",
                             row->state, "why", row->why);
    size_t octets = json_dumpb(json, NULL, 0, JSON_COMPACT);

    if (json_array_size(a->rows) < ROWS_MAX && a->octets + octets < OCTETS_MAX) {
        a->octets += octets + 1;
        json_array_append_new(a->rows, json);
        return;
    }
    a->left_out++;
    a->left_out_unsent += strcmp(row->state, "sent") != 0;
    json_decref(json);
}

static void on_row(void *ctx, const struct report_sent *row)
{
    struct asked *a = ctx;

    if (row->domain != NULL) {
        add_row(a, row);
        return;
    }
    if (a->door != NULL)
        answer_json(a->call, json_pack("{sO sI sI}", "rows", a->rows, "left_out", (json_int_t)a->left_out,
                                       "left_out_unsent", (json_int_t)a->left_out_unsent));
    asked_end(a);
}

/* DAY DOMAIN [again]; DOMAIN "*" is all of them, and then "" */
static bool read_send(int32_t *day, char domain[DOMAIN_BUF], bool *again, const char *arg, size_t len)
{
    char day_text[32], name[DOMAIN_BUF + 1], word[8] = "", text[400];
    struct err e;
    int end = 0;

    snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : 0), arg);
    if (sscanf(text, "%31s %254s%n %7s%n", day_text, name, &end, word, &end) < SEND_WORDS - 1 || text[end] != '\0' ||
        !utc_day_parse(day, day_text))
        return false;
    *again = strcmp(word, "again") == 0;
    domain[0] = '\0';
    return (*again || word[0] == '\0') &&
           (strcmp(name, "*") == 0 || domain_normalise(domain, name, strlen(name), &e) == 0);
}

static void do_report_send(struct door *d, struct call *call, const char *arg, size_t len)
{
    char domain[DOMAIN_BUF];
    int32_t day = 0;
    struct err e = {""};
    struct asked *a;
    bool again;

    if (!read_send(&day, domain, &again, arg, len)) {
        call_answerf(call, CALL_PERM, "write: report-send 2026-11-22 example.com [again]");
        return;
    }
    a = asked_new(d, call);
    a->rows = must_have(json_array());
    if (report_job_send(d->job, day, domain, again, on_row, a, &e) != 0) {
        call_answerf(call, CALL_TEMP, "%s", e.text);
        asked_end(a);
    }
}

static void do_status(struct door *d, struct call *call)
{
    json_t *status = json_pack("{ss sI sI ss}", "version", PACKAGE_VERSION, "pid", (json_int_t)getpid(), "uptime",
                               (json_int_t)(time(NULL) - d->started), "redis", redis_state(d->redis));

    d->hooks->update(d->ctx);
    metrics_json(status, tlsrptd_counters, GAUGE_REDIS_CONFIGURED, 1, strlen("postern_tlsrptd_"));
    answer_json(call, status);
}

static void do_activity(const struct door *d, struct call *call)
{
    const struct failing_domain *row[FAILING_ROWS];
    int64_t now = now_seconds();
    size_t count = failing_list(d->failing, row, FAILING_ROWS, now);
    json_t *list = must_have(json_array());

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{ss ss ss sI sI}", "domain", row[i]->domain, "host", row[i]->host,
                                              "result", row[i]->result, "failures", (json_int_t)failing_count(row[i]),
                                              "ago", (json_int_t)(now > row[i]->last ? now - row[i]->last : 0)));
    answer_json(call, json_pack("{so}", "failing", list));
}

static void on_call(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    struct door *d = ctx;

    if (d->hooks == NULL)
        call_answerf(call, CALL_TEMP, "still starting");
    else if (strcmp(verb, "event") == 0)
        do_event(d, call, arg, len);
    else if (strcmp(verb, "report-send") == 0)
        do_report_send(d, call, arg, len);
    else if (strcmp(verb, "activity") == 0)
        do_activity(d, call);
    else if (strcmp(verb, "status") == 0)
        do_status(d, call);
    else
        call_answerf(call, CALL_PERM, "tlsrptd does not know the verb %s", verb);
}

struct door *door_open(struct event_base *base, const char *address, struct err *e)
{
    struct door *d = must_have(calloc(1, sizeof(*d)));

    LIST_INIT(&d->asked);
    d->started = time(NULL);
    d->server = call_server_open(base, address, DOOR_MODE, on_call, d, e);
    if (d->server == NULL) {
        free(d);
        return NULL;
    }
    return d;
}

void door_run(struct door *d, const struct door_hooks *hooks, void *ctx, struct report_job *job,
              const struct redis *redis, const struct failing *failing)
{
    d->hooks = hooks;
    d->ctx = ctx;
    d->job = job;
    d->redis = redis;
    d->failing = failing;
}

void door_drain(struct door *d)
{
    call_server_drain(d->server);
}

size_t door_outstanding(const struct door *d)
{
    return call_server_outstanding(d->server);
}

void door_close(struct door *d)
{
    struct asked *a;

    if (d == NULL)
        return;
    call_server_free(d->server);
    for (a = LIST_FIRST(&d->asked); a != NULL; a = LIST_NEXT(a, link)) {
        call_answerf(a->call, CALL_TEMP, "tlsrptd is stopping");
        a->door = NULL;
    }
    free(d);
}
