/* setup_exim_read.h - what Debian's update-exim4.conf.conf and Exim itself (-bV, -bpu) say. Pure. */
#ifndef POSTERN_SETUP_EXIM_READ_H
#define POSTERN_SETUP_EXIM_READ_H

#include "address_tag.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>

#define SETUP_EXIM_VALUE 16384
#define SETUP_EXIM_ID    64

/* Lists as they are written; in lower case, as update-exim4.conf(8) makes them. */
struct setup_exim_debian {
    bool split;
    char type[64]; /* dc_eximconfig_configtype */
    char other_hostnames[SETUP_EXIM_VALUE], relay_domains[SETUP_EXIM_VALUE], smarthost[SETUP_EXIM_VALUE];
};

/* Read the file, which is a piece of shell. Returns 0, or -1 with the reason: a value too long, or computed. */
int setup_exim_read_debian(struct setup_exim_debian *out, const char *text, struct err *e);

struct setup_exim_build {
    unsigned major, minor;
    bool gnutls, dane, events;
};

/* Read what -bV prints. Returns 0, or -1 with the reason. */
int setup_exim_read_build(struct setup_exim_build *out, const char *text, struct err *e);

struct setup_exim_queued {
    char id[SETUP_EXIM_ID];
    bool held;       /* frozen already */
    bool flagged;    /* a recipient that is still to have it has the tag */
    char first[256]; /* of these recipients, cut */
};

/*
 * Read the next message at *text, which -bpu has printed, and go on to the one behind. Returns 1, 0 at the end, or -1
 * with the reason.
 */
int setup_exim_read_queued(struct setup_exim_queued *out, const char **text, const struct address_tag *tag,
                           struct err *e);

#endif
