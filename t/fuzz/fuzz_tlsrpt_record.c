/* fuzz_tlsrpt_record.c - any octets as a TXT record with report addresses. */
#include "tlsrpt_record.h"

#include "rua_uri.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool cond)
{
    if (!cond)
        abort();
}

static void check_address(const char *uri)
{
    char address[RUA_ADDRESS_BUF];
    struct err e;

    check(rua_mailto_address(address, uri, strlen(uri), &e) == 0);
    check(strchr(address, '@') == strrchr(address, '@') && address[0] != '@');
    for (const char *s = address; *s != '\0'; s++)
        check(*s > 0x20 && *s < 0x7f && strchr("\"(),:;<>[\\]", *s) == NULL);
}

static void check_uri(const char *uri)
{
    enum rua_kind kind;
    struct err e;

    check(rua_uri_check(&kind, uri, strlen(uri), &e) == 0);
    check(kind == RUA_MAILTO || kind == RUA_HTTPS);
    check(strncasecmp(uri, kind == RUA_MAILTO ? "mailto:" : "https://", kind == RUA_MAILTO ? 7 : 8) == 0);
    for (const char *s = uri; *s != '\0'; s++)
        check(*s > 0x20 && *s < 0x7f && strchr("\"<>\\^`{|},;!", *s) == NULL);
    if (kind == RUA_MAILTO)
        check_address(uri);
}

/* The usable URIs alone make a record that says the same. */
static void check_round_trip(const struct tlsrpt_record *r)
{
    static struct tlsrpt_record again;
    static char plain[32 + TLSRPT_RUA_MAX * (TLSRPT_URI_MAX + 1)];
    struct err e;
    int n = snprintf(plain, sizeof plain, "v=TLSRPTv1; rua=");

    for (size_t i = 0; i < r->rua_count; i++) {
        check_uri(r->rua[i]);
        n += snprintf(plain + n, sizeof plain - (size_t)n, "%s%s", i == 0 ? "" : ",", r->rua[i]);
    }
    if (r->rua_count == 0 || n > TLSRPT_RECORD_MAX)
        return;
    check(tlsrpt_record_parse(&again, plain, (size_t)n, &e) == 1);
    check(memcmp(&again, r, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tlsrpt_record r;
    const char *txt = size == 0 ? "" : (const char *)data;
    enum rua_kind kind;
    struct err e = {""};
    int rc = tlsrpt_record_parse(&r, txt, size, &e);

    check(rc >= -1 && rc <= 1 && r.rua_count <= TLSRPT_RUA_MAX);
    check((rc == -1) == (e.text[0] != '\0'));
    check(rc == 1 || r.rua_count == 0);
    check_round_trip(&r);
    (void)rua_uri_check(&kind, txt, size, NULL);
    return 0;
}
