/* publish_tlsrpt.h - the record by which an own domain asks for TLS reports, and what is to be said of it (RFC 8460 3).
 * Pure. */
#ifndef POSTERN_PUBLISH_TLSRPT_H
#define POSTERN_PUBLISH_TLSRPT_H

#include "buf.h"
#include "dns_msg.h"
#include "err.h"
#include "publish_verdict.h"
#include "tlsrpt_record.h"

#define TLSRPT_TTL 3600 /* seconds */

/* Is the name the domain itself, or within it? Both in their one form. */
bool domain_within(const char *name, const char *domain);

/* A mailto: URI of an address. Returns 0, or -1 with the reason: none that a report could be sent to. */
int tlsrpt_mailto(char out[TLSRPT_URI_MAX + 1], const char *address, struct err *e);

/*
 * The record that sends reports to these URIs, read back as a reporter does. Returns 0 with its text appended and
 * *record filled, or -1 with the URI and what is wrong with it.
 */
int tlsrpt_text(struct buf *out, struct tlsrpt_record *record, const char *const *rua, size_t count, struct err *e);

/* Where the reports of the domain go, a line for each URI, and whether its own TLS failures could stop all of them. */
void tlsrpt_advise(struct verdicts *v, const char *domain, const struct tlsrpt_record *record);

/*
 * What is in DNS, found at that name. want: the record as it should be, or NULL: any will do. Returns true and *live
 * when there is a valid one.
 */
bool tlsrpt_compare(struct verdicts *v, struct tlsrpt_record *live, const char *name, const struct dns_answer *answer,
                    const struct tlsrpt_record *want);

/* Can mail be sent there? answer: the MX records of the address's domain. */
void tlsrpt_mail_domain(struct verdicts *v, const char *domain, const struct dns_answer *answer);

#endif
