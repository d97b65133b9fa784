/* sts_record.h - the TXT record at _mta-sts.DOMAIN (RFC 8461 3.1; checks A1). */
#ifndef POSTERN_STS_RECORD_H
#define POSTERN_STS_RECORD_H

#include <stddef.h>

#include "err.h"
#include "txt_record.h"

#define STS_ID_MAX 32

struct sts_record {
    char id[STS_ID_MAX + 1];
};

/*
 * Read one TXT record, its character-strings joined. Returns 1: a valid record; 0: not an STS record at all (does not
 * begin with `v=STSv1`, optional blanks, `;` or the end): to be passed over; -1: an STS record that breaks the grammar,
 * e says which rule and at which octet. The grammar is the RFC's sts-text-record; blanks are SP and HTAB, allowed
 * around each ';', and one final ';' may stand. Of a repeated field the first counts (RFC 8461 3.2 says so of TXT
 * records too).
 */
int sts_record_parse(struct sts_record *out, const char *txt, size_t len, struct err *e);

/*
 * What a domain's TXT RRset says. Returns 1: exactly one STS record, and it is valid; 0: there is none; -1: more than
 * one, or a broken one: the domain has no valid record (to the sender the same as none, RFC 8461 3.1), e says why.
 */
int sts_record_select(struct sts_record *out, const struct sts_txt *txt, size_t count, struct err *e);

#endif
