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

#define DRIP_US 20000

enum cert_kind {
    CERT_GOOD,
    CERT_WILDCARD,
    CERT_WIDE,
    CERT_PARTIAL,
    CERT_CN_ONLY,
    CERT_EXPIRED,
    CERT_EARLY,
    CERT_OTHER,
    CERT_SELF,
    CERT_IP,      /* our address is in it, our name is not */
    CERT_CHAIN,   /* issued by an intermediate authority, which is sent too */
    CERT_ORPHAN,  /* which is not sent */
    CERT_ENORMOUS /* with another one of 110,000 octets */
};

/* What the server does; SEND writes the text and closes. */
enum conduct {
    SEND,
    SEND_HANG,      /* writes the text, then nothing */
    SEND_RESET,     /* writes the text, then resets the connection */
    SEND_CUT,       /* writes the text and closes, but does not end TLS, as who cuts the line would */
    SEND_DRIP,      /* writes the text an octet at a time, 20 ms apart, the last one for ever */
    REPEAT,         /* writes the text; what comes after \f in it for ever */
    ECHO,           /* the request and the SNI as the body */
    HANG_ACCEPTED,  /* no TLS handshake */
    HANG_RECORD,    /* half a record of it */
    HANG_HELLO,     /* its first record, the ServerHello */
    DRIP_HANDSHAKE, /* an octet of it every 20 ms */
    HANG_SECURED,   /* no answer */
    CLOSE_ACCEPTED,
    RESET_ACCEPTED,
    RESET_HELLO,   /* once the ClientHello has come */
    RESET_SECURED, /* once the handshake is over */
    ALERT,         /* a fatal alert for the ClientHello */
    PLAIN,         /* the text, without TLS */
    OLD_TLS,       /* TLS 1.1 at most, then as SEND */
    NO_CIPHER,     /* none that the client has */
    H2,            /* HTTP/2 is chosen, then as SEND */
    RENEGOTIATE    /* TLS 1.2; wants another handshake after the request, then as SEND */
};

struct pki {
    EVP_PKEY *key; /* of all certificates; it is the names that matter */
    X509 *ca, *intermediate, *enormous;
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
    size_t len;
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

static const char *enormous_text(void)
{
    static char text[110001];

    memset(text, 'x', sizeof(text) - 1);
    return text;
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
    else if (strcmp(san, "enormous") == 0)
        extension_add(cert, NID_netscape_comment, enormous_text());
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
    p->intermediate = cert_make(p->key, p->ca, "Test intermediate", "CA", -year, year);
    p->enormous = cert_make(p->key, p->ca, "Enormous", "enormous", -year, year);
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
    X509_free(p->enormous);
    X509_free(p->intermediate);
    X509_free(p->ca);
    EVP_PKEY_free(p->key);
}

static X509 *pki_cert(const struct pki *p, enum cert_kind kind, const char *host)
{
    const long day = 86400;
    const char *parent = strchr(host, '.'), *top = strrchr(host, '.');
    char own[300], san[300];

    (void)snprintf(own, sizeof(own), "DNS:%s", host);
    switch (kind) {
    case CERT_WILDCARD:
        (void)snprintf(san, sizeof(san), "DNS:*%s", parent);
        return cert_make(p->key, p->ca, "x", san, -day, day);
    case CERT_WIDE:
        (void)snprintf(san, sizeof(san), "DNS:*%s", top);
        return cert_make(p->key, p->ca, "x", san, -day, day);
    case CERT_PARTIAL:
        (void)snprintf(san, sizeof(san), "DNS:mta-*%s", parent);
        return cert_make(p->key, p->ca, "x", san, -day, day);
    case CERT_CN_ONLY:
        return cert_make(p->key, p->ca, host, NULL, -day, day);
    case CERT_EXPIRED:
        return cert_make(p->key, p->ca, "x", own, -2 * day, -day);
    case CERT_EARLY:
        return cert_make(p->key, p->ca, "x", own, day, 2 * day);
    case CERT_OTHER:
        return cert_make(p->key, p->ca, host, "DNS:mta-sts.example.net", -day, day);
    case CERT_SELF:
        return cert_make(p->key, NULL, host, own, -day, day);
    case CERT_IP:
        return cert_make(p->key, p->ca, host, "IP:127.0.0.1", -day, day);
    case CERT_CHAIN:
    case CERT_ORPHAN:
        return cert_make(p->key, p->intermediate, "x", own, -day, day);
    case CERT_ENORMOUS:
    case CERT_GOOD:
        break;
    }
    (void)snprintf(san, sizeof(san), "DNS:other.example,DNS:%s", host);
    return cert_make(p->key, p->ca, "x", san, -day, day);
}

/* ---- in the child ---- */

static void write_all(SSL *ssl, const char *text, size_t len)
{
    if (len > 0)
        (void)SSL_write(ssl, text, (int)len);
}

/* The last octet goes on for ever. */
static void write_drip(SSL *ssl, const char *text, size_t len)
{
    for (size_t i = 0; SSL_write(ssl, text + i, 1) > 0; i += i + 1 < len)
        usleep(DRIP_US);
}

static void write_repeated(SSL *ssl, const char *text, size_t len)
{
    const char *again = memchr(text, '\f', len);
    size_t part = (size_t)(text + len - ++again), full = 0;
    char block[8192];

    write_all(ssl, text, (size_t)(again - 1 - text));
    for (; full + part <= sizeof(block); full += part)
        memcpy(block + full, again, part);
    while (SSL_write(ssl, block, (int)full) > 0)
        continue;
}

static void echo(SSL *ssl, const char *request)
{
    char reply[8192];
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)snprintf(
        reply, sizeof(reply),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nSNI: %s %s\r\n%s",
        sni != NULL ? sni : "none", SSL_session_reused(ssl) ? "resumed" : "full", request);
    write_all(ssl, reply, strlen(reply));
}

