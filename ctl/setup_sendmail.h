/*
 * setup_sendmail.h - what a Sendmail lacks so that it goes by Postern: contrib/sendmail/postern.m4 at the end of
 * sendmail.mc, a sendmail.cf made of that, the settings of postern.conf that depend on it, its own domains for the list
 * `local`. Pure.
 */
#ifndef POSTERN_SETUP_SENDMAIL_H
#define POSTERN_SETUP_SENDMAIL_H

#include "buf.h"
#include "conf.h"
#include "setup.h"

/* What m4 makes of a sendmail.mc. */
struct setup_sendmail_made {
    const char *text; /* NULL: it ends with an error */
    const char *why;
};

/* All of the machine that the plan depends on. Texts are the caller's. */
struct setup_sendmail_facts {
    const char *config_dir;                       /* where sendmail.mc and sendmail.cf are */
    const char *program;                          /* path of sendmail; "": it is not there */
    const char *built;                            /* what sendmail -d0.13 -bt prints */
    const char *mc, *cf;                          /* these files; NULL: there is none */
    const char *cf_wrong;                         /* why sendmail does not take sendmail.cf as it is; "": it does */
    bool cf_is_ours;                              /* it is as the last --apply has left it */
    struct setup_sendmail_made now, bare, wanted; /* of sendmail.mc: as it is, without our lines, with them as they are
                                                     to be */
    bool authorities;                             /* there is a file of them */
    bool dane_set;                                /* policyd.dane is in postern.conf */
    const char *beside;                           /* another mail server that was set up here: "postfix"; "": none */
    const char *own, *relayed, *virtual;          /* classes w, R, VirtHost as sendmail -bt prints them */
    const char *mailertable;                      /* text of the file; "": there is none */
    const char *const *reload;                    /* ends with NULL */
};

#define SETUP_SENDMAIL_LINES 7

/* The lines that belong at the end of sendmail.mc, marks and all. */
struct setup_sendmail_lines {
    size_t count;
    char line[SETUP_SENDMAIL_LINES][600];
};

/* include: path of postern.m4. Returns 0, or -1 with the reason: a daemon listens where Sendmail cannot go, names that
 * m4 would take for its own. */
int setup_sendmail_lines(struct setup_sendmail_lines *out, const struct conf *postern, const char *include,
                         struct err *e);

/* Append sendmail.mc without our lines, then (lines may be NULL) with these at its end; where the operator has written
 * the include himself there are none afterwards, lines->count is 0 then. Returns 0, or -1: one of the marks is missing.
 */
int setup_sendmail_mc(struct buf *out, const char *mc, struct setup_sendmail_lines *lines);

/* m4's arguments for it: out has room for 4 and the NULL. */
void setup_sendmail_m4(const char *out[5], const char *mc, const char *file);

/* The value of "O NAME=" in a sendmail.cf, appended to out; false: there is none. */
bool setup_sendmail_option(struct buf *out, const char *cf, const char *name);

void setup_sendmail(struct setup_plan *out, const struct conf *postern, struct setup_sendmail_lines *lines,
                    const struct setup_sendmail_facts *facts);

#endif
