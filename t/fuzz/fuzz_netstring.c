/*
 * fuzz_netstring.c - what is found is written back as the same octets, every part of it asks for more, and the answer
 * for a part never changes from "refused" to anything else.
 */
#include "netstring.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_found(const char *buf, size_t len, const struct netstring *ns)
{
    char *frame = malloc(ns->total);

    if (frame == NULL || ns->total > len || ns->len > MAX || ns->data + ns->len + 1 != buf + ns->total)
        abort();
    if (netstring_write(frame, ns->total, ns->data, ns->len) != ns->total || memcmp(frame, buf, ns->total) != 0)
        abort();
    if (netstring_write(frame, ns->total - 1, ns->data, ns->len) != 0)
        abort();
    free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *buf = (const char *)data;
    struct netstring ns;
    struct netstring part;
    int rc = netstring_parse(&ns, buf, size, MAX);
    int before = 0;
    size_t cut;

    if (rc < -1 || rc > 1)
        abort();
    if (rc == 1)
        check_found(buf, size, &ns);
    for (cut = 0; cut <= size && cut <= MAX + NETSTRING_OVERHEAD; cut++) {
        int now = netstring_parse(&part, buf, cut, MAX);
        if ((before != 0 && now != before) || (rc == 1 && now != (cut >= ns.total)) || (rc == 0 && now != 0))
            abort();
        before = now;
    }
    return 0;
}
