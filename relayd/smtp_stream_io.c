/* smtp_stream_io.c - see smtp_stream_io.h. */
#include "smtp_stream_io.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD_MAX 16384 /* octets of one TLS record */

/* 0: wait; -1: it failed. */
static int tls_outcome(const SSL *ssl, int ret)
{
    int why = SSL_get_error(ssl, ret);

    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int smtp_stream_read(size_t *got, struct smtp_stream *s, char *octets, size_t size)
{
    ssize_t n;

    if (s->ssl != NULL) {
        int ret;

        ERR_clear_error();
        ret = SSL_read_ex(s->ssl, octets, size, got);
        if (ret == 1)
            s->own = 0;
        return ret == 1 ? 1 : tls_outcome(s->ssl, ret);
    }
    n = recv(s->fd, octets, size, 0);
    if (n <= 0)
        return n < 0 && would_block() ? 0 : -1;
    *got = (size_t)n;
    return 1;
}

/* 1: some of it went; 0: none now; -1: an error. */
static int write_some(struct smtp_stream *s, size_t len)
{
    size_t most = len < RECORD_MAX ? len : RECORD_MAX, wrote = 0;
    const unsigned char *octets = evbuffer_pullup(s->out, (ev_ssize_t)most);
    ssize_t n;

    if (octets == NULL)
        return -1;
    if (s->ssl != NULL) {
        int ret;

        ERR_clear_error();
        ret = SSL_write_ex(s->ssl, octets, most, &wrote);
        if (ret != 1)
            return tls_outcome(s->ssl, ret);
    } else {
        n = send(s->fd, octets, most, MSG_NOSIGNAL);
        if (n < 0)
            return would_block() ? 0 : -1;
        wrote = (size_t)n;
    }
    evbuffer_drain(s->out, wrote);
    return 1;
}

int smtp_stream_flush(struct smtp_stream *s)
{
    size_t len;
    int some = 1;

    while (some == 1 && (len = evbuffer_get_length(s->out)) > 0)
        some = write_some(s, len);
    return some < 0 ? -1 : 0;
}

/* OpenSSL reads: what it gets is counted, and there is nothing more for it when it was too much. */
static long on_read(BIO *bio, int what, const char *at, size_t len, int argi, long argl, int ret, size_t *got)
{
    struct smtp_stream *s = (struct smtp_stream *)(void *)BIO_get_callback_arg(bio);

    (void)at;
    (void)len;
    (void)argi;
    (void)argl;
    if (what == (BIO_CB_READ | BIO_CB_RETURN) && ret > 0)
        s->own += *got;
    if (what != BIO_CB_READ || s->own <= SMTP_STREAM_OWN_MAX)
        return ret;
    BIO_clear_retry_flags(bio);
    return -1;
}

/* Without AUTO_RETRY a call takes one message of TLS itself at most, and then others have their turn. */
int smtp_stream_secure(struct smtp_stream *s, SSL *ssl)
{
    s->ssl = ssl;
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_connect_state(ssl);
    if (SSL_set_fd(ssl, s->fd) != 1)
        return -1;
    s->own = 0;
    BIO_set_callback_ex(SSL_get_rbio(ssl), on_read);
    BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)s);
    return 0;
}

int smtp_stream_handshake(struct smtp_stream *s, unsigned long *error)
{
    int ret, outcome;

    ERR_clear_error();
    ret = SSL_do_handshake(s->ssl);
    if (ret == 1)
        return 1;
    outcome = tls_outcome(s->ssl, ret);
    if (outcome < 0)
        *error = ERR_get_error();
    return outcome;
}

int smtp_stream_wants_write(const struct smtp_stream *s)
{
    if (s->ssl != NULL && !SSL_is_init_finished(s->ssl))
        return SSL_want_write(s->ssl);
    return evbuffer_get_length(s->out) > 0;
}

void smtp_stream_close(struct smtp_stream *s)
{
    if (s->ssl != NULL && SSL_is_init_finished(s->ssl)) {
        ERR_clear_error();
        (void)SSL_shutdown(s->ssl);
    }
    SSL_free(s->ssl);
    s->ssl = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    evbuffer_drain(s->out, evbuffer_get_length(s->out));
}
