/* fuzz_call.c - a message that is read, and written again, is the same octets; one that is refused says why. */
#include "call.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netstring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(struct buf *b, const char *data, size_t len)
{
    struct netstring ns;

    if (!buf_ok(b) || netstring_parse(&ns, b->data, b->len, CALL_REPLY_MAX) != 1 || ns.total != b->len)
        abort();
    if (ns.len != len || memcmp(ns.data, data, len) != 0)
        abort();
    buf_reset(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct call_request req;
    struct call_reply rep;
    struct err e = {""};
    struct buf b;

    buf_init(&b, CALL_REPLY_MAX + NETSTRING_OVERHEAD);
    if (call_request_parse(&req, text, size, &e) == 0) {
        if (size > CALL_REQUEST_MAX || req.arg + req.arg_len != text + size)
            abort();
        call_request_write(&b, req.id, req.verb, req.arg, req.arg_len);
        check_same(&b, text, size);
    } else if (e.text[0] == '\0') {
        abort();
    }
    e.text[0] = '\0';
    if (call_reply_parse(&rep, text, size, &e) == 0) {
        if (rep.text + rep.text_len != text + size)
            abort();
        call_reply_write(&b, rep.id, rep.status, rep.text, rep.text_len);
        check_same(&b, text, size);
    } else if (e.text[0] == '\0') {
        abort();
    }
    buf_clear(&b);
    return 0;
}
