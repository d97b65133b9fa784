/*
 * tls_client.t.c - tests of tls_client.c: handshakes over BIO pairs with servers of all kinds, right and wrong (S2,
 * B-2, B-4, A3). The certificates are made here.
 */
#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DAY      86400L
#define MX       "mx.example.net"

/* Whose keys and certificates. The store has CA alone; TA is an authority that only TLSA records name. */
enum who { LEAF, OTHER, CA, MIDDLE, TA, WHO };

static EVP_PKEY *key[WHO];
static X509 *authority[WHO];
static char ca_file[] = "/tmp/postern-tls-client-XXXXXX";

struct spec {
    enum who signer;  /* LEAF: self-signed */
    const char *san;  /* as OpenSSL's configuration has it; NULL: none */
    const char *cn;   /* NULL: "x" */
    long from, until; /* days from now; 0, 0: valid */
    bool no_middle;   /* the certificate of the signer is not sent */
    const char *eku;
    bool weak; /* signed with SHA-1 */
};

static void extension_add(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

/* A dNSName with a NUL in it, which no configuration can say. */
static void nul_name_add(X509 *cert)
{
    static const char octets[] = MX "\0.evil.example";
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    assert_int_equal(ASN1_STRING_set(text, octets, sizeof(octets) - 1), 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    assert_true(sk_GENERAL_NAME_push(names, name) > 0);
    assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

static X509 *cert_begin(EVP_PKEY *own, const char *cn, long from, long until)
{
    static long serial = 1;
    X509 *cert = X509_new();

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), from * DAY);
    X509_gmtime_adj(X509_getm_notAfter(cert), until * DAY);
    X509_set_pubkey(cert, own);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    return cert;
}

static X509 *cert_end(X509 *cert, const X509 *issuer, EVP_PKEY *signer, const EVP_MD *digest)
{
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    assert_true(X509_sign(cert, signer, digest) > 0);
    return cert;
}

static X509 *leaf_make(const struct spec *s)
{
    bool valid = s->from == 0 && s->until == 0;
    X509 *cert = cert_begin(key[LEAF], s->cn != NULL ? s->cn : "x", valid ? -1 : s->from, valid ? 1 : s->until);

    extension_add(cert, NID_basic_constraints, "critical,CA:FALSE");
    if (s->san != NULL && strcmp(s->san, "NUL") == 0)
        nul_name_add(cert);
    else if (s->san != NULL)
        extension_add(cert, NID_subject_alt_name, s->san);
    if (s->eku != NULL)
        extension_add(cert, NID_ext_key_usage, s->eku);
    return cert_end(cert, s->signer == LEAF ? cert : authority[s->signer], key[s->signer],
                    s->weak ? EVP_sha1() : EVP_sha256());
}

static X509 *authority_make(enum who who, const char *cn, enum who signer)
{
    X509 *cert = cert_begin(key[who], cn, -365, 365);

    extension_add(cert, NID_basic_constraints, "critical,CA:TRUE");
    return cert_end(cert, signer == who ? cert : authority[signer], key[signer], EVP_sha256());
}

static int set_up(void **state)
{
    FILE *f;

    (void)state;
    for (int i = 0; i < WHO; i++)
        key[i] = EVP_EC_gen("P-256");
    authority[CA] = authority_make(CA, "Test CA", CA);
    authority[MIDDLE] = authority_make(MIDDLE, "Test middle", CA);
    authority[TA] = authority_make(TA, "Private CA", TA);
    f = fdopen(mkstemp(ca_file), "w");
    if (f == NULL || PEM_write_X509(f, authority[CA]) != 1)
        return -1;
    return fclose(f);
}

static int clean_up(void **state)
{
    (void)state;
    for (int i = 0; i < WHO; i++) {
        EVP_PKEY_free(key[i]);
        X509_free(authority[i]);
    }
    return unlink(ca_file);
}

/* ---- the two sides ---- */

struct sides {
    SSL_CTX *client_ctx, *server_ctx;
    SSL *client, *server;
    X509 *leaf;
    unsigned long error; /* of the client */
};

static SSL_CTX *server_context(X509 *leaf, const struct spec *s)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (s->weak)
        SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_use_certificate(ctx, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key[LEAF]), 1);
    if (!s->no_middle && s->signer != LEAF)
        assert_int_equal(SSL_CTX_add1_chain_cert(ctx, authority[s->signer]), 1);
    return ctx;
}

