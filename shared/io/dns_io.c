/*
 * dns_io.c - asynchronous DNS queries: the queue and the tries. The sockets are in dns_udp_io.c and dns_tcp_io.c, the
 * choice of resolvers in dns_server_io.c.
 *
 * A try is one server asked once. It ends with an answer (done), with a failure that the server itself told (that
 * server is not asked again for this query; the next one at once) or with silence (the next one, at last the first
 * again). What a server said outweighs another's silence in the reason that is given in the end.
 *
 * Callbacks run only from events of the query, as the last thing done there, so they may ask, cancel and free at will.
 */
#include "dns_io.h"
#include "dns_server_io.h"
#include "dns_tcp_io.h"
#include "dns_udp_io.h"
#include "log.h"
#include "millis.h"

#include <event2/util.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RESOLV_CONF     "/etc/resolv.conf"
#define TIMEOUT_MAX_MS  3600000
#define BACKOFF_DOUBLES 2 /* "doubles per round, at most 4 times itself" */

/*
 * Replies with another id or question that a try bears. They come to our port from the resolver's: a late one now and
 * then, or somebody is guessing ids in its name, who may guess this often and no more. Then TCP decides.
 */
#define WRONG_MAX 16

TAILQ_HEAD(dns_list, dns_query);

struct dns {
    struct event_base *base;
    struct dns_udp_pool *sockets;
    struct event *pump; /* starts waiting queries from the loop, never from within a call */
    struct dns_server server[DNS_SERVERS_MAX];
    size_t servers;
    int timeout_ms;
    unsigned tries;
    size_t concurrency;
    struct dns_list waiting, running;
    size_t waiting_count, running_count;
};

struct dns_query {
    TAILQ_ENTRY(dns_query) link;
    struct dns *dns;
    char name[DOMAIN_BUF];
    enum dns_type type;
    dns_answer_fn *fn;
    void *ctx;
    bool started;     /* on the running list */
    uint16_t id;      /* of the present try */
    unsigned wrong;   /* replies that are not for it */
    unsigned tried;   /* tries begun */
    size_t server;    /* of the present try */
    uint32_t refused; /* bit per server that gave up on this query */
    bool heard;       /* one of them said that the name cannot be looked up */
    struct event *timer;
    struct dns_udp *udp;
    struct dns_tcp *tcp;
    char why[sizeof(((struct dns_answer *)0)->why)];
};

static void try_over(struct dns_query *q);

static void pump_wake(struct dns *d)
{
    if (!TAILQ_EMPTY(&d->waiting) && d->running_count < d->concurrency)
        event_active(d->pump, EV_TIMEOUT, 0);
}

static void try_close(struct dns_query *q)
{
    event_del(q->timer);
    dns_udp_free(q->udp);
    q->udp = NULL;
    dns_tcp_free(q->tcp);
    q->tcp = NULL;
}

/* Take the query out and let the next one in. */
static void query_unlink(struct dns_query *q)
{
    struct dns *d = q->dns;

    if (q->started) {
        TAILQ_REMOVE(&d->running, q, link);
        d->running_count--;
    } else {
        TAILQ_REMOVE(&d->waiting, q, link);
        d->waiting_count--;
    }
    pump_wake(d);
}

static void query_free(struct dns_query *q)
{
    try_close(q);
    event_free(q->timer);
    free(q);
}

static void query_finish(struct dns_query *q, struct dns_answer *answer)
{
    dns_answer_fn *fn = q->fn;
    void *ctx = q->ctx;

    query_unlink(q);
    query_free(q);
    fn(ctx, answer);
    dns_answer_clear(answer);
}

/* The server told us that it has no answer: words, and no further try with it. */
static void server_refused(struct dns_query *q, const char *why)
{
    q->refused |= UINT32_C(1) << q->server;
    (void)snprintf(q->why, sizeof(q->why), "%s", why);
}

