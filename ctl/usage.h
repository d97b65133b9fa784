/* usage.h - finding a command in the table, and the help that the table gives. */
#ifndef POSTERN_USAGE_H
#define POSTERN_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "ctl.h"

/*
 * The command that these words name, or NULL; *used is the number of words that its name takes. The table ends with a
 * NULL name.
 */
const struct command *command_find(const struct command *table, char **word, size_t count, size_t *used);

/* The usage of one command. */
void usage_command(FILE *to, const struct command *c);

/* Some commands have this, "publish" or "cert acme", and a word more as their name. */
bool command_group(const struct command *table, const char *group);

/* The commands whose name begins with these words, or all when it is NULL. Returns how many were listed. */
size_t usage_list(FILE *to, const struct command *table, const char *group);

/* The whole help. */
void usage_all(FILE *to, const struct command *table, const char *conf_file);

#endif
