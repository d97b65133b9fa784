/* mx_match.c - the rule that ties an MX host to a policy. */
#include "mx_match.h"

#include "domain.h"

#include <string.h>

bool mx_match(const char *pattern, const char *host)
{
    const char *dot;

    if (strncmp(pattern, "*.", 2) != 0)
        return pattern[0] != '\0' && domain_equal(pattern, host);
    dot = strchr(host, '.');
    return dot != NULL && dot != host && dot[1] != '\0' && domain_equal(pattern + 2, dot + 1);
}

bool mx_match_any(char *const *patterns, size_t count, const char *host)
{
    for (size_t i = 0; i < count; i++)
        if (mx_match(patterns[i], host))
            return true;
    return false;
}