/* Handles TAKEN, TRUNCATED and BROKEN of a reply that is ours; the query may be gone afterwards. */
static void reply_use(struct dns_query *q, enum dns_verdict verdict, struct dns_answer *answer, const char *why)
{
    if (verdict == DNS_REPLY_TAKEN && answer->status != DNS_FAILED) {
        query_finish(q, answer);
        return;
    }
    if (verdict == DNS_REPLY_TAKEN) {
        q->heard = q->heard || !answer->unheard;
        server_refused(q, answer->why);
        dns_answer_clear(answer);
    } else {
        server_refused(q, why);
    }
    try_over(q);
}

static enum dns_verdict reply_parse(struct dns_query *q, struct dns_answer *answer, const uint8_t *pkt, size_t len,
                                    struct err *e)
{
    const struct dns_server *s = &q->dns->server[q->server];

    return dns_reply_parse(answer, pkt, len, q->name, q->type, q->id, s->trusted, e);
}

static void on_tcp(void *ctx, const uint8_t *reply, size_t len, const char *why)
{
    struct dns_query *q = ctx;
    struct dns_answer answer;
    struct err e = {.text = ""};
    enum dns_verdict verdict;

    if (reply == NULL) {
        server_refused(q, why);
        try_over(q);
        return;
    }
    verdict = reply_parse(q, &answer, reply, len, &e);
    if (verdict == DNS_REPLY_NOT_OURS)
        err_set(&e, "a reply to another question over TCP");
    else if (verdict == DNS_REPLY_TRUNCATED)
        err_set(&e, "truncated over TCP");
    reply_use(q, verdict, &answer, e.text);
}

static int query_packet(struct dns_query *q, uint8_t packet[DNS_QUERY_MAX])
{
    struct err e = {.text = ""};
    int len;

    evutil_secure_rng_get_bytes(&q->id, sizeof(q->id));
    len = dns_query_build(packet, DNS_QUERY_MAX, q->name, q->type, q->id, &e);
    if (len < 0) {
        (void)snprintf(q->why, sizeof(q->why), "%.*s", (int)sizeof(q->why) - 1, e.text);
        q->refused = UINT32_MAX; /* no server will see a name that cannot be written down */
    }
    return len;
}

/*
 * Nobody listens there, no way leads there, or we have no socket. With other servers to ask, the next one at once; at
 * the end of a round the time runs on instead, so that a resolver that is being restarted is found again.
 */
static void server_unreachable(struct dns_query *q, int error)
{
    struct dns *d = q->dns;

    if (q->why[0] == '\0')
        (void)snprintf(q->why, sizeof(q->why), "%s", strerror(error));
    if (q->tried >= d->tries || q->tried % d->servers != 0)
        timer_start(q->timer, 0);
}

/* The same server again, over TCP, with a deadline of its own within the same try. */
static void tcp_start(struct dns_query *q)
{
    uint8_t packet[DNS_QUERY_MAX];
    int len;

    try_close(q);
    len = query_packet(q, packet);
    timer_start(q->timer, len > 0 ? q->dns->timeout_ms : 0);
    if (len < 0)
        return;
    q->tcp = dns_tcp_start(q->dns->base, &q->dns->server[q->server].at, packet, (size_t)len, on_tcp, q);
    if (q->tcp == NULL)
        server_unreachable(q, errno);
}

static bool on_udp(void *ctx, const uint8_t *reply, size_t len, int error)
{
    struct dns_query *q = ctx;
    struct dns_answer answer;
    struct err e = {.text = ""};
    enum dns_verdict verdict;

    if (reply == NULL) {
        server_unreachable(q, error);
        return false;
    }
    verdict = reply_parse(q, &answer, reply, len, &e);
    if (verdict == DNS_REPLY_NOT_OURS && ++q->wrong <= WRONG_MAX)
        return true;
    if (verdict == DNS_REPLY_NOT_OURS || verdict == DNS_REPLY_TRUNCATED)
        tcp_start(q);
    else
        reply_use(q, verdict, &answer, e.text);
    return false;
}

static int try_timeout(const struct dns_query *q)
{
    size_t round = (q->tried - 1) / q->dns->servers;

    return q->dns->timeout_ms << (round < BACKOFF_DOUBLES ? round : BACKOFF_DOUBLES);
}

