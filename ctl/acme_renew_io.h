/*
 * acme_renew_io.h - one certificate by ACME, as far as it can go now: its next key, a certificate for that when it is
 * due, the TLSA records of both keys, the switch, the mail servers that use it. What is left waits for the next run; a
 * run that is killed at any point is gone on with by the next one.
 */
#ifndef POSTERN_ACME_RENEW_IO_H
#define POSTERN_ACME_RENEW_IO_H

#include <jansson.h>

#include "acme_client_io.h"

struct acme_renewal {
    const char *state; /* "good", "waits" (is issued), "activated", "failed" */
    bool failed;
    struct buf did;    /* a line for each thing that was done */
    struct buf wanted; /* a line for each TLSA record that the operator is to publish, as in a zone file */
    struct buf spare;  /* and for each that may be taken out */
    struct buf trouble;
    int64_t due, until; /* until: what it waits for; 0: nothing, or not known */
};

/*
 * force: now, whatever the dates say, and also within a day of a failure. Returns 1, 0 when there is no such
 * certificate, or it is not one by ACME, or -1 with the reason (the store). acme_renewal_clear in any case.
 */
int acme_renew(struct acme_renewal *out, const struct acme_client *c, const char *name, bool force, struct err *e);
void acme_renewal_clear(struct acme_renewal *r);

#endif
