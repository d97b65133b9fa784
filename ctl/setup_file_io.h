/* setup_file_io.h - files of a mail server, looked at and put back: content, permissions, owner, symbolic link. */
#ifndef POSTERN_SETUP_FILE_IO_H
#define POSTERN_SETUP_FILE_IO_H

#include "buf.h"
#include "err.h"
#include "setup_manifest.h"

#include <stdbool.h>

struct setup_file {
    bool there;
    char *link;            /* it is a symbolic link to that; NULL: it is none */
    char hash[SETUP_HASH]; /* SHA-256 of its text; "": not there */
    unsigned mode, uid, gid;
    struct buf text;
};

/* All of a file of at most SETUP_FILE_MAX octets. 0 (setup_file_clear; there may be none), or -1 with the reason. */
int setup_file_look(struct setup_file *out, const char *path, struct err *e);
void setup_file_clear(struct setup_file *f);

/*
 * Have the file contain this: a new one beside it takes its place when it is safe on disk. A symbolic link stays, the
 * file that it leads to is replaced. Returns 0, or -1 with the reason.
 */
struct setup_owner {
    unsigned mode, uid, gid;
};
int setup_file_put(const char *path, const char *text, size_t len, const struct setup_owner *owner, struct err *e);

/* What is there is as `f` afterwards, the link too. Nothing is written when it is so already. */
int setup_file_restore(const char *path, const struct setup_file *f, struct err *e);

/* Take away what a put that was killed has left beside the file. */
void setup_file_tidy(const char *path);

#endif
