/* mx_match.h - does an MX host fit a policy's mx pattern? (RFC 8461 4.1; check A6) */
#ifndef POSTERN_MX_MATCH_H
#define POSTERN_MX_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * "*.example.net" stands for exactly one left-most label; any other pattern for itself. Both in their one form
 * (domain.h, sts_pattern_normalise).
 */
bool mx_match(const char *pattern, const char *host);

/* True when any of the patterns fits. */
bool mx_match_any(char *const *patterns, size_t count, const char *host);

#endif
