/*
 * fuzz_http_message.c - any octets as an HTTP request. The same comes out whole or octet by octet, and what is taken
 * stands in the text.
 */
#include "http_message.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_within(struct span part, const char *text, size_t len)
{
    demand(part.len == 0 || (part.at >= text && part.at + part.len <= text + len) || span_is(part, "/"));
    for (size_t i = 0; i < part.len; i++)
        demand(part.at[i] > 0x20 && part.at[i] < 0x7f);
}

static void demand_pieces(const char *text, size_t len, enum http_read whole)
{
    enum http_read read = HTTP_MORE;
    struct http_request r;

    for (size_t i = 0; i <= len && read == HTTP_MORE; i++)
        read = http_request_read(&r, text, i);
    demand(read == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size == 0 ? "" : (const char *)data;
    char name[DOMAIN_BUF];
    struct http_request r;
    enum http_read read = http_request_read(&r, text, size);

    demand(read != HTTP_MORE || size < HTTP_REQUEST_MAX);
    if (size < 500)
        demand_pieces(text, size, read);
    if (http_host_name(name, (struct span){text, size < 300 ? size : 300}) == 0)
        demand(domain_normalise(name, name, strlen(name), NULL) == 0);
    if (read != HTTP_REQUEST)
        return 0;
    demand(memmem(text, size, "\n", 1) != NULL);
    demand_within(r.path, text, size);
    demand_within(r.host, text, size);
    demand(memchr(r.path.at, '?', r.path.len) == NULL);
    return 0;
}
