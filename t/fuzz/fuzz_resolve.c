/*
 * fuzz_resolve.c - the machine of resolve.c in a world whose answers are chosen by the input: it must end within its
 * bound, whatever is answered, in any order, and whenever the record is taken; the record must survive JSON and never
 * claim more than the answers.
 *
 * The first octet sets options and what was known before; then for each result: one octet that picks a waiting action
 * (0xff: the deadline passes), one with the outcome, and what the outcome needs. After the end of the input all octets
 * are 0.
 */
#include "resolve.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW      1795341600
#define DOMAIN   "d.example"
#define RRS      40 /* records of one answer: more than hosts are kept */
#define RAW_MAX  64 /* octets of text that come from the input */
#define DEADLINE 0xff
#define ENFORCE  "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 600\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t left;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static unsigned take(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

static void pick_name(char out[DOMAIN_BUF], struct input *in)
{
    static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
                                  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
                                  "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
                                  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.xx";
    unsigned n = take(in);

    if (n == 255)
        memcpy(out, longest, sizeof(longest));
    else if (n == 254)
        memcpy(out, DOMAIN, sizeof(DOMAIN));
    else
        (void)snprintf(out, DOMAIN_BUF, "h%u.example", n % 64);
}

/* One of the texts that mean something, or octets of the input. The caller frees. */
static char *pick_text(struct input *in, size_t *len)
{
    static const char *const texts[] = {
        "v=STSv1; id=1;",
        "v=STSv1; id=22;",
        "v=STSv1; id=",
        "v=TLSRPTv1; rua=mailto:a@b.example",
        "v=TLSRPTv1; rua=https://b.example/x",
        "",
        ENFORCE,
        "version: STSv1\nmode: none\nmax_age: 0\n",
    };
    unsigned n = take(in);
    char *out;

    if (n < sizeof(texts) / sizeof(texts[0])) {
        out = strdup(texts[n]);
        check(out != NULL);
        *len = strlen(out);
        return out;
    }
    *len = n % RAW_MAX < in->left ? n % RAW_MAX : in->left;
    out = malloc(*len + 1);
    check(out != NULL);
    memcpy(out, in->data, *len);
    out[*len] = '\0';
    in->data += *len;
    in->left -= *len;
    return out;
}

static void fill_tlsa(struct tlsa *out, unsigned n)
{
    size_t len = n >= 240 ? TLSA_DATA_MAX : (n & 32) != 0 ? 64 : 32;

    *out = (struct tlsa){(uint8_t)(n & 3), n >> 2 & 1, n >> 3 & 3, (uint16_t)len, NULL};
    out->data = calloc(1, len);
    check(out->data != NULL);
}

static void fill_rr(struct dns_rr *rr, enum dns_type type, struct input *in)
{
    unsigned n = take(in);

    switch (type) {
    case DNS_A:
        (void)snprintf(rr->address, sizeof(rr->address), "192.0.2.%u", n);
        break;
    case DNS_AAAA:
        (void)snprintf(rr->address, sizeof(rr->address), "2001:db8::%u", n % 9 + 1);
        break;
    case DNS_MX:
        rr->preference = (uint16_t)n;
        if (n != 255)
            pick_name(rr->name, in);
        break;
    case DNS_CNAME:
        pick_name(rr->name, in);
        break;
    case DNS_TXT:
        rr->text = pick_text(in, &rr->text_len);
        break;
    case DNS_TLSA:
        fill_tlsa(&rr->tlsa, n);
        break;
    }
}

/* As dns_reply.c makes them: found only with records, failed only with a reason. */
static void make_answer(struct dns_answer *a, const struct resolve_action *act, struct input *in)
{
    unsigned n = take(in);

    memset(a, 0, sizeof(*a));
    a->status = (enum dns_status)(n & 3);
    if (a->status == DNS_FAILED) {
        dns_answer_fail(a, "SERVFAIL");
        a->unheard = (n & 128) != 0;
        return;
    }
    a->secure = (n & 4) != 0;
    a->aliased = (n & 8) != 0 && act->type != DNS_CNAME;
    a->truncated = (n & 16) != 0;
    a->ttl = (n & 32) != 0 ? take(in) * 400 : 3000;
    memcpy(a->name, act->name, DOMAIN_BUF);
    if (a->aliased)
        pick_name(a->name, in);
    if (a->status != DNS_FOUND)
        return;
    a->count = (n & 64) != 0 ? take(in) % RRS + 1 : 1;
    a->rr = calloc(a->count, sizeof(*a->rr));
    check(a->rr != NULL);
    for (size_t i = 0; i < a->count; i++)
        fill_rr(&a->rr[i], act->type, in);
}

