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

#endif
