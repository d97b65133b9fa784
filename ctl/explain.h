/* explain.h - policyd's answer to "explain", for people. Pure. */
#ifndef POSTERN_EXPLAIN_H
#define POSTERN_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "print.h"

/*
 * Append the answer, what it means in one sentence, the reasons as a numbered chain, and where the facts came from. The
 * object is what policyd sent; members that are missing or of another type are passed over. Errors stick in out.
 */
void explain_print(struct buf *out, const json_t *explanation, int64_t now, bool colour);

/* What an answer like "OK dane-only" is to the eye: green when TLS is authenticated, red when no policy can be given.
 */
enum tint answer_tint(const char *answer);

#endif