static void sides_open(struct sides *out, const struct spec *s)
{
    struct err e = {""};

    *out = (struct sides){.leaf = leaf_make(s)};
    out->server_ctx = server_context(out->leaf, s);
    out->client_ctx = tls_client_context(ca_file, &e);
    assert_string_equal(e.text, "");
    assert_non_null(out->client_ctx);
}

static void sides_join(struct sides *s)
{
    BIO *near, *far;

    s->server = SSL_new(s->server_ctx);
    SSL_set_accept_state(s->server);
    assert_int_equal(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(s->client, near, near);
    SSL_set_bio(s->server, far, far);
}

static void sides_part(struct sides *s)
{
    SSL_free(s->client);
    SSL_free(s->server);
    s->client = s->server = NULL;
}

static void sides_close(struct sides *s)
{
    sides_part(s);
    SSL_CTX_free(s->client_ctx);
    SSL_CTX_free(s->server_ctx);
    X509_free(s->leaf);
}

/* One side's turn. True when it has failed; *error is its reason. */
static bool turn(SSL *ssl, unsigned long *error)
{
    int ret, why;

    ERR_clear_error();
    ret = SSL_do_handshake(ssl);
    why = SSL_get_error(ssl, ret);
    if (ret == 1 || why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return false;
    *error = ERR_get_error();
    return true;
}

static void shake_hands(struct sides *s)
{
    unsigned long theirs = 0;
    bool over = false;

    s->error = 0;
    for (int i = 0; i < 20 && !over; i++) {
        over = turn(s->client, &s->error);
        if (!over)
            turn(s->server, &theirs);
    }
}

/* ---- TLSA records ---- */

struct records {
    struct tlsa rr[4];
    size_t count;
};

static int der_of(unsigned char **der, const X509 *cert, EVP_PKEY *k, unsigned selector)
{
    *der = NULL;
    return selector == 0 ? i2d_X509(cert, der) : i2d_PUBKEY(k, der);
}

static void record_add(struct records *r, unsigned usage, unsigned selector, unsigned type, const X509 *cert,
                       EVP_PKEY *k)
{
    unsigned char *der, digest[64];
    int len = der_of(&der, cert, k, selector);
    struct tlsa *rr = &r->rr[r->count++];
    unsigned size = (unsigned)len;

    assert_true(len > 0);
    if (type != 0)
        assert_int_equal(EVP_Digest(der, (size_t)len, digest, &size, type == 1 ? EVP_sha256() : EVP_sha512(), NULL), 1);
    *rr = (struct tlsa){.usage = (uint8_t)usage, .selector = (uint8_t)selector, .matching_type = (uint8_t)type};
    rr->len = (uint16_t)size;
    rr->data = malloc(size);
    memcpy(rr->data, type == 0 ? der : digest, size);
    OPENSSL_free(der);
}

/* "3 1 1 leaf, …": of the leaf, of the key OTHER, of CA, of the middle, of TA. */
static void records_make(struct records *r, const char *text, const X509 *leaf)
{
    unsigned usage, selector, type;
    char who[8];
    int used = 0;

    r->count = 0;
    for (; text != NULL && sscanf(text, " %u %u %u %7[a-z]%n", &usage, &selector, &type, who, &used) == 4;
         text += used + (text[used] == ',')) {
        if (strcmp(who, "leaf") == 0)
            record_add(r, usage, selector, type, leaf, key[LEAF]);
        else if (strcmp(who, "other") == 0)
            record_add(r, usage, selector, type, authority[TA], key[OTHER]);
        else if (strcmp(who, "ca") == 0)
            record_add(r, usage, selector, type, authority[CA], key[CA]);
        else if (strcmp(who, "middle") == 0)
            record_add(r, usage, selector, type, authority[MIDDLE], key[MIDDLE]);
        else
            record_add(r, usage, selector, type, authority[TA], key[TA]);
    }
}

static void records_clear(struct records *r)
{
    for (size_t i = 0; i < r->count; i++)
        tlsa_clear(&r->rr[i]);
}

/* ---- the table ---- */

#define PKIX  true
#define OWN   "DNS:" MX
#define GOOD  TLS_CLIENT_VERIFIED
#define TRUST TLS_CLIENT_UNTRUSTED
#define NAME  TLS_CLIENT_NAME
#define DATE  TLS_CLIENT_EXPIRED
#define TLSA  TLS_CLIENT_TLSA

struct row {
    const char *name;
    struct spec spec;
    bool pkix;
    const char *tlsa;
    enum tls_client_result want;
    const char *says;
};

static const struct row rows[] = {
    {"S2 good", {.signer = CA, .san = OWN}, PKIX, NULL, GOOD, ""},
    {"one name of several", {.signer = CA, .san = "DNS:a.example,DNS:MX.Example.NET"}, PKIX, NULL, GOOD, ""},
    {"an intermediate", {.signer = MIDDLE, .san = OWN}, PKIX, NULL, GOOD, ""},
    {"an intermediate not sent", {.signer = MIDDLE, .san = OWN, .no_middle = true}, PKIX, NULL, TRUST, "issuer"},
    {"self-signed", {.signer = LEAF, .san = OWN}, PKIX, NULL, TRUST, "self-signed certificate"},
    {"another authority", {.signer = TA, .san = OWN}, PKIX, NULL, TRUST, "self-signed certificate in"},
    {"expired", {.signer = CA, .san = OWN, .from = -2, .until = -1}, PKIX, NULL, DATE, "has expired: good until 20"},
    {"not yet", {.signer = CA, .san = OWN, .from = 1, .until = 2}, PKIX, NULL, DATE, "certificate is not yet valid"},
    {"for clients", {.signer = CA, .san = OWN, .eku = "clientAuth"}, PKIX, NULL, TRUST, "purpose"},
    {"signed with SHA-1", {.signer = CA, .san = OWN, .weak = true}, PKIX, NULL, TRUST, "too weak"},
    {"another name", {.signer = CA, .san = "DNS:mx.example.org"}, PKIX, NULL, NAME, "mx.example.org"},
    {"the CN alone", {.signer = CA, .cn = MX}, PKIX, NULL, NAME, "it has no names"},
    {"the CN beside another name", {.signer = CA, .cn = MX, .san = "DNS:a.example"}, PKIX, NULL, NAME, "a.example"},
    {"the CN beside an address", {.signer = CA, .cn = MX, .san = "IP:192.0.2.1"}, PKIX, NULL, NAME, "no names"},
    {"A3 wildcard", {.signer = CA, .san = "DNS:*.example.net"}, PKIX, NULL, GOOD, ""},
    {"A3 wildcard of two labels", {.signer = CA, .san = "DNS:*.net"}, PKIX, NULL, NAME, "*.net"},
    {"A3 wildcard alone", {.signer = CA, .san = "DNS:*"}, PKIX, NULL, NAME, ""},
    {"A3 wildcard within a label", {.signer = CA, .san = "DNS:m*.example.net"}, PKIX, NULL, NAME, ""},
    {"A3 wildcard behind", {.signer = CA, .san = "DNS:*x.example.net"}, PKIX, NULL, NAME, ""},
    {"A3 wildcard in the middle", {.signer = CA, .san = "DNS:mx.*.net"}, PKIX, NULL, NAME, ""},
    {"A3 wildcard below", {.signer = CA, .san = "DNS:*." MX}, PKIX, NULL, NAME, ""},
    {"a parent", {.signer = CA, .san = "DNS:example.net"}, PKIX, NULL, NAME, ""},
    {"a parent with a dot", {.signer = CA, .san = "DNS:.example.net"}, PKIX, NULL, NAME, ""},
    {"NUL in the name", {.signer = CA, .san = "NUL"}, PKIX, NULL, NAME, MX "?.evil.example"},

    {"B-4 3 1 1", {.signer = LEAF, .san = OWN}, false, "3 1 1 leaf", GOOD, ""},
    {"B-2 3 0 1", {.signer = LEAF}, false, "3 0 1 leaf", GOOD, ""},
    {"B-2 3 1 2", {.signer = LEAF}, false, "3 1 2 leaf", GOOD, ""},
    {"B-2 3 1 0", {.signer = LEAF}, false, "3 1 0 leaf", GOOD, ""},
    {"B-2 3 0 0", {.signer = LEAF}, false, "3 0 0 leaf", GOOD, ""},
    {"B-4 3 1 1, no names", {.signer = LEAF, .san = "DNS:a.example"}, false, "3 1 1 leaf", GOOD, ""},
    {"B-4 3 1 1, expired", {.signer = LEAF, .from = -2, .until = -1}, false, "3 1 1 leaf", GOOD, ""},
    {"B-4 3 1 1, not yet", {.signer = CA, .from = 1, .until = 2}, false, "3 1 1 leaf", GOOD, ""},
    {"B-4 3 1 1 of another key", {.signer = LEAF, .san = OWN}, false, "3 1 1 other", TLSA, "TLSA"},
    {"A11 the same, but trusted", {.signer = CA, .san = OWN}, false, "3 1 1 other", TLSA, "TLSA"},
    {"one of two fits", {.signer = LEAF}, false, "3 1 1 other,3 1 1 leaf", GOOD, ""},
    {"3 1 1 of the authority", {.signer = CA, .san = OWN}, false, "3 1 1 ca", TLSA, "TLSA"},
    {"B-4 2 1 1", {.signer = TA, .san = "DNS:tlsa.example.net"}, false, "2 1 1 ta", GOOD, ""},
    {"B-4 2 1 1, the domain's name", {.signer = TA, .san = "DNS:example.net"}, false, "2 1 1 ta", GOOD, ""},
    {"B-4 2 1 1, wildcard", {.signer = TA, .san = "DNS:*.example.net"}, false, "2 1 1 ta", GOOD, ""},
    {"B-2 2 0 1", {.signer = TA, .san = "DNS:example.net"}, false, "2 0 1 ta", GOOD, ""},
    {"B-2 2 0 0, not sent", {.signer = TA, .san = "DNS:example.net", .no_middle = true}, false, "2 0 0 ta", GOOD, ""},
    {"B-4 2 1 1 of an intermediate", {.signer = MIDDLE, .san = "DNS:example.net"}, false, "2 1 1 middle", GOOD, ""},
    {"B-4 2 1 1, another name", {.signer = TA, .san = "DNS:mx.example.org"}, false, "2 1 1 ta", NAME, "mx.example.org"},
    {"B-4 2 1 1, the CN alone", {.signer = TA, .cn = "example.net"}, false, "2 1 1 ta", NAME, "no names"},
    {"B-4 2 1 1, expired",
     {.signer = TA, .san = "DNS:example.net", .from = -2, .until = -1},
     false,
     "2 1 1 ta",
     DATE,
     ""},
    {"2 1 1, not sent", {.signer = TA, .san = "DNS:example.net", .no_middle = true}, false, "2 1 1 ta", TLSA, ""},
    {"A11 2 1 1 of another, but trusted", {.signer = CA, .san = "DNS:example.net"}, false, "2 1 1 ta", TLSA, ""},
    {"2 1 1 of the leaf", {.signer = TA, .san = "DNS:example.net"}, false, "2 1 1 leaf", TLSA, ""},
    {"B-2 usage 1 beside 3", {.signer = CA, .san = OWN}, false, "1 1 1 leaf,3 1 1 other", TLSA, "TLSA"},
    {"B-2 usage 0 beside 3", {.signer = CA, .san = OWN}, false, "0 1 1 ca,3 1 1 leaf", GOOD, ""},

    {"A11 both", {.signer = CA, .san = OWN}, PKIX, "3 1 1 leaf", GOOD, ""},
    {"A11 both by an intermediate", {.signer = MIDDLE, .san = OWN}, PKIX, "3 1 1 leaf", GOOD, ""},
    {"A11 DANE alone", {.signer = LEAF, .san = OWN}, PKIX, "3 1 1 leaf", TRUST, "self-signed"},
    {"A11 DANE, and another name", {.signer = CA, .san = "DNS:example.net"}, PKIX, "3 1 1 leaf", NAME, "example.net"},
    {"A11 DANE, and the CN", {.signer = CA, .cn = MX}, PKIX, "3 1 1 leaf", NAME, ""},
    {"A11 DANE, and a part wildcard", {.signer = CA, .san = "DNS:m*.example.net"}, PKIX, "3 1 1 leaf", NAME, ""},
    {"A11 DANE, and expired", {.signer = CA, .san = OWN, .from = -2, .until = -1}, PKIX, "3 1 1 leaf", DATE, ""},
    {"A11 DANE, and for clients",
     {.signer = CA, .san = OWN, .eku = "clientAuth"},
     PKIX,
     "3 1 1 leaf",
     TRUST,
     "purpose"},
    {"A11 DANE, and SHA-1", {.signer = CA, .san = OWN, .weak = true}, PKIX, "3 1 1 leaf", TRUST, "too weak"},
    {"A11 PKIX alone", {.signer = CA, .san = OWN}, PKIX, "3 1 1 other", TLSA, "TLSA"},
    {"A11 both with 2", {.signer = MIDDLE, .san = OWN ",DNS:example.net"}, PKIX, "2 1 1 middle", GOOD, ""},
};

static const char *const dane_names[] = {"tlsa.example.net", "example.net"};

static struct tls_client_demand demand_of(bool pkix, const struct records *r)
{
    return (struct tls_client_demand){
        .sni = r->count > 0 ? "tlsa.example.net" : MX,
        .pkix_name = pkix ? MX : NULL,
        .tlsa = r->rr,
        .tlsa_count = r->count,
        .dane_name = dane_names,
        .dane_names = r->count > 0 ? 2 : 0,
    };
}

static void sides_demand(struct sides *s, bool pkix, const struct records *r)
{
    const struct tls_client_demand d = demand_of(pkix, r);
    struct err e = {""};

    s->client = tls_client_new(s->client_ctx, &d, &e);
    assert_string_equal(e.text, "");
    assert_non_null(s->client);
    sides_join(s);
}

static void check_peer(const struct sides *s, bool verified)
{
    struct tls_client_peer peer;

    tls_client_peer(&peer, s->client);
    assert_int_equal(strlen(peer.sha256), 64);
    assert_int_equal(strlen(peer.expires), 20);
    assert_true(strncmp(peer.issuer, "CN=", 3) == 0);
    assert_int_equal(peer.version[0] != '\0', verified);
    assert_int_equal(peer.cipher[0] != '\0', verified);
}

/* TLS 1.2 and 1.3: the certificate comes at another point of the handshake. */
static void check_row(const struct row *row, int version)
{
    struct records r;
    struct sides s;
    struct err e = {""};
    enum tls_client_result got;

    sides_open(&s, &row->spec);
    SSL_CTX_set_max_proto_version(s.server_ctx, version);
    records_make(&r, row->tlsa, s.leaf);
    sides_demand(&s, row->pkix, &r);
    records_clear(&r);
    shake_hands(&s);
    got = tls_client_result(s.client, s.error, &e);
    print_message("    %s %s\n", tls_client_result_name(got), e.text);
    assert_int_equal(got, row->want);
    assert_int_equal(e.text[0] == '\0', got == GOOD);
    assert_non_null(strstr(e.text, row->says));
    assert_int_equal(SSL_is_init_finished(s.client), got == GOOD);
    check_peer(&s, got == GOOD);
    sides_close(&s);
}

static void certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        check_row(&rows[i], TLS1_2_VERSION);
        check_row(&rows[i], TLS1_3_VERSION);
    }
}

