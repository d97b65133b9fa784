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

/* Some commands have this as the first of two words. */
bool command_group(const struct command *table, const char *word);

/* The commands whose name begins with this word, or all when it is NULL. Returns how many were listed. */
size_t usage_list(FILE *to, const struct command *table, const char *group);

/* The whole help. */
void usage_all(FILE *to, const struct command *table, const char *conf_file);

#endif
