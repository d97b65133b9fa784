/*
 * conn_io.h - the connections of policyd's clients, each a stream of requests that is answered in order. Only
 * serve_io.c uses this; it decides how many there are and how long they may idle.
 */
#ifndef POSTERN_CONN_IO_H
#define POSTERN_CONN_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address_tag.h"
#include "buf.h"
#include "log.h"
#include "lookup_io.h"
#include "memory.h"
#include "netstring.h"
#include "socketmap.h"

#define CONN_READ_MAX    16384 /* octets taken from a connection at a time */
#define CONN_REQUEST_MAX (SOCKETMAP_REQUEST_MAX + NETSTRING_OVERHEAD)

struct conn;
struct exim_request;
struct sni_store;

/* In which of the lists a connection is: which one is given up first when there is no room. */
enum conn_place {
    CONN_FREE,   /* nothing is looked up for it; by last use, longest idle first */
    CONN_HALF,   /* something is, but its client has shut down its side, or has gone */
    CONN_WAITED, /* something is: not given up */
    CONN_PLACES
};

/* What a client and policyd say to each other. */
struct conn_protocol {
    /*
     * Answer the request that data begins with: add the reply to conns.out, or start a look-up (c->wait is set then).
     * Returns its octets; 0: there is no whole one yet; -1: it can never become one, as why says. A whole one has at
     * most CONN_REQUEST_MAX octets.
     */
    ssize_t (*answer)(struct conn *c, const char *data, size_t len, struct err *why);
    const char *refusal; /* the last that is said to who sends what is none */
    bool secret;         /* replies hold private keys, which do not stay in memory */
    bool once;           /* the client's end of input ends its request, too; that is answered, and no other */
};
extern const struct conn_protocol conn_socketmap; /* socketmap_table(5), conn_answer_io.c */
extern const struct conn_protocol conn_policy;    /* SMTPD_POLICY_README, conn_policy_io.c */
extern const struct conn_protocol conn_exim;      /* ${readsocket}, conn_exim_io.c */
extern const struct conn_protocol conn_sni;       /* the map of certificates, conn_sni_io.c */

struct conn {
    TAILQ_ENTRY(conn) link; /* in conns.list[place] */
    enum conn_place place;
    const struct conn_protocol *protocol;
    struct conns *conns;
    struct event *readable;
    struct event *writable;
    struct event *hangup;     /* while it waits for a look-up and is not read */
    struct lookup_wait *wait; /* a domain is being looked up for it */
    char *in;                 /* octets not yet worked on; NULL: none */
    size_t in_len;
    struct buf out; /* octets that the socket did not take yet */
    int64_t used;   /* when a whole request last came or an answer went, seconds since the epoch */
    int fd;
    bool last;                 /* its only request has come (conn_protocol.once) */
    bool ended;                /* the last it gets has been said: what it sends is dropped */
    size_t dropped;            /* octets of that */
    enum answer_map map;       /* of the request that waits, */
    struct exim_request *exim; /* or the request itself; the connection's own, NULL: none */
};

/* What they share. */
struct conns {
    struct event_base *base;
    struct memory *memory; /* these three are NULL until requests may be answered */
    struct lookups *lookups;
    const struct operator_lists *lists;
    const struct sni_store *sni; /* NULL: none */
    TAILQ_HEAD(conn_list, conn) list[CONN_PLACES];
    size_t count;
    bool draining;              /* a connection is closed as soon as it has nothing to wait for */
    void (*changed)(void *ctx); /* called after one was closed or has changed its place */
    void *changed_ctx;
    struct log_limit bad_requests;
    struct address_tag tag;          /* of recipients that go only over verified TLS; the caller's */
    struct address_tag optional_tag; /* of those that go whatever the policy demands; the caller's */
    bool misplaced;                  /* it has been said that Postfix asks about recipients where it is of no use */
    struct buf out;                  /* the replies of the read that is being worked on */
    char in[CONN_READ_MAX + CONN_REQUEST_MAX];
};

void conns_init(struct conns *s, struct event_base *base);
void conns_clear(struct conns *s); /* closes all of them */
int64_t conns_now(const struct conns *s);

/* Take over a new connection. */
void conn_open(struct conns *s, int fd, const struct conn_protocol *protocol);
void conn_close(struct conn *c);

/* A reply is still to come, or still to be taken by the client. */
bool conn_busy(const struct conn *c);

/* Its one question has not come yet (conn_protocol.once): the client is not idle, it is about to ask. */
bool conn_unasked(const struct conn *c);

#endif
