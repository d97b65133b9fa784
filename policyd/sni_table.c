/* sni_table.c - see sni_table.h. Entries are found by their names, so that cert_choose only sees those that may fit. */
#include "sni_table.h"

#include "cache.h"
#include "cert_choose.h"
#include "netstring.h"
#include "socketmap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

/* What is in trouble is read anew after that: it may pass without a change of the file. */
#define TROUBLE_SECONDS 300

/* The same certificates in the same order are rendered once, for all of their names. */
struct reply {
    size_t chosen[CERT_CHOICES_MAX]; /* positions in the store */
    size_t count;
    char *wire; /* NULL: too long for Postfix */
    size_t len;
};

struct sni_table {
    struct cache *reply_of; /* "mx.example.com" or "*.example.com": struct reply */
    struct cache *replies;  /* by chosen; owns them */
    struct sni_certificate *certificate;
    size_t count;
    int64_t until;
};

/* Positions in the store of the entries that have a name. */
struct holders {
    size_t *at;
    size_t count, room;
};

/* What is needed while a table is made. */
struct work {
    struct sni_table *table;
    const struct cert_entries *all;
    int64_t now;
    const uint8_t *secret;
    struct cache *holders;   /* name or wildcard: struct holders */
    struct cert_entry *some; /* copies, which own nothing, of the entries that may fit */
    size_t *some_at;         /* where they are in the store */
    size_t some_count;
    uint32_t *seen, turn; /* of each entry: the turn in which it was last taken into some */
};

static void reply_free(void *value)
{
    struct reply *r = value;

    if (r->wire != NULL)
        OPENSSL_cleanse(r->wire, r->len);
    free(r->wire);
    free(r);
}

static void holders_free(void *value)
{
    struct holders *h = value;

    free(h->at);
    free(h);
}

/* --- times --- */

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : INT64_MAX;
}

static void sooner(int64_t *until, int64_t t, int64_t now)
{
    if (t > now && t < *until)
        *until = t;
}

/* When the chain ends; and until when all is as it is now. */
static int64_t chain_times(const struct cert_chain *c, int64_t now, int64_t *until)
{
    int64_t end = INT64_MAX;

    for (size_t i = 0; i < c->count; i++) {
        int64_t last = seconds_of(X509_get0_notAfter(c->cert[i]));

        sooner(until, seconds_of(X509_get0_notBefore(c->cert[i])), now);
        if (last < end)
            end = last;
        if (last < INT64_MAX)
            sooner(until, last + 1, now);
    }
    return c->count == 0 ? 0 : end;
}

