/* dns_lookup_io.h - the records of a name, of any type that dns_msg.h knows, waited for. */
#ifndef POSTERN_DNS_LOOKUP_IO_H
#define POSTERN_DNS_LOOKUP_IO_H

#include "conf.h"
#include "dns_io.h"

/* Valid during the call. */
typedef void dns_lookup_fn(void *ctx, const struct dns_answer *answer);

/*
 * Ask the resolvers of stsd, as stsd does; answer->secure (AD) counts as it does there. Returns 0 after fn was called,
 * or -1 with the reason.
 */
int dns_lookup(const struct conf_stsd *conf, const char *name, enum dns_type type, dns_lookup_fn *fn, void *ctx,
               struct err *e);

#endif
