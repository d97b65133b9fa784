/*
 * exim_line.h - what Exim tells of an attempt, by ${readsocket} in an event_action (contrib/exim/macros): one line
 * of words,
 *
 *   attempt NAME=VALUE …
 *
 * A VALUE is as Exim's ${quote:…} writes it: letters, digits, '_', '-' and '.' as they are, anything else within double
 * quotes, where \" and \\ stand for those octets, and \n and \r for line ends. Values come from Exim's variables and
 * are foreign: whatever a server says stays within its value. Names, each once, in any order; others are passed over,
 * so that a newer configuration does not stop an older collector:
 *
 *   event      $event_name, see below
 *   domain     $domain
 *   host       $host; an address, or nothing, when it was no name
 *   address    $host_address
 *   sender     $sending_ip_address
 *   cipher     $tls_out_cipher: "" without TLS
 *   verified   $tls_out_certificate_verified: "1"
 *   dane       $tls_out_dane: "yes", "no" or ""
 *   errno      $event_defer_errno, of msg:host:defer: -37 TLS failed, -38 TLS was required
 *   data       $event_data: Exim's words
 *   id         $message_exim_id, for whoever takes the lines
 *
 * What each event stands for (Exim 4.96; of others nothing is taken):
 *
 *   smtp:ehlo             with a cipher: a TLS session that came off; without one it is the EHLO before STARTTLS
 *   msg:host:defer        errno -37: the handshake failed, or the certificate was not verified; -38: STARTTLS was not
 *                         offered, or refused; any other: nothing about TLS
 *   msg:delivery          without a cipher: a session in clear. With one it was told at its EHLO; here Exim no longer
 *   msg:rcpt:host:defer   knows what it found the certificate to be. Both come once a recipient.
 *
 * A certificate that is not verified does not say why: UNTRUSTED, with the fault OTHER where the attempt failed. Pure.
 */
#ifndef POSTERN_EXIM_LINE_H
#define POSTERN_EXIM_LINE_H

#include <stddef.h>

#include "err.h"
#include "tls_attempt.h"

#define EXIM_LINE_MAX 4096
#define EXIM_ID_BUF   32

/* id: NULL, or where the message's id goes, "" when it is not told. Returns 1: an attempt; 0: a line that says of no
 * session (an event that does not matter); -1 with what is wrong. */
int exim_line_read(struct tls_attempt *out, char id[EXIM_ID_BUF], const char *line, size_t len, int64_t now,
                   struct err *e);

#endif
