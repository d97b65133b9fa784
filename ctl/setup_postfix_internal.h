/* setup_postfix_internal.h - what the files of setup_postfix share. */
#ifndef POSTERN_SETUP_POSTFIX_INTERNAL_H
#define POSTERN_SETUP_POSTFIX_INTERNAL_H

#include "buf.h"
#include "setup_postfix.h"

#define SETUP_VALUE_MAX ((size_t)65536) /* of a parameter */
#define SETUP_DOMAINS   500             /* own domains; more are said */

struct postfix_planning {
    struct setup_plan *plan;
    const struct postfix_conf *postfix;
    const struct conf *postern;
    const struct setup_postfix_facts *facts;
    char main_cf[4096], master_cf[4096];
    char *domain[SETUP_DOMAINS]; /* own ones, in their one form; for transport_flags.regexp */
    bool local[SETUP_DOMAINS];   /* of these: mail to them ends here, or goes on safely */
    size_t domains;
    bool more_domains; /* than there is room for */
};

/* Its value with nothing expanded, as main.cf sets it, or else by default; "" when there is none. */
const char *postfix_raw(const struct postfix_planning *s, const char *name);

/* main.cf is to have NAME = VALUE; there: it has it, or as good. */
void postfix_parameter(struct postfix_planning *s, bool there, const char *what, const char *name, const char *value);

/* "postconf", perhaps "-c DIR", then words up to NULL; out has room for 8. */
void postfix_postconf(const struct postfix_planning *s, const char *out[8], const char *const words[]);

/* setup_postfix_services.c: master.cf. */
void postfix_plan_services(struct postfix_planning *s);

/* setup_postfix_tables.c: the own domains, and the files beside main.cf. */
void postfix_plan_domains(struct postfix_planning *s);
void postfix_plan_tables(struct postfix_planning *s);

/* setup_postfix_flags.c: what contrib/postfix/flags.cf has. */
void postfix_plan_flags(struct postfix_planning *s);

/* setup_postfix_reports.c: reports, the settings of postern.conf, keys. */
void postfix_plan_reports(struct postfix_planning *s);

#endif