/* What the one certificate was found to be by DANE and by PKIX, whatever decides; and PKIX that is only noted. */
#define NONE TLS_CLIENT_BROKEN
static const struct judged_row {
    const char *name;
    struct spec spec;
    bool pkix, noted;
    const char *tlsa;
    enum tls_client_result want, dane, by_pkix;
    const char *words;
} judged_rows[] = {
    {"PKIX", {.signer = CA, .san = OWN}, PKIX, false, NULL, GOOD, NONE, GOOD, ""},
    {"PKIX, not trusted",
     {.signer = LEAF, .san = OWN},
     PKIX,
     false,
     NULL,
     TRUST,
     NONE,
     TRUST,
     "self-signed certificate"},
    {"DANE", {.signer = LEAF, .san = OWN}, false, false, "3 1 1 leaf", GOOD, GOOD, NONE, ""},
    {"DANE, no match", {.signer = CA, .san = OWN}, false, false, "3 1 1 other", TLSA, TLSA, NONE, ""},
    {"J19 both", {.signer = CA, .san = OWN}, PKIX, false, "3 1 1 leaf", GOOD, GOOD, GOOD, ""},
    {"J19 DANE alone",
     {.signer = LEAF, .san = OWN},
     PKIX,
     false,
     "3 1 1 leaf",
     TRUST,
     GOOD,
     TRUST,
     "self-signed certificate"},
    {"J19 PKIX alone", {.signer = CA, .san = OWN}, PKIX, false, "3 1 1 other", TLSA, TLSA, GOOD, ""},
    {"J19 neither",
     {.signer = CA, .san = "DNS:a.test"},
     PKIX,
     false,
     "3 1 1 other",
     TLSA,
     TLSA,
     NAME,
     "hostname mismatch"},
    {"noted, good", {.signer = CA, .san = OWN}, PKIX, true, "3 1 1 leaf", GOOD, GOOD, GOOD, ""},
    {"noted, not trusted",
     {.signer = LEAF, .san = OWN},
     PKIX,
     true,
     "3 1 1 leaf",
     GOOD,
     GOOD,
     TRUST,
     "self-signed certificate"},
    {"noted, SHA-1",
     {.signer = CA, .san = OWN, .weak = true},
     PKIX,
     true,
     "3 1 1 leaf",
     GOOD,
     GOOD,
     TRUST,
     "CA signature digest algorithm too weak"},
    {"noted, DANE not", {.signer = CA, .san = OWN}, PKIX, true, "3 1 1 other", TLSA, TLSA, GOOD, ""},
};

