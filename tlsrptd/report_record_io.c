/* report_record_io.c - see report_record_io.h. */
#include "report_record_io.h"

#include "call_client.h"
#include "dest.h"
#include "log.h"
#include "millis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RESOLVE_MS 100000 /* more than stsd's own limit may be */

struct report_record_wait {
    LIST_ENTRY(report_record_wait) link;
    struct call_sent *sent;
    struct event *failed; /* it could not even be sent */
    report_record_fn *fn;
    void *ctx;
    char domain[DOMAIN_BUF];
};

struct report_records {
    struct event_base *base;
    struct call_client *stsd;
    LIST_HEAD(report_record_waits, report_record_wait) waits;
};

struct report_records *report_records_new(struct event_base *base, const char *stsd, struct err *e)
{
    struct report_records *r = must_have(calloc(1, sizeof(*r)));

    r->base = base;
    LIST_INIT(&r->waits);
    r->stsd = call_client_new(base, stsd, e);
    if (r->stsd != NULL)
        return r;
    free(r);
    return NULL;
}

static void wait_free(struct report_record_wait *w)
{
    if (w->sent != NULL)
        call_cancel(w->sent);
    if (w->failed != NULL)
        event_free(w->failed);
    free(w);
}

void report_record_cancel(struct report_record_wait *w)
{
    LIST_REMOVE(w, link);
    wait_free(w);
}

void report_records_free(struct report_records *r)
{
    struct report_record_wait *w, *next;

    if (r == NULL)
        return;
    for (w = LIST_FIRST(&r->waits); w != NULL; w = next) {
        next = LIST_NEXT(w, link);
        wait_free(w);
    }
    call_client_free(r->stsd);
    free(r);
}

static void tell(struct report_record_wait *w, const char *record, const char *why)
{
    report_record_fn *fn = w->fn;
    void *ctx = w->ctx;

    report_record_cancel(w);
    fn(ctx, record, why);
}

static void on_stsd(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct report_record_wait *w = ctx;
    struct err e = {""};
    struct dest *dest = NULL;

    (void)reached;
    w->sent = NULL;
    if (status != CALL_OK)
        err_set(&e, "stsd: %s", text);
    else if ((dest = dest_from_json(text, len, &e)) != NULL && !domain_equal(dest->domain, w->domain))
        err_set(&e, "stsd answered for another domain");
    if (status == CALL_PERM)
        tell(w, "", e.text);
    else if (e.text[0] != '\0' || dest == NULL)
        tell(w, NULL, e.text);
    else
        tell(w, dest->tlsrpt, "");
    dest_free(dest);
}

static void on_failed(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    tell(ctx, NULL, "stsd cannot be asked");
}

struct report_record_wait *report_record_ask(struct report_records *r, const char *domain, report_record_fn *fn,
                                             void *ctx)
{
    struct report_record_wait *w = must_have(calloc(1, sizeof(*w)));

    w->fn = fn;
    w->ctx = ctx;
    (void)snprintf(w->domain, sizeof(w->domain), "%s", domain);
    LIST_INSERT_HEAD(&r->waits, w, link);
    w->sent = call_send(r->stsd, "resolve", w->domain, strlen(w->domain), RESOLVE_MS, on_stsd, w);
    if (w->sent == NULL) {
        w->failed = must_have(evtimer_new(r->base, on_failed, w));
        timer_start(w->failed, 0);
    }
    return w;
}
