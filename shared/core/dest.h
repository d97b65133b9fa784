/*
 * dest.h - the destination record: all that is known about how mail for one policy domain must leave. stsd makes it,
 * Redis keeps it (as JSON), policyd and relayd decide by it. Times are seconds since the epoch, UTC.
 */
#ifndef POSTERN_DEST_H
#define POSTERN_DEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "domain.h"
#include "err.h"
#include "sts_policy.h"
#include "sts_record.h"
#include "tlsa.h"

#define DEST_VERSION       1
#define DEST_HOSTS_MAX     32      /* MX hosts kept, lowest preference first; more set mx_truncated */
#define DEST_ADDRESSES_MAX 8       /* addresses kept of one host */
#define DEST_TLSA_MAX      16      /* TLSA records kept of one host */
#define DEST_JSON_MAX      1048576 /* octets of a record as JSON */
#define DEST_WHY_MAX       200
#define DEST_TLSRPT_MAX    1024
#define DEST_TIME_MAX      (INT64_C(1) << 53) /* what JSON holds exactly (RFC 7493 2.2) */
#define DEST_CLOCK_SLACK   60 /* seconds that the clocks of two nodes may differ; what is later is from the future */

/* What the MX look-up said. */
enum dest_mx {
    DEST_MX_TEMP,     /* SERVFAIL, bogus, time-out: not known now */
    DEST_MX_NODOMAIN, /* NXDOMAIN */
    DEST_MX_NULL,     /* "0 ." (RFC 7505): takes no mail */
    DEST_MX_IMPLICIT, /* no MX RRset: the domain itself is the host (RFC 5321 5.1) */
    DEST_MX_LIST
};
const char *dest_mx_name(enum dest_mx mx); /* "temp", "nodomain", "null", "implicit", "list" */

/* How DANE stands for one MX host (RFC 7672 2.2; checks B-1 to B-3). */
enum dest_dane {
    DEST_DANE_NONE,     /* not secured by DNSSEC somewhere on the way, or authenticated absence of TLSA records */
    DEST_DANE_USABLE,   /* authenticated TLSA RRset with at least one usable record */
    DEST_DANE_UNUSABLE, /* authenticated TLSA RRset without any: TLS is mandatory, unauthenticated */
    DEST_DANE_TEMP      /* bogus, SERVFAIL, time-out: the host must not be used now */
};
const char *dest_dane_name(enum dest_dane dane); /* "none", "usable", "unusable", "temp" */

struct dest_host {
    char name[DOMAIN_BUF];
    uint16_t preference;
    bool address_secure; /* the address records were authenticated */
    enum dest_dane dane;
    char tlsa_base[DOMAIN_BUF]; /* where the TLSA records stand; "" when DANE is none */
    struct tlsa *tlsa;          /* authenticated records as published, usable or not */
    size_t tlsa_count;
    char address[DEST_ADDRESSES_MAX][ADDRESS_BUF];
    size_t address_count;
};

/* What the _mta-sts TXT look-up said. */
enum dest_sts_record {
    DEST_STS_NONE,    /* no record */
    DEST_STS_FOUND,   /* exactly one valid record */
    DEST_STS_INVALID, /* broken, or more than one: counts as none */
    DEST_STS_TEMP     /* SERVFAIL, time-out: not known now */
};
const char *dest_sts_record_name(enum dest_sts_record r); /* "none", "found", "invalid", "temp" */

/* Why a policy could not be had, in the words of RFC 8460 4.3.2.2. */
enum dest_sts_failure { DEST_STS_OK, DEST_STS_FETCH_ERROR, DEST_STS_POLICY_INVALID, DEST_STS_WEBPKI_INVALID };

#define DEST_STS_FAILURES 4

/* "", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid" */
const char *dest_sts_failure_name(enum dest_sts_failure f);

struct dest_sts {
    enum dest_sts_record record;
    char id[STS_ID_MAX + 1]; /* of the record now in DNS; "" unless FOUND */

    bool has_policy;                /* the members down to expires say something */
    char policy_id[STS_ID_MAX + 1]; /* the id under which the policy was fetched */
    char *body;                     /* the policy as served; owned */
    size_t body_len;
    struct sts_policy policy; /* the same, parsed */
    int64_t fetched;
    int64_t expires; /* fetched + max_age */