/* noted: of the whole demand, for those who only look: the handshake goes on, the result and the judgements are the
 * same.
 */
static void judged_row(const struct judged_row *row, int version, bool noted)
{
    struct tls_client_judgement dane, pkix;
    struct tls_client_demand d;
    struct records r;
    struct sides s;
    struct err e = {""};

    print_message("%s\n", row->name);
    sides_open(&s, &row->spec);
    SSL_CTX_set_max_proto_version(s.server_ctx, version);
    records_make(&r, row->tlsa, s.leaf);
    d = demand_of(row->pkix, &r);
    d.pkix_noted = row->noted;
    d.noted = noted;
    s.client = tls_client_new(s.client_ctx, &d, &e);
    assert_non_null(s.client);
    records_clear(&r);
    tls_client_judged(&dane, &pkix, s.client);
    assert_int_equal(dane.result, NONE);
    assert_int_equal(pkix.result, NONE);
    sides_join(&s);
    shake_hands(&s);
    assert_int_equal(tls_client_result(s.client, s.error, &e), row->want);
    assert_int_equal(SSL_is_init_finished(s.client), noted || row->want == GOOD);
    tls_client_judged(&dane, &pkix, s.client);
    assert_int_equal(dane.result, row->dane);
    assert_int_equal(pkix.result, row->by_pkix);
    assert_string_equal(pkix.words, row->words);
    sides_close(&s);
}
#undef NONE

