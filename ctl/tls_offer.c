/* tls_offer.c - see tls_offer.h. A client begins its handshake with nobody, and its ClientHello is read. */
#include "tls_offer.h"

#include "exim_answer.h"
#include "list.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define CLIENT_HELLO     1
#define SUPPORTED_GROUPS 10

static const struct {
    const char *name;
    int version;
    unsigned bit;
    unsigned long off;
} versions[TLS_OFFER_VERSIONS] = {{"TLSv1", TLS1_VERSION, LIST_TLS_1_0, SSL_OP_NO_TLSv1},
                                  {"TLSv1.1", TLS1_1_VERSION, LIST_TLS_1_1, SSL_OP_NO_TLSv1_1},
                                  {"TLSv1.2", TLS1_2_VERSION, LIST_TLS_1_2, SSL_OP_NO_TLSv1_2},
                                  {"TLSv1.3", TLS1_3_VERSION, LIST_TLS_1_3, SSL_OP_NO_TLSv1_3}};

/* --- the ClientHello --- */

struct hello {
    struct tls_offer *out; /* NULL: only whether there is one */
    bool said;
};

struct reader {
    const unsigned char *at;
    size_t left;
};

/* So many octets, or NULL when there are not as many. */
static const unsigned char *take(struct reader *r, size_t len)
{
    const unsigned char *at = r->at;

    if (len > r->left)
        return NULL;
    r->at += len;
    r->left -= len;
    return at;
}

/* What follows a length of so many octets; empty where it is not whole. */
static struct reader take_vector(struct reader *r, size_t width)
{
    const unsigned char *at = take(r, width);
    size_t len = 0;

    for (size_t i = 0; at != NULL && i < width; i++)
        len = len << 8 | at[i];
    at = at != NULL ? take(r, len) : NULL;
    return (struct reader){at, at != NULL ? len : 0};
}

/* OpenSSL's names end with the colon of a list, or are of the long form. */
static const char *key_exchange(const SSL_CIPHER *c)
{
    switch (SSL_CIPHER_get_kx_nid(c)) {
    case NID_kx_ecdhe:
        return "ECDHE";
    case NID_kx_dhe:
        return "DHE";
    case NID_kx_rsa:
        return "RSA";
    case NID_kx_any:
        return "any";
    case NID_kx_psk:
    case NID_kx_ecdhe_psk:
    case NID_kx_dhe_psk:
    case NID_kx_rsa_psk:
        return "PSK";
    case NID_kx_srp:
        return "SRP";
    default:
        return "other";
    }
}

static const char *authentication(const SSL_CIPHER *c)
{
    switch (SSL_CIPHER_get_auth_nid(c)) {
    case NID_auth_rsa:
        return "RSA";
    case NID_auth_ecdsa:
        return "ECDSA";
    case NID_auth_dss:
        return "DSS";
    case NID_auth_any:
        return "any";
    case NID_auth_psk:
        return "PSK";
    case NID_auth_null:
        return "none";
    default:
        return "other";
    }
}

static void note_suites(struct tls_offer *out, SSL *ssl, struct reader r)
{
    const unsigned char *id;

    while ((id = take(&r, 2)) != NULL && out->suites < TLS_OFFER_SUITES_MAX) {
        const SSL_CIPHER *c = SSL_CIPHER_find(ssl, id);
        const char *standard = c != NULL ? SSL_CIPHER_standard_name(c) : NULL;

        if (c == NULL || SSL_CIPHER_get_bits(c, NULL) == 0) /* a signal, such as that renegotiation is secure */
            continue;
        out->suite[out->suites++] = (struct tls_offer_suite){.name = SSL_CIPHER_get_name(c),
                                                             .standard = standard != NULL ? standard : "",
                                                             .since = SSL_CIPHER_get_version(c),
                                                             .key_exchange = key_exchange(c),
                                                             .authentication = authentication(c),
                                                             .bits = SSL_CIPHER_get_bits(c, NULL)};
    }
}

static void note_groups(struct tls_offer *out, SSL *ssl, struct reader extension)
{
    struct reader r = take_vector(&extension, 2);
    const unsigned char *id;

    while ((id = take(&r, 2)) != NULL && out->groups < TLS_OFFER_GROUPS_MAX) {
        int number = id[0] << 8 | id[1];
        const char *name = SSL_group_to_name(ssl, TLSEXT_nid_unknown | number);
        char *to = out->group[out->groups++];

        if (name != NULL)
            (void)snprintf(to, sizeof(out->group[0]), "%s", name);
        else
            (void)snprintf(to, sizeof(out->group[0]), "0x%04x", (unsigned)number);
    }
}

