/* conf_name.c - finding sections and keys, also misspelt ones. */
#include "conf_name.h"

#include <string.h>

#define NAME_MAX_LEN 32 /* longer words are like nothing */
#define NEAR         3  /* letters to change, add or drop */

const struct conf_section *conf_section_find(const char *name)
{
    const struct conf_section *s;

    for (s = conf_sections; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

const struct conf_option *conf_option_find(const struct conf_section *section, const char *name)
{
    const struct conf_option *o;

    for (o = section->option; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Levenshtein's distance, row by row. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LEN + 1];
    size_t m = strlen(a);
    size_t n = strlen(b);
    size_t i;
    size_t j;

    if (m > NAME_MAX_LEN || n > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (i = 1; i <= m; i++) {
        unsigned corner = row[0];

        row[0] = (unsigned)i;
        for (j = 1; j <= n; j++) {
            unsigned above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
            corner = above;
        }
    }
    return row[n];
}

const struct conf_option *conf_option_like(const struct conf_section *section, const char *name)
{
    const struct conf_option *best = NULL;
    unsigned best_distance = NEAR + 1;
    const struct conf_option *o;

    for (o = section->option; o->name != NULL; o++) {
        unsigned d = distance(o->name, name);

        if (d < best_distance && d < strlen(o->name)) {
            best = o;
            best_distance = d;
        }
    }
    return best;
}