/* The peer gets a reset instead of an end. */
static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void renegotiate(SSL *ssl)
{
    char octet;

    (void)SSL_renegotiate(ssl);
    (void)SSL_do_handshake(ssl);
    (void)SSL_read(ssl, &octet, 1);
}

static void answer(SSL *ssl, const struct serving *s)
{
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
    case REPEAT:
        write_repeated(ssl, s->text, s->len);
        break;
    case SEND_DRIP:
        write_drip(ssl, s->text, s->len);
        break;
    case RENEGOTIATE:
        renegotiate(ssl);
        write_all(ssl, s->text, s->len);
        break;
    default:
        write_all(ssl, s->text, s->len);
        if (s->conduct == SEND_HANG)
            pause();
    }
    if (s->conduct == SEND_RESET)
        reset(SSL_get_fd(ssl));
}

/* The server's first flight, as much of it as the conduct says; then silence. */
static void handshake_part(const struct serving *s, int fd)
{
    SSL *ssl = SSL_new(s->ctx);
    BIO *flight = BIO_new(BIO_s_mem());
    const unsigned char *data;
    long len;

    SSL_set_fd(ssl, fd);
    SSL_set0_wbio(ssl, flight);
    (void)SSL_accept(ssl); /* wants to read more */
    len = BIO_get_mem_data(flight, &data);
    if (s->conduct == HANG_RECORD && len > 20)
        len = 20;
    if (s->conduct == HANG_HELLO && len > 5)
        len = 5 + data[3] * 256 + data[4];
    for (long i = 0; i < len && s->conduct == DRIP_HANDSHAKE; i++) {
        (void)!write(fd, data + i, 1);
        usleep(DRIP_US);
    }
    if (s->conduct != DRIP_HANDSHAKE)
        (void)!write(fd, data, (size_t)len);
    pause();
}

/* What is not TLS, or ends before it is. */
static void serve_raw(const struct serving *s, int fd)
{
    static const char alert[] = "\x15\x03\x03\x00\x02\x02\x28"; /* fatal, handshake_failure */
    char hello[4096];

    if (s->conduct == HANG_ACCEPTED)
        pause();
    if (s->conduct == PLAIN)
        (void)!write(fd, s->text, s->len);
    if (s->conduct == ALERT || s->conduct == RESET_HELLO)
        (void)!read(fd, hello, sizeof(hello));
    if (s->conduct == ALERT)
        (void)!write(fd, alert, sizeof(alert) - 1);
    if (s->conduct == RESET_ACCEPTED || s->conduct == RESET_HELLO)
        reset(fd);
}

static void serve_tls(const struct serving *s, int fd)
{
    SSL *ssl = SSL_new(s->ctx);

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        if (s->conduct == RESET_SECURED)
            reset(fd);
        else
            answer(ssl, s);
        if (s->conduct != RESET_SECURED && s->conduct != SEND_RESET && s->conduct != SEND_CUT)
            SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static void *connection_serve(void *arg)
{
    struct connection *c = arg;

    switch (c->serving->conduct) {
    case HANG_ACCEPTED:
    case CLOSE_ACCEPTED:
    case RESET_ACCEPTED:
    case RESET_HELLO:
    case ALERT:
    case PLAIN:
        serve_raw(c->serving, c->fd);
        break;
    case HANG_RECORD:
    case HANG_HELLO:
    case DRIP_HANDSHAKE:
        handshake_part(c->serving, c->fd);
        break;
    default:
        serve_tls(c->serving, c->fd);
    }
    close(c->fd);
    free(c);
    return NULL;
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in, unsigned in_len,
                     void *arg)
{
    (void)ssl;
    (void)in;
    (void)in_len;
    (void)arg;
    *out = (const unsigned char *)"h2";
    *len = 2;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_ctx(const struct pki *p, enum cert_kind kind, enum conduct conduct, const char *host)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    X509 *cert = pki_cert(p, kind, host);
    X509 *beside = kind == CERT_CHAIN ? p->intermediate : kind == CERT_ENORMOUS ? p->enormous : NULL;

    if (conduct == OLD_TLS) {
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    }
    if (conduct == RENEGOTIATE || conduct == NO_CIPHER)
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (conduct == NO_CIPHER) /* for RSA keys; ours is another */
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-GCM-SHA256"), 1);
    if (conduct == H2)
        SSL_CTX_set_alpn_select_cb(ctx, choose_h2, NULL);
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, p->key), 1);
    if (beside != NULL)
        assert_int_equal(SSL_CTX_add1_chain_cert(ctx, beside), 1);
    SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
    X509_free(cert);
    return ctx;
}

static void connection_accept(int listener, const struct serving *s)
{
    struct connection *c = malloc(sizeof(*c));
    pthread_t thread;

    c->serving = s;
    c->fd = accept(listener, NULL, NULL);
    if (c->fd < 0 || pthread_create(&thread, NULL, connection_serve, c) != 0)
        _exit(1);
    pthread_detach(thread);
}

static void serve(int listener, const struct serving *s)
{
    (void)signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        connection_accept(listener, s);
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
    struct serving s = {
        .ctx = server_ctx(p, kind, conduct, HOST), .conduct = conduct, .text = text, .len = strlen(text)};

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
