/*
 * fuzz_dkim.c - DKIM's canonical forms, and records of keys: the input is a field, a body, a header and a record. What
 * is canonical stays as it is; there is no run of blanks, and no empty line at the end of a body.
 */
#include "buf.h"
#include "dkim.h"
#include "recipe.h"

#define ROOM 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void canonical_fn(struct buf *out, const char *text, size_t len);

static void demand_stays(canonical_fn *fn, const struct buf *once, size_t size)
{
    struct buf twice;

    buf_init(&twice, size * ROOM + ROOM);
    fn(&twice, buf_text(once), once->len);
    demand(buf_ok(&twice) && twice.len == once->len && memcmp(buf_text(&twice), buf_text(once), once->len) == 0);
    buf_clear(&twice);
}

static void demand_no_runs(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++) {
        demand(b->data[i] != '\t');
        demand(b->data[i] != ' ' || i + 1 >= b->len || b->data[i + 1] != ' ');
    }
}

static void field_look_at(const char *text, size_t size)
{
    struct buf out;

    buf_init(&out, size * ROOM + ROOM);
    dkim_relaxed_header(&out, text, size);
    demand(buf_ok(&out) && out.len >= 3 && strcmp(out.data + out.len - 2, "\r\n") == 0);
    demand(out.data[out.len - 3] != ' ');
    buf_clear(&out);
}

static void body_look_at(const char *text, size_t size)
{
    struct buf out;

    buf_init(&out, size + 2);
    dkim_relaxed_body(&out, text, size);
    demand(buf_ok(&out));
    demand_no_runs(&out);
    demand(out.len == 0 || (out.len > 2 && memcmp(out.data + out.len - 2, "\r\n", 2) == 0));
    demand(out.len < 4 || memcmp(out.data + out.len - 4, "\r\n\r\n", 4) != 0);
    demand_stays(dkim_relaxed_body, &out, size);
    buf_clear(&out);
}

static void header_look_at(const char *text, size_t size)
{
    static const char *const names[] = {"from", "from", "subject", "from"};
    struct buf out;

    buf_init(&out, size * ROOM + 100);
    dkim_signed_text(&out, text, size, names, 4, "A: b=", 5);
    demand(buf_ok(&out) && out.len >= 4 && strcmp(out.data + out.len - 4, "a:b=") == 0);
    buf_clear(&out);
}

static void record_look_at(const char *text, size_t size)
{
    static const unsigned char secret[32] = {1};
    static EVP_PKEY *key;
    struct err e = {""};
    int rc;

    if (key == NULL)
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
    rc = dkim_record_check(text, size, key, &e);
    demand(rc >= -1 && rc <= 1 && (rc == 0) == (e.text[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";

    field_look_at(text, size);
    body_look_at(text, size);
    header_look_at(text, size);
    record_look_at(text, size);
    return 0;
}
