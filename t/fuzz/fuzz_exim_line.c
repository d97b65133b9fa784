/*
 * fuzz_exim_line.c - a line from Exim. An attempt that is taken out of it has names and addresses in their one form, a
 * time that is ours, a reason that is one printable word, and no state that Exim cannot tell; what is wrong is said.
 */
#include "exim_line.h"
#include "recipe.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1795341600

static void demand_domain(const char *name)
{
    char again[DOMAIN_BUF];

    demand(domain_normalise(again, name, strlen(name), NULL) == 0 && strcmp(again, name) == 0);
}

static void demand_address(const char *address)
{
    char again[ADDRESS_BUF];

    demand(address[0] == '\0' ||
           (address_normalise(again, address, strlen(address)) == 1 && strcmp(again, address) == 0));
}

static void demand_attempt(const struct tls_attempt *a, const char *id)
{
    demand(a->at == NOW && strlen(id) < EXIM_ID_BUF);
    demand_domain(a->domain);
    if (a->host[0] != '\0')
        demand_domain(a->host);
    demand_address(a->address);
    demand_address(a->sender);
    demand(strlen(a->reason) <= ATTEMPT_REASON_MAX);
    for (const char *c = a->reason; *c != '\0'; c++)
        demand(*c > 0x20 && *c < 0x7f);
    demand(a->end != ATTEMPT_MX_UNNAMED && a->end != ATTEMPT_LOST);
    demand(a->tls == ATTEMPT_TLS || a->trust == ATTEMPT_TRUST_UNKNOWN);
    demand(a->end == ATTEMPT_NO_SECURITY || a->tls == ATTEMPT_NO_TLS || a->tls == ATTEMPT_TLS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char id[EXIM_ID_BUF] = "";
    struct tls_attempt a;
    struct err e = {""};
    int rc = exim_line_read(&a, id, (const char *)data, size, NOW, &e);

    demand(rc == 0 || rc == 1 || (rc == -1 && e.text[0] != '\0'));
    if (rc == 1)
        demand_attempt(&a, id);
    return 0;
}
