/*
 * counts.h - what was counted of one policy domain on one day: for each record and policy that sessions were under, how
 * many came off and how many did not, and why (RFC 8460 4.4). It is what a report is made of. Pure.
 *
 * In Redis it is the hash PREFIXtlsrpt:DAY:DOMAIN ("tlsrpt:2026-11-22:example.com") with the fields
 *
 *   policy ID           {"record":…,"policy-type":…,"policy-domain":…,"policy-string":[…],"mx-host":[…]}
 *   successful ID       sessions
 *   failed ID           sessions
 *   failure ID DETAIL   sessions; DETAIL is {"result-type":…,"sending-mta-ip":…,…} with what is known
 *   policies, details   how many there are
 *   left-out            sessions under further policies (COUNTS_POLICIES_MAX)
 *
 * ID is the first 32 hex digits of the SHA-256 of the policy's text. The set PREFIXtlsrpt-domains:DAY names the domains
 * of a day.
 */
#ifndef POSTERN_COUNTS_H
#define POSTERN_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "domain.h"
#include "err.h"
#include "tlsrpt_event.h"

/*
 * Details of one domain and day. Of further ones only the result type is kept, with the reason "other"; and their
 * sessions are counted all the same (E13).
 */
#define COUNTS_DETAILS_MAX 1000

/* Policies of one domain and day, each record's counted apart. Sessions under further ones are only counted. */
#define COUNTS_POLICIES_MAX 200

struct counted_failure {
    struct tlsrpt_failure failure;
    uint64_t sessions;
};

struct counted_policy {
    const char *record;          /* TLSRPT record text */
    struct tlsrpt_policy policy; /* its own failures are not used */
    uint64_t successful, failed; /* sessions */
    struct counted_failure *failure;
    size_t failures;
};

struct counts {
    int32_t day;
    char domain[DOMAIN_BUF];
    struct counted_policy *policy; /* sorted by record, then type, then ID, so the same counts give the same report */
    size_t policies;
    uint64_t left_out; /* sessions under more policies than are kept */
    size_t broken;     /* fields that could not be read, and are left out */
    void *memory;      /* owns all text */
};

/* One field of the hash and its value. */
struct counts_field {
    const char *name, *value;
    size_t name_len, value_len;
};

/* Read the fields, as foreign text. Returns 0, *out to be given to counts_clear; or -1 without memory, nothing to
 * clear. */
int counts_read(struct counts *out, int32_t day, const char *domain, const struct counts_field *field, size_t count);
void counts_clear(struct counts *c);

#endif