static void hello_read(struct tls_offer *out, SSL *ssl, struct reader r)
{
    const unsigned char *type;
    struct reader suites, extensions;

    (void)take(&r, 4 + 2 + 32); /* type and length, version, random */
    (void)take_vector(&r, 1);   /* session */
    suites = take_vector(&r, 2);
    (void)take_vector(&r, 1); /* compression */
    extensions = take_vector(&r, 2);
    note_suites(out, ssl, suites);
    while ((type = take(&extensions, 2)) != NULL) {
        struct reader extension = take_vector(&extensions, 2);

        if ((type[0] << 8 | type[1]) == SUPPORTED_GROUPS)
            note_groups(out, ssl, extension);
    }
}

static void on_message(int sent, int version, int type, const void *octets, size_t len, SSL *ssl, void *arg)
{
    struct hello *h = arg;

    (void)version;
    if (sent == 0 || type != SSL3_RT_HANDSHAKE || len == 0 || *(const unsigned char *)octets != CLIENT_HELLO)
        return;
    if (!h->said && h->out != NULL)
        hello_read(h->out, ssl, (struct reader){octets, len});
    h->said = true;
}

/* Begin a handshake with nobody. Returns whether there was something to be said. */
static bool say_hello(SSL *ssl, struct tls_offer *out)
{
    struct hello h = {.out = out};

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, &h);
    (void)SSL_do_handshake(ssl);
    ERR_clear_error();
    return h.said;
}

/* --- versions --- */

static bool is_outside(SSL_CTX *ctx, int version)
{
    long least = SSL_CTX_get_min_proto_version(ctx), most = SSL_CTX_get_max_proto_version(ctx);

    return (least != 0 && version < least) || (most != 0 && version > most);
}

/* A server of our own that takes anything, with a key of this kind. NULL without memory. */
static SSL_CTX *server_new(EVP_PKEY *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    X509 *cert = X509_new();

    if (ctx != NULL && cert != NULL && key != NULL) {
        X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
        X509_set_pubkey(cert, key);
        X509_sign(cert, key, EVP_sha256());
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, 0);
        SSL_CTX_use_certificate(ctx, cert);
        SSL_CTX_use_PrivateKey(ctx, key);
    }
    X509_free(cert);
    return ctx;
}

static bool shake_hands(SSL *client, SSL *server)
{
    BIO *near = NULL, *far = NULL;

    if (client == NULL || server == NULL || BIO_new_bio_pair(&near, 0, &far, 0) != 1)
        return false;
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    return SSL_is_init_finished(client) && SSL_is_init_finished(server);
}

/* Whether a handshake with it can be ended: that one can be begun does not say so of old versions. */
static bool ends(SSL_CTX *ctx, int version, SSL_CTX *server_ctx)
{
    SSL *client = SSL_new(ctx), *server = server_ctx != NULL ? SSL_new(server_ctx) : NULL;
    bool over = client != NULL && SSL_set_min_proto_version(client, version) == 1 &&
                SSL_set_max_proto_version(client, version) == 1 && shake_hands(client, server);

    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
    return over;
}

/* With a server whose key is EC, or else RSA. */
static bool alone(SSL_CTX *ctx, int version)
{
    bool over = false;

    for (int rsa = 0; rsa < 2 && !over; rsa++) {
        EVP_PKEY *key = rsa != 0 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
        SSL_CTX *server = server_new(key);

        over = ends(ctx, version, server);
        SSL_CTX_free(server);
        EVP_PKEY_free(key);
    }
    return over;
}

static void look_version(struct tls_offer *out, size_t n, SSL_CTX *ctx, unsigned pin)
{
    struct tls_offer_version *v = &out->version[n];

    *v = (struct tls_offer_version){.name = versions[n].name, .bit = versions[n].bit};
    v->pinned = (pin & v->bit) != 0;
    if (is_outside(ctx, versions[n].version))
        (void)snprintf(v->why, sizeof(v->why), "the system's openssl.cnf (MinProtocol, MaxProtocol) does not allow it");
    else if (!alone(ctx, versions[n].version))
        (void)snprintf(v->why, sizeof(v->why), "no handshake can be ended at OpenSSL's security level %d",
                       out->security_level);
    v->usable = v->why[0] == '\0';
}

