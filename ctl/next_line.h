/* next_line.h - a text line by line. Pure. */
#ifndef POSTERN_NEXT_LINE_H
#define POSTERN_NEXT_LINE_H

#include <string.h>

/* Behind the line feed of the line that `at` is in, or the text's end when it has none. */
static inline const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return *at == '\n' ? at + 1 : at;
}

#endif
