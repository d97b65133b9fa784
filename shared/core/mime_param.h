/*
 * mime_param.h - the values of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2183): a word, and parameters
 * behind semicolons. Pure. The text is unfolded and has no comments (header_field.h).
 */
#ifndef POSTERN_MIME_PARAM_H
#define POSTERN_MIME_PARAM_H

#include "mime_charset.h"

/* Append the word before the parameters in lower case: "text/plain", "attachment". */
void mime_value_word(struct buf *out, const char *text, size_t len);

/*
 * Append a parameter's value in UTF-8. It may be cut into sections and be percent-encoded in a charset (RFC 2231:
 * name*0*=utf-8''a%20; name*1=b), be quoted or not, or have encoded words in it (RFC 2047), which is wrong but usual.
 * Of several of one name the first goes, an encoded one before one in sections, that before a plain one. Charsets are
 * those of mime_charset.h and of c (NULL: none). Returns 1; 2: it may not be what a mail program shows (enum
 * mime_doubt); 0: there is none.
 */
int mime_param(struct buf *out, const char *text, size_t len, const char *name, struct mime_converter *c);

/*
 * The same, but the octets that the sections and percent encoding stand for, whatever the charset: for a boundary.
 * Returns 1 or 0.
 */
int mime_param_octets(struct buf *out, const char *text, size_t len, const char *name);

#endif
