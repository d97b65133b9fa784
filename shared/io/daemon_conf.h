/* daemon_conf.h - a daemon and its configuration file: where it is, whether it is right, what a change of it means. For
 * daemon.c. */
#ifndef POSTERN_DAEMON_CONF_H
#define POSTERN_DAEMON_CONF_H

#include "conf.h"
#include "daemon.h"

/* The path from the root, to be freed. Links in it stay, so that a reload follows them anew. */
char *daemon_absolute(const char *path);

/* The option -t: say whether the file is right. Returns the exit code. */
int daemon_check(const struct daemon_hooks *hooks, const char *path);

/* A new configuration is not taken up: log why. */
void daemon_log_refused(const struct err *e);

/* The file as it is now (conf_free), or NULL with the reason logged: it is wrong, or the daemon cannot reload. */
struct conf *daemon_read_again(const struct daemon_hooks *hooks, const char *path);

/* Log what has changed for this daemon but takes a restart. */
void daemon_warn_of_restart(const struct daemon_hooks *hooks, const struct conf *before, const struct conf *now);

#endif
