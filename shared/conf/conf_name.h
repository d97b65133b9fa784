/* conf_name.h - the tables of conf_table.c by name. Pure. */
#ifndef POSTERN_CONF_NAME_H
#define POSTERN_CONF_NAME_H

#include "conf.h"

/* The section, or NULL. */
const struct conf_section *conf_section_find(const char *name);

/* The key of a section, or NULL. */
const struct conf_option *conf_option_find(const struct conf_section *section, const char *name);

/* The key that someone may have meant who wrote name, or NULL when none is near. */
const struct conf_option *conf_option_like(const struct conf_section *section, const char *name);

#endif
