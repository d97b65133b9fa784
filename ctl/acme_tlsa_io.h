/*
 * acme_tlsa_io.h - the TLSA records of a certificate's hosts (port 25; tlsa_rollover.h): looked at, put into DNS and
 * taken out by certs.dns_hook, or told to the operator where there is none. A host that has no TLSA records gets none.
 */
#ifndef POSTERN_ACME_TLSA_IO_H
#define POSTERN_ACME_TLSA_IO_H

#include "acme_entry_io.h"

struct acme_tlsa {
    bool activate;     /* no host speaks against using the certificate that waits */
    bool stopped;      /* the records of a host cannot be looked up now; why */
    bool published;    /* the hook has put a record into DNS: it may be seen already */
    int64_t until;     /* nothing more is to be done before; 0: not known */
    int64_t seen;      /* since when the next key is known, for about.tlsa_seen */
    struct buf did;    /* a line for each record that the hook has put there or taken out */
    struct buf wanted; /* a line for each record that the operator is to publish */
    struct buf spare;  /* and for each that may go */
    struct err why;    /* what failed; "" for nothing */
};

/* installed: mail servers use the certificate in use, so that the record of the key before may go. acme_tlsa_clear. */
void acme_tlsa_step(struct acme_tlsa *out, const struct acme_entry *a, bool installed);
void acme_tlsa_clear(struct acme_tlsa *t);

#endif
