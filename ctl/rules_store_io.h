/*
 * rules_store_io.h - the rules in Redis: the hash PREFIXrules: with the text of the rules and its stamp, g and n
 * (lists_stamp.h). Every edit counts n up, so that a Redis that has lost the rules is told from one without rules. The
 * Redis user needs EVAL, and in scripts TYPE, EXISTS, HGET and HSET, for that key.
 */
#ifndef POSTERN_RULES_STORE_IO_H
#define POSTERN_RULES_STORE_IO_H

#include "buf.h"
#include "lists_stamp.h"
#include "redis_ask_io.h"

struct rules_stored {
    bool there;               /* the hash is */
    char g[33], n[33];        /* as they stand there, cut */
    struct lists_stamp stamp; /* all zero: none, or a broken one, */
    struct err why;           /* and then why */
    struct buf text;
};

/* Returns 0, and rules_store_clear frees it; or -1 with the reason in e. */
int rules_store_read(struct redis_ask *a, struct rules_stored *out, struct err *e);
void rules_store_clear(struct rules_stored *s);

/*
 * Put a text in the place of the one that was seen. anew: under a new generation, which all that know another one take
 * up. Returns 1; 0: it has been edited meanwhile, and nothing was written; -1 with the reason in e.
 */
int rules_store_write(struct redis_ask *a, const struct rules_stored *seen, bool anew, const struct buf *text,
                      struct err *e);

#endif
