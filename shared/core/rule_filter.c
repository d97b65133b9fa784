/* rule_filter.c - a list of texts for each condition, whose numbers stand one behind the other. */
#include "rule_filter.h"

#include <stdlib.h>
#include <string.h>

#include "rule_literal.h"
#include "text_search.h"

#define TAIL       24 /* octets of a text that contains wants are looked for, the last ones, as many begin alike */
#define SEARCHES   2
#define WORTH_IT   10 /* a field is looked at for so much: */
#define OF_MATCHES 10 /* for an expression, and 1 for a contains */
#define ODD_MAX    32

/* A text, which is enough; the last of a set of which one must be there. */
struct wanted {
    int number;
    bool shapes;
    bool last;
};

struct condition {
    size_t first; /* of wanted, up to the next condition's */
    bool matches;
};

struct rule_filter {
    struct text_search *search[SEARCHES];
    struct wanted *wanted;
    size_t count;
    size_t cap;
    struct condition *condition;
    size_t conditions;
    unsigned worth[RULE_FIELDS];
    int odd[ODD_MAX]; /* among the texts as they are */
    size_t odds;
};

void rule_filter_free(struct rule_filter *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < SEARCHES; i++)
        text_search_free(f->search[i]);
    free(f->wanted);
    free(f->condition);
    free(f);
}

/* --- what is wanted --- */

static int add_wanted(struct rule_filter *f, const char *text, size_t len, bool shapes, bool last)
{
    struct wanted *more = f->wanted;
    int number;

    if (f->count == f->cap)
        more = realloc(f->wanted, (2 * f->cap + 64) * sizeof(*more));
    if (more == NULL)
        return -1;
    f->cap = f->count == f->cap ? 2 * f->cap + 64 : f->cap;
    f->wanted = more;
    number = text_search_add(f->search[shapes], text, len);
    if (number < 0)
        return -1;
    f->wanted[f->count++] = (struct wanted){number, shapes, last};
    return 0;
}

/* A set that has no room is left out. */
static void add_set(struct rule_filter *f, const struct rule_literal_set *set, bool shapes)
{
    const size_t before = f->count;

    for (size_t i = 0; i < set->count; i++) {
        if (add_wanted(f, set->text[i], set->len[i], shapes, i + 1 == set->count) != 0) {
            f->count = before;
            return;
        }
    }
}

static void add_condition(struct rule_filter *f, const struct rule_condition *c)
{
    const size_t cut = c->value_len > TAIL ? c->value_len - TAIL : 0, before = f->count;
    struct rule_literals literals;

    f->condition[f->conditions++] = (struct condition){f->count, c->op == RULE_MATCHES};
    if (c->op == RULE_CONTAINS)
        (void)add_wanted(f, c->folded + cut, c->value_len - cut, false, true);
    for (int shapes = 0; c->op == RULE_MATCHES && shapes < SEARCHES; shapes++) {
        rule_literals_find(&literals, c->value, c->value_len, shapes == 1);
        for (size_t i = 0; i < literals.count; i++)
            add_set(f, &literals.set[i], shapes == 1);
    }
    if (f->count > before)
        f->worth[c->field == RULE_SUBJECT ? RULE_HEADER : c->field] += c->op == RULE_MATCHES ? OF_MATCHES : 1;
}

/* First of all, so that there is room. */
static int add_odd(struct rule_filter *f)
{
    const char *text;

    for (; f->odds < ODD_MAX && (text = rule_literal_odd(f->odds)) != NULL; f->odds++)
        if ((f->odd[f->odds] = text_search_add(f->search[0], text, strlen(text))) < 0)
            return -1;
    return 0;
}

