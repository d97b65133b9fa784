/* ctl.h - posternctl's commands: what each is given, and the codes with which the program ends. */
#ifndef POSTERN_CTL_H
#define POSTERN_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_OUTPUT_MAX ((size_t)64 << 20) /* octets that one command prints: cache show of 64 workers */

#define CTL_VALUES_MAX 200 /* of one option that may be given more than once */

enum ctl_exit {
    CTL_YES = 0,   /* fine */
    CTL_NO = 1,    /* a negative answer, or the daemon is away */
    CTL_USAGE = 2, /* wrong words or options, or a file that cannot be read */
    CTL_LATER = 3  /* explain --requiretls: not now, perhaps later */
};

/* Options that only some commands take (options.h); bits. */
enum ctl_option {
    CTL_JSON = 1 << 0,
    CTL_FRESH = 1 << 1,
    CTL_COMMENT = 1 << 2,
    CTL_EXPIRES = 1 << 3,
    CTL_OVERRIDE = 1 << 4,
    CTL_BY = 1 << 5,
    CTL_POSTFIX = 1 << 6,
    CTL_REPLACE = 1 << 7,
    CTL_DRY_RUN = 1 << 8,
    CTL_DISCARD = 1 << 9,
    CTL_AT = 1 << 10,
    CTL_FIRST = 1 << 11,
    CTL_LAST = 1 << 12,
    CTL_BEFORE = 1 << 13,
    CTL_AFTER = 1 << 14,
    CTL_SENDER = 1 << 15,
    CTL_RCPT = 1 << 16,
    CTL_CLIENT = 1 << 17,
    CTL_USER = 1 << 18,
    CTL_TLS = 1 << 19,
    CTL_RULES = 1 << 20,
    CTL_CONFIG_DIR = 1 << 21,
    CTL_REQUIRETLS = 1 << 22,
    CTL_OFFLINE = 1 << 23,
    CTL_TIMEOUT = 1 << 24,
    CTL_DAY = 1 << 25,
    CTL_DOMAIN = 1 << 26,
    CTL_AGAIN = 1 << 27,
    CTL_MAIL_FORM = 1 << 28,
    CTL_TYPE = 1 << 29
};

/* Values of an option that may be given more than once. */
struct ctl_values {
    const char *value[CTL_VALUES_MAX];
    size_t count;
};

struct conf;
struct redis_ask;

struct ctl {
    const char *conf_file;
    unsigned options;                        /* those given */
    const char *comment, *expires, *by, *at; /* values of options; NULL: not given */
    const char *before, *after;
    const char *sender, *client, *user, *rules, *config_dir, *timeout;
    const char *day, *domain, *type;
    struct ctl_values rcpt;
    bool colour;
    char **word; /* those after the command's name */
    size_t word_count;
};

struct command {
    const char *name;    /* one word or more */
    const char *args;    /* "FILE|-" */
    const char *summary; /* one line, for the usage */
    unsigned options;    /* those it takes */
    size_t least, most;  /* words after the name */
    int (*run)(const struct ctl *ctl);
};

/* check.c */
int check_sts_policy(const struct ctl *ctl);
int check_sts_record(const struct ctl *ctl);
int check_mx_match(const struct ctl *ctl);
int check_tlsrpt_record(const struct ctl *ctl);
int check_config(const struct ctl *ctl);

/* check_postfix_io.c */
int check_postfix(const struct ctl *ctl);

/* commands_io.c */
int run_resolve(const struct ctl *ctl);
int run_explain(const struct ctl *ctl);
int run_cache_show(const struct ctl *ctl);
int run_cache_get(const struct ctl *ctl);
int run_cache_flush(const struct ctl *ctl);

/* status_commands_io.c */
int run_status(const struct ctl *ctl);

/* NULL with the reason reported. */
struct conf *read_conf(const struct ctl *ctl);                                /* conf_free */
struct redis_ask *open_redis(const struct ctl *ctl, const struct conf *conf); /* redis_ask_close; conf outlives it */

/* Ask a daemon and wait so long. Returns 0 when it has answered, whatever it says, or -1 with the reason reported. */
struct answer;
int ask_program(struct answer *a, const char *program, const char *address, const char *verb, const char *arg,
                int timeout_ms);
/* Report an answer that is not OK. */
void report_refusal(const char *program, const char *about, const struct answer *a);
/* The JSON object that it is (json_decref), or NULL with the reason reported. */
json_t *answer_object(const struct answer *a, const char *program, const char *address, const char *about);
/* What a daemon says of itself, and what any worker of policyd does (json_decref); NULL with the reason reported. */
json_t *ask_status(const char *program, const char *address);
json_t *policyd_status(const struct conf *conf);

/* requiretls_commands_io.c */
int run_explain_requiretls(const struct ctl *ctl);

/* list_commands_io.c, list_file_commands_io.c */
int run_list_show(const struct ctl *ctl);
int run_list_add(const struct ctl *ctl);
int run_list_del(const struct ctl *ctl);
int run_list_import(const struct ctl *ctl);
int run_list_export(const struct ctl *ctl);
int run_list_clear(const struct ctl *ctl);
int run_list_restore(const struct ctl *ctl);

/* rules_commands_io.c, rules_show_io.c, rules_test_io.c */
int run_rules_show(const struct ctl *ctl);
int run_rules_add(const struct ctl *ctl);
int run_rules_replace(const struct ctl *ctl);
int run_rules_del(const struct ctl *ctl);
int run_rules_move(const struct ctl *ctl);
int run_rules_load(const struct ctl *ctl);
int run_rules_save(const struct ctl *ctl);
int run_rules_test(const struct ctl *ctl);

/* fallback_commands_io.c */
int run_fallback_show(const struct ctl *ctl);
int run_fallback_clear(const struct ctl *ctl);
int run_fallback_report(const struct ctl *ctl);

/* report_commands_io.c, report_send_commands_io.c, report_key_commands_io.c */
int run_report_read(const struct ctl *ctl);
int run_report_list(const struct ctl *ctl);
int run_report_show(const struct ctl *ctl);
int run_report_build(const struct ctl *ctl);
int run_report_send(const struct ctl *ctl);
int run_report_key_new(const struct ctl *ctl);
int run_report_key_check(const struct ctl *ctl);

#endif
