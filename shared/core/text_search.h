/*
 * text_search.h - which of many texts occur in a long one, in a single pass over it (Aho and Corasick, 1975). Pure.
 *
 * The pass takes the same time whatever the texts are: an octet is one step. Memory: two octets for each octet of all
 * texts and each different octet among them; 16 MiB at the very most. Texts to look for are UTF-8.
 */
#ifndef POSTERN_TEXT_SEARCH_H
#define POSTERN_TEXT_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_SEARCH_STATES_MAX 32768 /* and so many octets of all texts */

struct text_search;

/*
 * shapes: every digit is the same, and every letter of ASCII, in what is looked for and in the text. NULL without
 * memory.
 */
struct text_search *text_search_new(bool shapes);
void text_search_free(struct text_search *s); /* NULL-safe */

/* Add a text to look for, of one octet at least. Returns its number, from 0, or -1: no memory, or too many octets. */
int text_search_add(struct text_search *s, const char *text, size_t len);

/* After the last text, and before the first pass. Returns 0, or -1 without memory. From here on s is only read. */
int text_search_ready(struct text_search *s);

/* A pass writes into this many octets, which are zeros before the first of the passes whose findings are one. */
size_t text_search_room(const struct text_search *s);
void text_search_pass(const struct text_search *s, unsigned char *found, const char *text, size_t len);

/* Was the text with that number found? */
bool text_search_has(const struct text_search *s, const unsigned char *found, int number);

#endif
