/* fuzz_nexthop.c - a key that is read has a name in its one form, and written back from its parts it is read the same
 * again. */
#include "nexthop.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct nexthop *nh)
{
    char again[DOMAIN_BUF];
    int rc;

    if (nh->kind == NEXTHOP_ADDRESS)
        rc = address_normalise(again, nh->name, strlen(nh->name)) == 1 ? 0 : -1;
    else
        rc = domain_normalise(again, nh->name, strlen(nh->name), NULL);
    if (rc != 0 || strcmp(again, nh->name) != 0)
        abort();
}

static void check_again(const struct nexthop *nh)
{
    char key[DOMAIN_BUF + 16];
    struct nexthop again;
    size_t len;
    const char *before = "";
    const char *after = "";
    char port[8] = "";

    if (nh->kind == NEXTHOP_PARENT) {
        before = ".";
    } else if (nh->kind != NEXTHOP_DOMAIN) {
        before = "[";
        after = "]";
    }
    if (nh->port != 0)
        snprintf(port, sizeof(port), ":%u", nh->port);
    snprintf(key, sizeof(key), "%s%s%s%s", before, nh->name, after, port);
    len = strlen(key);
    if (nexthop_parse(&again, key, len, NULL) != 0)
        abort();
    if (again.kind != nh->kind || again.port != nh->port || strcmp(again.name, nh->name) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct nexthop nh;
    struct err e = {""};

    if (nexthop_parse(&nh, text, size, &e) != 0) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    if ((nh.kind == NEXTHOP_PARENT) != (size > 0 && text[0] == '.') || (nh.kind == NEXTHOP_PARENT && nh.port != 0))
        abort();
    if (nh.kind == NEXTHOP_HOST && text[0] != '[')
        abort();
    check_name(&nh);
    check_again(&nh);
    return 0;
}
