/* list_words.h - an entry of a list out of what a person typed. Pure. */
#ifndef POSTERN_LIST_WORDS_H
#define POSTERN_LIST_WORDS_H

#include "list.h"

/*
 * When an entry ends: a time ("2027-01-01T00:00:00Z"), a day ("2027-01-01", its first second), or how long from now
 * ("90s", "15m", "4h", "30d"). It must be later than now. Returns 0, or -1 with what is wrong in e.
 */
int list_words_expires(int64_t *out, const char *text, int64_t now, struct err *e);

/* A time that is over, as above but for lengths of time. Clocks may differ by a minute. */
int list_words_past(int64_t *out, const char *text, int64_t now, struct err *e);

/*
 * An entry of the pattern word[0] and the value word[1..count). in: all but the value. NULL with the reason in e.
 * free().
 */
struct list_entry *list_words_entry(enum list_id list, char *const *word, size_t count, const struct list_entry_in *in,
                                    struct err *e);

#endif
