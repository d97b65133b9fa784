/* probe_io.h - connecting to the MX hosts of a domain as a sender would. */
#ifndef POSTERN_PROBE_IO_H
#define POSTERN_PROBE_IO_H

#include "conf.h"
#include "err.h"
#include "probe.h"

/*
 * Ask stsd for fresh facts of the domain (or of a host: "[mx.example.com]" is that host alone, by its own address and
 * TLSA records), then all addresses at once: greeting, EHLO, STARTTLS, EHLO, QUIT, within ms all in all. Name and
 * certificate authorities are those of section relayd. NULL with the reason: stsd is away, the domain cannot be
 * resolved now, the authorities cannot be read. probe_free.
 */
#define PROBE_PORT 25
struct probe *probe_run(const struct conf *conf, const char *name, uint16_t port, int64_t ms, struct err *e);

#endif