/* --- all of it --- */

/* Of a grade as Postfix has it without settings of its own (tls_high_cipherlist, tls_medium_cipherlist). */
static const char *grade_list(const char *grade)
{
    return strcmp(grade, "high") == 0     ? "aNULL:-aNULL:HIGH:@STRENGTH"
           : strcmp(grade, "medium") == 0 ? "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH"
                                          : NULL;
}

static bool offer_all(struct tls_offer *out, SSL_CTX *ctx, const char *grade)
{
    SSL *ssl = SSL_new(ctx);
    const char *list = grade_list(grade);
    bool said;

    if (ssl == NULL)
        return false;
    for (size_t i = 0; i < TLS_OFFER_VERSIONS; i++)
        if (!out->version[i].pinned || !out->version[i].usable)
            SSL_set_options(ssl, versions[i].off);
    said = (list == NULL || SSL_set_cipher_list(ssl, list) == 1) && say_hello(ssl, out);
    SSL_free(ssl);
    return said;
}

static int say_nothing(const struct tls_offer *out, struct err *e)
{
    for (size_t i = TLS_OFFER_VERSIONS; i > 0; i--)
        if (out->version[i - 1].pinned && !out->version[i - 1].usable) {
            (void)err_set(e, "nothing is left to offer: %s: %s", out->version[i - 1].name, out->version[i - 1].why);
            return 0;
        }
    (void)err_set(e, "nothing is left to offer");
    return 0;
}

static int offer_read(struct tls_offer *out, const struct list_value *v, SSL_CTX *ctx, struct err *e)
{
    unsigned pin = LIST_TLS_1_0 | LIST_TLS_1_1 | LIST_TLS_1_2 | LIST_TLS_1_3;
    bool any = false;

    if (v->protocols[0] != '\0')
        pin = list_versions(v->protocols, strlen(v->protocols), NULL);
    out->library = OpenSSL_version(OPENSSL_VERSION);
    out->security_level = SSL_CTX_get_security_level(ctx);
    for (size_t i = 0; i < TLS_OFFER_VERSIONS; i++) {
        look_version(out, i, ctx, pin);
        any = any || (out->version[i].pinned && out->version[i].usable);
    }
    return any && offer_all(out, ctx, v->ciphers) && out->suites > 0 ? 1 : say_nothing(out, e);
}

/* As policyd answers Postfix, and Exim. */
static void words_of_mtas(struct tls_offer *out, const struct list_value *v)
{
    char policy[TLS_OFFER_TEXT_MAX];
    struct buf line;
    const char *at;

    (void)snprintf(out->postfix, sizeof(out->postfix), "%s%s%s%s%s", v->protocols[0] != '\0' ? "protocols=" : "",
                   v->protocols, v->protocols[0] != '\0' && v->ciphers[0] != '\0' ? " " : "",
                   v->ciphers[0] != '\0' ? "ciphers=" : "", v->ciphers);
    (void)snprintf(policy, sizeof(policy), "OK encrypt %.300s", out->postfix);
    buf_init(&line, (size_t)EXIM_REQUEST_MAX * 4);
    exim_answer_policy(&line, &(struct exim_policy){.text = policy, .len = strlen(policy), .domain = "example.com"});
    at = strstr(buf_text(&line), " gnutls=");
    if (at != NULL)
        (void)snprintf(out->exim, sizeof(out->exim), "%.*s", (int)strcspn(at + 8, " "), at + 8);
    buf_clear(&line);
}

int tls_offer_read(struct tls_offer *out, const char *value, struct err *e)
{
    struct list_value v = {.protocols = ""};
    SSL_CTX *ctx;
    int rc;

    memset(out, 0, sizeof(*out));
    if (value != NULL && list_value_parse(&v, LIST_PROTOCOLS, value, e) != 0)
        return strstr(e->text, "leaves no TLS version") != NULL ? 0 : -1;
    if (value != NULL)
        words_of_mtas(out, &v);
    ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL)
        return err_set(e, "TLS cannot be set up");
    rc = offer_read(out, &v, ctx, e);
    SSL_CTX_free(ctx);
    return rc;
}
