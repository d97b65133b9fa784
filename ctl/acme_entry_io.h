/* acme_entry_io.h - a certificate of the store that is renewed by ACME: its keys, the one that waits, and what is known
 * of it. */
#ifndef POSTERN_ACME_ENTRY_IO_H
#define POSTERN_ACME_ENTRY_IO_H

#include <openssl/evp.h>

#include "cert_store_io.h"
#include "conf.h"

struct acme_entry {
    const struct conf *conf;
    struct cert_entry entry; /* live, and about, whose fields of ACME may be changed: acme_entry_save */

    bool waits; /* pending.pem is there and good */
    struct cert_chain pending;
    struct cert_facts pending_leaf;

    struct buf next_pem; /* next.key; empty: there is none */
    EVP_PKEY *next;

    /* Of public keys (cert_key_digest). next: of pending where that waits. */
    bool has_live, has_next, has_old;
    uint8_t live_key[CERT_DIGEST_LEN], next_key[CERT_DIGEST_LEN], old_key[CERT_DIGEST_LEN];
    int64_t switched; /* when live.pem came into its place */
};

/* Returns 1, 0 when there is none of that name, or -1 with the reason. */
int acme_entry_read(struct acme_entry *out, const struct conf *conf, const char *name, struct err *e);
void acme_entry_clear(struct acme_entry *a); /* may be called twice */

/* When it is renewed; 0: at once, as there is no certificate yet. */
int64_t acme_entry_due(const struct acme_entry *a);

/* These take the lock of the store meanwhile, and return 0, or -1 with the reason. The entry is as in the store then.
 */
int acme_entry_save(struct acme_entry *a, struct err *e);     /* the fields of ACME of about; others as they are */
int acme_entry_new_key(struct acme_entry *a, struct err *e);  /* next.key, in the place of the one before */
int acme_entry_activate(struct acme_entry *a, struct err *e); /* pending.pem becomes live.pem */
int acme_entry_drop(struct acme_entry *a, struct err *e);     /* pending.pem goes: it got too old */
int acme_entry_pending(struct acme_entry *a, const struct buf *pem, struct err *e); /* it waits from now on */

#endif
