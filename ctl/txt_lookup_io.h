/* txt_lookup_io.h - the TXT records of a name, waited for. */
#ifndef POSTERN_TXT_LOOKUP_IO_H
#define POSTERN_TXT_LOOKUP_IO_H

#include "conf.h"
#include "dns_io.h"

/* Valid during the call. */
typedef void txt_lookup_fn(void *ctx, const struct dns_answer *answer);

/* Ask the resolvers of stsd, as stsd does. Returns 0 after fn was called, or -1 with the reason. */
int txt_lookup(const struct conf_stsd *conf, const char *name, txt_lookup_fn *fn, void *ctx, struct err *e);

#endif
