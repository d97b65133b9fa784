/*
 * probe.h - what a mail server on the internet would meet with at each address of each MX host of a domain now: TLS,
 * certificate, MTA-STS, DANE, REQUIRETLS; and whether it would deliver (RFC 8461 4.2, RFC 7672 2.2, RFC 8689 4.2.1).
 * Pure; probe_io.h connects.
 */
#ifndef POSTERN_PROBE_H
#define POSTERN_PROBE_H

#include <jansson.h>

#include "buf.h"
#include "certificate.h"
#include "dest.h"
#include "tls_client.h"

enum probe_stage { PROBE_UNREACHABLE, PROBE_CONNECTED, PROBE_GREETED, PROBE_STARTTLS, PROBE_TLS, PROBE_DONE };

/* One address of an MX host, and how far a connection came. TLS is gone on with whatever the certificate is. */
struct probe_address {
    char address[ADDRESS_BUF];
    enum probe_stage stage;
    int64_t looked;            /* when: dates are judged by it */
    bool later;                /* it ended with a 4xx reply or a time-out: perhaps another time */
    bool unrouted;             /* this machine has no way there, such as IPv6: that is not the host's fault */
    char why[200];             /* in words, what ended it before DONE; printable ASCII */
    char greeting[DOMAIN_BUF]; /* what the server calls itself in its greeting; printable ASCII */
    bool offers_starttls, offers_requiretls; /* REQUIRETLS: in the EHLO under TLS */
    char version[16], cipher[64], group[32]; /* "TLSv1.3", …, "X25519" */
    struct cert_facts chain[CERT_CHAIN_MAX]; /* as sent, leaf first */
    size_t chain_count;
    char chain_trouble[200];                /* why more of the chain cannot be read; "" when all can */
    struct tls_client_judgement pkix, dane; /* by the MX host's name; dane: BROKEN when there is none */
};

struct probe_host {
    const struct dest_host *host;
    bool in_policy; /* the MTA-STS policy names it; true without a policy */
    struct probe_address at[DEST_ADDRESSES_MAX];
    size_t count;
};

struct probe {
    struct dest *dest; /* the facts, as stsd has them; owned */
    int64_t now;
    int64_t warn_before; /* a certificate that ends so soon is told of, seconds; 0: none is */
    uint16_t port;
    bool alone; /* it is about one host in brackets, which has no MX records and no MTA-STS policy */
    struct probe_host host[DEST_HOSTS_MAX];
    size_t hosts;
};

const char *probe_stage_name(enum probe_stage stage); /* "unreachable", "connected", …, "done" */

enum probe_verdict { PROBE_GOOD, PROBE_BAD, PROBE_LATER };
const char *probe_verdict_name(enum probe_verdict v); /* "good", "bad", "later" */

bool probe_chain_same(const struct probe_address *a, const struct probe_address *b); /* the same certificates */

/* The certificates of a chain are not each issued by the next: some senders do not take such a one. */
bool probe_chain_crooked(const struct probe_address *at);

/* There is a policy of MTA-STS that senders go by, in mode enforce or testing. */
bool probe_has_policy(const struct probe *p);

/* What PKIX has against the chain as it was sent, in more words than OpenSSL's: which issuer is missing, which
 * certificate has expired, which is out of order. */
void probe_chain_why(const struct probe_address *at, const char *host, struct err *e);

/*
 * Would a sender deliver to this address: any that has TLS at all, one that enforces MTA-STS (PKIX and the host's
 * name), one that goes by DANE. Not GOOD: why in e. BAD is for good, LATER: not known now.
 */
enum probe_verdict probe_any(const struct probe_address *at, struct err *e);
enum probe_verdict probe_sts(const struct probe_host *host, const struct probe_address *at, struct err *e);
enum probe_verdict probe_dane(const struct probe_host *host, const struct probe_address *at, struct err *e);

/*
 * The worst of these by what the domain publishes: MTA-STS when there is a policy in mode enforce or testing, DANE when
 * the host has TLSA records. An address that this machine has no way to is passed over, but LATER when the host has no
 * other.
 */
enum probe_verdict probe_published(const struct probe *p, const struct probe_host *host, const struct probe_address *at,
                                   struct err *e);

/* Of a domain without a host to be looked at: why there is none, without its name. */
enum probe_verdict probe_no_host(const struct dest *d, struct err *e);

/* The worst of all addresses of all hosts by probe_published; BAD too when there is no host. */
enum probe_verdict probe_all(const struct probe *p, struct err *e);

/* Does the certificate of any address end within warn_before, or has it ended? Then the first to do so in e. */
bool probe_ending(const struct probe *p, struct err *e);

void probe_print(struct buf *out, const struct probe *p, bool colour); /* the table, and what is wrong, a line each */
json_t *probe_json(const struct probe *p);                             /* NULL without memory */
void probe_free(struct probe *p);                                      /* NULL-safe */

#endif
