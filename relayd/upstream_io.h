/*
 * upstream_io.h - one policy domain's share of a transaction: its MX hosts, and their addresses, are tried one after
 * the other until one may and will take the message (relay_path.h, relay_walk.h), then it is told of recipients and fed
 * the message. Everything is on the event loop; nothing of the message is kept but what the socket has not taken yet.
 *
 *   upstream_new … upstream_rcpt … upstream_rcpt … upstream_data … upstream_feed … upstream_end … upstream_free
 */
#ifndef POSTERN_UPSTREAM_IO_H
#define POSTERN_UPSTREAM_IO_H

#include <event2/event.h>

#include "address_tag.h"
#include "call_client.h"
#include "conf.h"
#include "lmtp_command.h"
#include "relay_failure.h"
#include "smtp_reply.h"
#include "tlsrpt_tell_io.h"

#define UPSTREAM_HIGH_WATER 262144 /* octets that the socket has not taken, at which feeding should stop, */
#define UPSTREAM_LOW_WATER  65536  /* and go on */

/* What all upstreams of the process share: connections to stsd, TLS context, limits, connections kept for the next use.
 */
struct upstreams;

struct upstreams *upstreams_new(struct event_base *base, const struct conf_relayd *conf, const char *stsd,
                                struct err *e);
void upstreams_configure(struct upstreams *all, const struct conf_relayd *conf); /* after a reload */

/* The tag that is taken off recipients (copied); until then it is +requiretls. */
void upstreams_tag(struct upstreams *all, const struct address_tag *tag);

/* Who hears of each TLS session with an MX host (session_event.h); until then nobody does. It outlives all upstreams.
 */
void upstreams_collector(struct upstreams *all, struct tlsrpt_tell *tell);

void upstreams_free(struct upstreams *all);            /* no upstream may be left */
size_t upstreams_open(const struct upstreams *all);    /* connections, idle ones too */
size_t upstreams_waiting(const struct upstreams *all); /* upstreams that wait for a place */

/* What a recipient, or the message for it, is answered. */
struct upstream_answer {
    const struct smtp_reply *reply;   /* the next server's own, with its host; or NULL, and */
    const char *host;                 /*   (valid during the callback) */
    const struct relay_reply *failed; /* why there is none: the same for every recipient of the domain */
};

struct upstream_events {
    /* Recipient number n (from 0, in the order of upstream_rcpt) has been answered; once for each. */
    void (*rcpt)(void *ctx, size_t n, const struct upstream_answer *answer);
    /* The answer to upstream_data: true, the message may be fed; false: the answer says why not, for all recipients
     * that were taken, and nothing is called afterwards. */
    void (*data)(void *ctx, bool go, const struct upstream_answer *answer);
    /* After upstream_feed has said that it is full: go on. */
    void (*room)(void *ctx);
    /* The end, for all recipients that were taken: after upstream_end, or at any time after data(true) when the
     * connection fails. Nothing is called afterwards. */
    void (*done)(void *ctx, const struct upstream_answer *answer);
};

struct upstream;

/*
 * Begin: the destination record is asked for, a host is looked for and MAIL is said. Events come later, never from
 * within a call. mail is valid until upstream_free, as are the recipients' commands. The domain is as it was written in
 * the recipients.
 */
struct upstream *upstream_new(struct upstreams *all, const char *domain, size_t len, const struct lmtp_command *mail,
                              const struct upstream_events *events, void *ctx);

/* One more recipient. */
void upstream_rcpt(struct upstream *u, const struct lmtp_command *rcpt);

/* All recipients have been answered, and one was taken at least: DATA. */
void upstream_data(struct upstream *u);

/* Octets of the message as the MTA sent them (data_stream.h). Returns whether more may be fed at once; else wait for
 * room. */
bool upstream_feed(struct upstream *u, const char *octets, size_t len);

/* Others wait for it: as if the time for the whole transaction were over. Nothing, once all has been fed. */
void upstream_give_up(struct upstream *u);

/* All has been fed, the final dot too. */
void upstream_end(struct upstream *u);

/* Drop it: a connection that is between two messages is kept for the next one, any other is closed without a final
 * dot. */
void upstream_free(struct upstream *u);

#endif
