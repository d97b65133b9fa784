/* sts_policy.h - the MTA-STS policy file (RFC 8461 3.2; checks A5). */
#ifndef POSTERN_STS_POLICY_H
#define POSTERN_STS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain.h"
#include "err.h"

#define STS_BODY_MAX       65536     /* octets of a policy file */
#define STS_MAX_AGE_MAX    31557600U /* seconds; RFC 8461 3.2 */
#define STS_MX_PATTERN_MAX 1000      /* mx lines of one policy; more make it invalid */

enum sts_mode { STS_MODE_NONE, STS_MODE_TESTING, STS_MODE_ENFORCE };

/* "none", "testing", "enforce" */
const char *sts_mode_name(enum sts_mode mode);

/* The reverse. Returns 1 and sets *out, or 0 when the word is none of them (case counts). */
int sts_mode_from_name(enum sts_mode *out, const char *word, size_t len);

struct sts_policy {
    enum sts_mode mode;
    uint32_t max_age; /* seconds, at most STS_MAX_AGE_MAX */
    char **mx;        /* patterns in their one form ("mx.example.net", "*.example.net"), in order, doubles dropped */
    size_t mx_count;
};

/*
 * Read a policy body. Lines end with LF or CRLF, the last terminator may be missing; nothing else ends a line. Any
 * octet outside the grammar makes the whole policy invalid. max_age above the maximum is clamped. A pattern that
 * appears twice is kept once. Returns 0 with *out filled (empty it with sts_policy_clear), or -1 with the broken rule
 * and its line in e and *out empty.
 */
int sts_policy_parse(struct sts_policy *out, const char *body, size_t len, struct err *e);

/* Free what *p holds and make it empty. NULL-safe, may be called twice. */
void sts_policy_clear(struct sts_policy *p);

/* Do both say the same: mode, max_age, and the same patterns in the same order? */
bool sts_policy_equal(const struct sts_policy *a, const struct sts_policy *b);

/*
 * Normalise one mx pattern: a domain name, or "*." and a domain name; no address literals. Returns 0, or -1 with the
 * reason.
 */
int sts_pattern_normalise(char out[DOMAIN_BUF], const char *text, size_t len, struct err *e);

/*
 * The lines of a body one after the other, for reports (RFC 8460 4.4 policy-string) and for showing. *pos starts at 0.
 * Returns 1 and the line without its terminator, or 0 at the end. An empty last line is not returned.
 */
int sts_policy_line(const char **line, size_t *line_len, size_t *pos, const char *body, size_t len);

#endif
