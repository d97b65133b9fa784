/* look_io.c - one `place` for each socket that is asked: that of stsd, of tlsrptd, and of each worker of policyd. */
#include "look_io.h"

#include "address.h"
#include "call_client.h"
#include "clock.h"
#include "ctl.h"
#include "log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    struct looks *looks;
    enum top_program program;
    struct call_client *client;
};

struct looks {
    const struct conf *conf;
    look_fn *fn;
    void *ctx;
    struct place *place;
    size_t places;
    size_t outstanding; /* answers */
    struct event *end;  /* from the loop, when no question could be asked */
    struct top_look look;
};

static void look_end(struct looks *l)
{
    struct top_look look = l->look;

    memset(&l->look, 0, sizeof(l->look));
    look.ms = now_ms();
    l->fn(l->ctx, &look);
}

static void one_less(struct looks *l)
{
    if (--l->outstanding == 0)
        event_active(l->end, EV_TIMEOUT, 0);
}

static void on_end(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    look_end(ctx);
}

/* The object, or NULL with the first reason noted. */
static json_t *object_of(struct top_said *said, enum call_status status, const char *text, size_t len)
{
    json_t *object = status == CALL_OK ? json_loadb(text, len, 0, NULL) : NULL;

    if (json_is_object(object))
        return object;
    json_decref(object);
    if (said->why[0] == '\0')
        snprintf(said->why, sizeof(said->why), "%.150s", status == CALL_OK ? "its answer cannot be read" : text);
    return NULL;
}

/* The first worker that answers speaks for all of them. */
static void on_status(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    const struct place *p = ctx;
    struct top_said *said = &p->looks->look.said[p->program];
    json_t *object = object_of(said, status, text, len);

    (void)reached;
    if (said->status == NULL)
        said->status = object;
    else
        json_decref(object);
    one_less(p->looks);
}

static void on_activity(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    const struct place *p = ctx;
    struct top_said *said = &p->looks->look.said[p->program];
    json_t *object = object_of(said, status, text, len);

    (void)reached;
    if (said->activity == NULL)
        said->activity = json_array();
    if (object != NULL)
        json_array_append_new(said->activity, object);
    one_less(p->looks);
}

static void ask(struct place *p, const char *verb, int timeout_ms, call_reply_fn *fn)
{
    if (call_send(p->client, verb, "", 0, timeout_ms, fn, p) != NULL)
        p->looks->outstanding++;
}

void looks_start(struct looks *l, int timeout_ms)
{
    l->look.said[TOP_TLSRPTD].unused = !uses_tlsrptd(l->conf);
    l->outstanding = 1; /* this one */
    for (size_t i = 0; i < l->places; i++) {
        ask(&l->place[i], "status", timeout_ms, on_status);
        ask(&l->place[i], "activity", timeout_ms, on_activity);
    }
    one_less(l);
}

static int add_place(struct looks *l, struct event_base *base, enum top_program program, const char *address,
                     struct err *e)
{
    struct place *p = &l->place[l->places];

    *p = (struct place){.looks = l, .program = program, .client = call_client_new(base, address, e)};
    if (p->client == NULL)
        return -1;
    l->places++;
    return 0;
}

static int add_places(struct looks *l, struct event_base *base, struct err *e)
{
    struct address address;

    for (unsigned i = 1; i <= (unsigned)l->conf->policyd.workers; i++)
        if (address_nth(&address, l->conf->policyd.control, i, e) != 0 ||
            add_place(l, base, TOP_POLICYD, address.text, e) != 0)
            return err_prefix(e, "policyd");
    if (add_place(l, base, TOP_STSD, l->conf->stsd.listen, e) != 0)
        return err_prefix(e, "stsd");
    if (uses_tlsrptd(l->conf) && add_place(l, base, TOP_TLSRPTD, l->conf->tlsrptd.listen, e) != 0)
        return err_prefix(e, "tlsrptd");
    return 0;
}

struct looks *looks_new(struct event_base *base, const struct conf *conf, look_fn *fn, void *ctx, struct err *e)
{
    struct looks *l = must_have(calloc(1, sizeof(*l)));

    l->conf = conf;
    l->fn = fn;
    l->ctx = ctx;
    l->place = must_have(calloc((size_t)conf->policyd.workers + 2, sizeof(struct place)));
    l->end = must_have(evtimer_new(base, on_end, l));
    if (add_places(l, base, e) == 0)
        return l;
    looks_free(l);
    return NULL;
}

void looks_free(struct looks *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->places; i++)
        call_client_free(l->place[i].client);
    free(l->place);
    event_free(l->end);
    top_look_clear(&l->look);
    free(l);
}
