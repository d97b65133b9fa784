/* maillog.t.c - tests of maillog.c and its parts: sequences of lines, and lines that somebody forged. */
#include "maillog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt_text.h"

#define NOW 1795255200 /* 2026-11-21 10:00 UTC */

/* ---- sequences: each line is SECONDS IDENT[PID] TEXT ---- */

#define S     "postfix/smtp[1] "
#define MX    "mx.a.example[192.0.2.1]"
#define TLS   ":25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
#define DELAY ":25, delay=1, delays=0/0/0.5/0.5, "
#define SENT  DELAY "dsn=2.0.0, status=sent (250 ok)\n"
#define A     "a.example mx.a.example 192.0.2.1 "

static const struct sequence {
    const char *name;
    const char *lines;
    const char *want; /* joined by "; " */
} sequences[] = {
    {"J12: one session, three recipients",
     "1 " S "Trusted TLS connection established to " MX TLS "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT "2 " S
     "Q1234: to=<y@a.example>, orig_to=<z@b.example>, relay=" MX SENT "2 " S "Q1234: to=<z@a.example>, relay=" MX DELAY
     "dsn=5.0.0, status=bounced (host " MX " said: 550 no (in reply to RCPT TO command))\n",
     A "tls trusted fine sent"},
    {"J12: the same in plain text",
     "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT "2 " S "Q1234: to=<y@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"J12: two sessions with one host for one message, in plain text, minutes apart",
     "2 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (host " MX
     " said: 450 later (in reply to RCPT TO command))\n302 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine answered; " A "no-tls unknown fine sent"},
    {"J12: two messages are two sessions",
     "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT "2 " S "Q5678: to=<y@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent; " A "no-tls unknown fine sent"},
    {"J12: a session that goes on is none",
     "1 " S "Verified TLS connection reused to " MX TLS "1 " S "Q1234: to=<x@a.example>, relay=" MX
     ":25, conn_use=2, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n",
     ""},
    {"a session that goes on and is lost is no plain one",
     "1 " S "Verified TLS connection reused to " MX TLS "1 " S "Q1234: lost connection with " MX
     " while sending MAIL FROM\n1 " S "Verified TLS connection established to " MX TLS "2 " S
     "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "tls verified fine sent"},
    {"one host refuses some recipients, the next host takes them",
     "1 " S "Trusted TLS connection established to " MX TLS "1 " S "Q1234: host " MX
     " said: 450 later (in reply to RCPT TO command)\n2 " S "Q1234: to=<x@a.example>, relay=" MX SENT "3 " S
     "Trusted TLS connection established to mx2.a.example[192.0.2.2]" TLS "4 " S
     "Q1234: to=<y@a.example>, relay=mx2.a.example[192.0.2.2]" SENT,
     A "tls trusted fine answered; a.example mx2.a.example 192.0.2.2 tls trusted fine sent"},
    {"two processes at once",
     "1 postfix/smtp[1] Trusted TLS connection established to " MX TLS
     "1 postfix/smtp[2] Untrusted TLS connection established to " MX TLS
     "2 postfix/smtp[2] Q2222: to=<x@a.example>, relay=" MX SENT
     "2 postfix/smtp[1] Q1111: to=<x@b.example>, relay=" MX SENT,
     A "tls untrusted fine sent; b.example mx.a.example 192.0.2.1 tls trusted fine sent"},
    {"services with names of their own; not lmtp, tlsproxy, error, other instances",
     "1 postfix/relay/smtp[1] Trusted TLS connection established to " MX TLS
     "2 postfix/relay/smtp[1] Q1111: to=<x@a.example>, relay=" MX SENT
     "2 postfix/lmtp[2] Q1111: to=<x@b.example>, relay=" MX SENT
     "2 postfix/error[3] Q1111: to=<x@b.example>, relay=none, delay=1, delays=0/0/0/0, dsn=4.0.0, status=deferred (x)\n"
     "2 postfix/tlsproxy[4] Trusted TLS connection established to " MX TLS
     "2 postfix-out/smtp[5] Q1111: to=<x@b.example>, relay=" MX SENT
     "2 postfix/smtp-relaxed/smtp[7] Q1111: to=<x@b.example>, relay=" MX SENT
     "2 postfix/a/b/smtp[6] Q1111: to=<x@b.example>, relay=" MX SENT
     "2 smtp[7] Q1111: to=<x@b.example>, relay=" MX SENT,
     A "tls trusted fine sent"},
    {"tlsproxy's line is not smtp's",
     "1 postfix/tlsproxy[1] Verified TLS connection established to " MX TLS "1 " S
     "Untrusted TLS connection established to " MX TLS "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "tls untrusted fine sent"},
    {"a process that dies says nothing; a stale line is not joined, and makes no plain session of it",
     "1 " S "Trusted TLS connection established to " MX TLS "700 " S "Q1234: to=<x@a.example>, relay=" MX SENT "701 " S
     "Q5678: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"a long session is not stale",
     "1 " S "Trusted TLS connection established to " MX TLS "1900 " S "Q1234: to=<x@a.example>, relay=" MX
     ":25, delay=1900, delays=0/0/0.5/1899, dsn=2.0.0, status=sent (250 ok)\n",
     A "tls trusted fine sent"},
    {"a line of another host is not joined",
     "1 " S "Trusted TLS connection established to mx2.a.example[192.0.2.2]" TLS "2 " S
     "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"a host of another address is another",
     "1 " S "Trusted TLS connection established to mx.a.example[192.0.2.9]" TLS "2 " S
     "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"lost before TLS could be tried: nothing is known",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (lost connection with " MX
     " while receiving the initial server greeting)\n2 " S "Q1235: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.0.0, status=deferred (conversation with " MX " timed out while performing the EHLO handshake)\n",
     ""},
    {"lost later, without TLS and with it",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (lost connection with " MX
     " while sending RCPT TO)\n2 " S "Trusted TLS connection established to " MX TLS "3 " S
     "Q1235: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (conversation with " MX
     " timed out while performing the EHLO handshake)\n",
     A "no-tls unknown fine lost lost_connection_while_sending_RCPT_TO; " A
       "tls trusted fine lost timed_out_while_performing_the_EHLO_handshake"},
    {"two hosts, the first lost, the second out of reach",
     "1 " S "Trusted TLS connection established to " MX TLS "2 " S "Q1234: lost connection with " MX
     " while sending message body\n3 " S "connect to mx2.a.example[192.0.2.2]:25: Connection refused\n3 " S
     "Q1234: to=<x@a.example>, relay=none, delay=3, delays=0/0/3/0, dsn=4.4.1, status=deferred (connect to "
     "mx2.a.example[192.0.2.2]:25: Connection refused)\n",
     A "tls trusted fine lost lost_connection_while_sending_message_body"},
    {"a host that was given up waits for its own message only",
     "1 " S "Q1234: TLS is required, but was not offered by host " MX "\n2 " S
     "Q5678: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"plain text after a handshake that broke, with the same host, and its end",
     "1 " S "SSL_connect error to " MX ":25: lost connection\n1 " S "Q1234: Cannot start TLS: handshake failure\n2 " S
     "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=5.0.0, status=bounced (host " MX
     " said: 550 no (in reply to RCPT TO command))\n",
     A "handshake unknown fine answered lost_connection"},
    {"OpenSSL 1.1 of Postfix 3.4 to 3.6 names the function, too",
     "1 " S "SSL_connect error to " MX ":25: -1\n1 " S
     "warning: TLS library problem: error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:"
     "../ssl/record/rec_layer_s3.c:1544:SSL alert number 40:\n1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)\n",
     A "handshake unknown fine no-security sslv3_alert_handshake_failure"},
    {"the handshake broke in tlsproxy, which alone says why",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)\n",
     A "handshake unknown fine no-security handshake_failure"},
    {"Postfix 3.4 does not say that the name is wrong",
     "1 " S "Trusted TLS connection established to " MX TLS "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Server certificate not verified)\n",
     A "tls trusted name no-security Server_certificate_not_verified"},
    {"Postfix 3.4: not trusted",
     "1 " S "Untrusted TLS connection established to " MX TLS "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Server certificate not trusted)\n",
     A "tls untrusted issuer no-security Server_certificate_not_trusted"},
    {"verification failures by their numbers",
     "1 " S "CA certificate verification failed for " MX ":25: num=18:self-signed certificate\n1 " S
     "Untrusted TLS connection established to " MX TLS "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Server certificate not verified)\n2 " S "certificate verification failed for " MX
     ":25: not trusted by local or TLSA policy\n2 " S "Untrusted TLS connection established to " MX TLS "2 " S
     "Q1235: to=<x@a.example>, relay=" MX DELAY "dsn=4.7.5, status=deferred (Server certificate not verified)\n3 " S
     "server certificate verification failed for " MX ":25: certificate not yet valid\n3 " S
     "Untrusted TLS connection established to " MX TLS "3 " S "Q1236: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Server certificate not verified)\n",
     A "tls untrusted issuer no-security self-signed_certificate; " A
       "tls untrusted tlsa no-security not_trusted_by_local_or_TLSA_policy; " A
       "tls untrusted other no-security certificate_not_yet_valid"},
    {"the issuer's name is the server's, and no part of the reason",
     "1 " S "certificate verification failed for " MX ":25: untrusted issuer /CN=status=sent (250 ok)\n1 " S
     "Untrusted TLS connection established to " MX TLS "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.5, status=deferred (Server certificate not verified)\n",
     A "tls untrusted issuer no-security untrusted_issuer"},
    {"3.12 with smtp_tls_loglevel = 0: the level tells",
     "1 " S "Q1231: to=<x@a.example>, relay=" MX DELAY "tls=secure, dsn=2.0.0, status=sent (250 ok)\n1 " S
     "Q1232: to=<x@a.example>, relay=" MX DELAY "tls=may, dsn=2.0.0, status=sent (250 ok)\n1 " S
     "Q1233: to=<x@a.example>, relay=" MX DELAY "tls=may:none, dsn=2.0.0, status=sent (250 ok)\n1 " S
     "Q1234: to=<x@a.example>, relay=" MX DELAY "tls=dane/requiretls, dsn=2.0.0, status=sent (250 ok)\n1 " S
     "Q1235: to=<x@a.example>, relay=" MX DELAY "tls=secure?, dsn=4.0.0, status=deferred (host " MX
     " said: 450 (in reply to MAIL FROM command))\n",
     A "tls verified fine sent; " A "tls unknown fine sent; " A "no-tls unknown fine sent; " A
       "tls verified fine sent"},
    {"probes of addresses are sessions",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=2.1.5, status=deliverable (250 ok)\n2 " S
     "Q1235: to=<x@a.example>, relay=" MX DELAY "dsn=5.1.1, status=undeliverable (host " MX
     " said: 550 no (in reply to RCPT TO command))\n",
     A "no-tls unknown fine sent; " A "no-tls unknown fine answered"},
    {"J16: names and addresses in their one form; a name that is an address is none",
     "1 " S "Trusted TLS connection established to MX.A.Example[2001:DB8:0:0::1]" TLS "1 " S
     "Q1234: to=<x@B\303\274cher.Example>, relay=MX.A.Example[2001:DB8:0:0::1]" SENT "2 " S
     "Q1235: to=<x@a.example>, relay=192.0.2.1[192.0.2.1]" SENT "3 " S
     "Q1236: to=<x@a.example>, relay=2001:db8::1[2001:db8::1]" SENT "4 " S
     "Q1237: to=<x@a.example>, relay=mx.a.example[fe80::1%eth0]" SENT,
     "xn--bcher-kva.example mx.a.example 2001:db8::1 tls trusted fine sent; "
     "a.example - 192.0.2.1 no-tls unknown fine sent; a.example - 2001:db8::1 no-tls unknown fine sent; "
     "a.example mx.a.example - no-tls unknown fine sent"},
    {"nobody to report to: address literals, no domain, a name that is none",
     "1 " S "Q1231: to=<x@[192.0.2.7]>, relay=" MX SENT "1 " S "Q1232: to=<x@[IPv6:2001:db8::7]>, relay=" MX SENT "1 " S
     "Q1233: to=<root>, relay=" MX SENT "1 " S "Q1234: to=<>, relay=" MX SENT "1 " S "Q1235: to=<x@>, relay=" MX SENT
     "1 " S "Q1236: to=<x@a..example>, relay=" MX SENT,
     ""},
    {"long queue ids, wrapper mode, a server of no name that could be one",
     "1 " S "Trusted TLS connection established to " MX ":465: TLSv1.3 with cipher X\n1 " S
     "4Xb1c23Dz4fGhJkLm: to=<x@a.example>, relay=" MX
     ":465, delay=1, delays=0/0/0.5/0.5, dsn=2.0.0, status=sent (250 ok)\n2 " S
     "Q1234: to=<x@a.example>, relay=-bad-.example[192.0.2.1]" SENT,
     A "tls trusted fine sent"},
    {"several hosts that the policy does not name, then one that it does",
     "1 " S "Q0000: to=<x@a.example>, relay=" MX SENT "1 " S
     "warning: MX name 'mx8.a.example' does not match STS MX pattern for 'a.example'\n1 " S
     "warning: MX name 'mx9.a.example' does not match STS MX pattern for 'a.example'\n1 " S
     "Verified TLS connection established to " MX TLS "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent; "
       "a.example mx8.a.example - no-tls unknown fine mx-unnamed MX_name_does_not_match_STS_MX_pattern; "
       "a.example mx9.a.example - no-tls unknown fine mx-unnamed MX_name_does_not_match_STS_MX_pattern; " A
       "tls verified fine sent"},
    {"TLSA records that cannot be looked up: that host is passed over",
     "1 " S "warning: TLS policy lookup for a.example/mx8.a.example: TLSA lookup error for mx8.a.example:25\n1 " S
     "warning: TLS policy lookup for a.example/mx9.a.example: non DNSSEC destination\n1 " S
     "Q1234: to=<x@a.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (TLSA lookup error for "
     "mx8.a.example:25)\n",
     "a.example mx8.a.example - no-tls unknown fine no-security TLSA_lookup_error"},
    {"plain text after a session with TLS that was lost, with the same host",
     "1 " S "Trusted TLS connection established to " MX TLS "1 " S "Q1234: lost connection with " MX
     " while sending MAIL FROM\n2 " S "Q1234: to=<x@a.example>, relay=" MX
     ":25, delay=2, delays=0/0/1.5/0.5, dsn=2.0.0, status=sent (250 ok)\n",
     A "tls trusted fine lost lost_connection_while_sending_MAIL_FROM"},
    {"a reply that is against the protocol",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=5.5.0, status=bounced (Protocol error: host " MX
     " said: 250 (in reply to DATA command))\n",
     A "no-tls unknown fine answered"},
    {"what was said of another host's certificate is not joined",
     "1 " S "certificate verification failed for mx2.a.example[192.0.2.2]:25: self-signed certificate\n2 " S
     "Trusted TLS connection established to " MX TLS "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "tls trusted fine sent"},
    {"a session whose delivery line is lost leaves nothing to the next one with that host",
     "1 " S "Untrusted TLS connection established to " MX TLS "1 " S
     "TLSRPT: status=failure, domain=a.example, receiving_mx=" MX
     ", failure_type=validation_failure, failure_reason=self-signed_certificate\n2 " S
     "Verified TLS connection established to " MX TLS "2 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "tls verified fine sent"},
    {"TLSRPT lines alone (smtp_tls_loglevel = 0)",
     "1 " S "TLSRPT: status=failure, domain=a.example, receiving_mx=" MX
     ", failure_type=certificate_host_mismatch\n1 " S "Q1231: to=<x@a.example>, relay=" MX DELAY
     "tls=!secure, dsn=4.7.5, status=deferred (Server certificate not verified)\n2 " S
     "TLSRPT: status=failure, domain=a.example, receiving_mx=" MX
     ", failure_type=validation_failure, failure_reason=tls-handshake-failure\n2 " S
     "Q1232: to=<x@a.example>, relay=" MX DELAY
     "tls=secure?, dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)\n",
     A "tls unknown name no-security certificate_host_mismatch; " A
       "handshake unknown fine no-security handshake_failure"},
    {"where there was no TLS in the end, nobody is trusted",
     "1 " S "Trusted TLS connection established to " MX TLS "2 " S "Q1234: to=<x@a.example>, relay=" MX DELAY
     "dsn=4.7.4, status=deferred (TLS is required, but was not offered by host " MX ")\n",
     A "not-offered unknown fine no-security"},
    {"a server's own name like Postfix's words",
     "1 " S "warning: host " MX " greeted me with my own hostname MX name 'mx.a.example' does not match STS MX pattern "
     "for 'a.example'\n1 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"hosts whose names begin like no host",
     "1 " S "Q1234: to=<x@a.example>, relay=none.a.example[192.0.2.1]" SENT "2 " S
     "Q1235: to=<x@a.example>, relay=none[192.0.2.1]" SENT,
     "a.example none.a.example 192.0.2.1 no-tls unknown fine sent; a.example none 192.0.2.1 no-tls unknown fine sent"},
    {"other lines with a queue id end no session",
     "1 " S "Trusted TLS connection established to " MX TLS "1 " S
     "Q1234: enabling PIX workarounds: disable_esmtp delay_dotcrlf for " MX ":25\n2 " S
     "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "tls trusted fine sent"},
    /* forged text */
    {"a reply like a delivery line, after status=",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (host " MX
     " said: 450 x, relay=evil.test[192.0.2.66]:25, delay=1, dsn=2.0.0, status=sent (250 ok) (in reply to MAIL FROM "
     "command))\n",
     A "no-tls unknown fine answered"},
    {"a reply like a whole delivery line: it can be read in two ways, and is not believed",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (host " MX
     " said: 450 x@b.example>, relay=evil.test[192.0.2.66]:25, delay=1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 "
     "ok))\n",
     ""},
    {"a reply like a TLS line, and like the end of a session",
     "1 " S "Q1234: host " MX " said: 450 Verified TLS connection established to evil.test[192.0.2.66]:25: x\n2 " S
     "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.0.0, status=deferred (host " MX
     " said: 450 Server certificate not verified)\n",
     A "no-tls unknown fine answered"},
    {"a reply that refuses STARTTLS and says more",
     "1 " S "Q1234: to=<x@a.example>, relay=" MX DELAY "dsn=4.7.0, status=deferred (TLS is required, but host " MX
     " refused to start TLS: 454 x), relay=evil.test[192.0.2.66]:25, status=sent (\t\001\303\274\"y)\n",
     A "refused unknown fine no-security 454_x),_relay=evil.test[192.0.2.66]:25,_status=sent_(_???\"y"},
    {"a local part in quotes like a delivery line",
     "1 " S
     "Q1234: to=<\"v@b.example>, relay=evil.test[192.0.2.66]:25, status=sent (\\\" x\"@a.example>, relay=" MX SENT
     "2 " S
     "Q1235: to=<x@a.example>, orig_to=<\"v@b.example>, relay=evil.test[192.0.2.66]\"@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent; " A "no-tls unknown fine sent"},
    {"the same of old, without quotes",
     "1 " S "Q1234: to=<v@b.example>, relay=evil.test[192.0.2.66]:25, delay=1, delays=0/0/0/0, dsn=2.0.0, status=sent "
     "(x@a.example>, relay=" MX SENT "1 " S "Q1235: to=<v w@a.example>, relay=" MX SENT "1 " S
     "Q1236: to=<v,w@a.example>, relay=" MX SENT "1 " S "Q1237: to=<v@b.example>, relay=x@a.example>, relay=" MX SENT,
     ""},
    {"a quote, or a line, that does not end",
     "1 " S "Q1231: to=<\"v@a.example>, relay=" MX SENT "1 " S "Q1232: to=<\"v\\\n1 " S "Q1233: to=<v\n1 " S
     "Q1234: to=<v@a.example>\n1 " S "Q1235: to=<v@a.example>, relay=\n1 " S "Q1236: to=<v@a.example>, relay=" MX
     "\n1 " S "Q1237: to=<v@a.example>, relay=" MX ":25, status=\n1 " S "Q1238: to=<v@a.example>, relay=" MX
     ":25, status=sent\n",
     ""},
    {"a plain @ more than one: the last one counts", "1 " S "Q1234: to=<v@b.example@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"half of a TLS line",
     "1 " S "Verified TLS connection established to \n1 " S "Verified TLS connection established to " MX "\n1 " S
     "Verified\n1 " S "Verified TLS connection established to x y[192.0.2.1]:25: z\n1 " S
     "Verified TLS connection established to [192.0.2.1]:25: z\n1 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    {"TLS words behind other words",
     "1 " S "warning: Verified TLS connection established to " MX TLS "1 " S
     "Q9999: Verified TLS connection established to " MX TLS "1 " S "Q1234: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent"},
    /* our own reports */
    {"W8: our reports do not count, until they are removed and another message has the id",
     "1 postfix/qmgr[9] Q1234: from=<Reports@us.example>, size=308, nrcpt=1 (queue active)\n"
     "1 postfix/qmgr[9] Q5678: from=<reports@us.example.test>, size=308, nrcpt=1 (queue active)\n1 " S
     "Trusted TLS connection established to " MX TLS "2 " S "Q1234: Server certificate not verified\n3 " S
     "Trusted TLS connection established to " MX TLS "4 " S "Q1234: to=<x@a.example>, relay=" MX SENT "5 " S
     "Q5678: to=<x@a.example>, relay=" MX SENT "6 postfix/qmgr[9] Q1234: removed\n7 " S
     "Q1234: to=<x@b.example>, relay=" MX SENT,
     A "no-tls unknown fine sent; b.example mx.a.example 192.0.2.1 no-tls unknown fine sent"},
    {"W11: nor do bounces of our reports, and bounces of those; others do",
     "1 postfix/qmgr[9] Q1234: from=<reports@us.example>, size=308, nrcpt=1 (queue active)\n"
     "2 postfix/bounce[7] Q1234: sender delay notification: QDELA\n"
     "2 postfix/bounce[7] Q1234: sender non-delivery notification: QBOUN\n"
     "2 postfix/bounce[7] Q5678: sender non-delivery notification: QTHER\n"
     "2 postfix/qmgr[9] QBOUN: from=<>, size=308, nrcpt=1 (queue active)\n2 postfix/qmgr[9] Q1234: removed\n"
     "3 postfix/bounce[7] QBOUN: postmaster non-delivery notification: QAGAI\n"
     "3 postfix/bounce[7] QBOUN: postmaster: QNONE\n4 " S "QDELA: to=<x@b.example>, relay=" MX SENT "4 " S
     "QBOUN: to=<x@b.example>, relay=" MX SENT "4 " S "QAGAI: to=<x@b.example>, relay=" MX SENT "5 " S
     "QTHER: to=<x@a.example>, relay=" MX SENT "6 " S "QNONE: to=<x@a.example>, relay=" MX SENT,
     A "no-tls unknown fine sent; " A "no-tls unknown fine sent"},
};

static char told[16384];

static void tell(void *ctx, const struct tls_attempt *attempt)
{
    char text[ATTEMPT_TEXT];
    size_t len = strlen(told);

    (void)ctx;
    attempt_text(text, attempt);
    (void)snprintf(told + len, sizeof(told) - len, "%s%s", len == 0 ? "" : "; ", text);
}

static const char *next_line(struct maillog_entry *out, const char *line)
{
    const char *end = strchr(line, '\n'), *rest;
    char *after;

    out->at = NOW + strtol(line, &after, 10);
    out->ident = after + 1;
    out->ident_len = strcspn(out->ident, "[");
    out->pid = strtol(out->ident + out->ident_len + 1, &after, 10);
    rest = after + 2;
    out->text = rest;
    out->text_len = (size_t)(end - rest);
    return end + 1;
}

static void test_sequences(void **state)
{
    struct maillog_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        struct maillog *m = maillog_new("postfix", "reports@us.example");

        assert_non_null(m);
        told[0] = '\0';
        for (const char *line = sequences[i].lines; *line != '\0';) {
            line = next_line(&entry, line);
            maillog_add(m, &entry, tell, NULL);
        }
        if (strcmp(told, sequences[i].want) != 0)
            fail_msg("%s:\nis   %s\nwant %s", sequences[i].name, told, sequences[i].want);
        maillog_free(m);
    }
}

/* ---- limits ---- */

static void add_text(struct maillog *m, const char *ident, long pid, const char *text)
{
    struct maillog_entry entry = {NOW, ident, strlen(ident), pid, text, strlen(text)};

    maillog_add(m, &entry, tell, NULL);
}

static void test_processes_are_bounded(void **state)
{
    const long last = 3L * MAILLOG_PROCESSES;
    struct maillog *m = maillog_new("postfix", "");

    (void)state;
    told[0] = '\0';
    for (long pid = 1; pid <= last; pid++)
        add_text(m, "postfix/smtp", pid, "Verified TLS connection established to " MX ":25: x");
    add_text(m, "postfix/smtp", last, "Q1234: to=<x@a.example>, relay=" MX ":25, status=sent (x)");
    assert_string_equal(told, A "tls verified fine sent");
    maillog_free(m);
}

static void test_hosts_of_a_message_are_bounded(void **state)
{
    struct maillog *m = maillog_new("postfix", "");
    char text[200];
    int semicolons = 0;

    (void)state;
    told[0] = '\0';
    for (int i = 0; i < 40; i++) {
        (void)snprintf(text, sizeof(text), "warning: MX name 'mx%d.a.example' does not match STS MX pattern for 'x'",
                       i);
        add_text(m, "postfix/smtp", 1, text);
    }
    add_text(m, "postfix/smtp", 1, "Q1234: to=<x@a.example>, relay=none, status=deferred (x)");
    for (const char *s = told; (s = strchr(s, ';')) != NULL; s++)
        semicolons++;
    assert_int_equal(semicolons, 15);
    maillog_free(m);
}

static void test_long_lines(void **state)
{
    struct maillog *m = maillog_new("postfix", "");
    static const char verified[] = "Verified TLS connection established to ";
    static char text[MAILLOG_LINE_MAX * 2];

    (void)state;
    told[0] = '\0';
    (void)snprintf(text, sizeof(text), "Q1234: to=<x@a.example>, relay=" MX ":25, status=sent (");
    memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
    add_text(m, "postfix/smtp", 1, text);
    for (size_t i = 0; i < sizeof(verified) - 1; i++)
        text[i] = verified[i];
    add_text(m, "postfix/smtp", 1, text);
    assert_string_equal(told, A "no-tls unknown fine sent");
    maillog_free(m);
    maillog_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_processes_are_bounded),
        cmocka_unit_test(test_hosts_of_a_message_are_bounded),
        cmocka_unit_test(test_long_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
