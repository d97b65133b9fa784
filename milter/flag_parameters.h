/* flag_parameters.h - the parameters of RCPT TO that go with a changed recipient: ORCPT and NOTIFY (RFC 3461). Pure. */
#ifndef POSTERN_FLAG_PARAMETERS_H
#define POSTERN_FLAG_PARAMETERS_H

#include "buf.h"

#define FLAG_PARAMETER_MAX 1024 /* octets of one; RFC 3461 grants ORCPT 500, and NOTIFY needs 28 */

/* What NOTIFY demands; bits, none for NEVER. */
enum flag_notify {
    FLAG_NOTIFY_SUCCESS = 1,
    FLAG_NOTIFY_FAILURE = 2,
    FLAG_NOTIFY_DELAY = 4,
    FLAG_NOTIFY_DEFAULT = 8 /* nothing was said: failures, and delays if the MTA likes (RFC 3461 4.1) */
};

/* Point into the parameters; NULL: there is none. */
struct flag_parameters {
    const char *orcpt;
    const char *notify;
    unsigned demands;
};

/*
 * Find ORCPT=… and NOTIFY=…, in any case, the first of each. One with octets that are blanks or controls, or longer
 * than FLAG_PARAMETER_MAX, is passed over, as are all others. parameters is NULL-terminated, or NULL.
 */
void flag_parameters_read(struct flag_parameters *out, const char *const *parameters);

/* Is all that a demands among the demands of b? */
bool flag_notify_within(unsigned a, unsigned b);

/*
 * Append "ORCPT=… NOTIFY=…", or one of them, or nothing: as they were written; without ORCPT that of the address, if it
 * can have one (orcpt.h); NOTIFY anew when demands are more than those that it was written with, never less.
 */
void flag_parameters_write(struct buf *out, const struct flag_parameters *p, unsigned demands, const char *address);

#endif
