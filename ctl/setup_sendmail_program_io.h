/* setup_sendmail_program_io.h - where Sendmail and its configuration are, and what it says of them. */
#ifndef POSTERN_SETUP_SENDMAIL_PROGRAM_IO_H
#define POSTERN_SETUP_SENDMAIL_PROGRAM_IO_H

#include "setup_server.h"

#include <limits.h>

#define SETUP_SENDMAIL_MC_MAX 100000 /* octets of a sendmail.mc: it goes to m4 as a word of a command */

struct sendmail_place {
    char folder[PATH_MAX], cf[PATH_MAX + 16];
    const char *program; /* "": none; static */
};

/* Returns 0, or -1 with the reason: there is no such folder. */
int sendmail_find(struct sendmail_place *out, const struct setup_request *r, struct err *e);

/* Append what its address test mode (-bt) prints, with an option (NULL: none) and for one line (NULL: none). Returns 0,
 * or -1 with the reason: what it says of its sendmail.cf. */
int sendmail_test(struct buf *out, const struct sendmail_place *place, const char *option, const char *line,
                  struct err *e);

#endif
