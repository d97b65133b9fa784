/* requiretls_probe_io.h - the MX hosts of a plan are asked, all at once, as postern-relayd does. */
#ifndef POSTERN_REQUIRETLS_PROBE_IO_H
#define POSTERN_REQUIRETLS_PROBE_IO_H

#include "conf.h"
#include "err.h"
#include "requiretls.h"

/*
 * Connect to each host of r->path that may be used, go on to the reply to the EHLO under verified TLS, say QUIT, and
 * note in r->host what came of it: of its addresses (relay_walk.h) the first that would take mail with a sender, else
 * the one whose failure counts most. No MAIL is said. Port, name, certificate authorities and times are those of
 * section relayd, but nothing takes longer than so many ms; of those each address of a host gets its share. Returns 0,
 * or -1 with the reason: the authorities cannot be read, or no memory.
 */
int requiretls_probe(struct requiretls *r, const struct conf_relayd *conf, int64_t ms, struct err *e);

#endif
