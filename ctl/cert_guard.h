/* cert_guard.h - may this certificate replace that one? Pure. */
#ifndef POSTERN_CERT_GUARD_H
#define POSTERN_CERT_GUARD_H

#include "cert_store_io.h"

/*
 * What would be lost if fresh became the live one of this entry: a host name that the old one has, the rest of its
 * time, an authority, its renewal by ACME. "" for nothing, else a sentence.
 */
void cert_guard(struct err *lost, const struct cert_entry *before, const struct cert_chain *fresh,
                const struct cert_facts *leaf, int64_t now);

#endif
