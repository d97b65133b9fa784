/* tls_required.h - the header field TLS-Required (RFC 8689 5): a sender who wants delivery rather than TLS. Pure. */
#ifndef POSTERN_TLS_REQUIRED_H
#define POSTERN_TLS_REQUIRED_H

#include <stddef.h>

#define TLS_REQUIRED_FIELD "TLS-Required"

enum tls_required {
    TLS_REQUIRED_NONE,   /* there is no such field */
    TLS_REQUIRED_NO,     /* "No": policies may be passed over */
    TLS_REQUIRED_INVALID /* anything else: the field means nothing */
};

const char *tls_required_name(enum tls_required r); /* "none", "no", "invalid" */

/* What one value says: "No" in any case, with folding and comments around it, and nothing else. */
enum tls_required tls_required_read(const char *value, size_t len);

/*
 * What all fields of a message say, one after the other, beginning with TLS_REQUIRED_NONE: a second one may not be, but
 * is no harm when it says the same; where they differ, none means anything. So nothing but "No" ever lowers a demand.
 */
enum tls_required tls_required_join(enum tls_required before, enum tls_required next);

#endif
