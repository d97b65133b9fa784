/*
 * tlsrpt_event.h - the one form in which TLS outcomes are told to the collector: those of Postfix, which libtlsrpt
 * sends as datagrams, and our own. An event is one TLS session, or one attempt that came to none, with one MX host of a
 * policy domain, and how each policy that applied to it came off (RFC 8460 4.3, 4.4; checks J7 to J20). Pure.
 */
#ifndef POSTERN_TLSRPT_EVENT_H
#define POSTERN_TLSRPT_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* With the numbers of libtlsrpt's protocol, as the next (J20). */
enum tlsrpt_policy_type { TLSRPT_POLICY_TLSA = 1, TLSRPT_POLICY_STS = 2, TLSRPT_POLICY_NONE = 9 };

enum tlsrpt_result {
    TLSRPT_STARTTLS_NOT_SUPPORTED = 201,
    TLSRPT_CERTIFICATE_HOST_MISMATCH = 202,
    TLSRPT_CERTIFICATE_NOT_TRUSTED = 203,
    TLSRPT_CERTIFICATE_EXPIRED = 204,
    TLSRPT_VALIDATION_FAILURE = 205,
    TLSRPT_STS_POLICY_FETCH_ERROR = 301,
    TLSRPT_STS_POLICY_INVALID = 302,
    TLSRPT_STS_WEBPKI_INVALID = 303,
    TLSRPT_TLSA_INVALID = 304,
    TLSRPT_DNSSEC_INVALID = 305,
    TLSRPT_DANE_REQUIRED = 306
};

/* "tlsa", "sts", "no-policy-found" */
const char *tlsrpt_policy_type_name(enum tlsrpt_policy_type type);

/* "starttls-not-supported", …: the result type of RFC 8460 4.3. Of a number that is none: "validation-failure". */
const char *tlsrpt_result_name(enum tlsrpt_result result);

/*
 * The reverse of each. True when there is such a number or name; else *out is VALIDATION_FAILURE, and whoever asked
 * gives the unknown one as the reason, so that it is reported all the same.
 */
bool tlsrpt_result_of_code(enum tlsrpt_result *out, long code);
bool tlsrpt_result_of_name(enum tlsrpt_result *out, const char *name);

/* All text is borrowed; NULL or "" where it is not known. Addresses are in their one form (domain.h; J16). */
struct tlsrpt_failure {
    enum tlsrpt_result result;
    const char *sending_ip;   /* sending-mta-ip */
    const char *mx_name;      /* receiving-mx-hostname */
    const char *mx_helo;      /* receiving-mx-helo: what it calls itself in its reply to EHLO */
    const char *receiving_ip; /* receiving-ip */
    const char *additional;   /* additional-information */
    const char *reason;       /* failure-reason-code */
};

struct tlsrpt_policy {
    enum tlsrpt_policy_type type;
    const char *domain;        /* TLSA: the MX host, or its TLSA base domain; else the policy domain (J9) */
    const char *const *string; /* STS: the lines of the policy; TLSA: the records as text (J8); NONE: none */
    size_t strings;
    const char *const *mx; /* STS: the patterns (J10) */
    size_t mx_count;
    const struct tlsrpt_failure *failure;
    size_t failures;
    bool failed; /* the final result: a session that came off may have had failures on the way */
};

struct tlsrpt_event {
    const char *domain; /* of the recipients */
    const char *record; /* the TLSRPT record of that domain as it was at the time (W7) */
    const struct tlsrpt_policy *policy;
    size_t policies; /* one for each that applied, DANE and MTA-STS side by side; NONE when there was none (J19) */
};

/*
 * The most octets that each part takes when it is written, escapes counted. A text is cut there, at a whole character;
 * of strings and patterns, those that do not fit and all behind them are left out. So the same policy is always written
 * the same, whatever else is in the event.
 */
#define TLSRPT_NAME_MAX       255
#define TLSRPT_ADDRESS_MAX    64
#define TLSRPT_RECORD_TEXT    4096
#define TLSRPT_STRINGS_MAX    8192 /* of one policy, quotes and commas counted, as in the next */
#define TLSRPT_MX_MAX         4096
#define TLSRPT_HELO_MAX       1024
#define TLSRPT_ADDITIONAL_MAX 1024
#define TLSRPT_REASON_MAX     512

#define TLSRPT_EVENT_MAX 40960 /* octets of an event; two policies with a failure each always fit */

/*
 * Append an event as one JSON object on one line, exactly as libtlsrpt 0.5 writes its datagrams (protocol version "1"):
 * its keys in their order, its blanks, its escapes, so that the collector has one reader for both. Where libtlsrpt
 * would pass on octets that are not UTF-8, '?' is written for each, as they are no JSON. More than TLSRPT_EVENT_MAX
 * octets: the error sticks in out.
 */
void tlsrpt_event_write(struct buf *out, const struct tlsrpt_event *event);

#endif
