/* setup_exim_io.h - Debian's Exim, for the table of mail servers (setup_server.h). */
#ifndef POSTERN_SETUP_EXIM_IO_H
#define POSTERN_SETUP_EXIM_IO_H

#include "setup_server.h"

int setup_exim_plan(struct setup_plan *out, const struct setup_request *r, struct err *e);
bool setup_exim_running(const struct setup_request *r);
int setup_exim_hold(struct buf *said, const struct setup_request *r, struct err *e);

/* Is what Exim reads what update-exim4.conf makes of the files as they are? When that fails, it is not. */
bool setup_exim_is_generated(const char *config_dir);

#endif
