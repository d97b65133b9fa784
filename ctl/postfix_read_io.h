/* postfix_read_io.h - a Postfix's configuration, by postconf(1), and the tables that it names. */
#ifndef POSTERN_POSTFIX_READ_IO_H
#define POSTERN_POSTFIX_READ_IO_H

#include "buf.h"
#include "err.h"
#include "postfix_conf.h"

/* dir: where main.cf and master.cf are; NULL: Postfix's own place. Returns 0 (postfix_conf_free), or -1 with the
 * reason.
 */
int postfix_read(struct postfix_conf *out, const char *dir, struct err *e);

/* A postfix_reader (postfix_check.h). A pipe or a device is no table, and is not waited for. */
int postfix_read_table(void *ctx, const char *path, struct buf *out, struct err *e);

#endif
