/*
 * setup_manifest.h - what `posternctl setup SERVER --apply` has kept and done, so that --undo can take it back: a JSON
 * file in the folder of that server (setup_folder_io.h). Pure.
 */
#ifndef POSTERN_SETUP_MANIFEST_H
#define POSTERN_SETUP_MANIFEST_H

#include "buf.h"
#include "setup.h"

#include <stdint.h>

#define SETUP_MANIFEST_MAX ((size_t)4 << 20) /* octets */
#define SETUP_FILES_MAX    200               /* that are kept */
#define SETUP_HASH         65                /* SHA-256 in hexadecimal digits, and the NUL */

enum setup_stage {
    SETUP_APPLYING, /* begun, and not ended: nobody knows which of it was done */
    SETUP_APPLIED,
    SETUP_UNDOING /* the same the other way round */
};

/* A file as it was. */
struct setup_kept {
    char *path;              /* from the root */
    char *link;              /* it was a symbolic link to that; NULL: it was none */
    char before[SETUP_HASH]; /* "": there was none */
    char after[SETUP_HASH];  /* as --apply has left it; "": there is none, or in SETUP_APPLYING, not known */
    bool edited;             /* somebody had edited it between two --apply */
    unsigned mode, uid, gid;
    unsigned number; /* of the copy: NUMBER.kept */
};

/* What was done, and how it is taken back where its file was edited since. */
struct setup_done {
    struct setup_step step; /* COMMAND, CONF or LOCAL */
    char *said; /* COMMAND: what `shows` printed afterwards; CONF: the value before; NULL: nothing, or none */
    bool taken; /* COMMAND, CONF: an --undo that did not come to its end has taken it back */
};

struct setup_manifest {
    enum setup_stage stage;
    char *server, *conf_file;
    int64_t when; /* of the last --apply, seconds since the epoch */
    struct setup_kept *file;
    size_t file_count;
    struct setup_done *done;
    size_t done_count;
    char **reload; /* NULL: none */
};

/* Append it as JSON; a text that is no UTF-8 is {"hex":DIGITS} there. Returns 0, or -1 without memory. */
int setup_manifest_write(struct buf *out, const struct setup_manifest *m);

/* Read one. Returns 0 (setup_manifest_clear), or -1 with what is wrong: foreign text, every member is checked. */
int setup_manifest_read(struct setup_manifest *out, const char *text, size_t len, struct err *e);

void setup_manifest_clear(struct setup_manifest *m);

/* The file of that path; NULL: it is not there. */
struct setup_kept *setup_manifest_file(const struct setup_manifest *m, const char *path);

/* One more, empty but for its path and number, or for what the step has; NULL without memory, or beyond the limits. */
struct setup_kept *setup_manifest_add_file(struct setup_manifest *m, const char *path);
struct setup_done *setup_manifest_add_done(struct setup_manifest *m, const struct setup_step *step);

#endif
