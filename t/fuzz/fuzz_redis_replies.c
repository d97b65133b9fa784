/* fuzz_redis_replies.c - what is read is the same however the octets are cut, and within the limits. */
#include "redis_replies.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define SMALL 4096 /* read octet by octet, too */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns the elements of all arrays. */
static size_t write_reply(struct buf *out, const redisReply *r)
{
    size_t elements = 0;
    size_t i;

    buf_printf(out, "%d %lld ", r->type, r->type == REDIS_REPLY_INTEGER ? r->integer : 0);
    switch (r->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        if (r->str[r->len] != '\0')
            abort();
        buf_printf(out, "%zu ", (size_t)r->len);
        buf_add(out, r->str, r->len);
        break;
    case REDIS_REPLY_ARRAY:
        elements = r->elements;
        for (i = 0; i < r->elements; i++)
            elements += write_reply(out, r->element[i]);
        break;
    default:
        break;
    }
    return elements;
}

static void read_all(struct buf *out, const char *data, size_t size, size_t step)
{
    struct redis_replies *s = redis_replies_new();
    struct err e = {""};
    redisReply *reply;
    int found = 0;
    size_t at;

    for (at = 0; at < size && found >= 0; at += step) {
        redis_replies_feed(s, data + at, size - at < step ? size - at : step);
        while ((found = redis_replies_next(s, &reply, &e)) > 0) {
            if (write_reply(out, reply) > REDIS_REPLY_ELEMENTS_MAX)
                abort();
            freeReplyObject(reply);
        }
    }
    buf_str(out, found < 0 ? "error" : "");
    if ((found < 0) != (e.text[0] != '\0'))
        abort();
    redis_replies_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole;
    struct buf cut;

    buf_init(&whole, (size_t)1 << 30);
    buf_init(&cut, (size_t)1 << 30);
    read_all(&whole, (const char *)data, size, size);
    read_all(&cut, (const char *)data, size, size <= SMALL ? 1 : 1000);
    if (!buf_ok(&whole) || !buf_ok(&cut) || strcmp(buf_text(&whole), buf_text(&cut)) != 0 || whole.len != cut.len)
        abort();
    buf_clear(&whole);
    buf_clear(&cut);
    return 0;
}
