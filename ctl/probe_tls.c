/* probe_tls.c - see probe_tls.h. */
#include "probe_tls.h"

#include "relay_path.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define SERVER_HELLO 2

/* The version that the server chose is known even where it is none that we speak. */
static void on_message(int sent, int version, int type, const void *octets, size_t len, SSL *ssl, void *arg)
{
    const unsigned char *at = octets;

    (void)version;
    (void)ssl;
    if (sent == 0 && type == SSL3_RT_HANDSHAKE && len > 5 && at[0] == SERVER_HELLO)
        *(int *)arg = at[4] << 8 | at[5];
}

SSL *probe_tls_new(SSL_CTX *ctx, const struct dest *dest, const struct dest_host *host, int *hello, struct err *e)
{
    const struct relay_path path = {.dest = dest};
    const struct relay_candidate candidate = {.host = host, .dane = host->dane == DEST_DANE_USABLE};
    const char *names[RELAY_NAMES_MAX];
    struct tls_client_demand demand = {.pkix_name = host->name, .noted = true};
    SSL *ssl;

    demand.sni = relay_candidate_sni(&candidate);
    if (candidate.dane) {
        demand.pkix_noted = true;
        demand.tlsa = host->tlsa;
        demand.tlsa_count = host->tlsa_count;
        demand.dane_name = names;
        demand.dane_names = relay_candidate_names(names, &path, &candidate);
    }
    ssl = tls_client_new(ctx, &demand, e);
    *hello = 0;
    if (ssl != NULL) {
        SSL_set_msg_callback(ssl, on_message);
        SSL_set_msg_callback_arg(ssl, hello);
    }
    return ssl;
}

/* --- what is known --- */

/* As RFC 8422 and RFC 8446 have it, but for those that people know by another name. */
static const char *group_known_as(const char *name)
{
    static const char *const known[][2] = {
        {"x25519", "X25519"}, {"x448", "X448"}, {"secp256r1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(name, known[i][0]) == 0)
            return known[i][1];
    return name;
}

static void note_group(char *out, size_t size, SSL *ssl)
{
    int id = (int)SSL_get_negotiated_group(ssl);
    const char *name = id != 0 && id != NID_undef ? SSL_group_to_name(ssl, id) : NULL;
    EVP_PKEY *key = NULL;

    if (name != NULL) {
        (void)snprintf(out, size, "%s", group_known_as(name));
    } else if (SSL_get_peer_tmp_key(ssl, &key) == 1 && EVP_PKEY_is_a(key, "DH")) {
        (void)snprintf(out, size, "DH %d", EVP_PKEY_get_bits(key));
    } else {
        (void)snprintf(out, size, "RSA"); /* the key of the certificate: no forward secrecy */
    }
    EVP_PKEY_free(key);
}

static void note_chain(struct probe_address *out, const SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int sent = chain != NULL ? sk_X509_num(chain) : 0;
    struct err e = {""};

    for (int i = 0; i < sent && e.text[0] == '\0'; i++) {
        if (out->chain_count == CERT_CHAIN_MAX)
            (void)err_set(&e, "it has %d certificates; more than %d are not looked at", sent, CERT_CHAIN_MAX);
        else if (cert_facts_read(&out->chain[out->chain_count], sk_X509_value(chain, i), &e) == 0)
            out->chain_count++;
        else
            (void)err_prefix(&e, "certificate %d cannot be read", i + 1);
    }
    (void)snprintf(out->chain_trouble, sizeof(out->chain_trouble), "%.199s", e.text);
}

void probe_tls_note(struct probe_address *out, SSL *ssl)
{
    tls_client_judged(&out->dane, &out->pkix, ssl);
    ERR_set_mark();
    note_chain(out, ssl);
    if (SSL_is_init_finished(ssl)) {
        (void)snprintf(out->version, sizeof(out->version), "%s", SSL_get_version(ssl));
        (void)snprintf(out->cipher, sizeof(out->cipher), "%s", SSL_get_cipher_name(ssl));
        note_group(out->group, sizeof(out->group), ssl);
    }
    ERR_pop_to_mark();
}

/* --- why not --- */

static const char *old_version(int hello)
{
    return hello == TLS1_1_VERSION ? "TLS 1.1" : hello == TLS1_VERSION ? "TLS 1.0" : "SSL 3";
}

void probe_tls_why(const SSL *ssl, unsigned long error, int hello, struct err *e)
{
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;

    (void)tls_client_result(ssl, error, e);
    if (hello != 0 && hello < TLS1_2_VERSION)
        (void)err_set(e, "it speaks %s at most; senders want TLS 1.2 or later", old_version(hello));
    else if (reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION || reason == SSL_R_UNSUPPORTED_PROTOCOL)
        (void)err_set(e, "it has no version of TLS in common with us: TLS 1.2 or 1.3 (%s)", e->text);
    else if (reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)
        (void)err_set(e, "it ended the handshake: no cipher, group or certificate in common (%s)", e->text);
    else if (reason == SSL_R_EXCESSIVE_MESSAGE_SIZE)
        (void)err_set(e, "a message of its handshake is too large, as of a chain of more than 100 KiB");
    else if (error == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        (void)err_set(e, "it closed the connection within the TLS handshake");
    else if (reason == SSL_R_WRONG_VERSION_NUMBER)
        (void)err_set(e, "it does not speak TLS after STARTTLS (%s)", e->text);
}
