/*
 * exim_extract.h - what Exim 4.96 reads as ${extract{KEY}{LINE}}: a word is a key, perhaps blanks, "=", perhaps blanks,
 * and a value; one that begins with a quote goes to the next quote, with the escapes of Exim's strings; any other goes
 * to the next blank. For tests: exim_word() walks over all words of a line.
 */
#ifndef POSTERN_T_EXIM_EXTRACT_H
#define POSTERN_T_EXIM_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct exim_word {
    const char *key;
    size_t key_len;
    char *value; /* the caller's octets, at least as many as the line has */
    size_t len;
};

static inline bool exim_is_space(char c)
{
    return c != '\0' && strchr(" \t\n\v\f\r", c) != NULL;
}

/* Digits and letters have meanings of their own there; which, the answers do not need. */
static inline char exim_escaped(const char **at)
{
    (*at)++;
    return **at;
}

static inline void exim_value(struct exim_word *w, const char **at)
{
    const char *s = *at;

    w->len = 0;
    if (*s != '"') {
        while (*s != '\0' && !exim_is_space(*s))
            w->value[w->len++] = *s++;
    } else {
        for (s++; *s != '\0' && *s != '"'; s++)
            w->value[w->len++] = *s == '\\' ? exim_escaped(&s) : *s;
        s += *s == '"';
    }
    w->value[w->len] = '\0';
    *at = s;
}

/* The next word of the line at *at; false: there is none. */
static inline bool exim_word(struct exim_word *w, const char **at)
{
    const char *s = *at;

    while (exim_is_space(*s))
        s++;
    w->key = s;
    while (*s != '\0' && *s != '=' && !exim_is_space(*s))
        s++;
    w->key_len = (size_t)(s - w->key);
    if (*w->key == '\0')
        return false;
    while (exim_is_space(*s))
        s++;
    if (*s == '=')
        while (exim_is_space(*++s))
            ;
    exim_value(w, &s);
    *at = s;
    return true;
}

/* The value of the first word with that key, in value; NULL: there is none. */
static inline const char *exim_extract(char *value, const char *key, const char *line)
{
    struct exim_word w = {.value = value};

    while (exim_word(&w, &line))
        if (w.key_len == strlen(key) && strncmp(w.key, key, w.key_len) == 0)
            return value;
    return NULL;
}

#endif
