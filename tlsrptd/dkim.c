/* dkim.c - see dkim.h; the canonical forms are dkim_relaxed.c, the DNS records dkim_record.c. */
#include "dkim.h"

#include "ascii.h"
#include "base64.h"
#include "domain.h"
#include "header_field.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COLUMNS       78
#define TAB           8 /* a continuation line begins with one */
#define TAG_MAX       512
#define FIELD_MAX     16384
#define SIGNATURE_MAX 2048 /* octets: RSA of 16384 bits */

const char *dkim_key_kind(EVP_PKEY *key, struct err *e)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        if (EVP_PKEY_get_bits(key) >= DKIM_RSA_BITS_MIN && EVP_PKEY_get_size(key) <= SIGNATURE_MAX)
            return "rsa";
        err_set(e, "an RSA key of %d bits, but DKIM wants %d to %d; make a new one of %d", EVP_PKEY_get_bits(key),
                DKIM_RSA_BITS_MIN, SIGNATURE_MAX * 8, DKIM_RSA_BITS_GOOD);
        return NULL;
    case EVP_PKEY_ED25519:
        return "ed25519";
    default:
        err_set(e, "a key of another type (%s), but DKIM has RSA and Ed25519 only",
                EVP_PKEY_get0_type_name(key) != NULL ? EVP_PKEY_get0_type_name(key) : "unknown");
        return NULL;
    }
}

/* Letters, digits, '-' and '_', in labels of at most 63, with dots between. */
static int selector_check(const char *selector, struct err *e)
{
    size_t label = 0, len = strlen(selector);

    for (size_t i = 0; i < len; i++) {
        char c = selector[i];

        if (c == '.' ? label == 0 : !ascii_is_alnum(c) && c != '-' && c != '_')
            return err_set(e, "selector \"%.63s\": it is of letters, digits, '-' and '_', with dots between", selector);
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return err_set(e, "selector \"%.63s…\": a label has more than %d octets", selector, LABEL_MAX);
    }
    if (label == 0 || len > DOMAIN_MAX)
        return err_set(e, "selector \"%.63s\": it is empty, too long, or ends with a dot", selector);
    return 0;
}

/* --- what is signed --- */

/* The nth field of that name, counted from the last, which is 1. */
static bool field_find(struct header_field *out, const char *name, size_t nth, const char *header, size_t len)
{
    struct header_field f;
    size_t count = 0, pos = 0;

    while (header_field_next(&f, &pos, header, len) == 1)
        count += header_field_is(&f, name) ? 1 : 0;
    if (count < nth)
        return false;
    pos = 0;
    while (header_field_next(&f, &pos, header, len) == 1)
        if (header_field_is(&f, name) && count-- == nth) {
            *out = f;
            return true;
        }
    return false;
}

void dkim_signed_text(struct buf *out, const char *header, size_t header_len, const char *const *names, size_t count,
                      const char *field, size_t field_len)
{
    struct header_field f;

    for (size_t i = 0; i < count; i++) {
        size_t nth = 1;

        for (size_t k = 0; k < i; k++)
            nth += strcasecmp(names[k], names[i]) == 0 ? 1 : 0;
        if (field_find(&f, names[i], nth, header, header_len))
            dkim_relaxed_header(out, f.name, (size_t)(f.value + f.value_len - f.name));
    }
    dkim_relaxed_header(out, field, field_len);
    if (buf_ok(out)) {
        out->len -= 2;
        out->data[out->len] = '\0';
    }
}

/* Ed25519 signs the digest of the text, RSA the text (RFC 8463 3). Returns 0 or -1. */
static int sign(unsigned char *out, size_t *len, EVP_PKEY *key, const char *text, size_t text_len)
{
    bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    const unsigned char *octets = (const unsigned char *)text;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = -1;

    if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, rsa ? EVP_sha256() : NULL, NULL, key) == 1 &&
        EVP_Digest(text, text_len, digest, NULL, EVP_sha256(), NULL) == 1 &&
        EVP_DigestSign(ctx, out, len, rsa ? octets : digest, rsa ? text_len : sizeof(digest)) == 1)
        rc = 0;
    EVP_MD_CTX_free(ctx);
    return rc;
}

int dkim_signature(struct buf *out, EVP_PKEY *key, const char *text, size_t len, struct err *e)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t signature_len = sizeof(signature);

    if (dkim_key_kind(key, e) == NULL)
        return -1;
    if (sign(signature, &signature_len, key, text, len) != 0)
        return err_set(e, "the key cannot sign; is it a private key?");
    base64_add(out, signature, signature_len);
    return buf_ok(out) ? 0 : err_set(e, "no memory for a signature");
}

/* --- the field --- */

struct fold {
    struct buf *out;
    size_t column;
};

/* Append a piece, on a new line when it does not fit on this one; else behind a blank, when one is wanted. */
static void piece(struct fold *f, const char *text, size_t len, bool blank)
{
    if (f->column + (blank ? 1 : 0) + len > COLUMNS) {
        buf_str(f->out, "\r\n\t");
        f->column = TAB;
    } else if (blank) {
        buf_char(f->out, ' ');
        f->column++;
    }
    buf_add(f->out, text, len);
    f->column += len;
}