static int fill(struct rule_filter *f, const struct rule_set *set)
{
    for (size_t i = 0; i < SEARCHES; i++)
        if ((f->search[i] = text_search_new(i == 1)) == NULL)
            return -1;
    if (add_odd(f) != 0)
        return -1;
    for (size_t i = 0; i < rule_set_count(set); i++) {
        const struct rule *rule = rule_set_at(set, i);

        for (size_t k = 0; k < rule->condition_count; k++)
            add_condition(f, &rule->expression->condition[k]);
    }
    f->condition[f->conditions].first = f->count;
    for (size_t i = 0; i < SEARCHES; i++)
        if (text_search_ready(f->search[i]) != 0)
            return -1;
    return 0;
}

struct rule_filter *rule_filter_new(const struct rule_set *set)
{
    struct rule_filter *f = calloc(1, sizeof(*f));
    size_t conditions = 0;

    if (f == NULL)
        return NULL;
    for (size_t i = 0; i < rule_set_count(set); i++)
        conditions += rule_set_at(set, i)->condition_count;
    f->condition = calloc(conditions + 1, sizeof(*f->condition));
    if (f->condition == NULL || fill(f, set) != 0) {
        rule_filter_free(f);
        return NULL;
    }
    return f;
}

/* --- what is there --- */

void rule_filter_message(struct rule_filter_found *found)
{
    for (size_t i = 0; i < RULE_FIELDS; i++)
        found->field[i].state = RULE_FILTER_NOT_LOOKED;
}

void rule_filter_clear(struct rule_filter_found *found)
{
    for (size_t i = 0; i < RULE_FIELDS; i++)
        for (size_t k = 0; k < SEARCHES; k++)
            free(found->field[i].texts[k]);
    memset(found, 0, sizeof(*found));
}

static int prepare(const struct rule_filter *f, struct rule_filter_field *at)
{
    for (size_t i = 0; i < SEARCHES; i++) {
        const size_t room = text_search_room(f->search[i]);

        if (at->texts[i] == NULL)
            at->texts[i] = malloc(room);
        if (at->texts[i] == NULL)
            return -1;
        memset(at->texts[i], 0, room);
    }
    return 0;
}

static bool has_odd(const struct rule_filter *f, const struct rule_filter_field *at)
{
    for (size_t i = 0; i < f->odds; i++)
        if (text_search_has(f->search[0], at->texts[0], f->odd[i]))
            return true;
    return false;
}

static enum rule_filter_state look(const struct rule_filter *f, struct rule_filter_field *at, struct rule_view *view,
                                   enum rule_field field)
{
    struct rule_walk walk = {0, 0};
    struct rule_text raw, text;
    int more;

    if (f->worth[field] < WORTH_IT || prepare(f, at) != 0)
        return RULE_FILTER_USELESS;
    while ((more = rule_view_next(view, field, RULE_FOLDED, NULL, &walk, &raw, &text)) == 1)
        for (size_t i = 0; i < SEARCHES; i++)
            text_search_pass(f->search[i], at->texts[i], text.data, text.len);
    return more < 0 ? RULE_FILTER_USELESS : has_odd(f, at) ? RULE_FILTER_ODD : RULE_FILTER_LOOKED;
}

static bool has(const struct rule_filter *f, const struct rule_filter_field *at, const struct wanted *w)
{
    return text_search_has(f->search[w->shapes], at->texts[w->shapes], w->number);
}

bool rule_filter_out(const struct rule_filter *f, struct rule_filter_found *found, struct rule_view *view,
                     enum rule_field field, size_t number)
{
    struct rule_filter_field *at = &found->field[field];
    const struct condition *c;
    bool any = false;

    if (f == NULL || f->condition[number].first == f->condition[number + 1].first)
        return false;
    if (at->state == RULE_FILTER_NOT_LOOKED)
        at->state = look(f, at, view, field);
    c = &f->condition[number];
    if (at->state == RULE_FILTER_USELESS || (at->state == RULE_FILTER_ODD && c->matches))
        return false;
    for (size_t i = c->first; i < c[1].first; i++) {
        any = any || has(f, at, &f->wanted[i]);
        if (f->wanted[i].last && !any)
            return true;
        any = any && !f->wanted[i].last;
    }
    return false;
}
