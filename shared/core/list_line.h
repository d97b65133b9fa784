/*
 * list_line.h - the operator's lists as text, one entry a line: what `posternctl list export` writes and `import`
 * reads. Pure.
 *
 *   # a comment line
 *   example.com                     a file of one domain a line is such a list
 *   example.com secure by=anna created=2026-11-21T10:00:00Z expires=2027-01-01T00:00:00Z # their bank
 *   .example.net override
 *
 * Behind the pattern comes the value (which may have blanks in it), then override, by=, created= and expires= in any
 * order, then a comment after a blank and "#".
 */
#ifndef POSTERN_LIST_LINE_H
#define POSTERN_LIST_LINE_H

#include "buf.h"
#include "list.h"

#define LIST_LINE_MAX 2048

enum list_line {
    LIST_LINE_BAD = -1, /* see the error */
    LIST_LINE_EMPTY,    /* nothing on it but blanks or a comment */
    LIST_LINE_ENTRY,    /* an entry for this list */
    LIST_LINE_OTHER     /* right, but nothing that this list can hold: the error says what was left out */
};

/*
 * Read a line (without its end; a CR there is passed over) for a list. Where the line does not say them, author and
 * created are those given. *out is the caller's, free with free(). Errors name what is wrong and what to write instead.
 */
enum list_line list_line_read(struct list_entry **out, enum list_id list, const char *line, size_t len,
                              const char *author, int64_t created, struct err *e);

/*
 * The same for a line of a Postfix TLS policy table (postconf(5) smtp_tls_policy_maps: "DOMAIN LEVEL ATTRIBUTES"): a
 * line gives an entry to `exclude` (level none), `require` (encrypt, verify, secure, dane-only) and `protocols`
 * (protocols=, ciphers=). With LIST_LINE_ENTRY, too, the error may say what could not be carried over (match= and the
 * like; may, dane, fingerprint).
 */
enum list_line list_line_read_postfix(struct list_entry **out, enum list_id list, const char *line, size_t len,
                                      const char *author, int64_t created, struct err *e);

/* Append the line of an entry, with its end. */
void list_line_write(struct buf *out, const struct list_entry *entry);

/* "2026-11-21T10:00:00Z". Returns 0, or -1 for anything else. */
int list_time_parse(int64_t *out, const char *text);
void list_time_format(char out[32], int64_t at);

#endif
