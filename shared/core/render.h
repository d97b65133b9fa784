/*
 * render.h - decisions as Postfix wants them (postconf(5) smtp_tls_policy_maps; attributes for TLSRPT: TLSRPT_README,
 * Postfix >= 3.10). Values come from validated patterns and names only; policy lines with braces, control octets or
 * octets above 0x7e are left out (A12).
 */
#ifndef POSTERN_RENDER_H
#define POSTERN_RENDER_H

#include "buf.h"
#include "decide.h"
#include "dest.h"
#include "socketmap.h"

/*
 * Append the whole socketmap netstring for a decision. d is NULL only where the decision does not use the policy.
 *   plain:   "OK secure match=mx1.example.com:.example.net servername=hostname", "OK dane-only", "OK dane", "OK none",
 *            "OK encrypt", "OK may", "NOTFOUND " for LEVEL_DEFAULT, "TEMP reason" ("PERM" is never a decision)
 *            and behind a level from may on, "protocols=>=TLSv1.2 ciphers=high" as far as the decision has them
 *   tlsrpt:  the same, and for secure with an MTA-STS policy, and for a testing policy where the level is default (then
 *            sent as may, as attributes need a level), may or encrypt, policy_type=sts policy_ttl=MAX_AGE
 *            policy_domain=D { policy_string = LINE } ... mx_host_pattern=P ...; policy strings are left out when the
 *            answer would pass SOCKETMAP_REPLY_MAX, then the whole set
 * A `secure` from the policy whose match list is empty or too long is never weakened: it becomes TEMP. Patterns that
 * are words of Postfix's match list ("hostname", "nexthop", "dot-nexthop") are left out of it. TLS versions or ciphers
 * that would be more than one value make it TEMP, too. Braces in a TEMP reason become parentheses.
 */
void render_postfix(struct buf *out, const struct decision *decision, const struct dest *d);
void render_postfix_tlsrpt(struct buf *out, const struct decision *decision, const struct dest *d);

#endif
