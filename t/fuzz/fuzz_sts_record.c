/* fuzz_sts_record.c - any octets as a TXT record, and their lines as a TXT RRset. */
#include "sts_record.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int cond)
{
    if (!cond)
        abort();
}

/* A valid record has an id that stands in the text after "id=", and its plain form says the same. */
static void check_valid(const struct sts_record *r, const char *txt, size_t len)
{
    char plain[64], wanted[64];
    struct sts_record again;
    struct err e;

    check(strlen(r->id) >= 1 && strlen(r->id) <= STS_ID_MAX);
    check(strspn(r->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(r->id));
    (void)snprintf(wanted, sizeof wanted, "id=%s", r->id);
    check(memmem(txt, len, wanted, strlen(wanted)) != NULL);
    (void)snprintf(plain, sizeof plain, "v=STSv1; id=%s;", r->id);
    check(sts_record_parse(&again, plain, strlen(plain), &e) == 1);
    check(strcmp(again.id, r->id) == 0);
}

static void check_one(const char *txt, size_t len)
{
    struct sts_record r;
    struct err e = {""};
    int rc = sts_record_parse(&r, txt, len, &e);

    check(rc >= -1 && rc <= 1);
    check((rc == -1) == (e.text[0] != '\0'));
    check((rc == 0) <= (len < 7 || memcmp(txt, "v=STSv1;", len < 8 ? len : 8) != 0));
    check((rc == 1) == (r.id[0] != '\0'));
    if (rc == 1)
        check_valid(&r, txt, len);
}

/* One of the set is chosen only when no other begins like an STS record. */
static void check_set(const char *txt, size_t len)
{
    struct sts_txt set[SET_MAX];
    size_t count = 0, begun = 0;
    struct sts_record r;
    struct err e = {""};
    int rc;

    for (size_t at = 0; at <= len && count < SET_MAX;) {
        const char *lf = memchr(txt + at, '\n', len - at);
        size_t n = (lf == NULL ? len : (size_t)(lf - txt)) - at;
        set[count++] = (struct sts_txt){txt + at, n};
        begun += n >= 8 && memcmp(txt + at, "v=STSv1;", 8) == 0;
        at += n + 1;
    }
    rc = sts_record_select(&r, set, count, &e);
    check((rc == -1) == (e.text[0] != '\0'));
    check((rc == 1) == (r.id[0] != '\0'));
    check(begun <= 1 || rc == -1);
    check(begun == 0 || rc != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *txt = size == 0 ? "" : (const char *)data;

    check_one(txt, size);
    check_set(txt, size);
    return 0;
}
