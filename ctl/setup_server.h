/*
 * setup_server.h - what `posternctl setup` needs to know of a mail server: one line of the table in
 * setup_commands_io.c.
 */
#ifndef POSTERN_SETUP_SERVER_H
#define POSTERN_SETUP_SERVER_H

#include "buf.h"
#include "conf.h"
#include "ctl.h"
#include "setup.h"
#include "setup_manifest.h"

#include <stdbool.h>

struct cert_use;

/* What is asked for. */
struct setup_request {
    const struct ctl *ctl; /* conf_file; config_dir: NULL: the server's own place */
    const struct conf *conf;
    const struct buf *conf_text;         /* postern.conf as it is (conf_edit.h) */
    const char *share;                   /* folder: share/postfix/flags.cf is contrib/postfix/flags.cf */
    const struct setup_manifest *before; /* what --apply has done before; NULL: nothing */
    const struct cert_use *cert;         /* of cert use (cert_use.h); NULL: of setup */
};

struct setup_server {
    const char *name;
    const char *command; /* by which posternctl does it: "setup postfix"; with --undo it takes it back */
    const char *kept_as; /* how the folder's name begins in which things are kept; NULL: by its own name */

    /* Read the server's configuration, and plan. Returns 0, or -1 with the reason; the plan is cleared by the caller.
     */
    int (*plan)(struct setup_plan *out, const struct setup_request *r, struct err *e);

    /* Does it run, so that a reload makes sense? */
    bool (*running)(const struct setup_request *r);

    /*
     * For --undo, before it and after: put flagged mail in the queue on hold, as the server would soon send it like any
     * other. Append what was done, for people, a line each. Returns how many messages, or -1 with the reason. NULL: it
     * has no flagged mail.
     */
    int (*hold)(struct buf *said, const struct setup_request *r, struct err *e);

    /*
     * For --undo, of a file that was edited since: append its text without what --apply has put into it. Returns false
     * when it has nothing of that, or it cannot be told apart. NULL: of this server's files it never can.
     */
    bool (*without)(struct buf *out, const char *text);

    /*
     * Behind --apply, when the server has been told: is it as it should be? Else -1 with the reason, and all is put
     * back. What it has to say is appended. NULL: nothing to look at.
     */
    int (*works)(struct buf *said, const struct setup_request *r, struct err *e);

    /* Behind --apply: append what a person should still look at, a line each. NULL: nothing to say. */
    void (*findings)(struct buf *said, const struct setup_request *r);
};

#endif
