/* probe_host_io.h - what DNS says of one mail server by itself, without MX records. */
#ifndef POSTERN_PROBE_HOST_IO_H
#define POSTERN_PROBE_HOST_IO_H

#include "conf.h"
#include "dest.h"

/*
 * Its addresses and TLSA records, by stsd's resolvers and rules (resolve.h), within ms: a record in which the host is
 * its own only MX host, and vouched for, as somebody has named it. host in its one form. NULL with the reason.
 */
struct dest *probe_host_facts(const struct conf_stsd *conf, const char *host, int64_t ms, struct err *e);

#endif
