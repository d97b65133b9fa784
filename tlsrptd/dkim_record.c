/* dkim_record.c - the DNS records of keys, for dkim.h (RFC 6376 3.6.1, RFC 8463 4). */
#include "dkim.h"

#include "ascii.h"
#include "base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

#define RECORD_MAX    8192
#define ED25519_PLAIN 32

/* p=: of RSA the SubjectPublicKeyInfo, of Ed25519 the key itself. Returns 0, or -1. */
static int public_add(struct buf *out, EVP_PKEY *key)
{
    unsigned char plain[ED25519_PLAIN], *der = NULL;
    size_t plain_len = sizeof(plain);
    int len;

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
        if (EVP_PKEY_get_raw_public_key(key, plain, &plain_len) != 1)
            return -1;
        base64_add(out, plain, plain_len);
    } else {
        len = i2d_PUBKEY(key, &der);
        if (len <= 0)
            return -1;
        base64_add(out, der, (size_t)len);
        OPENSSL_free(der);
    }
    return buf_ok(out) ? 0 : -1;
}

int dkim_record(struct buf *out, EVP_PKEY *key, struct err *e)
{
    const char *kind = dkim_key_kind(key, e);

    if (kind == NULL)
        return -1;
    buf_printf(out, "v=DKIM1; k=%s; s=tlsrpt:email; p=", kind);
    return public_add(out, key) == 0 ? 0 : err_set(e, "no memory for the record of a key");
}

/* --- a record that was published --- */

struct part {
    const char *at;
    size_t len;
};

static bool is_space(char c)
{
    return ascii_is_blank(c) || c == '\r' || c == '\n';
}

static struct part trimmed(const char *at, size_t len)
{
    while (len > 0 && is_space(at[0])) {
        at++;
        len--;
    }
    while (len > 0 && is_space(at[len - 1]))
        len--;
    return (struct part){at, len};
}

static bool part_is(struct part p, const char *text)
{
    return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

/* The next of a list, with the delimiter behind it. */
static bool part_next(struct part *out, struct part *left, char delimiter)
{
    const char *end;
    size_t len;

    if (left->at == NULL)
        return false;
    end = left->len > 0 ? memchr(left->at, delimiter, left->len) : NULL;
    len = end != NULL ? (size_t)(end - left->at) : left->len;
    *out = trimmed(left->at, len);
    *left = end != NULL ? (struct part){end + 1, left->len - len - 1} : (struct part){NULL, 0};
    return true;
}

struct tags {
    struct part v, k, p, s, t, h;
    bool v_first;
};

static struct part *tag_place(struct tags *tags, char name)
{
    switch (name) {
    case 'v':
        return &tags->v;
    case 'k':
        return &tags->k;
    case 'p':
        return &tags->p;
    case 's':
        return &tags->s;
    case 't':
        return &tags->t;
    case 'h':
        return &tags->h;
    default:
        return NULL;
    }
}

/* Tags of names that we do not know are passed over, as verifiers do. */
static int tags_read(struct tags *out, const char *txt, size_t len, struct err *e)
{
    struct part left = {txt, len}, one;
    size_t count = 0;

    memset(out, 0, sizeof(*out));
    while (part_next(&one, &left, ';')) {
        const char *equals = one.len > 0 ? memchr(one.at, '=', one.len) : NULL;
        struct part name, *place;

        if (one.len == 0)
            continue;
        if (equals == NULL)
            return err_set(e, "the record is none of a DKIM key: \"%.*s\" has no '='",
                           (int)(one.len < 40 ? one.len : 40), one.at);
        name = trimmed(one.at, (size_t)(equals - one.at));
        place = name.len == 1 ? tag_place(out, name.at[0]) : NULL;
        if (place != NULL && place->at != NULL)
            return err_set(e, "the record has %c= twice", name.at[0]);
        if (place != NULL)
            *place = trimmed(equals + 1, (size_t)(one.at + one.len - equals - 1));
        out->v_first = out->v_first || (count == 0 && place == &out->v);
        count++;
    }
    return 0;
}

/* Is a word in a list with colons? */
static bool listed(struct part list, const char *word)
{
    struct part one;

    while (part_next(&one, &list, ':'))
        if (part_is(one, word))
            return true;
    return false;
}

/* The same base64, blanks in the record not counted. */
static bool same_key(struct part p, const char *own)
{
    for (size_t i = 0; i < p.len; i++) {
        if (is_space(p.at[i]))
            continue;
        if (*own == '\0' || p.at[i] != *own)
            return false;
        own++;
    }
    return *own == '\0';
}

static int must_fit(const struct tags *tags, const char *kind, const char *own, struct err *e)
{
    if (tags->v.at != NULL && (!tags->v_first || !part_is(tags->v, "DKIM1")))
        return err_set(e, "the record must begin with v=DKIM1");
    if (tags->p.at == NULL)
        return err_set(e, "the record has no key: p= is missing");
    if (tags->p.len == 0)
        return err_set(e, "the record says that the key is revoked: p= is empty");
    if (tags->k.at == NULL ? strcmp(kind, "rsa") != 0 : !part_is(tags->k, kind))
        return err_set(e, "the record is of a key of another type: it must have k=%s", kind);
    if (tags->h.at != NULL && !listed(tags->h, "sha256"))
        return err_set(e, "the record does not allow SHA-256: h= must have sha256, or be left out");
    if (!same_key(tags->p, own))
        return err_set(e, "the record is of another key: p= differs");
    if (tags->s.at != NULL && !listed(tags->s, "tlsrpt") && !listed(tags->s, "*") && !listed(tags->s, "email"))
        return err_set(e, "the record is for other services only: s= must have tlsrpt");
    return 0;
}

int dkim_record_check(const char *txt, size_t len, EVP_PKEY *key, struct err *e)
{
    const char *kind = dkim_key_kind(key, e);
    struct tags tags;
    struct buf own;
    int rc = -1;

    if (kind == NULL || tags_read(&tags, txt, len, e) != 0)
        return -1;
    buf_init(&own, RECORD_MAX);
    if (public_add(&own, key) == 0)
        rc = must_fit(&tags, kind, buf_text(&own), e);
    else
        err_set(e, "no memory for the record of a key");
    buf_clear(&own);
    if (rc == 0 && (tags.s.at == NULL || !listed(tags.s, "tlsrpt"))) {
        err_set(e, "the record has no s=tlsrpt: receivers may ignore reports that are signed with this key");
        return 1;
    }
    if (rc == 0 && tags.t.at != NULL && listed(tags.t, "y")) {
        err_set(e, "the record has t=y (testing): receivers may take reports as if they were not signed");
        return 1;
    }
    return rc;
}