/* Calls nothing back: whatever goes wrong here ends the try from the timer. */
static void try_start(struct dns_query *q)
{
    uint8_t packet[DNS_QUERY_MAX];
    int len = query_packet(q, packet);

    q->tried++;
    q->wrong = 0;
    if (len < 0) {
        timer_start(q->timer, 0);
        return;
    }
    timer_start(q->timer, try_timeout(q));
    q->udp = dns_udp_start(q->dns->sockets, &q->dns->server[q->server].at, packet, (size_t)len, on_udp, q);
    if (q->udp == NULL)
        server_unreachable(q, errno);
}

/* The next server that has not given up on this query. */
static bool server_next(struct dns_query *q)
{
    size_t i;

    for (i = 1; i <= q->dns->servers; i++) {
        size_t s = (q->server + i) % q->dns->servers;

        if ((q->refused & UINT32_C(1) << s) == 0) {
            q->server = s;
            return true;
        }
    }
    return false;
}

static void try_over(struct dns_query *q)
{
    struct dns_answer answer;

    try_close(q);
    if (q->tried < q->dns->tries && server_next(q)) {
        try_start(q);
        return;
    }
    dns_answer_fail(&answer, q->why[0] != '\0' ? q->why : "time-out");
    answer.unheard = !q->heard;
    query_finish(q, &answer);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    try_over(ctx);
}

static void on_pump(evutil_socket_t fd, short what, void *ctx)
{
    struct dns *d = ctx;
    struct dns_query *q;

    (void)fd;
    (void)what;
    while (d->running_count < d->concurrency && (q = TAILQ_FIRST(&d->waiting)) != NULL) {
        TAILQ_REMOVE(&d->waiting, q, link);
        d->waiting_count--;
        TAILQ_INSERT_TAIL(&d->running, q, link);
        d->running_count++;
        q->started = true;
        try_start(q);
    }
}

struct dns *dns_new(struct event_base *base, const struct dns_options *options, struct err *e)
{
    struct dns *d = must_have(calloc(1, sizeof(*d)));

    d->servers = dns_servers_read(d->server, options->resolvers, RESOLV_CONF, options->trust_ad, e);
    if (d->servers == 0) {
        free(d);
        return NULL;
    }
    d->base = base;
    d->sockets = dns_udp_pool_new(base);
    d->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 1;
    d->timeout_ms = d->timeout_ms < TIMEOUT_MAX_MS ? d->timeout_ms : TIMEOUT_MAX_MS;
    d->tries = options->tries > 0 ? (unsigned)options->tries : 1;
    d->concurrency = options->concurrency > 0 ? options->concurrency : 1;
    TAILQ_INIT(&d->waiting);
    TAILQ_INIT(&d->running);
    d->pump = must_have(event_new(base, -1, 0, on_pump, d));
    return d;
}

static void list_free(struct dns_list *list)
{
    struct dns_query *q;

    while ((q = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, q, link);
        query_free(q);
    }
}

void dns_free(struct dns *d)
{
    if (d != NULL) {
        list_free(&d->running);
        list_free(&d->waiting);
        dns_udp_pool_free(d->sockets);
        event_free(d->pump);
        free(d);
    }
}

struct dns_query *dns_ask(struct dns *d, const char *name, enum dns_type type, dns_answer_fn *fn, void *ctx)
{
    struct dns_query *q = must_have(calloc(1, sizeof(*q)));

    q->dns = d;
    q->type = type;
    q->fn = fn;
    q->ctx = ctx;
    (void)snprintf(q->name, sizeof(q->name), "%s", name);
    q->timer = must_have(evtimer_new(d->base, on_timer, q));
    TAILQ_INSERT_TAIL(&d->waiting, q, link);
    d->waiting_count++;
    pump_wake(d);
    return q;
}

void dns_cancel(struct dns_query *q)
{
    query_unlink(q);
    query_free(q);
}

size_t dns_outstanding(const struct dns *d)
{
    return d->waiting_count + d->running_count;
}

bool dns_believes(const struct dns *d)
{
    for (size_t i = 0; i < d->servers; i++)
        if (d->server[i].trusted)
            return true;
    return false;
}
