/*
 * recipe.h - for fuzz targets that build what they need: the input is read as choices, one octet after the other. After
 * its end all octets are 0, so that each input is a whole recipe; 0 should choose the plain case.
 */
#ifndef POSTERN_T_RECIPE_H
#define POSTERN_T_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recipe {
    const uint8_t *at;
    size_t left;
};

/* An invariant; where it does not hold the fuzzer is told. */
#define demand(holds) demand_at((holds), #holds, __FILE__, __LINE__)

static inline void demand_at(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static inline unsigned take(struct recipe *r)
{
    if (r->left == 0)
        return 0;
    r->left--;
    return *r->at++;
}

static inline unsigned take16(struct recipe *r)
{
    unsigned high = take(r);

    return high << 8 | take(r);
}

/* As many octets as there are, at most len. */
static inline size_t take_octets(void *out, size_t len, struct recipe *r)
{
    size_t n = len < r->left ? len : r->left;

    if (n > 0)
        memcpy(out, r->at, n);
    r->at += n;
    r->left -= n;
    return n;
}

/* Few as a rule, up to 155 when asked for in so many words: what is large is slow. */
static inline unsigned take_count(struct recipe *r)
{
    unsigned n = take(r);

    return n < 240 ? n % 8 : 140 + n % 16;
}

#endif
