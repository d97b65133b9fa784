/*
 * dns_io.h - asynchronous DNS: a port of its own (random, connected) and a random id for each query, retries
 * over all resolvers, TCP on truncation and when somebody seems to guess replies. The message format is core/dns_msg.h.
 * The program must ignore SIGPIPE.
 */
#ifndef POSTERN_DNS_IO_H
#define POSTERN_DNS_IO_H

#include <event2/event.h>
#include <stdbool.h>

#include "dns_msg.h"

struct dns;
struct dns_query;

struct dns_options {
    char *const *resolvers; /* NULL-terminated; empty: nameserver lines of /etc/resolv.conf, else 127.0.0.1. Where
                               one is believed only the believed ones are asked */
    bool trust_ad;          /* believe AD also from resolvers that are not on loopback (127.0.0.0/8, ::1) */
    int timeout_ms;         /* of the first try; doubles per round over the resolvers, at most 4 times itself */
    int tries; /* in all, over the resolvers in turn. One that answers SERVFAIL, REFUSED or nonsense has had its say in
                  this query: the next one is asked at once, and when none is left the query has failed */
    size_t concurrency; /* queries with a socket at one time; more wait their turn, oldest first */
};

/* NULL with the reason in e: no resolver, or an address that is none. */
struct dns *dns_new(struct event_base *base, const struct dns_options *options, struct err *e);
void dns_free(struct dns *d); /* outstanding queries are dropped without callback */

/*
 * The answer is valid during the callback. Called once, never from within dns_ask. It may ask, cancel other queries and
 * free the struct dns.
 */
typedef void dns_answer_fn(void *ctx, const struct dns_answer *answer);

/* name in its one form. Aborts without memory. A cancelled query's callback is not called; the handle is invalid after
 * the callback. */
struct dns_query *dns_ask(struct dns *d, const char *name, enum dns_type type, dns_answer_fn *fn, void *ctx);
void dns_cancel(struct dns_query *q);

/* AD is believed of one of the resolvers at least; else nothing counts as authenticated, and there is no DANE. */
bool dns_believes(const struct dns *d);

/* For metrics. */
size_t dns_outstanding(const struct dns *d);

#endif
