/* cert_served_io.c - see cert_served_io.h. A blocking socket with time-outs: it is one connection to this machine. */
#include "cert_served_io.h"

#include "clock.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define OCTET_SECONDS 10
#define LINES_MAX     100
#define LINE_MAX_     1000

/* --- the connection --- */

static int open_one(const struct addrinfo *a)
{
    const struct timeval wait = {.tv_sec = OCTET_SECONDS};
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_to(const struct cert_where *where, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int rc = getaddrinfo(where->host, where->port, &hints, &all), fd = -1;

    if (rc != 0)
        return err_set(e, "%s", gai_strerror(rc));
    for (const struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next)
        fd = open_one(a);
    if (fd < 0)
        err_set(e, "%s", strerror(errno));
    freeaddrinfo(all);
    return fd;
}

/* --- SMTP --- */

static int read_line(int fd, char line[LINE_MAX_], struct err *e)
{
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, line + n, 1, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(e, got == 0 ? "it closes the connection" : "it says nothing for %d seconds", OCTET_SECONDS);
        if (line[n] == '\n')
            break;
        if (++n == LINE_MAX_ - 1)
            return err_set(e, "a line without end");
    }
    line[n] = '\0';
    return 0;
}

/* A reply, of which the word may be in any line (NULL: does not matter). Returns 1, 0: without it, or -1. */
static int read_reply(int fd, const char *code, const char *word, struct err *e)
{
    char line[LINE_MAX_];
    int found = word == NULL;

    for (int i = 0; i < LINES_MAX; i++) {
        if (read_line(fd, line, e) != 0)
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

static int put(int fd, const char *text, struct err *e)
{
    size_t len = strlen(text);

    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : err_set(e, "%s", strerror(errno));
}

static int start_tls(int fd, struct err *e)
{
    int offered;

    if (read_reply(fd, "220", NULL, e) < 0 || put(fd, "EHLO localhost\r\n", e) != 0)
        return -1;
    offered = read_reply(fd, "250", "STARTTLS", e);
    if (offered == 0)
        return err_set(e, "it offers no STARTTLS");
    if (offered < 0 || put(fd, "STARTTLS\r\n", e) != 0)
        return -1;
    return read_reply(fd, "220", NULL, e) < 0 ? -1 : 0;
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

static int shake_hands(uint8_t out[CERT_DIGEST_LEN], int fd, struct err *e)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    int rc;

    ERR_clear_error();
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        rc = err_set(e, "no memory");
    } else {
        SSL_set_security_level(ssl, 0); /* what it is shall be seen, however weak */
        rc = SSL_connect(ssl);
        if (rc == 1)
            rc = take_digest(out, ssl, e);
        else
            rc = err_set(e, "the TLS handshake fails: %s",
                         ERR_peek_error() != 0 ? ERR_reason_error_string(ERR_peek_error()) : "the connection ends");
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

int cert_served(uint8_t out[CERT_DIGEST_LEN], const struct cert_where *where, struct err *e)
{
    int fd = connect_to(where, e), rc;

    if (fd < 0)
        return err_prefix(e, "%s port %s", where->host, where->port);
    rc = start_tls(fd, e);
    if (rc == 0)
        rc = shake_hands(out, fd, e);
    close(fd);
    return rc == 0 ? 0 : err_prefix(e, "%s port %s", where->host, where->port);
}

int cert_served_wait(const struct cert_where *where, const uint8_t sha256[CERT_DIGEST_LEN], int64_t ms, struct err *e)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    int64_t end = now_ms() + ms;
    uint8_t now[CERT_DIGEST_LEN] = {0};
    int right = 0;

    for (;;) {
        int rc = cert_served(now, where, e);

        right = rc == 0 && memcmp(now, sha256, sizeof(now)) == 0 ? right + 1 : 0;
        if (right == 2)
            return 0;
        if (rc == 0 && right == 0)
            err_set(e, "%s port %s: it serves another certificate (SHA-256 %02x%02x%02x%02x...)", where->host,
                    where->port, now[0], now[1], now[2], now[3]);
        if (now_ms() > end)
            return -1;
        nanosleep(&pause, NULL);
    }
}
