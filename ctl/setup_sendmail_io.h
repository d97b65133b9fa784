/* setup_sendmail_io.h - Sendmail for setup_server.h: its configuration, m4, its queue. */
#ifndef POSTERN_SETUP_SENDMAIL_IO_H
#define POSTERN_SETUP_SENDMAIL_IO_H

#include "setup_server.h"

int setup_sendmail_plan(struct setup_plan *out, const struct setup_request *r, struct err *e);
bool setup_sendmail_running(const struct setup_request *r);
int setup_sendmail_hold(struct buf *said, const struct setup_request *r, struct err *e);

#endif
