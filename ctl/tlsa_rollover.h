/*
 * tlsa_rollover.h - what to do now so that a server's key can change under DANE without a sender that refuses it: the
 * record of the next key is published before the key is used, and that of the old one goes later (RFC 7671 8.1, 8.4).
 * Pure.
 *
 * It holds whatever happens: a key is activated only when the live RRset has had a record for it for 2 x TTL, or when
 * there are no TLSA records at all; the record of the key in use is never taken away, that of the one before not sooner
 * than 2 x TTL after the switch. TTL is the larger of that of the live RRset and tlsa_ttl.
 */
#ifndef POSTERN_TLSA_ROLLOVER_H
#define POSTERN_TLSA_ROLLOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns_msg.h"
#include "err.h"

struct tlsa_rollover_facts {
    /* The RRset at _PORT._tcp.HOST, as in struct dns_answer. Records that are not secure bind senders whose resolver
     * validates where ours does not: they count as those that are. */
    enum dns_status status;
    const struct dns_rr *rr; /* the TLSA records */
    size_t count;
    uint32_t ttl;

    /* SHA-256 of the public keys, CERT_DIGEST_LEN octets (cert_key_digest); NULL: there is none. */
    const uint8_t *live_key; /* of the certificate in use */
    const uint8_t *next_key; /* of the one after it */
    const uint8_t *old_key;  /* of the one before it */

    /* A usable record of the set, of whatever form, fits the chain (tlsa_match.h): 2 1 1 of an authority, 3 0 1. Those
     * of the form 3 1 1 are found without. */
    bool live_fits;
    bool next_fits; /* the chain that waits */

    bool wanted;  /* TLSA records are to be published where there are none */
    bool pending; /* there is a certificate for next_key: it waits for activation */

    /* Times in seconds since the epoch; 0: not known. One from the future counts as now. */
    int64_t next_seen; /* since when the live set has had a record for next_key: what the last judgement has said */
    int64_t switched;  /* when live_key came into use; not known: long ago */
    int64_t now;
    int64_t tlsa_ttl; /* seconds: certs.tlsa_ttl */
};

enum tlsa_step {
    TLSA_NOTHING,  /* nothing to do */
    TLSA_PUBLISH,  /* publish the records publish_live and publish_next say, beside those that are there */
    TLSA_WAIT,     /* until */
    TLSA_ACTIVATE, /* the certificate of next_key may be used from now on */
    TLSA_WITHDRAW, /* the record of old_key may go */
    TLSA_STOP      /* not known now what is published: change nothing, look again later */
};
const char *tlsa_step_name(enum tlsa_step step); /* "nothing", "publish", "wait", "activate", "withdraw", "stop" */

struct tlsa_rollover {
    enum tlsa_step step;
    bool publish_live, publish_next; /* PUBLISH: 3 1 1 of these keys is missing */
    bool withdraw_old;               /* the record of old_key is there and may go; also with other steps but STOP */
    bool broken;       /* there are records, but none for the key in use: senders under DANE refuse the server now */
    int64_t until;     /* WAIT: the earliest time at which there is something to do */
    int64_t next_seen; /* to be kept for the next judgement, 0 too */
    int64_t ttl;       /* seconds, the one that was gone by */
    char why[160];     /* in words, for people */
};

void tlsa_rollover_judge(struct tlsa_rollover *out, const struct tlsa_rollover_facts *facts);

/* Is it 3 1 1 of the key with this digest? */
bool tlsa_is_of_key(const struct tlsa *rr, const uint8_t *key_digest);

#endif
