/* acme_dns_io.h - certs.dns_hook: records put into DNS and taken out. */
#ifndef POSTERN_ACME_DNS_IO_H
#define POSTERN_ACME_DNS_IO_H

#include "conf.h"
#include "err.h"

/*
 * Run it as certs.dns_hook says, as the user that policyd runs as: HOOK add|del NAME TYPE TTL DATA. Returns 0, or -1
 * with the reason, which is what it said.
 */
int acme_dns_hook(const struct conf *conf, const char *verb, const char *name, const char *type, int64_t ttl,
                  const char *data, struct err *e);

/* Wait until a TXT record of the name has the text, a minute at most: resolvers may know for long that there was none,
 * and the authority does not ask them. */
void acme_dns_wait(const struct conf *conf, const char *name, const char *text);

#endif
