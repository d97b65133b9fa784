/* cert_choose.h - which certificates of the store a server shows to a client that asks for a host name (SNI). Pure. */
#ifndef POSTERN_CERT_CHOOSE_H
#define POSTERN_CERT_CHOOSE_H

#include "cert_store_io.h"

#define CERT_CHOICES_MAX 3 /* one of each kind of key */

/*
 * For host, in its one form: of each kind of key the best one that is for it, EC, then Ed25519, then RSA. Better is:
 * good now before not yet and expired; the host's own name before a wildcard; the later end. One that is signed by
 * itself is chosen only when none of an authority is good now: clients take the first kind of key that they know, and a
 * sender that goes by PKIX refuses it. One that is expired, or not good yet, is chosen only when none is good now, and
 * then alone. Entries without a live chain, with trouble, or with a key that does not fit are passed over. Returns how
 * many; out are positions in all->entry.
 */
size_t cert_choose(size_t out[CERT_CHOICES_MAX], const struct cert_entries *all, const char *host, int64_t now);

#endif
