/*
 * cert_served_io.c - see cert_served_io.h. One connection to this machine, waited for by poll: whatever the server
 * says, and however slowly, it ends when its time does.
 */
#include "cert_served_io.h"

#include "clock.h"
#include "connect_socket.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define LOOK_MS   10000 /* for one connection, all in all */
#define LINES_MAX 100
#define LINE_MAX_ 1000

/* --- the connection --- */

struct look {
    int fd;      /* non-blocking */
    int64_t end; /* now_ms */
};

/* Returns 0 when the socket can be read or written, or -1. */
static int ready(const struct look *l, short what, struct err *e)
{
    struct pollfd p = {.fd = l->fd, .events = what};

    for (;;) {
        int64_t left = l->end - now_ms();
        int got = left > 0 ? poll(&p, 1, (int)left) : 0;

        if (got > 0)
            return 0;
        if (got == 0)
            return err_set(e, "it takes too long");
        if (errno != EINTR)
            return err_set(e, "%s", strerror(errno));
    }
}

static int open_one(struct look *l, const struct addrinfo *ai, struct err *e)
{
    struct address a = {.len = ai->ai_addrlen};
    int error = 0;
    socklen_t len = sizeof(error);

    memcpy(&a.sa, ai->ai_addr, ai->ai_addrlen);
    l->fd = connect_socket(&a);
    if (l->fd < 0)
        return err_set(e, "%s", strerror(errno));
    if (ready(l, POLLOUT, e) == 0) {
        if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
            return 0;
        err_set(e, "%s", strerror(error));
    }
    close(l->fd);
    l->fd = -1;
    return -1;
}

static int connect_to(struct look *l, const struct cert_where *where, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int rc = getaddrinfo(where->host, where->port, &hints, &all);

    if (rc != 0)
        return err_set(e, "%s", gai_strerror(rc));
    rc = -1;
    for (const struct addrinfo *a = all; a != NULL && rc != 0; a = a->ai_next)
        rc = open_one(l, a, e);
    freeaddrinfo(all);
    return rc;
}

/* --- SMTP --- */

static int read_line(const struct look *l, char line[LINE_MAX_], struct err *e)
{
    size_t n = 0;

    for (;;) {
        ssize_t got = ready(l, POLLIN, e) == 0 ? recv(l->fd, line + n, 1, 0) : -2;

        if (got == -2)
            return -1;
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return err_set(e, "%s", got == 0 ? "it closes the connection" : strerror(errno));
        if (line[n] == '\n')
            break;
        if (++n == LINE_MAX_ - 1)
            return err_set(e, "a line without end");
    }
    line[n] = '\0';
    return 0;
}

/* A reply, of which the word may be in any line (NULL: does not matter). Returns 1, 0: without it, or -1. */
static int read_reply(const struct look *l, const char *code, const char *word, struct err *e)
{
    char line[LINE_MAX_];
    int found = word == NULL;

    for (int i = 0; i < LINES_MAX; i++) {
        if (read_line(l, line, e) != 0)
            return -1;
        if (strncmp(line, code, 3) != 0)
            return err_set(e, "it says \"%.100s\"", line);
        if (word != NULL && strlen(line) > 4 && strncasecmp(line + 4, word, strlen(word)) == 0)
            found = 1;
        if (line[3] != '-')
            return found;
    }
    return err_set(e, "a reply without end");
}

/* A command, which a socket that has sent nothing takes at once. */
static int put(const struct look *l, const char *text, struct err *e)
{
    size_t len = strlen(text);

    return send(l->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : err_set(e, "%s", strerror(errno));
}

static int start_tls(const struct look *l, struct err *e)
{
    int offered;

    if (read_reply(l, "220", NULL, e) < 0 || put(l, "EHLO localhost\r\n", e) != 0)
        return -1;
    offered = read_reply(l, "250", "STARTTLS", e);
    if (offered == 0)
        return err_set(e, "it offers no STARTTLS");
    if (offered < 0 || put(l, "STARTTLS\r\n", e) != 0)
        return -1;
    return read_reply(l, "220", NULL, e) < 0 ? -1 : 0;
}

/* --- TLS --- */

static int take_digest(uint8_t out[CERT_DIGEST_LEN], const SSL *ssl, struct err *e)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    unsigned int len = 0;
    int rc = cert != NULL ? X509_digest(cert, EVP_sha256(), out, &len) : 0;

    X509_free(cert);
    return rc == 1 && len == CERT_DIGEST_LEN ? 0 : err_set(e, "it shows no certificate");
}

static int handshake(const struct look *l, SSL *ssl, struct err *e)
{
    for (;;) {
        int rc = SSL_connect(ssl);
        int why = SSL_get_error(ssl, rc);

        if (rc == 1)
            return 0;
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
            const char *words = ERR_reason_error_string(ERR_peek_error());

            return err_set(e, "the TLS handshake fails: %s", words != NULL ? words : "the connection ends");
        }
        if (ready(l, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, e) != 0)
            return err_prefix(e, "the TLS handshake");
    }
}

static int shake_hands(uint8_t out[CERT_DIGEST_LEN], const struct look *l, struct err *e)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    int rc;

    ERR_clear_error();
    if (ssl == NULL || SSL_set_fd(ssl, l->fd) != 1) {
        rc = err_set(e, "no memory");
    } else {
        SSL_set_security_level(ssl, 0); /* what it is shall be seen, however weak */
        rc = handshake(l, ssl, e);
        if (rc == 0)
            rc = take_digest(out, ssl, e);
        if (rc == 0) {
            (void)SSL_write(ssl, "QUIT\r\n", 6);
            (void)SSL_shutdown(ssl);
        }
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

/* One look, before `end`. */
static int served(uint8_t out[CERT_DIGEST_LEN], const struct cert_where *where, int64_t end, struct err *e)
{
    struct look l = {.fd = -1, .end = now_ms() + LOOK_MS};
    int rc;

    if (l.end > end)
        l.end = end;
    rc = connect_to(&l, where, e);
    if (rc == 0)
        rc = start_tls(&l, e);
    if (rc == 0)
        rc = shake_hands(out, &l, e);
    if (l.fd >= 0)
        close(l.fd);
    return rc == 0 ? 0 : err_prefix(e, "%s port %s", where->host, where->port);
}

int cert_served_wait(const struct cert_where *where, const uint8_t sha256[CERT_DIGEST_LEN], int64_t ms, struct err *e)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    const int64_t end = now_ms() + ms;
    uint8_t now[CERT_DIGEST_LEN] = {0};
    struct err last = {""};
    int right = 0;

    do {
        struct err found = {""};
        int rc = served(now, where, end, &found);

        right = rc == 0 && memcmp(now, sha256, sizeof(now)) == 0 ? right + 1 : 0;
        if (right == 2)
            return 0;
        if (rc == 0 && right == 0)
            err_set(&found, "%s port %s: it serves another certificate (SHA-256 %02x%02x%02x%02x...)", where->host,
                    where->port, now[0], now[1], now[2], now[3]);
        if (last.text[0] == '\0' || now_ms() < end) /* the last look is cut short, and says less */
            last = found;
        nanosleep(&pause, NULL);
    } while (now_ms() < end || right == 1);
    return err_set(e, "%s", last.text);
}
