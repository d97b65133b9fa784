/*
 * setup_apply_io.h - a plan (setup.h) is carried out, and taken back. What is changed is kept before
 * (setup_folder_io.h), so that a run that is killed midway can be taken back, too.
 */
#ifndef POSTERN_SETUP_APPLY_IO_H
#define POSTERN_SETUP_APPLY_IO_H

#include "setup_folder_io.h"
#include "setup_server.h"

/*
 * Make all that is NEEDED: settings of postern.conf, then commands and files in their order, then entries of the list
 * `local`. The plan is made anew then and must need nothing more; Postern's daemons and the mail server take it up.
 * What fails midway has all of it put back. said: lines for people, what commands have printed among them. Returns 0,
 * or -1 with the reason.
 */
int setup_apply(struct buf *said, const struct setup_folder *folder, const struct setup_server *server,
                const struct setup_request *r, const struct setup_plan *plan, struct err *e);

/*
 * Take all of it back: files that are as --apply has left them become what they were, octet for octet; of others each
 * step is taken back by itself, unless what it has made was changed, too, and the rest is said. Flagged mail in the
 * queue is put on hold before. force: go on when that cannot be done. *left: how much was left. Returns 1, 0: there was
 * nothing to take back, or -1 with the reason.
 */
int setup_undo(struct buf *said, const struct setup_folder *folder, const struct setup_server *server,
               const struct setup_request *r, bool force, size_t *left, struct err *e);

#endif
