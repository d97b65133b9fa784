/* setup_local_io.h - the entries of the list `local` that a plan has (setup.h). */
#ifndef POSTERN_SETUP_LOCAL_IO_H
#define POSTERN_SETUP_LOCAL_IO_H

#include "buf.h"
#include "ctl.h"
#include "setup.h"

/* Entries that the list has already are THERE, the others NEEDED; those that it cannot have are a note. Returns 0, or
 * -1 when Redis cannot be asked, with the reason reported; then all are NEEDED. */
int setup_local_look(struct setup_plan *p, const struct ctl *ctl);

/* Add those that are NEEDED, as "posternctl setup SERVER". *begun: some may be there. Returns 0, or -1 with the reason.
 */
int setup_local_add(const struct setup_plan *p, const struct ctl *ctl, bool *begun, struct err *e);

/*
 * Take entries out that were added so; words end with NULL. What somebody has changed since stays, and is said in
 * `left`. Returns 0, or -1 with the reason.
 */
int setup_local_take(const char *server, char *const *domains, const struct ctl *ctl, struct buf *left, struct err *e);

#endif
