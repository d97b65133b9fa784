/* setup_plan_io.h - a mail server's plan (setup.h) with what only a look at this machine tells: postern.conf, the list.
 */
#ifndef POSTERN_SETUP_PLAN_IO_H
#define POSTERN_SETUP_PLAN_IO_H

#include "setup_server.h"

/*
 * Have the server plan, and add the states of settings and of entries of the list `local`; that this list cannot be
 * read becomes a note. Returns 0 (setup_plan_clear), or -1 with the reason.
 */
int setup_make_plan(struct setup_plan *out, const struct setup_server *server, const struct setup_request *r,
                    struct err *e);

/* For planners: is the file as the last --apply has left it, so that it may be written again? */
bool setup_is_ours(const struct setup_request *r, const char *path);

/* For planners: does postern.conf set this? A default is not set. */
bool setup_conf_is_set(const struct setup_request *r, const char *section, const char *key);

#endif
