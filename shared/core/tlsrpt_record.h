/* tlsrpt_record.h - the TXT record at _smtp._tls.DOMAIN (RFC 8460 3). */
#ifndef POSTERN_TLSRPT_RECORD_H
#define POSTERN_TLSRPT_RECORD_H

#include <stddef.h>

#include "err.h"
#include "rua_uri.h"
#include "txt_record.h"

#define TLSRPT_RUA_MAX    16
#define TLSRPT_URI_MAX    RUA_URI_MAX
#define TLSRPT_RECORD_MAX 4096

struct tlsrpt_record {
    char rua[TLSRPT_RUA_MAX][TLSRPT_URI_MAX + 1]; /* as published: "mailto:a@b", "https://c/d", doubles dropped */
    size_t rua_count;                             /* usable ones: mailto and https */
};

/*
 * Read one TXT record, its character-strings joined: `v=TLSRPTv1;` first, then fields; rua is a comma-separated list of
 * URIs (',', '!' and ';' percent-encoded within). A mailto: URI must be one ASCII address without header fields
 * ("?..."), an https: URI must name a host; URIs of other schemes are passed over, and so are those after the first
 * TLSRPT_RUA_MAX usable ones; several rua fields add up. Octets that are no URI are errors. Returns 1: valid, though
 * rua_count may be 0; 0: not a TLSRPT record; -1: broken, e says which rule and where, *out is empty.
 */
int tlsrpt_record_parse(struct tlsrpt_record *out, const char *txt, size_t len, struct err *e);

/* As sts_record_select: 1 exactly one valid, *which its index; 0 none; -1 ambiguous or broken (RFC 8460 3, W3). */
int tlsrpt_record_select(size_t *which, const struct sts_txt *txt, size_t count, struct err *e);

#endif
