/* text_search.c - one table, a row for each state: the state that an octet leads to. */
#include "text_search.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"

#define ENDS 0x8000U /* of a state in the table: a text ends there */

struct text {
    size_t at;
    size_t len;
    uint16_t state; /* where it ends */
};

struct text_search {
    bool shapes;
    struct text *text;
    size_t count;
    size_t cap;
    char *octets; /* of all texts, */
    size_t used;
    size_t octets_cap;
    uint8_t class[256]; /* octets that no text has are 0 */
    unsigned shift;     /* of a state, to its row */
    unsigned states;
    uint16_t *next;
    uint16_t *shorter; /* the longest other end of what was read: the next state where a text ends too; 0: none */
};

struct text_search *text_search_new(bool shapes)
{
    struct text_search *s = calloc(1, sizeof(*s));

    if (s != NULL)
        s->shapes = shapes;
    return s;
}

void text_search_free(struct text_search *s)
{
    if (s == NULL)
        return;
    free(s->text);
    free(s->octets);
    free(s->next);
    free(s->shorter);
    free(s);
}

static int make_room(void **data, size_t *cap, size_t want, size_t size)
{
    size_t more = want < 64 ? 64 : 2 * want;
    void *larger;

    if (want <= *cap)
        return 0;
    larger = realloc(*data, more * size);
    if (larger == NULL)
        return -1;
    *data = larger;
    *cap = more;
    return 0;
}

int text_search_add(struct text_search *s, const char *text, size_t len)
{
    if (len == 0 || s->used + len >= TEXT_SEARCH_STATES_MAX ||
        make_room((void **)&s->text, &s->cap, s->count + 1, sizeof(*s->text)) != 0 ||
        make_room((void **)&s->octets, &s->octets_cap, s->used + len, 1) != 0)
        return -1;
    memcpy(s->octets + s->used, text, len);
    s->text[s->count] = (struct text){s->used, len, 0};
    s->used += len;
    return (int)s->count++;
}

/* Give each octet that a text has a class of its own. Returns how many there are. */
static unsigned make_classes(struct text_search *s)
{
    unsigned classes = 1;

    for (size_t i = 0; i < s->used; i++) {
        unsigned char c = (unsigned char)s->octets[i];

        if (s->shapes && ascii_is_alnum((char)c))
            c = ascii_is_digit((char)c) ? '0' : 'a';
        if (s->class[c] == 0)
            s->class[c] = (uint8_t)classes++;
    }
    for (unsigned char c = '1'; s->shapes && c <= 'z'; c++)
        if (ascii_is_alnum((char)c))
            s->class[c] = s->class[ascii_is_digit((char)c) ? '0' : 'a'];
    return classes;
}

static uint16_t *row(const struct text_search *s, unsigned state)
{
    return s->next + ((size_t)state << s->shift);
}

/* A tree of all texts. 0 is its root, and stands for what is not there as well. */
static void grow_tree(struct text_search *s, uint8_t *ends)
{
    s->states = 1;
    for (size_t i = 0; i < s->count; i++) {
        unsigned state = 0;

        for (size_t k = 0; k < s->text[i].len; k++) {
            uint16_t *to = &row(s, state)[s->class[(unsigned char)s->octets[s->text[i].at + k]]];

            if (*to == 0)
                *to = (uint16_t)s->states++;
            state = *to;
        }
        s->text[i].state = (uint16_t)state;
        ends[state] = 1;
    }
}

/*
 * Breadth first: where a state has no child, it goes on as its `back` does, the state of the longest proper end of what
 * was read. back is complete for a state before its row is.
 */
static void close_tree(struct text_search *s, const uint8_t *ends, uint16_t *back, uint16_t *queue)
{
    const unsigned classes = 1U << s->shift;
    unsigned head = 0, tail = 0;

    queue[tail++] = 0;
    while (head < tail) {
        const unsigned state = queue[head++];
        uint16_t *mine = row(s, state), *others = row(s, back[state]);

        s->shorter[state] = ends[back[state]] ? back[state] : s->shorter[back[state]];
        for (unsigned c = 0; c < classes; c++) {
            if (mine[c] == 0) {
                mine[c] = others[c];
                continue;
            }
            back[mine[c]] = state == 0 ? 0 : others[c];
            queue[tail++] = mine[c];
        }
    }
}

static void mark_ends(struct text_search *s, const uint8_t *ends)
{
    for (size_t i = 0; i < (size_t)s->states << s->shift; i++)
        if (ends[s->next[i]] || s->shorter[s->next[i]] != 0)
            s->next[i] |= ENDS;
}

int text_search_ready(struct text_search *s)
{
    const size_t most = s->used + 1;
    const unsigned classes = make_classes(s);
    uint8_t *ends = calloc(most, 1);
    uint16_t *back = calloc(most, sizeof(*back)), *queue = calloc(most, sizeof(*queue));
    int rc = -1;

    while (1U << s->shift < classes)
        s->shift++;
    s->next = calloc(most << s->shift, sizeof(*s->next));
    s->shorter = calloc(most, sizeof(*s->shorter));
    if (ends != NULL && back != NULL && queue != NULL && s->next != NULL && s->shorter != NULL) {
        grow_tree(s, ends);
        close_tree(s, ends, back, queue);
        mark_ends(s, ends);
        free(s->octets);
        s->octets = NULL;
        rc = 0;
    }
    free(ends);
    free(back);
    free(queue);
    return rc;
}

size_t text_search_room(const struct text_search *s)
{
    return s->states;
}

/* A state is marked once, and with it those of the texts that end there too. */
static void mark(const struct text_search *s, unsigned char *found, unsigned state)
{
    for (; state != 0 && !found[state]; state = s->shorter[state])
        found[state] = 1;
}

void text_search_pass(const struct text_search *s, unsigned char *found, const char *text, size_t len)
{
    const uint16_t *next = s->next;
    const uint8_t *class = s->class;
    const unsigned shift = s->shift;
    unsigned state = 0;

    for (size_t i = 0; i < len && s->states > 1; i++) {
        state = next[(size_t)(state & (ENDS - 1)) << shift | class[(unsigned char)text[i]]];
        if ((state & ENDS) != 0)
            mark(s, found, state & (ENDS - 1));
    }
}

bool text_search_has(const struct text_search *s, const unsigned char *found, int number)
{
    return found[s->text[number].state] != 0;
}
