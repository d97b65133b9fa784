/*
 * https_server.h - a certificate authority of the test's own, and small HTTPS servers in forked children (a thread per
 * connection) that do one thing each, right or wrong. All static, for one test program each.
 */
#ifndef POSTERN_HTTPS_SERVER_H
#define POSTERN_HTTPS_SERVER_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* needs some of the above */

#define HOST "mta-sts.example.com"

enum cert_kind {
    CERT_GOOD,
    CERT_WILDCARD,
    CERT_WIDE,
    CERT_PARTIAL,
    CERT_CN_ONLY,
    CERT_EXPIRED,
    CERT_EARLY,
    CERT_OTHER,
    CERT_SELF
};

/* What the server does; SEND writes the text and closes. */
enum conduct {
    SEND,
    SEND_HANG,    /* writes the text, then nothing */
    ECHO,         /* the request and the SNI as the body */
    ENDLESS_BODY, /* without Content-Length */
    ENDLESS_HEAD,
    DRIP,          /* an octet of the body every 20 ms */
    HANG_ACCEPTED, /* no TLS handshake */
    HANG_SECURED,  /* no answer */
    CLOSE_ACCEPTED,
    PLAIN,  /* the text, without TLS */
    OLD_TLS /* TLS 1.1 at most, then as SEND */
};

struct pki {
    EVP_PKEY *key; /* of all certificates; it is the names that matter */
    X509 *ca;
    char ca_file[64];
};

struct https_server {
    pid_t pid;
    int port;
};

struct serving {
    SSL_CTX *ctx;
    enum conduct conduct;
    const char *text;
};

struct connection {
    const struct serving *serving;
    int fd;
};

static void extension_add(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

/* Valid from and until that many seconds from now; issuer NULL: self-signed. */
static X509 *cert_make(EVP_PKEY *key, X509 *issuer, const char *cn, const char *san, long from, long until)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), from);
    X509_gmtime_adj(X509_getm_notAfter(cert), until);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : name);
    if (san == NULL)
        extension_add(cert, NID_basic_constraints, "critical,CA:FALSE");
    else if (strcmp(san, "CA") == 0)
        extension_add(cert, NID_basic_constraints, "critical,CA:TRUE");
    else
        extension_add(cert, NID_subject_alt_name, san);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void pki_make(struct pki *p)
{
    const long year = 365L * 86400;
    FILE *f;
    int fd;

    p->key = EVP_EC_gen("P-256");
    assert_non_null(p->key);
    p->ca = cert_make(p->key, NULL, "Test CA", "CA", -year, year);
    (void)snprintf(p->ca_file, sizeof(p->ca_file), "/tmp/postern-https-test-XXXXXX");
    fd = mkstemp(p->ca_file);
    f = fdopen(fd, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, p->ca), 1);
    fclose(f);
}

static void pki_clear(struct pki *p)
{
    unlink(p->ca_file);
    X509_free(p->ca);
    EVP_PKEY_free(p->key);
}

static X509 *pki_cert(const struct pki *p, enum cert_kind kind)
{
    const long day = 86400;

    switch (kind) {
    case CERT_WILDCARD:
        return cert_make(p->key, p->ca, "x", "DNS:*.example.com", -day, day);
    case CERT_WIDE:
        return cert_make(p->key, p->ca, "x", "DNS:*.com", -day, day);
    case CERT_PARTIAL:
        return cert_make(p->key, p->ca, "x", "DNS:mta-*.example.com", -day, day);
    case CERT_CN_ONLY:
        return cert_make(p->key, p->ca, HOST, NULL, -day, day);
    case CERT_EXPIRED:
        return cert_make(p->key, p->ca, "x", "DNS:" HOST, -2 * day, -day);
    case CERT_EARLY:
        return cert_make(p->key, p->ca, "x", "DNS:" HOST, day, 2 * day);
    case CERT_OTHER:
        return cert_make(p->key, p->ca, HOST, "DNS:mta-sts.example.net", -day, day);
    case CERT_SELF:
        return cert_make(p->key, NULL, HOST, "DNS:" HOST, -day, day);
    case CERT_GOOD:
        break;
    }
    return cert_make(p->key, p->ca, "x", "DNS:other.example,DNS:" HOST, -day, day);
}

