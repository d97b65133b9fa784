/* span.h - a part of a text that belongs to somebody else, read from the left: what was read is taken off. Pure. */
#ifndef POSTERN_SPAN_H
#define POSTERN_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *at;
    size_t len;
};

/* Of a text constant, for span_take and its like. */
#define SPAN(text) ((struct span){(text), sizeof(text) - 1})

static inline struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool span_is(struct span s, const char *word)
{
    return span_equal(s, span_of(word));
}

static inline bool span_begins(struct span s, struct span with)
{
    return s.len >= with.len && memcmp(s.at, with.at, with.len) == 0;
}

static inline bool span_has(struct span s, struct span part)
{
    return s.len > 0 && memmem(s.at, s.len, part.at, part.len) != NULL;
}

static inline void span_skip(struct span *s, size_t octets)
{
    s->at += octets;
    s->len -= octets;
}

/* Take these words off the front. Returns false, and takes nothing, when the text does not begin with them. */
static inline bool span_take(struct span *s, struct span words)
{
    if (!span_begins(*s, words))
        return false;
    span_skip(s, words.len);
    return true;
}

/* Take what stands before the octet, and the octet. Returns false, and takes nothing, when there is none. */
static inline bool span_take_until(struct span *s, struct span *out, char octet)
{
    const char *end = s->len == 0 ? NULL : memchr(s->at, octet, s->len);

    if (end == NULL)
        return false;
    *out = (struct span){s->at, (size_t)(end - s->at)};
    span_skip(s, out->len + 1);
    return true;
}

/* Take the first word, and the blank behind it; all of it when there is no blank. */
static inline struct span span_take_word(struct span *s)
{
    struct span word;

    if (!span_take_until(s, &word, ' ')) {
        word = *s;
        span_skip(s, s->len);
    }
    return word;
}

/* Copy into a text of `room` octets. Returns false, with "" there, when it does not fit. */
static inline bool span_copy(char *out, size_t room, struct span s)
{
    out[0] = '\0';
    if (s.len >= room)
        return false;
    if (s.len > 0)
        memcpy(out, s.at, s.len);
    out[s.len] = '\0';
    return true;
}

#endif
