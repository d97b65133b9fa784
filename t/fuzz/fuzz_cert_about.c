/* fuzz_cert_about.c - any octets as about.json: what is taken is the same once it has been written. */
#include "cert_store_io.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert_about a, b;
    struct err e = {""};
    struct buf one, two;

    if (cert_about_read(&a, (const char *)data, size, &e) != 0) {
        check(e.text[0] != '\0' && a.title == NULL);
        return 0;
    }
    buf_init(&one, 65536);
    buf_init(&two, 65536);
    cert_about_write(&one, &a);
    check(buf_ok(&one) && cert_about_read(&b, buf_text(&one), one.len, &e) == 0);
    check(b.uses == a.uses && b.host_count == a.host_count && b.created == a.created);
    cert_about_write(&two, &b);
    check(buf_ok(&two) && strcmp(buf_text(&one), buf_text(&two)) == 0);
    cert_about_clear(&a);
    cert_about_clear(&b);
    buf_clear(&one);
    buf_clear(&two);
    return 0;
}
