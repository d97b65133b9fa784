/* rules_lists_io.h - the operator's lists as rules ask them: each is read from Redis when it is first asked. */
#ifndef POSTERN_RULES_LISTS_IO_H
#define POSTERN_RULES_LISTS_IO_H

#include "lists_match.h"
#include "redis_ask_io.h"

struct rules_lists {
    struct redis_ask *ask; /* NULL: none can be asked, or */
    bool none;             /* there are none, and that is known */
    struct lists lists;
    bool read[LISTS];
    bool failed[LISTS]; /* could not be read */
    int64_t now;
};

/* configured: there is a Redis, even if ask is NULL. Returns 0, or -1 without memory. */
int rules_lists_init(struct rules_lists *l, struct redis_ask *ask, bool configured, int64_t now);
void rules_lists_clear(struct rules_lists *l); /* safe on a cleared one */

/* A rule_in_list (rule_eval.h); the context is a struct rules_lists. What goes wrong is reported once. */
int rules_lists_ask(void *lists, enum list_id list, const char *what, size_t len);

/* The same for the list local; what is not known is none of ours. */
bool rules_lists_local(void *lists, const char *domain, size_t len);

/* A list was asked that could not be. */
bool rules_lists_missed(const struct rules_lists *l);

#endif
