/*
 * setup_run_io.h - one run of a command that changes a mail server's configuration: the plan shown, carried out or
 * taken back, and what came of it printed. For `posternctl setup` and `posternctl cert use`.
 */
#ifndef POSTERN_SETUP_RUN_IO_H
#define POSTERN_SETUP_RUN_IO_H

#include "setup_server.h"

enum setup_way { SETUP_SHOW, SETUP_APPLY, SETUP_UNDO };

/*
 * cert: what the server's plan is to be about, beside postern.conf (setup_request); NULL: nothing. Returns an enum
 * ctl_exit, errors reported: CTL_NO too when SETUP_SHOW has something to do, or SETUP_UNDO has left something;
 * CTL_USAGE when --config-dir names no folder, unless --apply has changed something in it before.
 */
int setup_run(const struct ctl *ctl, const struct setup_server *server, const struct cert_use *cert,
              enum setup_way way);

#endif
