/* dns_lookup_io.c - the DNS layer on an event base of its own, run until the answer has come. */
#include "dns_lookup_io.h"

#include <event2/event.h>

struct waiting {
    dns_lookup_fn *fn;
    void *ctx;
    bool done;
};

static void on_answer(void *ctx, const struct dns_answer *answer)
{
    struct waiting *w = ctx;

    w->fn(w->ctx, answer);
    w->done = true;
}

static int lookup(struct event_base *base, const struct conf_stsd *conf, const char *name, enum dns_type type,
                  struct waiting *w, struct err *e)
{
    const struct dns_options options = {.resolvers = conf->resolvers,
                                        .trust_ad = conf->trust_ad,
                                        .timeout_ms = (int)conf->dns_timeout_ms,
                                        .tries = (int)conf->dns_tries,
                                        .concurrency = 1};
    struct dns *dns = dns_new(base, &options, e);

    if (dns == NULL)
        return -1;
    dns_ask(dns, name, type, on_answer, w);
    while (!w->done && event_base_loop(base, EVLOOP_ONCE) == 0) {
    }
    dns_free(dns);
    return w->done ? 0 : err_set(e, "the event loop failed");
}

int dns_lookup(const struct conf_stsd *conf, const char *name, enum dns_type type, dns_lookup_fn *fn, void *ctx,
               struct err *e)
{
    struct event_base *base = event_base_new();
    struct waiting w = {.fn = fn, .ctx = ctx};
    int rc = base != NULL ? lookup(base, conf, name, type, &w, e) : err_set(e, "no event loop to wait with");

    if (base != NULL)
        event_base_free(base);
    return rc;
}