static void judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(judged_rows); i++) {
        for (int noted = 0; noted < 2; noted++) {
            judged_row(&judged_rows[i], TLS1_2_VERSION, noted != 0);
            judged_row(&judged_rows[i], TLS1_3_VERSION, noted != 0);
        }
    }
}

/* What would be verified by nothing, or by less than was meant, is not begun. */
static void demands(void **state)
{
    static const char *const empty[] = {""}, *const dotted[] = {"example.net", ".example.net"};
    const struct spec spec = {.signer = CA, .san = OWN};
    struct records unusable, usable;
    struct sides s;

    (void)state;
    sides_open(&s, &spec);
    records_make(&unusable, "1 1 1 leaf,0 0 1 ca,3 2 1 leaf", s.leaf);
    unusable.rr[unusable.count] = (struct tlsa){.usage = 3, .selector = 1, .matching_type = 1, .len = 0};
    unusable.count++;
    records_make(&usable, "3 1 1 leaf", s.leaf);
    {
        const struct tls_client_demand table[] = {
            {.sni = MX},
            {.sni = MX, .dane_name = dane_names, .dane_names = 2},
            {.sni = MX, .pkix_name = MX, .dane_name = dane_names, .dane_names = 2},
            {.sni = "", .pkix_name = MX},
            {.sni = MX, .pkix_name = MX, .pkix_noted = true},
            {.sni = NULL, .pkix_name = MX},
            {.sni = MX, .pkix_name = ""},
            {.sni = MX, .pkix_name = ".example.net"},
            {.sni = MX, .tlsa = usable.rr, .tlsa_count = 1},
            {.sni = MX, .tlsa = usable.rr, .tlsa_count = 1, .dane_name = empty, .dane_names = 1},
            {.sni = MX, .tlsa = usable.rr, .tlsa_count = 1, .dane_name = dotted, .dane_names = 2},
            {.sni = MX, .tlsa = unusable.rr, .tlsa_count = 4, .dane_name = dane_names, .dane_names = 2},
            {.sni = MX,
             .pkix_name = MX,
             .tlsa = unusable.rr,
             .tlsa_count = 4,
             .dane_name = dane_names,
             .dane_names = 2},
        };

        for (size_t i = 0; i < COUNT(table); i++) {
            struct err e = {""};

            assert_null(tls_client_new(s.client_ctx, &table[i], &e));
            print_message("%s\n", e.text);
            assert_string_not_equal(e.text, "");
        }
    }
    records_clear(&unusable);
    records_clear(&usable);
    sides_close(&s);
}

