/*
 * smtp_stream_io.h - a socket to a next server, in clear at first and then under TLS. Nothing here waits; what the
 * socket does not take stays in a buffer.
 */
#ifndef POSTERN_SMTP_STREAM_IO_H
#define POSTERN_SMTP_STREAM_IO_H

#include <event2/buffer.h>
#include <openssl/ssl.h>

struct smtp_stream {
    int fd;               /* -1: none */
    SSL *ssl;             /* NULL: in clear */
    struct evbuffer *out; /* not taken yet */
    size_t own;           /* octets of TLS itself since the last that were for us */
};

#define SMTP_STREAM_OWN_MAX 262144 /* a certificate chain of 100 KB fits (SSL_MAX_CERT_LIST_DEFAULT) */

/*
 * Returns 1 and *got octets; 0: none now; -1: the end, or an error. It is an error, too, when a server sends nothing
 * but messages of TLS itself (tickets, new keys, requests to begin anew) for more than SMTP_STREAM_OWN_MAX octets, as
 * these would keep the event loop without end; the same goes for the handshake.
 */
int smtp_stream_read(size_t *got, struct smtp_stream *s, char *octets, size_t size);

/* Write what there is, as far as it goes. Returns 0, or -1: an error. */
int smtp_stream_flush(struct smtp_stream *s);

/* TLS over the socket from now on; ssl belongs to the stream. Returns 0, or -1 without memory. */
int smtp_stream_secure(struct smtp_stream *s, SSL *ssl);

/* Go on with the handshake. Returns 1: it is over; 0: it waits for the other side; -1: it failed, with OpenSSL's error.
 */
int smtp_stream_handshake(struct smtp_stream *s, unsigned long *error);

/* The handshake, or what is to be written, waits for the socket to take octets. */
int smtp_stream_wants_write(const struct smtp_stream *s);

/* Close it, with TLS's own end if it will go; out is emptied. */
void smtp_stream_close(struct smtp_stream *s);

#endif
