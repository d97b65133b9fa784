/* utf8_fold.h - text without its case, to compare and to search without case. Pure. */
#ifndef POSTERN_UTF8_FOLD_H
#define POSTERN_UTF8_FOLD_H

#include <stddef.h>

/*
 * Write len octets to out: those of in, with letters of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic in lower
 * case (simple case folding of Unicode, as far as both letters take two octets). What is no UTF-8 stays as it is. The
 * length never changes, so an offset in one text is that in the other. out may be in.
 */
void utf8_fold(char *out, const char *in, size_t len);

#endif
