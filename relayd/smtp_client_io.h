/*
 * smtp_client_io.h - one connection to one address of an MX host, on to the reply to the EHLO under verified TLS (RFC
 * 5321, RFC 3207; checks S2, S9); then it carries the commands and replies of its owner. A server that
 * is slow, endless or senseless is cut off:
 *
 *   until the address takes it                       connect_timeout
 *   the greeting to the second EHLO, all in all      command_timeout
 *   then each reply, however it comes                what the owner says
 *
 * Logs one line for the outcome: "connection domain= host= address= tls= cipher= verified= result=".
 */
#ifndef POSTERN_SMTP_CLIENT_IO_H
#define POSTERN_SMTP_CLIENT_IO_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "conf.h"
#include "relay_path.h"
#include "smtp_ehlo.h"
#include "tls_client.h"
#include "tlsrpt_tell_io.h"

#define SMTP_CLIENT_NAME_BUF 256

struct smtp_client_settings {
    struct event_base *base;
    SSL_CTX *tls;
    struct tlsrpt_tell *tell;        /* who hears of each session (session_event.h), or NULL */
    char name[SMTP_CLIENT_NAME_BUF]; /* for EHLO */
    uint16_t port;
    int64_t connect_timeout_ms, command_timeout_ms;
};

/* smtp_client_settings_io.c: what this relay calls itself, to servers and to the MTA: as the section says, or the
 * host's name; where that is a short one, the whole of it that /etc/hosts or DNS has (waits for an answer). */
void smtp_client_own_name(char out[SMTP_CLIENT_NAME_BUF], const struct conf_relayd *conf);

/* The same file: name, port and times as section relayd says; the others stay as they are. */
void smtp_client_settings_take(struct smtp_client_settings *out, const struct conf_relayd *conf);

/* From the loop, never from within a call. The connection may be freed in each of them. */
struct smtp_client_events {
    void (*ready)(void *ctx);
    /* A whole reply, be it asked for or not; valid during the callback. */
    void (*reply)(void *ctx, const struct smtp_reply *reply);
    /* All that was said has been taken by the socket, but for UPSTREAM_LOW_WATER octets. */
    void (*room)(void *ctx);
    /* It is over, with a QUIT if the server waits for a command (S4); only smtp_client_free may follow. enhanced and
     * detail: for relay_failure_set. */
    void (*failed)(void *ctx, enum relay_failed what, const char *enhanced, const char *detail);
};

struct smtp_client;

/*
 * Begin. The path and its candidate, which is not barred, must be valid until ready or failed; events and ctx until
 * another owner is given. The address is one of the candidate's (relay_walk.h), and is copied.
 */
struct smtp_client *smtp_client_new(const struct smtp_client_settings *settings, const struct relay_path *path,
                                    const struct relay_candidate *candidate, const char *address,
                                    const struct smtp_client_events *events, void *ctx);
void smtp_client_own(struct smtp_client *c, const struct smtp_client_events *events, void *ctx);

/* Close it; with a QUIT, for the reply to which nobody waits, when nothing is left to be written. NULL-safe. */
void smtp_client_free(struct smtp_client *c);

/* The same without QUIT, in the midst of a message. */
void smtp_client_cut(struct smtp_client *c);

/* Say it. */
void smtp_client_say(struct smtp_client *c, const char *octets, size_t len);

/* Its time is over now, whatever it was given. */
void smtp_client_expire(struct smtp_client *c);

/* The next reply must be whole within so many milliseconds; 0: as long as it likes. Else failed with TIMEOUT. */
void smtp_client_wait(struct smtp_client *c, int64_t ms);

size_t smtp_client_queued(const struct smtp_client *c);          /* octets that the socket has not taken */
const struct smtp_ehlo *smtp_client_ehlo(struct smtp_client *c); /* under TLS */
bool smtp_client_offered_bare(const struct smtp_client *c);      /* REQUIRETLS before STARTTLS */
/* How far it has got, or had got when it failed. */
struct smtp_client_progress {
    bool connected; /* the address took it */
    bool starttls;  /* which is offered, and was said */
    bool handshake; /* which was begun */
    bool verified;  /* TLS is up, and the host has shown what it must */
};
struct smtp_client_progress smtp_client_progress(const struct smtp_client *c);

/* What is known of the other side of TLS; all empty before there is any. */
void smtp_client_peer(struct tls_client_peer *out, const struct smtp_client *c);

const char *smtp_client_host(const struct smtp_client *c);
const char *smtp_client_address(const struct smtp_client *c);

#endif
