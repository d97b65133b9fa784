/*
 * main.c - postern-stsd: finds out how mail for a domain must leave. From outside to inside: serve_io (who asks),
 * records_io (memory, Redis, one resolution a domain), resolution_io (one resolution), and schedule_io, which keeps
 * policies fresh. Besides, it serves the policies of our own domains: publish_io, publications_io.
 */
#include "clock.h"
#include "counters.h"
#include "daemon.h"
#include "log.h"
#include "millis.h"
#include "publish_io.h"
#include "records_io.h"
#include "schedule_io.h"
#include "serve_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define DNS_CONCURRENCY 4000
#define DRAIN_LOOK_MS   50
#define POLICIES_MS     10000 /* policies are counted for /metrics no more often */

/* Policies in use, for /metrics: with Redis, a node has read what others have fetched since when it last asked. */
#define POLICIES_USED_WITHIN 7200
#define DRAIN_TELL_MS        2000 /* longest wait for the collector at the end */

struct stsd {
    struct daemon *daemon;
    struct serve *serve;
    struct metrics_server *metrics;
    struct redis *redis;
    struct resolution_env env;
    struct records *records;
    struct schedule *schedule;
    struct publish *publish;            /* NULL unless publish_listen is set */
    struct publications_keeper *keeper; /* the same */
    struct event *drained;
    int64_t policies_at; /* now_ms when they were last counted; 0: never */
};

static const char *stsd_user(const struct conf *conf)
{
    return conf->stsd.user;
}

static const char *stsd_pid_file(const struct conf *conf)
{
    return conf->stsd.pid_file;
}

/* This walks over all records, so not for each page. */
static void update_policies(struct stsd *s)
{
    struct known_policies p;

    if (s->policies_at != 0 && now_ms() < s->policies_at + POLICIES_MS)
        return;
    s->policies_at = now_ms();
    p = records_policies(s->records, now_seconds(), POLICIES_USED_WITHIN);
    for (size_t i = 0; i < KNOWN_MODES; i++)
        counters[GAUGE_POLICIES + i].value = p.count[i];
    counters[GAUGE_EXPIRING].value = p.expiring;
    counters[GAUGE_OLDEST_FETCH].value = (uint64_t)p.oldest_fetch;
    counters[GAUGE_SOONEST_EXPIRY].value = (uint64_t)p.soonest_expiry;
}

static void update_published(const struct publications_keeper *keeper)
{
    struct publications_state p;

    publications_keeper_state(&p, keeper);
    counters[GAUGE_PUBLISHED].value = p.domains;
    counters[GAUGE_PUBLISHED_BAD].value = p.bad;
    counters[GAUGE_PUBLISHED_CURRENT].value = p.current;
    counters[GAUGE_PUBLISHED_KEPT].value = p.kept;
    counters[GAUGE_PUBLISHED_READ].value = (uint64_t)p.since;
}

static void on_update(void *ctx)
{
    struct stsd *s = ctx;
    struct tlsrpt_tell_stats told = tlsrpt_tell_stats(s->env.tell);

    counters[COUNT_EVENTS].value = told.events;
    counters[COUNT_EVENTS_LOST].value = told.lost;
    counters[GAUGE_EVENTS].value = told.waiting;
    counters[GAUGE_WANTED].value = records_wanted(s->records);
    counters[GAUGE_WAITING].value = records_waiting(s->records);
    counters[GAUGE_RECORDS].value = records_in_memory(s->records);
    counters[GAUGE_REDIS_CONFIGURED].value = strcmp(redis_state(s->redis), "none") != 0;
    counters[GAUGE_REDIS_UP].value = redis_up(s->redis);
    update_policies(s);
    if (s->keeper != NULL)
        update_published(s->keeper);
}

static int stsd_start(struct daemon *d, struct err *e)
{
    const struct conf_stsd *conf = &daemon_conf(d)->stsd;
    struct stsd *s = must_have(calloc(1, sizeof(*s)));

    s->daemon = d;
    daemon_set_state(d, s);
    s->serve = serve_new(daemon_base(d), conf->listen, e);
    if (s->serve == NULL)
        return -1;
    if (conf->publish_listen[0] != '\0' && (s->publish = publish_new(daemon_base(d), conf->publish_listen, e)) == NULL)
        return -1;
    if (conf->metrics_listen[0] == '\0')
        return 0;
    s->metrics = metrics_serve(daemon_base(d), conf->metrics_listen, counters, COUNTERS, 1, on_update, s, e);
    return s->metrics == NULL ? -1 : 0;
}

/* Of single keys it is told of those about published policies alone. */
static void on_redis_changed(void *ctx, const char *key, size_t len)
{
    struct stsd *s = ctx;

    (void)len;
    if (key == NULL)
        records_give_back(s->records);
    publications_keeper_told(s->keeper);
}

static void publish_begin(struct stsd *s, const struct conf_stsd *conf)
{
    if (s->publish == NULL)
        return;
    s->keeper = publications_keeper_new(daemon_base(s->daemon), s->redis, strcmp(redis_state(s->redis), "none") == 0,
                                        conf->publish_file);
    publish_run(s->publish, s->redis, s->keeper);
}

static void configure(struct stsd *s, const struct conf_stsd *conf)
{
    s->env.options = (struct resolve_options){.dane = conf->dane,
                                              .sts = conf->sts,
                                              .ttl_min = conf->ttl_min,
                                              .refetch_after = conf->refetch_after,
                                              .retry_after = conf->retry_after};
    s->env.timeout_ms = (int)conf->lookup_timeout_ms;
}

