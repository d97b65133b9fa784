/*
 * smtp_reply.h - a server's replies, read from octets in any pieces (RFC 5321 4.2; enhanced status codes: RFC 2034,
 * RFC 3463). Pure. The server may be hostile: what is kept is bounded, and a broken reply is an error in words.
 *
 *   250-first line
 *   250 2.1.0 last line
 *
 * A line is three digits, the first 2 to 5, then "-" (more lines follow), or a blank or nothing (the last one), then
 * text, then CRLF. All lines of a reply have the same code. Errors are: other digits or none; another octet behind
 * them; a code that changes; CR or LF alone; NUL; a limit passed. Other controls and 8-bit octets are taken: they are
 * masked where people see them.
 */
#ifndef POSTERN_SMTP_REPLY_H
#define POSTERN_SMTP_REPLY_H

#include "err.h"
#include "smtp_text.h"

#define SMTP_REPLY_LINE_MAX   2048  /* octets of a line with its CRLF; RFC 5321 4.5.3.1.5 grants 512 */
#define SMTP_REPLY_LINES_MAX  128   /* of one reply; large servers send 30 to EHLO */
#define SMTP_REPLY_OCTETS_MAX 32768 /* of one reply */
#define SMTP_STATUS_BUF       10    /* "5.123.123" and its NUL */

/* To be cleared by smtp_reply_clear; what it holds is valid until the next call on it. */
struct smtp_reply {
    unsigned code;                /* 200 to 599 */
    char status[SMTP_STATUS_BUF]; /* of the first line that has one of the code's class (2, 4, 5), or "" */
    size_t lines;
    bool whole;

    struct buf text; /* of the lines, behind the code, an LF after each; smtp_reply_line finds them */
    size_t octets;   /* so far, and of the line that is being read: */
    size_t line_octets;
    size_t line_at; /* where its text begins */
    char separator;
    bool cr;
    bool broken;
};

void smtp_reply_init(struct smtp_reply *reply);  /* allocates nothing */
void smtp_reply_clear(struct smtp_reply *reply); /* free the memory; it may then be used again */

/*
 * Read on. Returns 1: the reply is whole; 0: more octets are needed; -1: it is broken, e says why, and the connection
 * is of no further use. *took is how many octets belong to it: all of them on 0, and on 1 those up to its end. A reply
 * that was whole before is forgotten at the next call: that begins a new one. A broken one stays broken until cleared.
 */
int smtp_reply_read(size_t *took, struct smtp_reply *reply, const char *octets, size_t len, struct err *e);

/*
 * To be asked when STARTTLS was answered with 220, with what smtp_reply_read took of how many octets. Returns 0, or -1:
 * octets behind the reply were sent in clear, by whoever is in between, to be read as if they came under TLS (RFC 3207
 * 6; C-S9).
 */
int smtp_reply_ends_clear(size_t took, size_t len, struct err *e);

/* The text of the n-th line of a whole reply, from 0, without code and CRLF; {NULL, 0} when it has not so many. */
struct smtp_text smtp_reply_line(const struct smtp_reply *reply, size_t n);

/*
 * The first word of a whole reply, which to a greeting or EHLO is the server's name for itself (RFC 5321 4.2, 4.1.1.1):
 * foreign octets, cut to size (which is not 0) with the NUL; "" when there is none.
 */
void smtp_reply_host(char *out, size_t size, const struct smtp_reply *reply);

/*
 * Append the whole reply as one line for people: "550 5.1.1 No such user here". The status once; lines joined by
 * blanks; what is not printable ASCII is '?'. SMTP_REPLY_OCTETS_MAX of room are always enough.
 */
void smtp_reply_show(struct buf *out, const struct smtp_reply *reply);

#endif
