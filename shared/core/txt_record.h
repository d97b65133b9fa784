/*
 * txt_record.h - the frame that MTA-STS and TLSRPT records share (RFC 8461 3.1, RFC 8460 3):
 *     version 1*(*WSP ";" *WSP name "=" value) [*WSP ";" *WSP]
 * What the fields mean is left to sts_record and tlsrpt_record. Octets are counted from 1 in the error texts.
 */
#ifndef POSTERN_TXT_RECORD_H
#define POSTERN_TXT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define TXT_NAME_MAX 32

/* One TXT record, its character-strings joined. */
struct sts_txt {
    const char *text;
    size_t len;
};

struct txt_field {
    const char *name; /* in the record's own text, as is value */
    size_t name_len;
    const char *value; /* all up to the delimiter, not looked at yet; may be empty */
    size_t value_len;
    size_t value_at; /* the value's first octet, counted from 1 */
};

/*
 * Does the record begin with this version ("v=STSv1")? Returns 1: yes, and a ';' follows: *pos is where the first field
 * begins; -1: yes, but nothing follows; 0: no.
 */
int txt_record_begin(size_t *pos, const char *version, const char *txt, size_t len);

/*
 * The record of this version in an RRset. Returns 1: *which is its index; 0: there is none; -1: more than one, e says
 * so. Those without ';' count only where there is none with it.
 */
int txt_record_select(size_t *which, const char *version, const struct sts_txt *txt, size_t count, struct err *e);

/* The next field. Returns 1; 0 at the end; -1 when there should be one but its name breaks the grammar. */
int txt_field_next(struct txt_field *out, size_t *pos, const char *txt, size_t len, struct err *e);

/* Is that the field's name? In the same case. */
bool txt_field_is(const struct txt_field *f, const char *name);

/* The value of a field that we do not know must fit sts-ext-value: visible, no ';', no '='. Returns 0, or -1. */
int txt_field_check_extension(const struct txt_field *f, struct err *e);

#endif
