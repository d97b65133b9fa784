/*
 * exim_answer.h - policyd's answers to Exim: one line of key=value words, as ${extract{key}{string}} reads them. The
 * first is status. Values that are more than a word of plain octets are quoted, and control octets in them are '?', so
 * that a value is never another word. Pure; nothing is allocated but what the buffer grows by.
 *
 *   status=ok level=secure mx=mx1.example.com:.example.net sni=hostname protocols=>=TLSv1.2 ciphers=high
 *       gnutls=NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3 transport=smtp                  (in one line)
 *   status=ok mx=no why="…"
 *   status=ok found=yes value="…"
 *   status=ok route=requiretls
 *   status=temp why="…"      status=bad why="…"
 */
#ifndef POSTERN_EXIM_ANSWER_H
#define POSTERN_EXIM_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "exim_request.h"

void exim_answer_temp(struct buf *out, const char *why); /* it cannot be told now */
void exim_answer_bad(struct buf *out, const char *why);  /* the request is none */

/* What an answer in memory says about a domain. */
struct exim_policy {
    const char *text; /* the reply to the map `postfix`, answer_text(): the one truth for both MTAs */
    size_t len;
    const char *domain;
    bool smtps; /* by implicit TLS */
};

/*
 * The answer to `policy`. Where Postfix has its own names to verify against, and Exim none, they stand in mx=: `secure`
 * that does not come from MTA-STS is for the domain itself and hosts below it (nexthop, dot-nexthop). TLS versions and
 * a cipher grade stand there as a GnuTLS priority string as well; that has no cipher below 128 bits, whichever the
 * grade. TEMP, a word that is unknown, or versions that are none become status=temp, never something weaker.
 */
void exim_answer_policy(struct buf *out, const struct exim_policy *policy);

/*
 * The answer to `mx`: may mail for the domain go to this MX host (in its one form)? By the names of an enforced MTA-STS
 * policy (RFC 8461 4.1: a `*` stands for one label), or as above for another `secure`, where hosts are below at any
 * depth. Yes where no names bind.
 */
void exim_answer_mx(struct buf *out, const struct exim_policy *policy, const char *host);

void exim_answer_list(struct buf *out, const char *value); /* NULL: no entry */
void exim_answer_route(struct buf *out, enum exim_route route);

/* The whole answer to a line that is too long. */
extern const char exim_answer_too_long[];

#endif
