/*
 * main.c - postern-relayd: takes mail that goes only over verified TLS from the MTA by LMTP, and passes it on to the MX
 * hosts while it comes. The parts, from outside to inside: lmtp_serve_io (listeners), lmtp_session_io (connections),
 * transaction (one message), upstream_io (its share for one policy domain).
 */
#include "address.h"
#include "counters.h"
#include "daemon.h"
#include "lmtp_serve_io.h"
#include "log.h"
#include "tlsrpt_tell_io.h"
#include "upstream_io.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SPARE_DESCRIPTORS INT64_C(64) /* for all that is no connection of the MTA or to a server */

#define DRAIN_TELL_MS 2000 /* longest wait for the collector at the end */

struct relayd {
    struct daemon *daemon;
    struct lmtp_serve *serve;
    struct upstreams *upstreams;
    struct tlsrpt_tell *tell; /* NULL: nobody hears of TLS sessions */
    struct metrics_server *metrics;
};

static const char *relayd_user(const struct conf *conf)
{
    return conf->relayd.user;
}

static const char *relayd_pid_file(const struct conf *conf)
{
    return conf->relayd.pid_file;
}

static void update_gauges(void *ctx)
{
    const struct relayd *r = ctx;
    struct tlsrpt_tell_stats told = tlsrpt_tell_stats(r->tell);

    relayd_counters[COUNT_EVENTS].value = told.events;
    relayd_counters[COUNT_EVENTS_LOST].value = told.lost;
    relayd_counters[GAUGE_EVENTS].value = told.waiting;
    relayd_counters[GAUGE_CONNECTIONS].value = lmtp_serve_connections(r->serve);
    relayd_counters[GAUGE_WAITING].value = r->upstreams == NULL ? 0 : upstreams_waiting(r->upstreams);
    relayd_counters[GAUGE_UPSTREAMS].value = r->upstreams == NULL ? 0 : upstreams_open(r->upstreams);
}

/* The section, with no more connections than there are descriptors for; each kind gets its part of them. */
static struct conf_relayd allowed(const struct conf_relayd *wanted)
{
    struct conf_relayd conf = *wanted;
    int64_t all = conf.connections + conf.upstreams, left;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= (rlim_t)(all + SPARE_DESCRIPTORS))
        return conf;
    left = (int64_t)limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? (int64_t)limit.rlim_cur - SPARE_DESCRIPTORS
                                                           : (int64_t)limit.rlim_cur / 2;
    conf.connections = 1 + (left - 2) * wanted->connections / all;
    conf.upstreams = 1 + (left - 2) * wanted->upstreams / all;
    return conf;
}

static void say_if_fewer(const struct conf_relayd *wanted)
{
    struct conf_relayd conf = allowed(wanted);
    int64_t needed = wanted->connections + wanted->upstreams + SPARE_DESCRIPTORS;

    if (conf.connections < wanted->connections || conf.upstreams < wanted->upstreams)
        log_warning("fewer-connections", "connections=%" PRId64 " upstreams=%" PRId64 " needed=%" PRId64 " why=%s",
                    conf.connections, conf.upstreams, needed,
                    "the limit of open files allows no more: raise it (LimitNOFILE of systemd, ulimit -n), or lower "
                    "connections and upstreams");
}

/* There is no login: whoever can connect can send mail. */
static void say_if_open(const struct conf_relayd *conf)
{
    for (char **l = conf->listen; *l != NULL; l++) {
        struct address address;
        struct err e;

        if (address_parse(&address, *l, &e) == 0 && !address_is_near(&address))
            log_warning("open-to-others", "address=%s why=%s", *l,
                        "whoever can connect there can send mail out by this host; let it listen on loopback");
    }
}

static int relayd_start(struct daemon *d, struct err *e)
{
    const struct conf_relayd allow = allowed(&daemon_conf(d)->relayd), *conf = &allow;
    struct relayd *r = calloc(1, sizeof(*r));

    if (r == NULL)
        log_oom();
    say_if_fewer(&daemon_conf(d)->relayd);
    say_if_open(conf);
    r->daemon = d;
    daemon_set_state(d, r);
    if (event_base_priority_init(daemon_base(d), LMTP_SERVE_PRIORITIES) != 0)
        return err_set(e, "cannot have events of two priorities");
    r->serve = lmtp_serve_new(daemon_base(d), conf, e);
    if (r->serve == NULL)
        return -1;
    if (conf->metrics_listen[0] == '\0')
        return 0;
    r->metrics = metrics_serve(daemon_base(d), conf->metrics_listen, relayd_counters, COUNTERS, 1, update_gauges, r, e);
    return r->metrics == NULL ? -1 : 0;
}

/* The tag that the milter has written. */
static void take_tag(const struct relayd *r, const struct conf *conf)
{
    const struct address_tag tag = {.delimiter = conf->milter.delimiter[0], .word = conf->milter.tag};

    upstreams_tag(r->upstreams, &tag);
}

static int relayd_run(struct daemon *d, struct err *e)
{
    const struct conf_relayd allow = allowed(&daemon_conf(d)->relayd), *conf = &allow;
    struct relayd *r = daemon_state(d);

    r->upstreams = upstreams_new(daemon_base(d), conf, conf->stsd, e);
    if (r->upstreams == NULL)
        return -1;
    take_tag(r, daemon_conf(d));
    if (conf->tlsrpt[0] != '\0') {
        r->tell = tlsrpt_tell_new(daemon_base(d), conf->tlsrpt, e);
        if (r->tell == NULL)
            return -1;
        upstreams_collector(r->upstreams, r->tell);
    }
    lmtp_serve_run(r->serve, r->upstreams);
    return 0;
}

static int relayd_reload(struct daemon *d, struct conf *conf, struct err *e)
{
    const struct conf_relayd allow = allowed(&conf->relayd);
    struct relayd *r = daemon_state(d);

    (void)e;
    say_if_fewer(&conf->relayd);
    lmtp_serve_configure(r->serve, &allow);
    upstreams_configure(r->upstreams, &allow);
    take_tag(r, conf);
    return 0;
}

static void on_told(void *ctx)
{
    struct relayd *r = ctx;

    daemon_stop(r->daemon);
}

static void on_drained(void *ctx)
{
    struct relayd *r = ctx;

    if (tlsrpt_tell_drain(r->tell, DRAIN_TELL_MS, on_told, r))
        daemon_stop(r->daemon);
}

static void relayd_drain(struct daemon *d)
{
    struct relayd *r = daemon_state(d);

    lmtp_serve_drain(r->serve, on_drained, r);
}

static void relayd_stop(struct daemon *d)
{
    struct relayd *r = daemon_state(d);

    if (r == NULL)
        return;
    metrics_server_free(r->metrics);
    lmtp_serve_free(r->serve);
    if (r->upstreams != NULL)
        upstreams_free(r->upstreams);
    tlsrpt_tell_free(r->tell);
    free(r);
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "postern-relayd",
        .summary = "delivers mail over verified TLS, or gives it back (REQUIRETLS)",
        .user = relayd_user,
        .pid_file = relayd_pid_file,
        .start = relayd_start,
        .run = relayd_run,
        .reload = relayd_reload,
        .drain = relayd_drain,
        .stop = relayd_stop,
    };

    return daemon_main(argc, argv, &hooks);
}
