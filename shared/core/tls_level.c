/* tls_level.c - names of the TLS levels. */
#include "tls_level.h"

#include <stddef.h>

const char *tls_level_name(enum tls_level level)
{
    static const char *const names[] = {"default", "none", "may", "encrypt", "dane", "verify", "secure", "dane-only"};

    return (size_t)level < sizeof names / sizeof names[0] ? names[level] : "?";
}