/* ---- in the child ---- */

static void write_all(SSL *ssl, const char *text)
{
    if (text[0] != '\0')
        (void)SSL_write(ssl, text, (int)strlen(text));
}

static void write_repeated(SSL *ssl, const char *text, useconds_t pause)
{
    while (SSL_write(ssl, text, (int)strlen(text)) > 0)
        usleep(pause);
}

static void echo(SSL *ssl, const char *request)
{
    char reply[8192];
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)snprintf(
        reply, sizeof(reply),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nSNI: %s %s\r\n%s",
        sni != NULL ? sni : "none", SSL_session_reused(ssl) ? "resumed" : "full", request);
    write_all(ssl, reply);
}

static void answer(SSL *ssl, const struct serving *s)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    char request[4096] = "";
    int n;

    if (s->conduct == HANG_SECURED)
        pause();
    n = SSL_read(ssl, request, sizeof(request) - 1);
    request[n > 0 ? n : 0] = '\0';
    switch (s->conduct) {
    case ECHO:
        echo(ssl, request);
        break;
    case ENDLESS_BODY:
        write_all(ssl, head);
        write_repeated(ssl, "0123456789012345678901234567890123456789", 0);
        break;
    case ENDLESS_HEAD:
        write_all(ssl, "HTTP/1.1 200 OK\r\n");
        write_repeated(ssl, "X-Filler: 01234567890123456789012345678901234567890123456789\r\n", 0);
        break;
    case DRIP:
        write_all(ssl, head);
        write_repeated(ssl, "x", 20000);
        break;
    default:
        write_all(ssl, s->text);
        if (s->conduct == SEND_HANG)
            pause();
    }
}

static void *connection_serve(void *arg)
{
    struct connection *c = arg;
    const struct serving *s = c->serving;
    SSL *ssl;

    if (s->conduct == HANG_ACCEPTED)
        pause();
    if (s->conduct == PLAIN) {
        (void)!write(c->fd, s->text, strlen(s->text));
    } else if (s->conduct != CLOSE_ACCEPTED) {
        ssl = SSL_new(s->ctx);
        SSL_set_fd(ssl, c->fd);
        if (SSL_accept(ssl) == 1) {
            answer(ssl, s);
            SSL_shutdown(ssl);
        }
        SSL_free(ssl);
    }
    close(c->fd);
    free(c);
    return NULL;
}

static SSL_CTX *server_ctx(const struct pki *p, enum cert_kind kind, enum conduct conduct)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    X509 *cert = pki_cert(p, kind);

    if (conduct == OLD_TLS) {
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    }
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, p->key), 1);
    X509_free(cert);
    return ctx;
}

static void serve(int listener, const struct serving *s)
{
    (void)signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct connection *c = malloc(sizeof(*c));
        pthread_t thread;

        c->serving = s;
        c->fd = accept(listener, NULL, NULL);
        if (c->fd < 0 || pthread_create(&thread, NULL, connection_serve, c) != 0)
            _exit(1);
        pthread_detach(thread);
    }
}

/* ---- in the test ---- */

static int listen_any(int *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(fd, 50), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

static void server_start(struct https_server *out, const struct pki *p, enum cert_kind kind, enum conduct conduct,
                         const char *text)
{
    int fd = listen_any(&out->port);
    struct serving s = {.ctx = server_ctx(p, kind, conduct), .conduct = conduct, .text = text};

    out->pid = fork();
    assert_true(out->pid >= 0);
    if (out->pid == 0)
        serve(fd, &s);
    close(fd);
    SSL_CTX_free(s.ctx);
}

static void server_stop(struct https_server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

#endif
