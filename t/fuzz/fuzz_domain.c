/*
 * fuzz_domain.c - what comes out keeps the rules of the one form, is its own one form, and takes a final dot or other
 * case without a change; the same for addresses, which are never domains.
 */
#include "domain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rules(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *last = strrchr(name, '.') != NULL ? strrchr(name, '.') + 1 : name;
    const char *label = name;

    if (strlen(name) > DOMAIN_MAX || strspn(name, allowed) != strlen(name))
        abort();
    for (;;) {
        size_t len = strcspn(label, ".");
        if (len < 1 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
            abort();
        if (label[len] == '\0')
            break;
        label += len + 1;
    }
    if (strspn(last, "0123456789") == strlen(last))
        abort();
}

static void check_same(const char *name, const char *other)
{
    char again[DOMAIN_BUF];

    if (domain_normalise(again, other, strlen(other), NULL) != 0 || !domain_equal(again, name))
        abort();
}

static void check_domain(const char *name)
{
    char other[DOMAIN_BUF + 1];
    char address[ADDRESS_BUF];
    size_t i;

    check_rules(name);
    check_same(name, name);
    for (i = 0; name[i] != '\0'; i++) {
        other[i] = name[i];
        if (i % 2 == 0 && name[i] >= 'a' && name[i] <= 'z')
            other[i] = (char)(name[i] - 32);
    }
    other[i++] = '.';
    other[i] = '\0';
    check_same(name, other);
    if (address_normalise(address, name, strlen(name)) != 0)
        abort();
}

static void check_address(const char *address)
{
    char again[ADDRESS_BUF];
    char name[DOMAIN_BUF];

    if (address_normalise(again, address, strlen(address)) != 1 || strcmp(again, address) != 0)
        abort();
    if (domain_normalise(name, address, strlen(address), NULL) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char name[DOMAIN_BUF];
    char address[ADDRESS_BUF];
    struct err e = {""};

    if (domain_normalise(name, text, size, &e) == 0)
        check_domain(name);
    else if (e.text[0] == '\0')
        abort();
    if (address_normalise(address, text, size) == 1)
        check_address(address);
    return 0;
}
