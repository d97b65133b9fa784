/*
 * mime.h - the parts of a message (RFC 2045, 2046): what type each is of, its name when it is an attachment, and its
 * text in UTF-8 when it is text. Pure.
 *
 * Multiparts and messages within messages are gone into; they need not be in form: a part goes on to the next line that
 * is a boundary of any multipart around it, the innermost first, or to the end. Such a line is "--", the whole
 * boundary,
 * "--" at the last, and blanks; so a boundary that begins like another is another. What is before the first part of a
 * multipart and behind its last is no part. Whatever the octets are, each is looked at a bounded number of times (a
 * line that begins with "--" once for each multipart around it), and nothing is remembered but the parts.
 */
#ifndef POSTERN_MIME_H
#define POSTERN_MIME_H

#include "header_field.h"

#define MIME_TYPE_MAX     127   /* octets of "type/subtype" */
#define MIME_CHARSET_MAX  63    /* octets of the charset's name */
#define MIME_NAME_MAX     1024  /* octets of an attachment's name, in UTF-8 */
#define MIME_BOUNDARY_MAX 255   /* RFC 2046 5.1.1 grants 70 */
#define MIME_VALUE_MAX    16384 /* octets of a field's value that are looked at */

struct mime_limits {
    size_t depth; /* multiparts and messages within one another */
    size_t parts;
    size_t text;  /* octets of all texts together */
    bool no_text; /* no text is wanted, and none is read */
};

/* Why parts or text may be missing; the first reason counts. */
enum mime_cut {
    MIME_WHOLE,     /* none is */
    MIME_CUT_END,   /* the octets end before the message does */
    MIME_CUT_DEPTH, /* as is what the limits are for: */
    MIME_CUT_PARTS,
    MIME_CUT_TEXT, /* or there is no memory for a text */
    MIME_CUT_FIELD /* a value, name or boundary is longer than the limits above */
};

const char *mime_cut_name(enum mime_cut cut); /* "whole", "end", "depth", "parts", "text", "field" */

/* Why what is in a part cannot be told for sure. */
enum mime_guess {
    MIME_SURE,           /* it can */
    MIME_GUESS_PARTS,    /* a multipart or message that was not gone into */
    MIME_GUESS_TRANSFER, /* an unknown transfer encoding */
    MIME_GUESS_CHARSET,  /* an unknown charset */
    MIME_GUESS_OCTETS    /* octets that the charset does not have (MIME_DOUBT_OCTETS), too much to convert */
};

struct mime_part {
    char type[MIME_TYPE_MAX + 1];       /* in lower case; text/plain when there is none, or none in form */
    char charset[MIME_CHARSET_MAX + 1]; /* as it was written; "" when there is none */
    char *name;                         /* Content-Disposition filename, or else Content-Type name; NULL: none */
    char *text; /* UTF-8 without NUL, lines end with LF; NULL: the part is none of text, message or multipart. Where
                   ASCII is not itself in the charset, the octets as they are follow in lines of their own */
    size_t text_len;
    size_t depth;      /* multiparts and messages around it */
    bool attachment;   /* it has a name, or a Content-Disposition that is not inline */
    bool name_guessed; /* its name may not be what a mail program shows */
    enum mime_guess guessed;
};

struct mime {
    struct mime_part *part; /* in the order of the message; multiparts that were gone into are not among them */
    size_t count;
    enum mime_cut cut;
};

/*
 * Read a message: the fields of its header (count may be 0; the first of each name goes) and its body, which may be cut
 * anywhere: `more` says that it was, and a last line that is cut off is no boundary. c (NULL: none) knows
 * charsets that mime_charset.h does not. Returns 0, and mime_clear frees
 * it; or -1 without memory, and nothing is to free.
 */
int mime_read(struct mime *out, const struct header_field *fields, size_t count, const char *body, size_t len,
              bool more, const struct mime_limits *limits, struct mime_converter *c);

/* Free the parts. Safe on a cleared one. */
void mime_clear(struct mime *m);

#endif
