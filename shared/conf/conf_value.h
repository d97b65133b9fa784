/* conf_value.h - one value of the configuration: from its text, checked by its table row, into the section's struct.
 * Pure. */
#ifndef POSTERN_CONF_VALUE_H
#define POSTERN_CONF_VALUE_H

#include "conf.h"
#include "err.h"

/*
 * Check text and store it in the section's struct; an element of a list is appended. Returns 0, or -1 with what is
 * wrong and what to write in e, without the key; nothing is changed then.
 */
int conf_value_set(void *section, const struct conf_option *option, const char *text, struct err *e);

/* A list as it is before its first element, {}. Of no effect on other kinds. -1 without memory. */
int conf_value_empty(void *section, const struct conf_option *option);

/* After the last element: are there as few and as many as there may be? Other kinds are always fine. */
int conf_value_complete(const void *section, const struct conf_option *option, struct err *e);

/* Store the default, written as in the file. -1 without memory, or when the table is wrong. */
int conf_value_default(void *section, const struct conf_option *option, struct err *e);

/* Free what is stored; the struct member is NULL then. */
void conf_value_clear(void *section, const struct conf_option *option);

#endif