static int by_end(const void *a, const void *b)
{
    const struct sni_certificate *x = a, *y = b;

    if ((x->expires == 0) != (y->expires == 0))
        return x->expires == 0 ? 1 : -1;
    if (x->expires != y->expires)
        return x->expires < y->expires ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int note_certificates(struct sni_table *t, const struct cert_entries *all, int64_t now)
{
    t->until = INT64_MAX;
    t->certificate = calloc(all->count + 1, sizeof(*t->certificate));
    if (t->certificate == NULL)
        return -1;
    t->count = all->count;
    for (size_t i = 0; i < all->count; i++) {
        struct sni_certificate *c = &t->certificate[i];

        memcpy(c->name, all->entry[i].name, sizeof(c->name));
        memcpy(c->trouble, all->entry[i].trouble, sizeof(c->trouble));
        c->expires = chain_times(&all->entry[i].live, now, &t->until);
        if (c->trouble[0] != '\0')
            sooner(&t->until, now + TROUBLE_SECONDS, now);
    }
    qsort(t->certificate, t->count, sizeof(*t->certificate), by_end);
    return 0;
}

/* --- who has which name --- */

static int holder_add(struct cache *holders, const char *name, size_t at)
{
    size_t len = strlen(name);
    struct holders *h = cache_peek(holders, name, len);

    if (h == NULL) {
        h = calloc(1, sizeof(*h));
        if (h == NULL || cache_put(holders, name, len, h) != 0) {
            free(h);
            return -1;
        }
    }
    if (h->count == h->room) {
        size_t room = h->room == 0 ? 2 : 2 * h->room;
        size_t *grown = realloc(h->at, room * sizeof(*grown));

        if (grown == NULL)
            return -1;
        h->at = grown;
        h->room = room;
    }
    h->at[h->count++] = at;
    return 0;
}

static int holders_find(struct work *w)
{
    for (size_t i = 0; i < w->all->count; i++) {
        const struct cert_entry *entry = &w->all->entry[i];

        if (entry->live.count == 0 || entry->live.key == NULL)
            continue;
        for (size_t n = 0; n < entry->leaf.names; n++)
            if (holder_add(w->holders, entry->leaf.name[n], i) != 0)
                return -1;
    }
    return 0;
}

static void take(struct work *w, const char *name, size_t len)
{
    const struct holders *h = cache_peek(w->holders, name, len);

    for (size_t i = 0; h != NULL && i < h->count; i++) {
        size_t at = h->at[i];

        if (w->seen[at] == w->turn)
            continue;
        w->seen[at] = w->turn;
        w->some[w->some_count] = w->all->entry[at];
        w->some_at[w->some_count++] = at;
    }
}

/* "*.example.com" for "mx.example.com"; its octets, 0: the name has no parent. */
static size_t wildcard_of(char out[DOMAIN_BUF + 1], const char *host)
{
    const char *parent = strchr(host, '.');
    size_t len = parent == NULL ? 0 : strlen(parent);

    if (len == 0 || len >= DOMAIN_BUF)
        return 0;
    out[0] = '*';
    memcpy(out + 1, parent, len + 1);
    return len + 1;
}

/* The entries that may be for this name or, of a wildcard, for a host that is nowhere named. */
static size_t choose(struct work *w, const char *name, size_t chosen[CERT_CHOICES_MAX])
{
    char host[DOMAIN_BUF + 1], wildcard[DOMAIN_BUF + 1];
    struct cert_entries some = {.entry = w->some};
    size_t len = strlen(name), count;

    w->turn++;
    w->some_count = 0;
    take(w, name, len);
    memcpy(host, name, len + 1);
    if (host[0] == '*')
        host[0] = '_';
    else if ((len = wildcard_of(wildcard, name)) > 0)
        take(w, wildcard, len);
    some.count = w->some_count;
    count = cert_choose(chosen, &some, host, w->now);
    for (size_t i = 0; i < count; i++)
        chosen[i] = w->some_at[chosen[i]];
    return count;
}

/* --- replies --- */

static bool add_pem(BIO *pem, const struct cert_chain *c)
{
    bool ok = PEM_write_bio_PrivateKey(pem, c->key, NULL, NULL, 0, NULL, NULL) == 1;

    for (size_t i = 0; ok && i < c->count; i++)
        ok = PEM_write_bio_X509(pem, c->cert[i]) == 1;
    return ok;
}

/* "OK " and base64 as a netstring. Returns 0, also when it is too long; -1 without memory. */
static int encode(struct reply *r, const char *pem, size_t len)
{
    size_t text = 3 + (len + 2) / 3 * 4;
    size_t head;

    if (text > SOCKETMAP_REPLY_MAX)
        return 0;
    r->wire = malloc(text + NETSTRING_OVERHEAD + 1);
    if (r->wire == NULL)
        return -1;
    head = netstring_head(r->wire, text);
    memcpy(r->wire + head, "OK ", 3);
    (void)EVP_EncodeBlock((unsigned char *)r->wire + head + 3, (const unsigned char *)pem, (int)len);
    r->wire[head + text] = ',';
    r->len = head + text + 1;
    return 0;
}

/* Keys with their chains, as many as fit; the best kinds of keys come first. */
static int render(struct reply *r, const struct cert_entries *all)
{
    int rc = 0;

    for (size_t most = r->count; rc == 0 && r->wire == NULL && most > 0; most--) {
        BIO *pem = BIO_new(BIO_s_mem());
        bool ok = pem != NULL;
        char *text = NULL;
        long len;

        for (size_t i = 0; ok && i < most; i++)
            ok = add_pem(pem, &all->entry[r->chosen[i]].live);
        len = ok ? BIO_get_mem_data(pem, &text) : 0;
        rc = ok ? encode(r, text, (size_t)len) : -1;
        if (len > 0)
            OPENSSL_cleanse(text, (size_t)len);
        BIO_free(pem);
    }
    return rc;
}

static struct reply *reply_for(struct work *w, const size_t chosen[CERT_CHOICES_MAX], size_t count)
{
    const char *key = (const char *)chosen;
    size_t len = count * sizeof(*chosen);
    struct reply *r = cache_peek(w->table->replies, key, len);

    if (r != NULL)
        return r;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    memcpy(r->chosen, chosen, len);
    r->count = count;
    if (render(r, w->all) != 0 || cache_put(w->table->replies, key, len, r) != 0) {
        reply_free(r);
        return NULL;
    }
    return r;
}

static int reply_add(struct work *w, const char *name)
{
    size_t chosen[CERT_CHOICES_MAX] = {0};
    size_t count = choose(w, name, chosen);
    struct reply *r = count == 0 ? NULL : reply_for(w, chosen, count);

    if (count == 0)
        return 0;
    if (r == NULL)
        return -1;
    return r->wire == NULL ? 0 : cache_put(w->table->reply_of, name, strlen(name), r);
}

static int replies_make(struct work *w)
{
    const void *cursor = NULL;
    const char *name;
    int rc = -1;

    w->holders = cache_new(0, holders_free, w->secret);
    w->some = calloc(w->all->count + 1, sizeof(*w->some));
    w->some_at = calloc(w->all->count + 1, sizeof(*w->some_at));
    w->seen = calloc(w->all->count + 1, sizeof(*w->seen));
    if (w->holders != NULL && w->some != NULL && w->some_at != NULL && w->seen != NULL)
        rc = holders_find(w);
    while (rc == 0 && cache_next(w->holders, &cursor, &name) != NULL)
        rc = reply_add(w, name);
    if (w->holders != NULL)
        cache_free(w->holders);
    free(w->some);
    free(w->some_at);
    free(w->seen);
    return rc;
}

struct sni_table *sni_table_new(const struct cert_entries *all, int64_t now, bool answers, const uint8_t secret[16])
{
    struct sni_table *t = calloc(1, sizeof(*t));
    struct work w = {.table = t, .all = all, .now = now, .secret = secret};

    if (t == NULL)
        return NULL;
    t->reply_of = cache_new(0, NULL, secret);
    t->replies = cache_new(0, reply_free, secret);
    if (t->reply_of == NULL || t->replies == NULL || note_certificates(t, all, now) != 0 ||
        (answers && replies_make(&w) != 0)) {
        sni_table_free(t);
        return NULL;
    }
    return t;
}

void sni_table_free(struct sni_table *t)
{
    if (t == NULL)
        return;
    if (t->reply_of != NULL)
        cache_free(t->reply_of);
    if (t->replies != NULL)
        cache_free(t->replies);
    free(t->certificate);
    free(t);
}

const char *sni_table_get(struct sni_table *t, const char *host, size_t *len)
{
    const struct reply *r = cache_get(t->reply_of, host, strlen(host));
    char wildcard[DOMAIN_BUF + 1];
    size_t n;

    if (r == NULL && (n = wildcard_of(wildcard, host)) > 0)
        r = cache_get(t->reply_of, wildcard, n);
    if (r == NULL)
        return NULL;
    *len = r->len;
    return r->wire;
}

int64_t sni_table_until(const struct sni_table *t)
{
    return t->until;
}

const struct sni_certificate *sni_table_certificates(const struct sni_table *t, size_t *count)
{
    *count = t->count;
    return t->certificate;
}

size_t sni_table_names(const struct sni_table *t)
{
    return cache_count(t->reply_of);
}
