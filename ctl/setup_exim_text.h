/*
 * setup_exim_text.h - what contrib/exim has, inside of an operator's files: blocks between two lines that mark them, so
 * that they are found again, written anew, and taken out. Pure.
 */
#ifndef POSTERN_SETUP_EXIM_TEXT_H
#define POSTERN_SETUP_EXIM_TEXT_H

#include "buf.h"

/* The files of contrib/exim. */
enum setup_exim_part {
    SETUP_EXIM_MACROS,
    SETUP_EXIM_ROUTERS,
    SETUP_EXIM_TRANSPORTS,
    SETUP_EXIM_RETRY,
    SETUP_EXIM_PARTS
};

/* What became of it. */
enum setup_exim_put {
    SETUP_EXIM_PUT,
    SETUP_EXIM_NO_PLACE, /* Debian's heading, before which it must stand, is not there */
    SETUP_EXIM_BROKEN,   /* one of the two marks is missing */
    SETUP_EXIM_FOREIGN   /* the same is there without marks, put in by hand */
};

/* "macros", "routers", "transports", "retry" */
const char *setup_exim_part_name(enum setup_exim_part part);

/*
 * Append text with the block in it, whose content is `content`. anchor: the heading of Debian's before which it stands,
 * "router/200_exim4-config_primary"; it is put there also when it was elsewhere. NULL: it stays where it is, or becomes
 * the end. What is appended is of use after SETUP_EXIM_PUT alone.
 */
enum setup_exim_put setup_exim_put(struct buf *out, const char *text, enum setup_exim_part part, const char *content,
                                   const char *anchor);

/* A block of another name than these, such as "certificate", where it is or as the end; by: the command of posternctl's
 * that writes it. SETUP_EXIM_PUT or _BROKEN. */
enum setup_exim_put setup_exim_put_block(struct buf *out, const char *text, const char *name, const char *by,
                                         const char *content);

/* Append text without that block. Returns true when there was one, with both marks. */
bool setup_exim_take_block(struct buf *out, const char *text, const char *name);

/* Has the text a block of this part's? */
bool setup_exim_marked(const char *text, enum setup_exim_part part);

/* Append text without any block of a part's. Returns true when there was one, and each has both marks. */
bool setup_exim_take(struct buf *out, const char *text);

/* Does the text have what this part defines, or an .include of it? */
bool setup_exim_has(const char *text, enum setup_exim_part part);

/* Is it the same for Exim: but for comments and empty lines? */
bool setup_exim_same(const char *a, const char *b);

#endif
