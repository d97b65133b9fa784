/* setup_daemons_io.h - Postern's own daemons take up a postern.conf that was changed. */
#ifndef POSTERN_SETUP_DAEMONS_IO_H
#define POSTERN_SETUP_DAEMONS_IO_H

#include "buf.h"
#include "conf.h"
#include "err.h"

#include <stdbool.h>

#define SETUP_DAEMONS 5

/* The daemon whose section this is, 0 to SETUP_DAEMONS - 1; -1: none. */
int setup_daemon(const char *section);

/*
 * Where systemd runs and has the unit, have it reload each daemon whose section was changed, or restart it where it
 * takes the change up by that alone; else append to said what is to be done by hand. Returns 0, or -1 with the reason.
 */
int setup_daemons_reload(struct buf *said, const bool changed[SETUP_DAEMONS], const struct conf *before,
                         const struct conf *now, struct err *e);

#endif
