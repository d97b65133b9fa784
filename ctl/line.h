/* line.h - the command line, sorted into options and words. */
#ifndef POSTERN_LINE_H
#define POSTERN_LINE_H

#include "ctl.h"

struct line {
    struct ctl ctl; /* the words are all of them, the command's name too */
    bool help, version;
};

/*
 * Options may stand before, between and after the words; "--" ends them. What *out holds before is the default. The
 * words are gathered within argv. Returns 0, or -1 when an option is wrong, which is reported.
 */
int line_parse(struct line *out, int argc, char **argv);

#endif
