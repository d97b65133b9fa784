/* publish_hosts_io.h - the TLSA records of all MX hosts of a domain that have a certificate in the store. */
#ifndef POSTERN_PUBLISH_HOSTS_IO_H
#define POSTERN_PUBLISH_HOSTS_IO_H

#include "buf.h"
#include "conf.h"
#include "err.h"
#include "publish_verdict.h"

/*
 * Append the records, with comments; where they would not fit what the host shows now, where that cannot be seen, or
 * where they belong to another zone than the domain's, as comments. Returns 0, or -1 with the reason: a host cannot be
 * seen, MX records, the store or some of it cannot be read now, or there are too many hosts; what is known is appended
 * all the same.
 */
int publish_hosts_zone(struct buf *zone, const struct conf *conf, const char *domain, struct err *e);

/* The same against live DNS and the live hosts, also of hosts without a certificate in the store. */
void publish_hosts_check(struct verdicts *v, const struct conf *conf, const char *domain);

#endif
