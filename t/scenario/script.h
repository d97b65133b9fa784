/* script.h - a scenario file as lines and words, and the place and text of what went wrong. */
#ifndef POSTERN_T_SCRIPT_H
#define POSTERN_T_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 24

struct script_line {
    unsigned number;
    bool indented; /* belongs to the statement above */
    char *text;    /* without indentation and remark */
};

struct script {
    char name[128]; /* of the file, without folders */
    struct script_line *line;
    size_t count;
};

/* Empty lines and remarks ('#' at the beginning of a line or between blanks) are left out. Returns 0, or -1: no such
 * file. */
int script_read(struct script *out, const char *path);
void script_clear(struct script *s);

/* What went wrong first, "FILE:LINE: text"; "" while nothing did. */
struct trouble {
    const char *file;
    unsigned line; /* that is being carried out */
    char text[700];
};

void trouble(struct trouble *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void trouble_at(struct trouble *t, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool in_trouble(const struct trouble *t);

struct words {
    char text[1024];
    const char *word[WORDS_MAX]; /* those past count are "" */
    size_t count;
    const char *rest[WORDS_MAX + 1]; /* of the line, from each word on */
    char line[1024];
};

void words_split(struct words *out, const char *text);

/* "1d", "1h30m", "45s", "0". Returns false when it is none. */
bool duration_read(int64_t *seconds, const char *word);

#define DURATION_BUF 40
const char *duration_show(char out[DURATION_BUF], int64_t seconds);

#endif