/* A fetch may have two sockets for a moment, and as many descriptors are left to all else. */
static size_t fetches_allowed(size_t wanted)
{
    struct rlimit limit;
    size_t allowed = wanted;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < wanted)
        allowed = (size_t)limit.rlim_cur / 4;
    if (allowed < wanted)
        log_warning("fewer-fetches", "limit=%zu why=%s", allowed, "the limit of open files (ulimit -n) allows no more");
    return allowed;
}

static int open_clients(struct stsd *s, const struct conf_stsd *conf, struct err *e)
{
    struct event_base *base = daemon_base(s->daemon);
    struct dns_options dns = {.resolvers = conf->resolvers,
                              .trust_ad = conf->trust_ad,
                              .timeout_ms = (int)conf->dns_timeout_ms,
                              .tries = (int)conf->dns_tries,
                              .concurrency = DNS_CONCURRENCY};
    int64_t fetch_ms =
        conf->https_timeout_ms < conf->lookup_timeout_ms ? conf->https_timeout_ms : conf->lookup_timeout_ms;
    struct https_options https = {.ca_file = conf->ca_file,
                                  .user_agent = "postern/" PACKAGE_VERSION,
                                  .port = (int)conf->https_port,
                                  .timeout_ms = (int)fetch_ms,
                                  .max_octets = STS_BODY_MAX,
                                  .concurrency = fetches_allowed((size_t)conf->https_concurrency)};

    s->env.base = base;
    s->env.dns = dns_new(base, &dns, e);
    if (s->env.dns == NULL)
        return -1;
    if (conf->dane && !dns_believes(s->env.dns))
        log_warning("dane-off", "why=%s",
                    "no resolver is on loopback, so none is believed about DNSSEC; run a validating one "
                    "on this machine, or set trust_ad if the network to it is safe");
    s->env.https = https_new(base, &https, e);
    if (s->env.https == NULL || conf->tlsrpt[0] == '\0')
        return s->env.https == NULL ? -1 : 0;
    s->env.tell = tlsrpt_tell_new(base, conf->tlsrpt, e);
    return s->env.tell == NULL ? -1 : 0;
}

static int stsd_run(struct daemon *d, struct err *e)
{
    struct stsd *s = daemon_state(d);
    const char *const kinds[] = {"flushed", s->publish != NULL ? PUBLISHED_KEY : NULL, NULL};
    const struct conf *conf = daemon_conf(d);
    const struct conf_redis redis = conf_redis_for(conf, &conf->stsd.redis);

    configure(s, &conf->stsd);
    if (open_clients(s, &conf->stsd, e) != 0)
        return -1;
    s->redis = redis_new(daemon_base(d), &redis, e);
    if (s->redis == NULL)
        return -1;
    s->records = records_new(&s->env, s->redis, &conf->stsd);
    publish_begin(s, &conf->stsd);
    redis_track(s->redis, kinds, on_redis_changed, s);
    s->schedule = schedule_new(daemon_base(d), s->records, s->redis, conf->stsd.refresh_used_within);
    serve_run(s->serve, s->records, s->redis, dns_believes(s->env.dns));
    return 0;
}

/* Sockets, resolvers, HTTPS, Redis and the collector need a restart; limits and times do not. */
static int stsd_reload(struct daemon *d, struct conf *conf, struct err *e)
{
    struct stsd *s = daemon_state(d);

    (void)e;
    configure(s, &conf->stsd);
    records_configure(s->records, &conf->stsd);
    schedule_configure(s->schedule, conf->stsd.refresh_used_within);
    return 0;
}

static void on_told(void *ctx)
{
    struct stsd *s = ctx;

    daemon_stop(s->daemon);
}

static void on_drain_look(evutil_socket_t fd, short what, void *ctx)
{
    struct stsd *s = ctx;

    (void)fd;
    (void)what;
    if (serve_outstanding(s->serve) > 0)
        return;
    event_del(s->drained);
    if (tlsrpt_tell_drain(s->env.tell, DRAIN_TELL_MS, on_told, s))
        daemon_stop(s->daemon);
}

static void stsd_drain(struct daemon *d)
{
    struct stsd *s = daemon_state(d);
    struct timeval every = millis(DRAIN_LOOK_MS);

    serve_drain(s->serve);
    schedule_stop(s->schedule);
    s->drained = must_have(event_new(daemon_base(d), -1, EV_PERSIST, on_drain_look, s));
    event_add(s->drained, &every);
}

static void stsd_stop(struct daemon *d)
{
    struct stsd *s = daemon_state(d);

    if (s == NULL)
        return;
    if (s->drained != NULL)
        event_free(s->drained);
    metrics_server_free(s->metrics);
    redis_free(s->redis); /* ends look-ups that wait for it, so who asked must still be there */
    publish_free(s->publish);
    publications_keeper_free(s->keeper);
    schedule_free(s->schedule);
    records_free(s->records);
    serve_free(s->serve);
    https_free(s->env.https);
    dns_free(s->env.dns);
    tlsrpt_tell_free(s->env.tell);
    free(s);
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "postern-stsd",
        .summary = "resolves how mail for a domain must leave: MX, DANE, MTA-STS",
        .user = stsd_user,
        .pid_file = stsd_pid_file,
        .start = stsd_start,
        .run = stsd_run,
        .reload = stsd_reload,
        .drain = stsd_drain,
        .stop = stsd_stop,
    };

    return daemon_main(argc, argv, &hooks);
}
