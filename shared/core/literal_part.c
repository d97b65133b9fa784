/*
 * literal_part.c - see literal_part.h. Whatever is assumed to fit more than it does makes fewer texts known, and is
 * safe.
 */
#include "literal_part.h"

#include <string.h>

#define LEAST      2  /* a set with a shorter text says little */
#define COPIES_MAX 16 /* of what is repeated */

/* --- sets --- */

static bool set_add(struct rule_literal_set *set, const char *text, size_t len)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->len[i] == len && memcmp(set->text[i], text, len) == 0)
            return true;
    if (set->count == RULE_LITERAL_TEXTS || len > RULE_LITERAL_LEN)
        return false;
    memcpy(set->text[set->count], text, len);
    set->len[set->count++] = (uint8_t)len;
    return true;
}

bool literal_set_unite(struct rule_literal_set *set, const struct rule_literal_set *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!set_add(set, more->text[i], more->len[i]))
            return false;
    return true;
}

/* Each text of one with each of the other behind it. */
static bool set_join(struct rule_literal_set *set, const struct rule_literal_set *more)
{
    struct rule_literal_set joined = {.count = 0};
    char text[2 * RULE_LITERAL_LEN];

    for (size_t i = 0; i < set->count; i++) {
        memcpy(text, set->text[i], set->len[i]);
        for (size_t k = 0; k < more->count; k++) {
            memcpy(text + set->len[i], more->text[k], more->len[k]);
            if (!set_add(&joined, text, (size_t)set->len[i] + more->len[k]))
                return false;
        }
    }
    *set = joined;
    return true;
}

static size_t set_shortest(const struct rule_literal_set *set)
{
    size_t shortest = set->count == 0 ? 0 : RULE_LITERAL_LEN;

    for (size_t i = 0; i < set->count; i++)
        shortest = set->len[i] < shortest ? set->len[i] : shortest;
    return shortest;
}

/* How much it tells: long texts are rare, and few are rarer than many. */
static size_t set_worth(const struct rule_literal_set *set)
{
    return set_shortest(set) * RULE_LITERAL_TEXTS - set->count;
}

static bool set_same(const struct rule_literal_set *a, const struct rule_literal_set *b)
{
    struct rule_literal_set both = *a;

    return a->count == b->count && literal_set_unite(&both, b) && both.count == a->count;
}

/* Keep the sets that tell most. */
static void need_add(struct rule_literals *need, const struct rule_literal_set *set)
{
    size_t least = 0;

    if (set_shortest(set) < LEAST)
        return;
    for (size_t i = 0; i < need->count; i++) {
        if (set_same(&need->set[i], set))
            return;
        least = set_worth(&need->set[i]) < set_worth(&need->set[least]) ? i : least;
    }
    if (need->count < RULE_LITERAL_SETS)
        need->set[need->count++] = *set;
    else if (set_worth(set) > set_worth(&need->set[least]))
        need->set[least] = *set;
}

static const struct rule_literal_set *need_best(const struct rule_literals *need)
{
    const struct rule_literal_set *best = NULL;

    for (size_t i = 0; i < need->count; i++)
        if (best == NULL || set_worth(&need->set[i]) > set_worth(best))
            best = &need->set[i];
    return best;
}

/* --- parts --- */

void literal_part_text(struct literal_part *p, const char *text, size_t len)
{
    p->whole = true;
    p->classes = false;
    p->last.count = 0;
    set_add(&p->last, text, len);
    p->need.count = 0;
}

void literal_part_empty(struct literal_part *p)
{
    literal_part_text(p, "", 0);
}

void literal_part_any(struct literal_part *p)
{
    literal_part_empty(p);
    p->whole = false;
}

void literal_part_settle(struct literal_part *p, bool shapes)
{
    if (!shapes || p->classes)
        need_add(&p->need, &p->last);
}

static void part_join(struct literal_part *p, const struct literal_part *more, bool shapes)
{
    for (size_t i = 0; i < more->need.count; i++)
        need_add(&p->need, &more->need.set[i]);
    if (more->whole && set_join(&p->last, &more->last)) {
        p->classes = p->classes || more->classes;
        return;
    }
    literal_part_settle(p, shapes);
    p->whole = false;
    p->last = more->last;
    p->classes = more->classes;
}

/* Once, or not at all. */
static void part_or_nothing(struct literal_part *p)
{
    if (!p->whole || !set_add(&p->last, "", 0))
        literal_part_any(p);
}

void literal_part_join_copies(struct literal_part *p, struct literal_part *once, unsigned least, unsigned most,
                              bool shapes)
{
    const unsigned copies = least == 0 ? 1 : least < COPIES_MAX ? least : COPIES_MAX;

    if (least == 0 && most == 1)
        part_or_nothing(once);
    else if (least == 0)
        literal_part_any(once);
    for (unsigned i = 0; i < copies; i++)
        part_join(p, once, shapes);
    if (least == 0 || (copies == least && least == most))
        return;
    literal_part_settle(p, shapes);
    p->whole = false;
    p->last = once->last;
    p->classes = once->classes;
}

void literal_part_or(struct literal_part *p, struct literal_part *other, bool first, bool shapes)
{
    const struct rule_literal_set *mine, *its;
    struct rule_literal_set all;

    if (first) {
        *p = *other;
        return;
    }
    all = p->last;
    if (p->whole && other->whole && literal_set_unite(&all, &other->last)) {
        p->last = all;
        p->classes = p->classes || other->classes;
        return;
    }
    literal_part_settle(p, shapes);
    literal_part_settle(other, shapes);
    mine = need_best(&p->need);
    its = need_best(&other->need);
    all.count = 0;
    if (mine == NULL || its == NULL || !literal_set_unite(&all, mine) || !literal_set_unite(&all, its))
        all.count = 0;
    literal_part_any(p);
    need_add(&p->need, &all);
}
