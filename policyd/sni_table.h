/*
 * sni_table.h - what Postfix gets for each host name that a client may ask for (tls_server_sni_maps): the finished
 * replies, with private keys, made of the store of certificates ahead of all requests. Pure but for OpenSSL.
 */
#ifndef POSTERN_SNI_TABLE_H
#define POSTERN_SNI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cert_store_io.h"

struct sni_table;

/* One entry of the store, for metrics and the log. */
struct sni_certificate {
    char name[CERT_NAME_MAX + 1];
    int64_t expires;                                         /* the first end in its chain; 0: there is no chain yet */
    char trouble[sizeof(((struct cert_entry *)0)->trouble)]; /* "" for none */
};

/*
 * What goes at this time (cert_choose). The entries stay the caller's, and are not needed any more. answers: make
 * replies; else the table only knows the certificates. secret: 16 random octets. NULL without memory.
 */
struct sni_table *sni_table_new(const struct cert_entries *all, int64_t now, bool answers, const uint8_t secret[16]);

/* NULL-safe. Keys are overwritten. */
void sni_table_free(struct sni_table *t);

/* The reply for a host in its one form, a whole netstring; NULL: no certificate is for it. Allocates nothing. */
const char *sni_table_get(struct sni_table *t, const char *host, size_t *len);

/*
 * When another choice may be due, as a certificate of a chain begins or ends, or one in trouble may have got over it:
 * seconds since the epoch, or INT64_MAX.
 */
int64_t sni_table_until(const struct sni_table *t);

/* All entries, those that end first before others, those without a chain last. */
const struct sni_certificate *sni_table_certificates(const struct sni_table *t, size_t *count);

/* Host names and wildcards that there is a reply for. */
size_t sni_table_names(const struct sni_table *t);

#endif
