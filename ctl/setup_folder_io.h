/*
 * setup_folder_io.h - where `posternctl setup` keeps what it has changed: SETUP_FOLDER/SERVER/ (section posternctl,
 * setup_folder), of root's alone, as all folders above it. In it: manifest (setup_manifest.h), NUMBER.kept (files as
 * they were). SETUP_FOLDER/lock keeps other runs out, of whichever server.
 */
#ifndef POSTERN_SETUP_FOLDER_IO_H
#define POSTERN_SETUP_FOLDER_IO_H

#include "setup_file_io.h"
#include "setup_manifest.h"

struct setup_folder {
    char path[512];
    int lock;
};

/*
 * Make the folder if need be, and keep others out of it for as long as it is open. name: "postfix". Returns 0
 * (setup_folder_close), or -1 with the reason: another run, a folder that others may write to.
 */
int setup_folder_open(struct setup_folder *f, const char *base, const char *name, struct err *e);
void setup_folder_close(struct setup_folder *f);

/*
 * The manifest there, of a folder that need not be open. Returns 1 (setup_manifest_clear), 0: none, or -1 with the
 * reason.
 */
int setup_folder_manifest(struct setup_manifest *out, const char *base, const char *name, struct err *e);

/* 0, or -1 with the reason. */
int setup_folder_write(const struct setup_folder *f, const struct setup_manifest *m, struct err *e);
int setup_folder_keep(const struct setup_folder *f, unsigned number, const char *ending, const struct buf *text,
                      struct err *e);

/* The file as it was, complete: setup_file_clear. */
int setup_folder_kept(struct setup_file *out, const struct setup_folder *f, const struct setup_kept *kept,
                      struct err *e);

/* Take the manifest away; and the copies, too. */
int setup_folder_forget(const struct setup_folder *f, const struct setup_manifest *m, bool copies, struct err *e);

#endif
