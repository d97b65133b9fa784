/* sts_http.h - is this HTTP answer an MTA-STS policy? (RFC 8461 3.3; checks A3, A4) */
#ifndef POSTERN_STS_HTTP_H
#define POSTERN_STS_HTTP_H

#include <stdbool.h>

#include "domain.h"
#include "err.h"

#define STS_HTTP_PATH  "/.well-known/mta-sts.txt"
#define STS_HTTP_LABEL "mta-sts."

/*
 * Only status 200 with the media type text/plain (parameters allowed, any case). content_type may be NULL (no such
 * field). Returns 0, or -1 with what was wrong in words: "HTTP status 404", "content type is text/html, not
 * text/plain".
 */
int sts_http_check(long status, const char *content_type, struct err *e);

/* "_mta-sts.DOMAIN", "mta-sts.DOMAIN" and "_smtp._tls.DOMAIN". Return 0, or -1 when that name would be too long to
 * exist. */
int sts_record_name(char out[DOMAIN_BUF], const char *domain);
int sts_policy_host(char out[DOMAIN_BUF], const char *domain);
int tlsrpt_record_name(char out[DOMAIN_BUF], const char *domain);

#endif
