/* setup_text.h - a plan (setup.h) for people, whose commands can be pasted into a shell, and as JSON. Pure. */
#ifndef POSTERN_SETUP_TEXT_H
#define POSTERN_SETUP_TEXT_H

#include "buf.h"
#include "setup.h"

#include <jansson.h>

/* Append words as a POSIX shell takes them: in single quotes where one is more than plain letters. */
void setup_words_print(struct buf *out, char *const words[]);

/*
 * Append what is in the way, what is there, what is needed (each command, each file with its content, each setting),
 * and the notes. conf_file: the name of postern.conf.
 */
void setup_print(struct buf *out, const struct setup_plan *p, const char *conf_file, bool colour);

/* Append one line: what a step makes, or has made: "postconf -e a=b", "/etc/postfix/x", "tlsrptd.log = …". */
void setup_step_print(struct buf *out, const struct setup_step *s);

/* The object {"server","needed","clashes","steps":[…],"reload":[…]|null}; NULL without memory. */
json_t *setup_json(const struct setup_plan *p);

#endif
