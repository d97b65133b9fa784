/* cert_guard.h - may this certificate replace that one? Pure. */
#ifndef POSTERN_CERT_GUARD_H
#define POSTERN_CERT_GUARD_H

#include "cert_store_io.h"

/*
 * What would be lost if fresh (a chain that was read, leaf what its first certificate says) became the live one of this
 * entry at this time: senders that go by PKIX, as it is not good now (expired, not good yet, too weak), or as no
 * authority of trust (those of this system; NULL: not looked at) is behind it, and one is behind the old one, or
 * certificates between them are missing that the old one has; its renewal by ACME; a host name that the old one has.
 * That it ends sooner than the old one is nothing lost. lost is "" for nothing, else a sentence.
 */
void cert_guard(struct err *lost, const struct cert_entry *before, const struct cert_chain *fresh,
                const struct cert_facts *leaf, X509_STORE *trust, int64_t now);

#endif
