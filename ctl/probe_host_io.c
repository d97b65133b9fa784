/* probe_host_io.c - see probe_host_io.h: the machine of resolve.h, told that there are no MX records. */
#include "probe_host_io.h"

#include "clock.h"
#include "dns_io.h"
#include "millis.h"
#include "resolve.h"

#include <event2/event.h>
#include <string.h>

struct lookup {
    struct resolve *machine;
    struct dns *dns;
    struct event_base *base;
    bool late;
    struct step {
        struct lookup *lookup;
        unsigned slot;
    } step[RESOLVE_ACTIONS_MAX];
    size_t steps;
};

static void advance(struct lookup *l);

static void on_answer(void *ctx, const struct dns_answer *answer)
{
    struct step *step = ctx;

    resolve_dns(step->lookup->machine, step->slot, answer);
    advance(step->lookup);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct lookup *l = ctx;

    (void)fd;
    (void)what;
    l->late = true;
    event_base_loopbreak(l->base);
}

/* That there are no MX records is what the operator said by naming the host; TLSRPT is a matter of domains. */
static void act(struct lookup *l, const struct resolve_action *action)
{
    const struct dns_answer none = {.status = DNS_NODATA, .secure = true, .ttl = 60};
    struct step *step = &l->step[l->steps];

    if (action->what == RESOLVE_QUERY && (action->type == DNS_MX || action->type == DNS_TXT)) {
        resolve_dns(l->machine, action->slot, &none);
    } else if (l->steps < RESOLVE_ACTIONS_MAX) {
        *step = (struct step){l, action->slot};
        l->steps++;
        dns_ask(l->dns, action->name, action->type, on_answer, step);
    }
}

static void advance(struct lookup *l)
{
    struct resolve_action action;

    while (resolve_next(l->machine, &action))
        act(l, &action);
    if (resolve_done(l->machine))
        event_base_loopbreak(l->base);
}

static int lookup_run(struct lookup *l, const struct conf_stsd *conf, int64_t ms, struct err *e)
{
    const struct dns_options options = {.resolvers = conf->resolvers,
                                        .trust_ad = conf->trust_ad,
                                        .timeout_ms = (int)conf->dns_timeout_ms,
                                        .tries = (int)conf->dns_tries,
                                        .concurrency = 8};
    const struct timeval tv = millis(ms);
    struct event *deadline = evtimer_new(l->base, on_deadline, l);

    l->dns = dns_new(l->base, &options, e);
    if (deadline != NULL && l->dns != NULL) {
        event_add(deadline, &tv);
        advance(l);
        while (!resolve_done(l->machine) && !l->late && event_base_loop(l->base, EVLOOP_ONCE) == 0) {
        }
    }
    if (deadline != NULL)
        event_free(deadline);
    if (l->dns == NULL)
        return -1;
    dns_free(l->dns);
    return deadline != NULL ? 0 : err_set(e, "no memory for a timer");
}

struct dest *probe_host_facts(const struct conf_stsd *conf, const char *host, int64_t ms, struct err *e)
{
    struct resolve_options options = resolve_options_default();
    struct lookup l = {.base = event_base_new()};
    struct dest *d = NULL;

    options.sts = false;
    options.dane = true;
    l.machine = resolve_new(host, NULL, false, now_seconds(), &options);
    if (l.base == NULL || l.machine == NULL)
        (void)err_set(e, "no memory, or no event loop to wait with");
    else if (lookup_run(&l, conf, ms, e) == 0 && (d = resolve_take(l.machine, now_seconds())) == NULL)
        (void)err_set(e, "no memory");
    if (l.machine != NULL)
        resolve_free(l.machine);
    if (l.base != NULL)
        event_base_free(l.base);
    return d;
}
