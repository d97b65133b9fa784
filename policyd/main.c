/*
 * main.c - postern-policyd: answers the MTA's question which TLS policy goes for a destination. The parts, from outside
 * to inside: serve_io (connections of MTAs), memory (answers), lookup_io (Redis, stsd), and control_io for
 * posternctl. Workers share the listeners that were opened before they were forked; all else each has for itself.
 */
#include "control_io.h"
#include "counters.h"
#include "daemon.h"
#include "gauges_io.h"
#include "log.h"
#include "lookup_io.h"
#include "memory.h"
#include "random_octets.h"
#include "serve_io.h"
#include "sni_store_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

struct policyd {
    struct daemon *daemon;
    struct serve *serve;
    struct control *control;
    struct metrics_server *metrics;
    struct memory memory;
    struct redis *redis;
    struct call_client *stsd;
    struct operator_lists *lists;
    struct lookups *lookups;
    struct sni_store *sni; /* NULL: nobody wants to know of certificates */
    struct gauges gauges;
};

static const char *policyd_user(const struct conf *conf)
{
    return conf->policyd.user;
}

static const char *policyd_pid_file(const struct conf *conf)
{
    return conf->policyd.pid_file;
}

static int64_t policyd_workers(const struct conf *conf)
{
    return conf->policyd.workers;
}

static int policyd_start(struct daemon *d, struct err *e)
{
    const struct conf_policyd *conf = &daemon_conf(d)->policyd;
    struct policyd *p = must_have(calloc(1, sizeof(*p)));
    const struct metric *numbers;
    size_t rows;

    p->daemon = d;
    daemon_set_state(d, p);
    counters_share(daemon_workers(d));
    p->serve = serve_new(daemon_base(d), daemon_conf(d), e);
    if (p->serve == NULL)
        return -1;
    p->control = control_new(daemon_base(d), conf->control, daemon_workers(d), e);
    if (p->control == NULL)
        return -1;
    if (conf->metrics_listen[0] == '\0')
        return 0;
    numbers = counters_all(&rows);
    p->metrics =
        metrics_serve(daemon_base(d), conf->metrics_listen, numbers, COUNTERS, rows, gauges_update, &p->gauges, e);
    return p->metrics == NULL ? -1 : 0;
}

static void on_lists_changed(void *ctx)
{
    struct policyd *p = ctx;

    lookup_lists_changed(p->lookups);
}

/* "dest:DOMAIN", "fallback:NEXTHOP", "list:NAME" */
static void on_changed(void *ctx, const char *key, size_t len)
{
    struct policyd *p = ctx;
    const char *name = key == NULL ? NULL : memchr(key, ':', len);
    size_t kind = name == NULL ? 0 : (size_t)(++name - key);

    if (key == NULL)
        lookup_changed(p->lookups, NULL, 0);
    if (key == NULL || (kind == sizeof("list:") - 1 && memcmp(key, "list:", kind) == 0))
        operator_lists_told(p->lists, name, len - kind);
    else if (len > kind)
        lookup_changed(p->lookups, name, len - kind);
}

/* Certificates for Postfix, and for metrics; a process that answers with keys leaves no core. */
static void read_certificates(struct policyd *p, const struct conf *conf)
{
    bool answers = conf->policyd.sni_listen[0] != NULL;

    if (answers && prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warning("core-dumps", "why=%s", strerror(errno));
    if (answers || p->metrics != NULL)
        p->sni = sni_store_new(daemon_base(p->daemon), conf->certs.folder, answers);
    metrics_server_more(p->metrics, sni_store_metrics, p->sni);
}

static int policyd_run(struct daemon *d, struct err *e)
{
    static const char *const kinds[] = {"dest", "fallback", "list", NULL};
    const struct conf *conf = daemon_conf(d);
    const struct conf_redis redis = conf_redis_for(conf, &conf->policyd.redis);
    struct policyd *p = daemon_state(d);
    uint8_t secret[16];

    random_octets(secret, sizeof(secret));
    if (memory_init(&p->memory, (size_t)conf->policyd.cache_entries, secret) != 0)
        log_oom();
    p->redis = redis_new(daemon_base(d), &redis, e);
    p->stsd = call_client_new(daemon_base(d), conf->policyd.stsd, e);
    if (p->redis == NULL || p->stsd == NULL)
        return -1;
    p->lists =
        operator_lists_new(daemon_base(d), &(struct operator_lists_options){.redis = p->redis,
                                                                            .no_redis = conf->redis.url[0] == '\0',
                                                                            .file = conf->policyd.lists_file,
                                                                            .keeper = daemon_worker(d) == 0,
                                                                            .fn = on_lists_changed,
                                                                            .ctx = p});
    p->lookups =
        lookups_new(daemon_base(d),
                    &(struct lookup_parts){.memory = &p->memory, .redis = p->redis, .stsd = p->stsd, .lists = p->lists},
                    &conf->policyd);
    redis_track(p->redis, kinds, on_changed, p);
    read_certificates(p, conf);
    serve_run(p->serve, &p->memory, p->lookups, p->lists, p->sni);
    p->gauges = (struct gauges){.serve = p->serve,
                                .memory = &p->memory,
                                .lookups = p->lookups,
                                .redis = p->redis,
                                .lists = daemon_worker(d) == 0 ? p->lists : NULL};
    counters_take(daemon_worker(d));
    gauges_start(&p->gauges, daemon_base(d));
    control_run(p->control, daemon_worker(d), &p->memory, p->lookups, p->lists, &p->gauges,
                (size_t)conf->policyd.cache_entries);
    return 0;
}

/* Sockets, Redis and the size of the memory need a restart; limits and switches do not. */
static int policyd_reload(struct daemon *d, struct conf *conf, struct err *e)
{
    struct policyd *p = daemon_state(d);

    (void)e;
    serve_configure(p->serve, conf);
    lookups_configure(p->lookups, &conf->policyd);
    memory_expire_all(&p->memory);
    if (p->sni != NULL)
        sni_store_reload(p->sni, conf->certs.folder);
    return 0;
}

static void on_drained(void *ctx)
{
    struct policyd *p = ctx;

    daemon_stop(p->daemon);
}

static void policyd_drain(struct daemon *d)
{
    struct policyd *p = daemon_state(d);

    serve_drain(p->serve, on_drained, p);
}

static void policyd_stop(struct daemon *d)
{
    struct policyd *p = daemon_state(d);

    if (p == NULL)
        return;
    gauges_stop(&p->gauges);
    metrics_server_free(p->metrics);
    serve_free(p->serve);
    control_free(p->control);
    sni_store_free(p->sni);
    redis_free(p->redis);
    call_client_free(p->stsd);
    lookups_free(p->lookups);
    operator_lists_free(p->lists);
    memory_clear(&p->memory);
    free(p);
}

static void policyd_worker_gone(struct daemon *d, size_t worker)
{
    (void)d;
    counters_gone(worker);
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "postern-policyd",
        .summary = "answers which TLS policy goes for a mail destination",
        .user = policyd_user,
        .pid_file = policyd_pid_file,
        .workers = policyd_workers,
        .start = policyd_start,
        .run = policyd_run,
        .reload = policyd_reload,
        .drain = policyd_drain,
        .stop = policyd_stop,
        .worker_gone = policyd_worker_gone,
    };

    return daemon_main(argc, argv, &hooks);
}
