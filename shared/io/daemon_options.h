/* daemon_options.h - the options that every daemon takes. For daemon.c. */
#ifndef POSTERN_DAEMON_OPTIONS_H
#define POSTERN_DAEMON_OPTIONS_H

#include <stdbool.h>

struct daemon_options {
    const char *conf; /* as it was given */
    bool front;
    bool test;
};

/* Returns -1 to go on, or the exit code: what was asked for is printed, or the options are wrong. */
int daemon_options_read(struct daemon_options *out, int argc, char **argv, const char *name, const char *summary);

#endif
