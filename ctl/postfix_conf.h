/*
 * postfix_conf.h - a Postfix's configuration, as postconf(1) prints it: the parameters of main.cf, the services of
 * master.cf, and what these set for themselves with -o. Pure.
 */
#ifndef POSTERN_POSTFIX_CONF_H
#define POSTERN_POSTFIX_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define POSTFIX_TEXT_MAX ((size_t)4 << 20) /* octets that one postconf may print */

/* All texts of a struct postfix_conf are its own. */
struct postfix_service {
    const char *id;   /* NAME/TYPE, such as "127.0.0.1:25/inet" */
    const char *name; /* "127.0.0.1:25" */
    const char *type; /* "inet", "unix", "pass" */
    const char *chroot, *maxproc;
    const char *command; /* the program's name, without its arguments */
};

struct postfix_parameter {
    const char *service; /* id of the service that sets it with -o; NULL: of main.cf, or the default */
    const char *name, *value;
};

struct postfix_conf {
    char *text[3];
    struct postfix_service *service;
    size_t service_count;
    struct postfix_parameter *parameter;
    size_t parameter_count;
};

/* What postconf has printed; need not end with a NUL. */
struct postfix_printed {
    const char *text;
    size_t len;
};

/*
 * Take what `postconf -x`, `postconf -M` and `postconf -Px` printed. Returns 0 (free with postfix_conf_free), or -1
 * with the reason: a NUL, a line that postconf does not print, too long, no memory.
 */
int postfix_conf_read(struct postfix_conf *out, struct postfix_printed parameters, struct postfix_printed services,
                      struct postfix_printed overrides, struct err *e);
void postfix_conf_free(struct postfix_conf *c);

/* The value as the service has it, or as main.cf has it when service is NULL; "" when there is none. */
const char *postfix_value(const struct postfix_conf *c, const struct postfix_service *service, const char *name);

/* The service of master.cf to which a transport of this name leads; NULL: none. */
const struct postfix_service *postfix_transport(const struct postfix_conf *c, const char *name);

/* The first service that runs this program after `after`, or first of all when it is NULL; NULL: none. */
const struct postfix_service *postfix_program(const struct postfix_conf *c, const struct postfix_service *after,
                                              const char *command);

/* Does the service run in a chroot? "-" is what compatibility_level says. */
bool postfix_in_chroot(const struct postfix_conf *c, const struct postfix_service *service);

/*
 * The next element of a list: commas and blanks stand between them, and not within { }. Returns false at the end; else
 * *at stands behind the element, which is len octets from *word.
 */
bool postfix_word(const char **at, const char **word, size_t *len);

/* Has the list this word? Case does not matter. */
bool postfix_list_has(const char *list, const char *word);

/* Seconds of a time as main.cf has it ("600s", "10m", "2"); less than 0: it is none. */
long long postfix_seconds(const char *text);

/* The number at the beginning of a text, at most 1,000,000; 0 when there is none. */
long postfix_number(const char *text);

#endif