    enum dest_sts_failure failure; /* of the last fetch, DEST_STS_OK when it went well */
    char why[DEST_WHY_MAX];        /* the failure, or what is wrong with the record, in words; or "" */
    int64_t attempted;             /* the last fetch, good or bad; 0: never */
    int64_t temp_since;            /* since when the record is TEMP; 0: it is not */
    int64_t
        learnt; /* when the last policy was fetched, be it gone by now; 0: never. With a policy the same as fetched */
};

struct dest {
    char domain[DOMAIN_BUF];
    int64_t resolved;    /* when these facts were gathered */
    int64_t valid_until; /* DNS allows them until then (shortest TTL that the answer rests on) */
    enum dest_mx mx;
    bool mx_secure; /* the MX RRset, or its absence, was authenticated */
    bool mx_truncated;
    bool dane_before;          /* mx is TEMP, and when it was last known a host had TLSA records */
    bool mx_never_known;       /* mx is TEMP, and nothing else is known from before */
    char mx_why[DEST_WHY_MAX]; /* why it is TEMP */
    struct dest_host *host;    /* owned; by preference, then name */
    size_t host_count;
    struct dest_sts sts;
    char tlsrpt[DEST_TLSRPT_MAX + 1]; /* the one valid TLSRPT record, or "" */
};

/* A new, empty record (mx TEMP, no STS). NULL without memory. domain is copied; it is in its one form already. */
struct dest *dest_new(const char *domain);

/* NULL-safe. */
void dest_free(struct dest *d);

/*
 * Append a host and return it, or NULL at DEST_HOSTS_MAX (mx_truncated set) or without memory. The name is in its one
 * form. The next call may move the hosts: pointers to them do not outlive it.
 */
struct dest_host *dest_add_host(struct dest *d, const char *name, uint16_t preference);

/* Append a TLSA record, taking its data over (*rr is emptied). Returns 0, or -1 at DEST_TLSA_MAX or without memory. */
int dest_add_tlsa(struct dest_host *host, struct tlsa *rr);

/* 1 to STS_ID_MAX letters and digits (RFC 8461 3.1, sts-id). */
bool dest_sts_id_valid(const char *id);

/*
 * Set the fetched policy: parses the body (copied), sets policy_id, fetched, expires, has_policy. Returns 0, or -1 with
 * the broken rule and *sts unchanged.
 */
int dest_sts_set_policy(struct dest_sts *sts, const char *id, const char *body, size_t len, int64_t now, struct err *e);

/*
 * Copy the policy (body, id, fetched, expires) of one record into another; where there is none, the other has none
 * either afterwards. Returns 0, or -1 without memory.
 */
int dest_sts_copy_policy(struct dest_sts *to, const struct dest_sts *from);

/*
 * Take over the policy of another record of the same domain when it is live and was fetched later than the one that is
 * there, or was there: a later one that has expired (of mode none, say) has ended the earlier for good. Returns 0, or
 * -1 without memory.
 */
int dest_sts_adopt_policy(struct dest_sts *to, const struct dest_sts *from, int64_t now);

/*
 * A policy that was fetched at this time does not count beside this record: there is one as late, or there was a later
 * one. Of a policy from the future, which a clock that was wrong has made, nobody knows how late it is: it does not
 * count beside one that is not, nor once it is gone.
 */
bool dest_sts_supersedes(const struct dest_sts *sts, int64_t fetched, int64_t now);

/* Forget the policy, but not when it was learnt. */
void dest_sts_drop_policy(struct dest_sts *sts);

/* Something in the record could not be looked up: the MX set, the MTA-STS record, or the TLSA records of a host. */
bool dest_temporary(const struct dest *d);

/* DANE binds: the MX set is authenticated and a host has TLSA records, or may have; or it was so before the MX look-up
 * failed. */
bool dest_has_dane(const struct dest *d);

/* The policy holds at this time: there is one, and now < expires. */
bool dest_sts_live(const struct dest_sts *sts, int64_t now);

/*
 * dest_json.c: append the record as one JSON object ("v": DEST_VERSION first), UTF-8 on one line. Errors (no memory,
 * longer than DEST_JSON_MAX) stick in out. Octets of mx_why and sts.why that are not printable ASCII become '?'.
 */
void dest_to_json(struct buf *out, const struct dest *d);

/*
 * dest_json_read.c: read it back; every member is checked as untrusted (Redis may hold anything): types, ranges, limits
 * above, names in their one form, policy re-parsed from its body, so that a record never says more than its body does.
 * Unknown members are passed over, another version is an error. Returns the record, or NULL with the member and the
 * reason in e.
 */
struct dest *dest_from_json(const char *json, size_t len, struct err *e);

#endif
