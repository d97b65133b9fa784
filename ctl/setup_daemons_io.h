/* setup_daemons_io.h - Postern's own daemons take up what was changed: postern.conf, and what their users may do. */
#ifndef POSTERN_SETUP_DAEMONS_IO_H
#define POSTERN_SETUP_DAEMONS_IO_H

#include "buf.h"
#include "conf.h"
#include "err.h"
#include "setup.h"

#define SETUP_DAEMONS 5

/* What is to be told to a daemon; a later one says more. */
enum setup_news {
    SETUP_NEWS_NONE,
    SETUP_NEWS_CONF,   /* its section was changed */
    SETUP_NEWS_MACHINE /* something that it takes up when it is started, such as a group of its user */
};

/* Have news hold what a step that is made or taken back has for the daemons. */
void setup_daemons_note(enum setup_news news[SETUP_DAEMONS], const struct setup_step *s);

/*
 * Where systemd runs and has the unit, have it reload each daemon whose section was changed, or restart it where it
 * takes up what was changed by that alone; else append to said what is to be done by hand. before, now: postern.conf.
 * Returns 0, or -1 with the reason.
 */
int setup_daemons_reload(struct buf *said, const enum setup_news news[SETUP_DAEMONS], const struct conf *before,
                         const struct conf *now, struct err *e);

#endif
