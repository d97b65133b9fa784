/* conf_check.h - may a text be the value of this key, or an element of its list? Pure. */
#ifndef POSTERN_CONF_CHECK_H
#define POSTERN_CONF_CHECK_H

#include <stdbool.h>

#include "conf.h"
#include "err.h"

#define CONF_SHOWN    60  /* octets of a bad value that errors show */
#define CONF_WORD_MAX 256 /* octets of an element of a list, with its NUL; rules: RULE_LENGTH_MAX */

/* True for kinds whose value is a list in braces. */
bool conf_kind_is_list(enum conf_kind kind);

/* Of kinds that are text or a list. Returns 0, or -1 with what is wrong and what to write in e, without the key. */
int conf_text_check(const struct conf_option *option, const char *text, struct err *e);

/* All rules together, NULL-terminated, as what is wrong may lie between two. Returns 0, or -1 with the reason in e. */
int conf_rules_check(char *const *rules, struct err *e);

/* Is the domain of that mail address (CONF_MAILBOX) the domain of the other, or below it? */
bool conf_mailbox_is_within(const char *mailbox, const char *other);

#endif
