/* rules_known_io.h - files of rules: those that a person names, and the one in which the milter keeps what it knows. */
#ifndef POSTERN_RULES_KNOWN_IO_H
#define POSTERN_RULES_KNOWN_IO_H

#include "rules_store_io.h"

/*
 * Append the text of a file, or of standard input for "-". The file that the milter keeps (rules_kept.h) is one too:
 * its text is. Returns 0, or -1 with the reason in e.
 */
int rules_known_input(struct buf *out, const char *path, struct err *e);

/*
 * May the rules in Redis be edited? Returns true, or false with the reason reported: they are lost, or older than those
 * in the milter's file (path; "" for none), or that cannot be told.
 */
bool rules_known_allows(const struct rules_stored *seen, const char *path);

#endif