__attribute__((format(printf, 2, 3))) static void tag(struct fold *f, const char *fmt, ...)
{
    char text[TAG_MAX];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(text))
        f->out->failed = true;
    else
        piece(f, text, (size_t)n, true);
}

static void tag_names(struct fold *f, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[TAG_MAX];
        int n = snprintf(text, sizeof(text), "%s%s%s", i == 0 ? "h=" : "", names[i], i + 1 < count ? ":" : ";");

        if (n < 0 || (size_t)n >= sizeof(text))
            f->out->failed = true;
        else
            piece(f, text, (size_t)n, i == 0);
    }
}

/* A digest or a signature goes over as many lines as it needs. */
static void text_folded(struct fold *f, const char *text, size_t len)
{
    for (size_t done = 0, n; done < len; done += n) {
        if (f->column >= COLUMNS) {
            buf_str(f->out, "\r\n\t");
            f->column = TAB;
        }
        n = COLUMNS - f->column < len - done ? COLUMNS - f->column : len - done;
        buf_add(f->out, text + done, n);
        f->column += n;
    }
}

/* Digest of the body, in base64. */
static int body_hash(struct buf *out, const char *body, size_t len)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf relaxed;
    int rc = -1;

    buf_init(&relaxed, len + 2);
    dkim_relaxed_body(&relaxed, body, len);
    if (buf_ok(&relaxed) && EVP_Digest(buf_text(&relaxed), relaxed.len, digest, NULL, EVP_sha256(), NULL) == 1) {
        base64_add(out, digest, sizeof(digest));
        rc = buf_ok(out) ? 0 : -1;
    }
    buf_clear(&relaxed);
    return rc;
}

static int key_check(const struct dkim_key *key, const char *const *names, size_t count, int64_t now, struct err *e)
{
    char domain[DOMAIN_BUF];

    if (dkim_key_kind(key->key, e) == NULL || selector_check(key->selector, e) != 0)
        return -1;
    if (domain_normalise(domain, key->domain, strlen(key->domain), e) != 0)
        return err_prefix(e, "DKIM domain");
    if (strcmp(domain, key->domain) != 0)
        return err_set(e, "DKIM domain %s: it is to be written %s", key->domain, domain);
    if (now < 0)
        return err_set(e, "a signature's time is before 1970");
    for (size_t i = 0; i < count; i++)
        if (names[i][0] == '\0' || names[i][strspn(names[i], "abcdefghijklmnopqrstuvwxyz-")] != '\0')
            return err_set(e, "\"%.63s\" is no name of a field to be signed", names[i]);
    return 0;
}

/* All of the field up to its "b=". Returns 0, or -1 without memory. */
static int field_begin(struct fold *f, const struct dkim_key *key, const char *kind, const char *const *names,
                       size_t count, const char *body, size_t body_len, int64_t now)
{
    struct buf hash;
    int rc;

    piece(f, "DKIM-Signature:", sizeof("DKIM-Signature:") - 1, false);
    tag(f, "v=1;");
    tag(f, "a=%s-sha256;", kind);
    tag(f, "c=relaxed/relaxed;");
    tag(f, "d=%s;", key->domain);
    tag(f, "s=%s;", key->selector);
    tag(f, "t=%" PRId64 ";", now);
    tag_names(f, names, count);
    buf_init(&hash, TAG_MAX);
    rc = body_hash(&hash, body, body_len);
    tag(f, "bh=%s;", buf_text(&hash));
    tag(f, "b=");
    buf_clear(&hash);
    return rc == 0 && buf_ok(f->out) ? 0 : -1;
}

int dkim_sign(struct buf *out, const struct dkim_key *key, const char *header, size_t header_len, const char *body,
              size_t body_len, const char *const *names, size_t count, int64_t now, struct err *e)
{
    struct buf field, text, signature;
    struct fold f = {&field, 0};
    int rc = -1;

    if (key_check(key, names, count, now, e) != 0)
        return -1;
    buf_init(&field, FIELD_MAX);
    buf_init(&text, header_len * 2 + FIELD_MAX);
    buf_init(&signature, FIELD_MAX);
    if (field_begin(&f, key, dkim_key_kind(key->key, NULL), names, count, body, body_len, now) == 0)
        dkim_signed_text(&text, header, header_len, names, count, buf_text(&field), field.len);
    if (!buf_ok(&field) || !buf_ok(&text) || text.len == 0)
        err_set(e, "no memory for a signature, or its field would be too long");
    else
        rc = dkim_signature(&signature, key->key, buf_text(&text), text.len, e);
    if (rc == 0) {
        text_folded(&f, buf_text(&signature), signature.len);
        buf_str(&field, "\r\n");
        buf_add(out, buf_text(&field), field.len);
        rc = buf_ok(&field) && buf_ok(out) ? 0 : err_set(e, "no memory for a signature, or the mail is too large");
    }
    buf_clear(&field);
    buf_clear(&text);
    buf_clear(&signature);
    return rc;
}
