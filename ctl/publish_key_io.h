/* publish_key_io.h - the keys that TLSA records are made for: of a PEM file, or of an entry of the store. */
#ifndef POSTERN_PUBLISH_KEY_IO_H
#define POSTERN_PUBLISH_KEY_IO_H

#include "cert_store_io.h"
#include "conf.h"
#include "publish_tlsa.h"

/*
 * word is the name of an entry of the store, its certificate in use, or else a PEM file: a certificate, a chain, a key
 * or a request. entry is filled when it is one of the store; clear both in any case. Returns 0, or -1
 * with the reason.
 */
int publish_key_read(struct tlsa_key *out, struct cert_entry *entry, const struct conf *conf, const char *word,
                     struct err *e);

/* The next key of an entry: of pending.pem, or next.key. Returns 1, 0 when it has none, or -1 with the reason. */
int publish_key_next(struct tlsa_key *out, const struct conf *conf, const struct cert_entry *entry, struct err *e);

#endif
