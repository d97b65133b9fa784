/*
 * daemon.h - the skeleton of every Postern daemon: options (-c FILE, -f, -t, -V), configuration, daemonising, pid file,
 * privileges, signals, sd_notify (READY, RELOADING, STOPPING, WATCHDOG), event loop, and several worker processes when
 * asked for. A daemon's main() is a table of hooks and one call. After privileges are dropped the configuration is read
 * again at each reload: the daemon's user must be able to read it.
 */
#ifndef POSTERN_DAEMON_H
#define POSTERN_DAEMON_H

#include <event2/event.h>

#include "conf.h"
#include "err.h"

struct daemon;

struct daemon_hooks {
    const char *name;                                 /* "postern-policyd" */
    const char *summary;                              /* one line for -h */
    const char *(*user)(const struct conf *conf);     /* to run as when started as root; "" is an error then */
    const char *(*pid_file)(const struct conf *conf); /* "" = none */
    bool (*runs_others)(
        const struct conf *conf);                /* it runs programs that have set-group-ID bits, as Postfix's sendmail
                                                    has for its queue. NULL: no, and then such bits count for nothing */
    int64_t (*workers)(const struct conf *conf); /* processes that do the work; more than one: see supervisor.h, and run
                                                    and all that follows it is called in each of them. NULL: one */
    int (*check)(const struct conf *conf, struct err *e); /* for -t: what the configuration names, such as keys, is
                                                             there. 0 or -1. May be NULL */
    int (*start)(struct daemon *d, struct err *e); /* still with the privileges of start-up: open listeners. 0 or -1 */
    int (*run)(struct daemon *d, struct err *e);   /* privileges dropped: everything else. 0 or -1 */
    int (*reload)(struct daemon *d, struct conf *conf,
                  struct err *e); /* SIGHUP: the new, checked configuration. The skeleton keeps it and frees it at the
                                     end; the old one is valid until this returns. Returns 0; or -1 with the reason, and
                                     then all must be as before, and the new one is not used. The skeleton logs that, as
                                     it does for a bad file, for which this is not called. NULL: not supported */
    void (*drain)(struct daemon *d); /* SIGTERM, SIGINT: take no new work, call daemon_stop when the rest is done;
                                        the skeleton stops anyway after DAEMON_DRAIN_SECONDS, or at a second signal */
    void (*stop)(struct daemon *d);  /* after the loop: free everything. Also after start or run failed, when the state
                                        had been set by then; and in the supervisor, where run is never called */
    void (*worker_gone)(struct daemon *d, size_t worker); /* in the supervisor: that one has ended. May be NULL */
};

#define DAEMON_DRAIN_SECONDS 20

/* The whole program. Returns the exit code: 0 after a clean stop or a good -t; 1 when it could not start; 2 for wrong
 * options. */
int daemon_main(int argc, char **argv, const struct daemon_hooks *hooks);

struct event_base *daemon_base(struct daemon *d); /* the loop, the skeleton's own; there from the start hook on */
const struct conf *
daemon_conf(struct daemon *d); /* the present configuration; replaced by reload after the hook has returned */
void daemon_set_state(struct daemon *d, void *state); /* the daemon's own struct */
void *daemon_state(struct daemon *d);                 /* NULL before it was set */
size_t daemon_workers(const struct daemon *d); /* how many there are; right from the start hook to the run hook */
size_t daemon_worker(const struct daemon *d);  /* which of them this process is, from 0 */
void daemon_stop(struct daemon *d);            /* leave the loop; the exit code is 0 */

#endif
