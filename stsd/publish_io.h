/*
 * publish_io.h - what stsd serves over HTTP to a reverse proxy, which has the certificates (RFC 8461 3.3):
 *
 *   - /.well-known/mta-sts.txt at the host mta-sts.DOMAIN: the policy of that own domain (publications_io.h)
 *   - /.well-known/acme-challenge/TOKEN at any host: the answer to a challenge (RFC 8555 8.3), which Redis has under
 *     PREFIXacme:TOKEN
 *
 * The host is that of the request; what proxies say besides is not believed. The Redis user needs GETRANGE for
 * PREFIXacme:*.
 */
#ifndef POSTERN_PUBLISH_IO_H
#define POSTERN_PUBLISH_IO_H

#include <event2/event.h>

#include "err.h"
#include "publications_io.h"

#define PUBLISH_CONNECTIONS_MAX 256
#define PUBLISH_CACHE_SECONDS   60 /* for which a proxy may keep a policy; senders take no notice of it */
#define PUBLISH_TOKEN_MAX       128
#define PUBLISH_CHALLENGE_MAX   512 /* octets of an answer to ACME */

struct publish;

/* Opens the socket. NULL with the reason in e. */
struct publish *publish_new(struct event_base *base, const char *address, struct err *e);

/* From now on answer; both outlive it, but for publish_free, which comes after redis_free. NULL-safe. */
void publish_run(struct publish *p, struct redis *redis, const struct publications_keeper *keeper);

void publish_free(struct publish *p); /* NULL-safe */

#endif
