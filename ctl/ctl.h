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
    CTL_LATER = 3  /* explain --requiretls, probe: not now, perhaps later */
};

/* Options that only some commands take (options.h); bits. */
#define CTL_OPTION(n)    (UINT64_C(1) << (n))
#define CTL_JSON         CTL_OPTION(0)
#define CTL_FRESH        CTL_OPTION(1)
#define CTL_COMMENT      CTL_OPTION(2)
#define CTL_EXPIRES      CTL_OPTION(3)
#define CTL_OVERRIDE     CTL_OPTION(4)
#define CTL_BY           CTL_OPTION(5)
#define CTL_POSTFIX      CTL_OPTION(6)
#define CTL_REPLACE      CTL_OPTION(7)
#define CTL_DRY_RUN      CTL_OPTION(8)
#define CTL_DISCARD      CTL_OPTION(9)
#define CTL_AT           CTL_OPTION(10)
#define CTL_FIRST        CTL_OPTION(11)
#define CTL_LAST         CTL_OPTION(12)
#define CTL_BEFORE       CTL_OPTION(13)
#define CTL_AFTER        CTL_OPTION(14)
#define CTL_SENDER       CTL_OPTION(15)
#define CTL_RCPT         CTL_OPTION(16)
#define CTL_CLIENT       CTL_OPTION(17)
#define CTL_USER         CTL_OPTION(18)
#define CTL_TLS          CTL_OPTION(19)
#define CTL_RULES        CTL_OPTION(20)
#define CTL_CONFIG_DIR   CTL_OPTION(21)
#define CTL_REQUIRETLS   CTL_OPTION(22)
#define CTL_OFFLINE      CTL_OPTION(23)
#define CTL_TIMEOUT      CTL_OPTION(24)
#define CTL_DAY          CTL_OPTION(25)
#define CTL_DOMAIN       CTL_OPTION(26)
#define CTL_AGAIN        CTL_OPTION(27)
#define CTL_MAIL_FORM    CTL_OPTION(28)
#define CTL_TYPE         CTL_OPTION(29)
#define CTL_APPLY        CTL_OPTION(30)
#define CTL_UNDO         CTL_OPTION(31)
#define CTL_FORCE        CTL_OPTION(32)
#define CTL_SHARE        CTL_OPTION(33)
#define CTL_INTERVAL     CTL_OPTION(34)
#define CTL_ONCE         CTL_OPTION(35)
#define CTL_MODE         CTL_OPTION(36)
#define CTL_MX           CTL_OPTION(37)
#define CTL_MAX_AGE      CTL_OPTION(38)
#define CTL_CHECK        CTL_OPTION(39)
#define CTL_PROMOTE      CTL_OPTION(40)
#define CTL_OUT          CTL_OPTION(41)
#define CTL_RUA          CTL_OPTION(42)
#define CTL_CERT         CTL_OPTION(43)
#define CTL_NEXT         CTL_OPTION(44)
#define CTL_PORT         CTL_OPTION(45)
#define CTL_KEY          CTL_OPTION(46)
#define CTL_ALT          CTL_OPTION(47)
#define CTL_ORGANIZATION CTL_OPTION(48)
#define CTL_COUNTRY      CTL_OPTION(49)
#define CTL_CSR          CTL_OPTION(50)
#define CTL_DAYS         CTL_OPTION(51)
#define CTL_PASSWORD     CTL_OPTION(52)
#define CTL_PROTOCOLS    CTL_OPTION(53)
#define CTL_TITLE        CTL_OPTION(54)
#define CTL_WARN         CTL_OPTION(55)
#define CTL_DNS          CTL_OPTION(56)

/* Values of an option that may be given more than once. */
struct ctl_values {
    const char *value[CTL_VALUES_MAX];
    size_t count;
};

struct conf;
struct redis_ask;

struct ctl {
    const char *conf_file;
    uint64_t options;                        /* those given */
    const char *comment, *expires, *by, *at; /* values of options; NULL: not given */
    const char *before, *after;
    const char *sender, *client, *user, *rules, *config_dir, *timeout;
    const char *day, *domain, *type, *share, *interval;
    const char *mode, *max_age, *out, *cert, *next, *port, *key, *organization, *country, *days, *password, *protocols;
    const char *title, *warn;
    struct ctl_values rcpt, mx, rua, alt;
    bool colour;
    char **word; /* those after the command's name */
    size_t word_count;
};

struct command {
    const char *name;    /* one word or more */
    const char *args;    /* "FILE|-" */
    const char *summary; /* one line, for the usage */
    uint64_t options;    /* those it takes */
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

/* setup_commands_io.c */
int run_setup(const struct ctl *ctl);

/* cert_new_io.c, cert_import_io.c, cert_show_io.c */
int run_cert_new(const struct ctl *ctl);
int run_cert_import(const struct ctl *ctl);
int run_cert_list(const struct ctl *ctl);
int run_cert_show(const struct ctl *ctl);
int run_cert_check(const struct ctl *ctl);
int run_cert_remove(const struct ctl *ctl);

/* cert_use_commands_io.c */
int run_cert_use(const struct ctl *ctl);

/* commands_io.c */
int run_resolve(const struct ctl *ctl);
int run_explain(const struct ctl *ctl);
int run_cache_show(const struct ctl *ctl);
int run_cache_get(const struct ctl *ctl);
int run_cache_flush(const struct ctl *ctl);

/* status_commands_io.c */
int run_status(const struct ctl *ctl);

/* top_io.c */
int run_top(const struct ctl *ctl);

bool uses_tlsrptd(const struct conf *conf); /* status_commands_io.c */

/* NULL with the reason reported. */
struct conf *read_conf(const struct ctl *ctl); /* conf_free */
/* The value of an option, if it was given (text not NULL). Returns 0, or -1 with the reason reported. */
struct conf_option;
int read_option(int64_t *out, const struct conf_option *option, const char *text);
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

/* probe_commands_io.c, tls_commands_io.c */
int run_probe(const struct ctl *ctl);
int run_tls_ciphers(const struct ctl *ctl);

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

/* publish_sts_io.c, publish_list_io.c */
int run_publish_sts(const struct ctl *ctl);
int run_publish_list(const struct ctl *ctl);
int run_publish_remove(const struct ctl *ctl);

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

/* The domain that reports come from, that of tlsrptd.contact in its one form; "" when there is none.
 * report_key_commands_io.c */
void report_submitter(char *out, const struct conf *conf); /* DOMAIN_BUF octets */

/* publish_tlsrpt_io.c, publish_tlsa_io.c, publish_all_io.c */
int run_publish_tlsrpt(const struct ctl *ctl);
int run_publish_tlsa(const struct ctl *ctl);
int run_publish_all(const struct ctl *ctl);
/* acme_commands_io.c, acme_hook_io.c */
int run_cert_acme_new(const struct ctl *ctl);
int run_cert_acme_renew(const struct ctl *ctl);
int run_cert_acme_list(const struct ctl *ctl);
int run_cert_acme_hook(const struct ctl *ctl);

#endif
