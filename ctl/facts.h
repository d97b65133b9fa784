/* facts.h - a destination record for people. Pure. */
#ifndef POSTERN_FACTS_H
#define POSTERN_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "dest.h"

/* Append the record as aligned lines: domain, MX hosts, MTA-STS, TLSRPT, times. Errors stick in out. */
void facts_print(struct buf *out, const struct dest *d, int64_t now, bool colour);

#endif
