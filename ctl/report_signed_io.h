/* report_signed_io.h - a report as the mail that tlsrptd would send, signed by the keys of the configuration. */
#ifndef POSTERN_REPORT_SIGNED_IO_H
#define POSTERN_REPORT_SIGNED_IO_H

#include <stdint.h>

#include "buf.h"
#include "conf.h"
#include "err.h"
#include "report.h"

/*
 * Append the mail to the first mailto: destination of the record; *mails is how many there are. Without one nothing is
 * appended. Returns 0, or -1 with the reason: a key that cannot be read, among others.
 */
int report_signed(struct buf *out, size_t *mails, const struct report *r, const char *record,
                  const struct conf_tlsrptd *conf, const char *unique, int64_t now, struct err *e);

#endif
