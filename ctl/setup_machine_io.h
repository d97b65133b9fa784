/* setup_machine_io.h - what a plan must know of the machine, whichever mail server it is for. */
#ifndef POSTERN_SETUP_MACHINE_IO_H
#define POSTERN_SETUP_MACHINE_IO_H

#include "setup_keys.h"

#include <limits.h>

/*
 * Are all name servers of /etc/resolv.conf on loopback, and is there one? *trusted (may be NULL): programs that ask by
 * the C library are told that an answer was validated ("options trust-ad").
 */
bool machine_resolver_is_near(bool *trusted);

/* Keys beside postern.conf, and the group of the user who reads them. out points to the other texts. */
void machine_keys(struct setup_keys *out, char folder[PATH_MAX], char group[300], const char *conf_file,
                  const char *user);

/* Does systemd run here? And, then, has it this unit ("exim4.service")? */
bool machine_has_systemd(void);
bool machine_has_unit(const char *unit);

/* Can a daemon listen there, on 127.0.0.1? */
bool machine_port_is_free(unsigned port);

/*
 * The group that a user must come into to read a log: a path, "journal", or "". Returns out: a name, or "" where he
 * reads it as he is, or there is none yet; NULL: there is no such user, or no group can.
 */
const char *machine_log_group(char out[300], const char *log, const char *user);

#endif
