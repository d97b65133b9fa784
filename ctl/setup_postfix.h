/*
 * setup_postfix.h - what a Postfix lacks so that it goes by Postern: all that contrib/postfix has, the settings of
 * postern.conf that depend on it, its own domains for the list `local`. Pure.
 */
#ifndef POSTERN_SETUP_POSTFIX_H
#define POSTERN_SETUP_POSTFIX_H

#include "conf.h"
#include "postfix_conf.h"
#include "setup.h"
#include "setup_keys.h"

/* A table that is to be in config_dir. */
struct setup_postfix_table {
    const char *template; /* as contrib/postfix has it */
    const char *now;      /* the file's text; NULL: there is none */
    bool ours;            /* it is as the last --apply has left it */
};

/* All of the machine that the plan depends on. Texts are the caller's. */
struct setup_postfix_facts {
    const char *config_dir;         /* where main.cf and master.cf are */
    bool named;                     /* by --config-dir, so that commands must name it, too */
    const struct postfix_conf *set; /* what main.cf itself sets (postconf -n), nothing expanded */
    bool regexp, socketmap;         /* types of tables that this Postfix has */
    bool resolver_is_near;          /* /etc/resolv.conf names loopback addresses only */
    const char *ca_file;            /* the system's authorities in one file; "": there is none */
    const char *log;                /* where Postfix logs: a path, "journal"; "": that is not known */
    const char *log_group;          /* who may read it; "": tlsrptd's user may already; NULL: root alone */
    const char *mail_domain;        /* myorigin, read where it is a file; "": there is none */
    struct setup_postfix_table transport, generic;
    unsigned again_port; /* on 127.0.0.1, nobody else listens there */
    const char *conf_file, *key_folder;
    bool key_folder_there, key_there[SETUP_KEYS];
    const char *group; /* of tlsrptd's user; "": there is none such */
};

/* postfix: as postconf -x, -M and -Px have it. */
void setup_postfix(struct setup_plan *out, const struct postfix_conf *postfix, const struct conf *postern,
                   const struct setup_postfix_facts *facts);

#endif
