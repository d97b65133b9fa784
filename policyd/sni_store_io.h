/*
 * sni_store_io.h - the store of certificates (certs.folder) as policyd serves it: read in a thread of its own, and
 * again when a file of it changes, when a certificate begins or ends, and when it is told to. What was read before
 * stays in use until that is done, and when the folder cannot be read.
 */
#ifndef POSTERN_SNI_STORE_IO_H
#define POSTERN_SNI_STORE_IO_H

#include <event2/event.h>

#include "buf.h"
#include "sni_table.h"

#define SNI_LOOK_MS     3000 /* how often it is looked whether a file has changed */
#define SNI_METRICS_MAX 1000 /* certificates that /metrics names: those that end first */

struct sni_store;

/*
 * Read the folder. answers: Postfix asks for what is in it, so replies are made; else it is read for
 * metrics alone. A folder that cannot be read is logged.
 */
struct sni_store *sni_store_new(struct event_base *base, const char *folder, bool answers);

/* Call fn once, from the loop, when it was read for the first time, or could not be: until then there is no answer. */
void sni_store_when_read(struct sni_store *s, void (*fn)(void *ctx), void *ctx);

/* NULL-safe. Waits for the thread, but not long: one that hangs in a folder that does not answer ends with the process,
 * and only then is all of it freed. */
void sni_store_free(struct sni_store *s);

/* Read it anew, from this folder, soon. */
void sni_store_reload(struct sni_store *s, const char *folder);

/* The reply for a host in its one form, a whole netstring; NULL: no certificate is for it. Allocates nothing. */
const char *sni_store_get(const struct sni_store *s, const char *host, size_t *len);

/* The certificates as metrics, postern_certificate_...; ctx is the store, NULL: none is read. */
void sni_store_metrics(void *ctx, struct buf *out);

#endif
