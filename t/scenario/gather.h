/*
 * gather.h - one resolution: does what the step machine (core/resolve.h) asks for in the world, as stsd's
 * resolution_io.c does it with sockets. Beside the one that the story goes on with it runs the same resolution with its
 * results in other orders, which must give the same record, and ended early at each step, which must give a sound one.
 */
#ifndef POSTERN_T_GATHER_H
#define POSTERN_T_GATHER_H

#include "world.h"

#define ASKED_BUF    (DOMAIN_BUF + 8)
#define ASKED_MAX    400 /* questions that one statement may ask and name */
#define ORDERS_ALL   250 /* orders that are tried one after the other, and, when there are more, */
#define ORDERS_DICE  100 /* so many at random */
#define EXPLORED_MAX 20  /* resolutions of a scenario of which all that is tried */

/* One fault that no line of the scenario tells of. */
enum meddle_kind {
    MEDDLE_NOT,
    MEDDLE_FAIL,    /* this look-up or fetch fails */
    MEDDLE_UNTRIED, /* this fetch cannot be tried; of a look-up: nothing */
    MEDDLE_CUT      /* the deadline passes when so many results have come */
};

struct meddle {
    enum meddle_kind kind;
    size_t at;                /* counted over the whole scenario */
    bool hit;                 /* it has happened; then */
    bool fetch;               /* it concerned the policy host alone */
    char question[ASKED_BUF]; /* that failed, or the last that was asked */
};

/* What one statement asked for. */
struct tally {
    char asked[ASKED_MAX][ASKED_BUF]; /* "MX d.example", "policy d.example" */
    size_t count, resolutions, fetches;
};

struct gather {
    struct world *world;
    struct resolve_options options;
    bool reversed; /* results come the last first */
    bool explore;
    struct meddle meddle;
    struct tally tally;
    size_t questions, results; /* in the whole scenario */
    size_t explored, orders;   /* how much of that was tried */
};

/* The record; NULL only when there is trouble. */
struct dest *gather(struct gather *g, const char *domain, const struct dest *previous, bool force, int64_t now);

#endif
