/*
 * requiretls.h - what REQUIRETLS mail to a domain would meet with now (RFC 8689 4.2.1): the conditions for each MX
 * host, and what postern-relayd would answer. The plan and the failures are relayd's own (relay_path.h,
 * relay_failure.h). Pure; requiretls_probe_io.h asks the hosts.
 */
#ifndef POSTERN_REQUIRETLS_H
#define POSTERN_REQUIRETLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "nexthop.h"
#include "relay_failure.h"
#include "relay_path.h"
#include "smtp_client_io.h"

/* What became of a connection to an MX host; all zeros: there was none. */
struct requiretls_host {
    bool asked;               /* the other members say something */
    bool hurried;             /* it was not waited for as long as relayd would */
    struct relay_failure why; /* NOTHING: EHLO under verified TLS was answered */
    struct smtp_client_progress progress;
    char address[ADDRESS_BUF]; /* of those tried, the one of which the rest is said */
    struct tls_client_peer tls;
    struct relay_offer offer;
};

struct requiretls {
    struct nexthop hop; /* what was asked about: a domain, or what stands in brackets */
    struct relay_path path;
    int64_t now;
    bool offline;                                /* no host was asked, on purpose */
    struct requiretls_host host[DEST_HOSTS_MAX]; /* one for each candidate of the path */
};

/* --- conditions --- */

enum requiretls_condition {
    REQUIRETLS_MX,          /* who vouches for the MX host */
    REQUIRETLS_POLICY,      /* it stands in the MTA-STS policy */
    REQUIRETLS_CONNECTS,    /* an address takes the connection */
    REQUIRETLS_STARTTLS,    /* it is offered, and was taken */
    REQUIRETLS_TLS,         /* a version in common */
    REQUIRETLS_CERTIFICATE, /* it shows what it must */
    REQUIRETLS_WORD,        /* REQUIRETLS is offered under TLS */
    REQUIRETLS_CONDITIONS
};

/* "mx_authenticated", "policy_names_it", "connects", "starttls", "tls", "certificate", "requiretls" */
const char *requiretls_condition_name(enum requiretls_condition condition);

enum requiretls_holds { REQUIRETLS_NO, REQUIRETLS_YES, REQUIRETLS_OPEN };

/* OPEN: it was not reached, or does not matter. */
struct requiretls_cell {
    enum requiretls_holds holds;
    char how[ADDRESS_BUF]; /* "DNSSEC", "TLSv1.3", "expired"; "-" when there is nothing to be said */
};

/* All of one candidate of the path. */
void requiretls_look(struct requiretls_cell out[REQUIRETLS_CONDITIONS], const struct requiretls *r, size_t candidate);

/* --- the verdict --- */

/* Why flagged mail cannot go to this candidate; NOTHING: it can, or nobody has asked it. */
enum relay_failed requiretls_failed(const struct requiretls *r, size_t candidate, bool null_reverse_path);

enum requiretls_result {
    REQUIRETLS_DELIVERED,
    REQUIRETLS_RETURNED, /* for good: the sender is told */
    REQUIRETLS_DEFERRED, /* the MTA keeps it, and tries again */
    REQUIRETLS_UNDECIDED /* offline, and there are hosts that may be used */
};

/* "delivered", "returned", "deferred", "undecided" */
const char *requiretls_result_name(enum requiretls_result result);

struct requiretls_outcome {
    enum requiretls_result result;
    size_t host[DEST_HOSTS_MAX]; /* DELIVERED: the candidates of which one gets it, all of one preference; UNDECIDED:
                                    those that may be used */
    size_t hosts;
    struct relay_reply reply; /* RETURNED, DEFERRED: what relayd says */
};

/* Of a message with a sender, or of a bounce. MAIL was said to nobody: what a host answers to that is not known. */
void requiretls_judge(struct requiretls_outcome *out, const struct requiretls *r, bool null_reverse_path);

/* The candidates in order of preference, then name, those that are barred too. Returns how many. */
size_t requiretls_order(size_t out[DEST_HOSTS_MAX], const struct requiretls *r);

/* --- for people and programs --- */

/* Append the table, why a host does not take it, and what becomes of mail. Errors stick in out. */
void requiretls_print(struct buf *out, const struct requiretls *r, bool colour);

/* The same as an object, as posternctl(1) says. NULL without memory. */
json_t *requiretls_json(const struct requiretls *r);

#endif