static void contexts(void **state)
{
    struct err e = {""};
    SSL_CTX *ctx;

    (void)state;
    assert_null(tls_client_context("/nonexistent/ca.pem", &e));
    assert_non_null(strstr(e.text, "/nonexistent/ca.pem"));
    e.text[0] = '\0';
    assert_null(tls_client_context("/dev/null", &e));
    assert_non_null(strstr(e.text, "/dev/null"));
    e.text[0] = '\0';
    ctx = tls_client_context("", &e);
    assert_int_equal(ctx == NULL, e.text[0] != '\0');
    SSL_CTX_free(ctx);
    assert_int_equal(ERR_peek_error(), 0);
}

/* The system's authorities do not trust ours. */
static void other_authorities(void **state)
{
    const struct spec spec = {.signer = CA, .san = OWN};
    struct records none = {.count = 0};
    struct sides s;
    struct err e = {""};

    (void)state;
    sides_open(&s, &spec);
    SSL_CTX_free(s.client_ctx);
    s.client_ctx = tls_client_context(NULL, &e);
    if (s.client_ctx != NULL) { /* the system has some */
        sides_demand(&s, PKIX, &none);
        shake_hands(&s);
        assert_int_equal(tls_client_result(s.client, s.error, &e), TRUST);
    }
    sides_close(&s);
}