static void feed(struct resolve *r, const struct resolve_action *act, struct input *in)
{
    if (act->what == RESOLVE_QUERY) {
        struct dns_answer a;

        make_answer(&a, act, in);
        resolve_dns(r, act->slot, &a);
        dns_answer_clear(&a);
    } else {
        unsigned how = take(in);
        struct resolve_fetch f = {.untried = (how & 4) != 0, .failure = (enum dest_sts_failure)(how & 3)};
        char *body = pick_text(in, &f.len);

        check(act->address_count > 0);
        f.body = body;
        f.why = f.failure != DEST_STS_OK && f.len % 2 == 1 ? body : NULL;
        resolve_fetched(r, act->slot, &f, NOW + 1);
        free(body);
    }
}

/* Perform everything, in the order that the input picks. */
static void run(struct resolve *r, struct input *in)
{
    struct resolve_action pending[RESOLVE_ACTIONS_MAX], act;
    size_t count = 0, started = 0;

    for (;;) {
        unsigned n;

        while (resolve_next(r, &act) == 1) {
            check(++started <= RESOLVE_ACTIONS_MAX && act.slot < RESOLVE_ACTIONS_MAX);
            pending[count++] = act;
        }
        check(resolve_done(r) == (count == 0));
        if (count == 0)
            return;
        n = take(in);
        if (n == DEADLINE)
            return;
        n %= (unsigned)count;
        count--;
        act = pending[n];
        pending[n] = pending[count];
        feed(r, &act, in);
    }
}

static void check_record(const struct dest *d, const struct resolve_options *options, const struct dest *previous)
{
    bool temp = d->mx == DEST_MX_TEMP || d->sts.record == DEST_STS_TEMP;
    int64_t life = d->valid_until - d->resolved;

    for (size_t i = 0; i < d->host_count; i++) {
        const struct dest_host *h = &d->host[i];

        check(h->dane == DEST_DANE_NONE || (options->dane && d->mx_secure));
        check(i == 0 || h[-1].preference <= h->preference);
        temp = temp || h->dane == DEST_DANE_TEMP;
    }
    check(life >= 1 && life <= (temp ? RESOLVE_TEMP_TTL : RESOLVE_TTL_MAX));
    check(!d->sts.has_policy || dest_sts_live(&d->sts, d->resolved));
    check(options->sts || !d->sts.has_policy);
    if (previous != NULL && options->sts && dest_sts_live(&previous->sts, d->resolved))
        check(d->sts.has_policy || d->sts.attempted > previous->sts.attempted); /* only a new one ends it */
}

static void check_json(const struct dest *d)
{
    struct buf b;
    struct err e = {""};
    struct dest *back;

    buf_init(&b, DEST_JSON_MAX);
    dest_to_json(&b, d);
    check(buf_ok(&b));
    back = dest_from_json(b.data, b.len, &e);
    if (back == NULL)
        (void)fprintf(stderr, "%s\n%s\n", e.text, b.data);
    check(back != NULL);
    dest_free(back);
    buf_clear(&b);
}

static struct dest *make_previous(struct input *in)
{
    struct dest *d = dest_new(DOMAIN);
    unsigned n = take(in);

    check(d != NULL);
    d->sts.record = (enum dest_sts_record)(n & 3);
    d->sts.failure = (enum dest_sts_failure)(n >> 2 & 3);
    d->sts.attempted = NOW - (int64_t)take(in) * 2;
    if ((n & 16) != 0)
        check(dest_sts_set_policy(&d->sts, "1", ENFORCE, sizeof(ENFORCE) - 1, NOW - (int64_t)take(in) * 3, NULL) == 0);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned n = take(&in);
    struct resolve_options options = resolve_options_default();
    struct dest *previous = (n & 4) != 0 ? make_previous(&in) : NULL;
    struct resolve *r;
    struct dest *d;

    options.dane = (n & 1) == 0;
    options.sts = (n & 2) == 0;
    options.ttl_min = (n & 8) != 0 ? 60 : 0;
    r = resolve_new(DOMAIN, previous, (n & 16) != 0, NOW, &options);
    check(r != NULL);
    run(r, &in);
    d = resolve_take(r, NOW + 2);
    check(d != NULL);
    check_record(d, &options, previous);
    check_json(d);
    dest_free(d);
    dest_free(previous);
    resolve_free(r);
    return 0;
}
