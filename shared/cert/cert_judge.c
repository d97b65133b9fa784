/* cert_judge.c - see certificate.h: would a sender take it? */
#include "cert_internal.h"
#include "certificate.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <time.h>

#define LEVEL      2   /* of OpenSSL's security levels */
#define LEVEL_BITS 112 /* what it asks for */

static const char *subject(char out[120], X509 *cert)
{
    cert_name_text(out, 120, X509_get_subject_name(cert));
    return out;
}

static bool is_weak(X509 *cert, struct err *e)
{
    char name[120], text[32];
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    int bits = 0;

    if (key == NULL || EVP_PKEY_get_security_bits(key) < LEVEL_BITS) {
        cert_key_text(text, sizeof(text), key);
        err_set(e, "%s: its key (%s) is too weak; make a new key: RSA from 2048 bits on, or EC P-256",
                subject(name, cert), text);
        return true;
    }
    if (cert_is_issued_by(cert, cert)) /* nobody looks at its signature */
        return false;
    if (X509_get_signature_info(cert, NULL, NULL, &bits, NULL) == 1 && bits >= LEVEL_BITS)
        return false;
    err_set(e, "%s: its signature is too weak (SHA-1 or older), have it issued anew", subject(name, cert));
    return true;
}

static bool chain_is_weak(const struct cert_chain *c, struct err *e)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_weak(c->cert[i], e))
            return true;
    return false;
}

static enum cert_verdict verdict_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return CERT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CERT_NOT_YET;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return CERT_WEAK;
    default:
        return CERT_UNTRUSTED;
    }
}

static void explain(X509_STORE_CTX *ctx, const struct cert_chain *c, int error, struct err *e)
{
    X509 *at = X509_STORE_CTX_get_current_cert(ctx);
    char name[120], issuer[80];

    if (at == NULL)
        at = c->cert[0];
    cert_name_text(issuer, sizeof(issuer), X509_get_issuer_name(at));
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        err_set(e, "%s: its issuer, %s, is neither in the chain nor a trusted authority", subject(name, at), issuer);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        err_set(e, "%s: it is self-signed, no trusted authority stands behind it", subject(name, at));
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        err_set(e, "%s: it is at the end of the chain, but no trusted authority", subject(name, at));
        break;
    default:
        err_set(e, "%s: %s", subject(name, at), X509_verify_cert_error_string(error));
    }
}

static int verify(X509_STORE_CTX *ctx, STACK_OF(X509) * others, const struct cert_chain *c, X509_STORE *trust,
                  int64_t now)
{
    for (size_t i = 1; i < c->count; i++)
        if (sk_X509_push(others, c->cert[i]) == 0)
            return X509_V_ERR_OUT_OF_MEM;
    if (X509_STORE_CTX_init(ctx, trust, c->cert[0], others) != 1 || X509_STORE_CTX_set_default(ctx, "ssl_server") != 1)
        return X509_V_ERR_OUT_OF_MEM;
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)now);
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), LEVEL);
    if (X509_verify_cert(ctx) == 1)
        return X509_V_OK;
    return X509_STORE_CTX_get_error(ctx) != X509_V_OK ? X509_STORE_CTX_get_error(ctx) : X509_V_ERR_UNSPECIFIED;
}

static enum cert_verdict judge_trust(const struct cert_chain *c, X509_STORE *trust, int64_t now, struct err *e)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    int error = X509_V_ERR_OUT_OF_MEM;

    if (ctx != NULL && others != NULL)
        error = verify(ctx, others, c, trust, now);
    if (error != X509_V_OK && ctx != NULL)
        explain(ctx, c, error, e);
    X509_STORE_CTX_free(ctx);
    sk_X509_free(others);
    return error == X509_V_OK ? CERT_GOOD : verdict_of(error);
}

/* Returns whether it is for the host, or else says which names it has. */
static bool judge_name(const struct cert_chain *c, const char *host, struct err *e)
{
    struct cert_facts facts;
    char name[120];
    bool good;

    if (cert_facts_read(&facts, c->cert[0], e) != 0)
        return false;
    good = cert_facts_name(&facts, host);
    if (!good && facts.names == 0)
        err_set(e, "%s: it has no host names (subjectAltName), so it is not for %s", subject(name, c->cert[0]), host);
    else if (!good)
        err_set(e, "%s: it is for %.60s%s, not for %s", subject(name, c->cert[0]), facts.name[0],
                facts.names > 1 ? " and others" : "", host);
    cert_facts_clear(&facts);
    return good;
}

int64_t cert_chain_end(const struct cert_chain *c)
{
    int64_t first = INT64_MAX, end;

    for (size_t i = 0; i < c->count; i++) {
        if (cert_time(&end, X509_get0_notAfter(c->cert[i])) != 0)
            return INT64_MIN;
        if (end < first)
            first = end;
    }
    return first;
}

static void day_text(char out[16], int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
}

static enum cert_verdict judge_time(X509 *cert, int64_t now, struct err *e)
{
    int64_t begin, end;
    char name[120], day[16];

    if (cert_time(&begin, X509_get0_notBefore(cert)) != 0 || cert_time(&end, X509_get0_notAfter(cert)) != 0) {
        err_set(e, "%s: its dates cannot be read", subject(name, cert));
        return CERT_EXPIRED;
    }
    if (now > end) {
        day_text(day, end);
        err_set(e, "%s: it has expired on %s", subject(name, cert), day);
        return CERT_EXPIRED;
    }
    if (now < begin) {
        day_text(day, begin);
        err_set(e, "%s: it is not good before %s", subject(name, cert), day);
        return CERT_NOT_YET;
    }
    return CERT_GOOD;
}

/* The worst of all, with its reason. */
static enum cert_verdict judge_times(const struct cert_chain *c, int64_t now, struct err *e)
{
    enum cert_verdict worst = CERT_GOOD;

    for (size_t i = 0; i < c->count; i++) {
        struct err why = {""};
        enum cert_verdict v = judge_time(c->cert[i], now, &why);

        if (v > worst) {
            worst = v;
            err_set(e, "%s", why.text);
        }
    }
    return worst;
}

static enum cert_verdict judge(const struct cert_chain *c, const char *host, X509_STORE *trust, int64_t now,
                               struct err *e)
{
    struct err why = {""};
    enum cert_verdict trusted, timely;

    if (c->count == 0) {
        err_set(e, "there is no certificate");
        return CERT_UNTRUSTED;
    }
    if (chain_is_weak(c, e))
        return CERT_WEAK;
    trusted = trust != NULL ? judge_trust(c, trust, now, &why) : CERT_GOOD;
    if (trusted >= CERT_UNTRUSTED) {
        err_set(e, "%s", why.text);
        return trusted;
    }
    if (host != NULL && !judge_name(c, host, e))
        return CERT_NAME;
    timely = judge_times(c, now, e);
    if (timely >= trusted)
        return timely;
    err_set(e, "%s", why.text); /* an authority of the store has ended */
    return trusted;
}

enum cert_verdict cert_chain_judge(const struct cert_chain *c, const char *host, X509_STORE *trust, int64_t now,
                                   struct err *e)
{
    enum cert_verdict v;

    ERR_set_mark();
    v = judge(c, host, trust, now, e);
    ERR_pop_to_mark();
    return v;
}
