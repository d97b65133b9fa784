/*
 * fuzz_socketmap.c - a request is its two parts and the blank between; a reply with any text is one netstring of a
 * known word and without control octets.
 */
#include "socketmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netstring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const char *text, size_t len)
{
    struct socketmap_request req;

    if (socketmap_request_parse(&req, text, len) != 0)
        return;
    if (req.map_len == 0 || req.key_len == 0 || req.map_len + 1 + req.key_len != len)
        abort();
    if (req.map != text || req.key != text + req.map_len + 1 || memchr(req.map, ' ', req.map_len) != NULL)
        abort();
}

static void check_reply(enum socketmap_status status, const char *text, size_t len)
{
    const char *word = socketmap_status_name(status);
    struct netstring ns;
    struct buf b;
    size_t i;

    buf_init(&b, SOCKETMAP_REPLY_MAX + NETSTRING_OVERHEAD);
    socketmap_reply(&b, status, text, len);
    if (!buf_ok(&b) || netstring_parse(&ns, b.data, b.len, SOCKETMAP_REPLY_MAX) != 1 || ns.total != b.len)
        abort();
    if (len + strlen(word) + 1 > SOCKETMAP_REPLY_MAX)
        word = "TEMP";
    else if (ns.len != strlen(word) + 1 + len)
        abort();
    if (memcmp(ns.data, word, strlen(word)) != 0 || ns.data[strlen(word)] != ' ')
        abort();
    for (i = 0; i < ns.len; i++)
        if ((unsigned char)ns.data[i] < 0x20 || ns.data[i] == 0x7f)
            abort();
    buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    check_request(text, size);
    check_reply(SOCKETMAP_OK, text, size);
    check_reply(SOCKETMAP_NOTFOUND, text, size);
    check_reply(SOCKETMAP_TEMP, text, size);
    check_reply(SOCKETMAP_PERM, text, size);
    return 0;
}
