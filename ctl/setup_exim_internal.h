/* setup_exim_internal.h - what the files of setup_exim share. */
#ifndef POSTERN_SETUP_EXIM_INTERNAL_H
#define POSTERN_SETUP_EXIM_INTERNAL_H

#include "setup_exim.h"

struct exim_planning {
    struct setup_plan *plan;
    const struct conf *postern;
    const struct setup_exim_facts *facts;
    const char *policy, *told; /* addresses for POSTERN_POLICY_SOCKET, POSTERN_TLSRPT_SOCKET */
    char relayd[64], port[16]; /* POSTERN_RELAYD_ADDRESS, _PORT */
    bool generate;             /* a file is changed */
};

/* setup_exim_domains.c: the list local. */
void exim_plan_domains(struct exim_planning *s);

/* setup_exim_files.c: what contrib/exim has. */
void exim_plan_files(struct exim_planning *s);

#endif