static void old_tls(void **state)
{
    const struct spec spec = {.signer = CA, .san = OWN};
    struct records none = {.count = 0};
    struct sides s;
    struct err e = {""};

    (void)state;
    sides_open(&s, &spec);
    SSL_CTX_set_security_level(s.server_ctx, 0);
    SSL_CTX_set_min_proto_version(s.server_ctx, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(s.server_ctx, TLS1_1_VERSION);
    sides_demand(&s, PKIX, &none);
    shake_hands(&s);
    assert_int_equal(tls_client_result(s.client, s.error, &e), TLS_CLIENT_REFUSED);
    print_message("%s\n", e.text);
    sides_close(&s);
}

static void no_cipher(void **state)
{
    const struct spec spec = {.signer = CA, .san = OWN};
    struct records none = {.count = 0};
    struct sides s;
    struct err e = {""};

    (void)state;
    sides_open(&s, &spec);
    SSL_CTX_set_max_proto_version(s.server_ctx, TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_set_cipher_list(s.server_ctx, "ECDHE-RSA-AES128-GCM-SHA256"), 1); /* our key is no RSA */
    sides_demand(&s, PKIX, &none);
    shake_hands(&s);
    assert_int_equal(tls_client_result(s.client, s.error, &e), TLS_CLIENT_REFUSED);
    print_message("%s\n", e.text);
    sides_close(&s);
}

/* S8: cut before the certificate, after it, and no TLS at all. */
static void broken(void **state)
{
    const struct spec spec = {.signer = CA, .san = OWN};
    struct records none = {.count = 0};
    struct tls_client_peer peer;
    struct sides s;
    struct err e = {""};
    BIO *far;

    (void)state;
    sides_open(&s, &spec);
    sides_demand(&s, PKIX, &none);
    assert_int_equal(tls_client_result(s.client, 0, &e), TLS_CLIENT_BROKEN);
    assert_false(turn(s.client, &s.error));
    assert_int_equal(tls_client_result(s.client, 0, &e), TLS_CLIENT_BROKEN);
    assert_string_equal(e.text, "the connection was closed within the TLS handshake");
    tls_client_peer(&peer, s.client);
    assert_string_equal(peer.sha256, "");
    sides_part(&s);

    SSL_CTX_set_max_proto_version(s.server_ctx, TLS1_2_VERSION);
    sides_demand(&s, PKIX, &none);
    for (int i = 0; i < 2; i++) { /* the client has the certificate, not the end */
        assert_false(turn(s.client, &s.error));
        if (i == 0)
            assert_false(turn(s.server, &s.error));
    }
    tls_client_peer(&peer, s.client);
    assert_string_equal(peer.names, MX);
    assert_string_equal(peer.version, "");
    assert_int_equal(tls_client_result(s.client, 0, &e), TLS_CLIENT_BROKEN);
    sides_part(&s);

    sides_demand(&s, PKIX, &none);
    far = SSL_get_wbio(s.server);
    assert_int_equal(BIO_write(far, "220 go on in clear\r\n", 20), 20);
    assert_true(turn(s.client, &s.error));
    assert_int_equal(tls_client_result(s.client, s.error, &e), TLS_CLIENT_BROKEN);
    assert_string_equal(e.text, "wrong version number");
    sides_close(&s);
}

/* The server sees the name; the second session is a new one. */
static void sessions(void **state)
{
    const struct spec spec = {.signer = CA, .san = OWN ",DNS:tlsa.example.net"};
    struct records none = {.count = 0}, some;
    struct sides s;
    struct err e = {""};

    (void)state;
    sides_open(&s, &spec);
    records_make(&some, "3 1 1 leaf", s.leaf);
    for (int i = 0; i < 4; i++) {
        SSL_CTX_set_max_proto_version(s.server_ctx, i < 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        sides_demand(&s, i == 3 ? false : PKIX, i == 3 ? &some : &none);
        shake_hands(&s);
        assert_int_equal(tls_client_result(s.client, s.error, &e), GOOD);
        assert_string_equal(SSL_get_servername(s.server, TLSEXT_NAMETYPE_host_name), i == 3 ? "tlsa.example.net" : MX);
        assert_false(SSL_session_reused(s.client));
        assert_false(SSL_session_reused(s.server));
        sides_part(&s);
    }
    records_clear(&some);
    sides_close(&s);
}

/* A server that wants another handshake in the session gets none. */
static void renegotiation(void **state)
{
    const struct spec spec = {.signer = CA, .san = OWN};
    struct records none = {.count = 0};
    unsigned long error = 0;
    struct sides s;
    struct err e = {""};
    char octet;

    (void)state;
    sides_open(&s, &spec);
    SSL_CTX_set_max_proto_version(s.server_ctx, TLS1_2_VERSION);
    sides_demand(&s, PKIX, &none);
    shake_hands(&s);
    assert_int_equal(tls_client_result(s.client, s.error, &e), GOOD);
    assert_int_equal(SSL_renegotiate(s.server), 1);
    (void)turn(s.server, &error);
    assert_true(SSL_read(s.client, &octet, 1) <= 0);
    assert_true(SSL_is_init_finished(s.client));
    ERR_clear_error();
    assert_true(SSL_read(s.server, &octet, 1) <= 0);
    error = ERR_get_error();
    assert_int_equal(ERR_GET_REASON(error), SSL_R_NO_RENEGOTIATION);
    sides_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),      cmocka_unit_test(judged),
        cmocka_unit_test(demands),           cmocka_unit_test(contexts),
        cmocka_unit_test(other_authorities), cmocka_unit_test(old_tls),
        cmocka_unit_test(no_cipher),         cmocka_unit_test(broken),
        cmocka_unit_test(sessions),          cmocka_unit_test(renegotiation),
    };

    return cmocka_run_group_tests(tests, set_up, clean_up);
}
