/*
 * main.c - posternctl: what a person does with Postern. The table below is all there is to adding a command; options
 * may stand before or after the words.
 */
#include "completion.h"
#include "ctl.h"
#include "line.h"
#include "log.h"
#include "options.h"
#include "output_io.h"
#include "usage.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define CONF_FILE SYSCONFDIR "/postern/postern.conf"

#define GROUP_BUF 32 /* of the words of a group of commands */

#define CTL_ENTRY  (CTL_COMMENT | CTL_EXPIRES | CTL_OVERRIDE | CTL_BY)
#define CTL_PLACE  (CTL_FIRST | CTL_LAST | CTL_BEFORE | CTL_AFTER | CTL_DISCARD)
#define CTL_MAIL   (CTL_JSON | CTL_SENDER | CTL_RCPT | CTL_CLIENT | CTL_USER | CTL_TLS | CTL_RULES)
#define CTL_WHY    (CTL_JSON | CTL_REQUIRETLS | CTL_OFFLINE | CTL_TIMEOUT)
#define CTL_COUNTS (CTL_JSON | CTL_DAY | CTL_DOMAIN)
#define CTL_SETUP  (CTL_JSON | CTL_CONFIG_DIR | CTL_SHARE | CTL_APPLY | CTL_UNDO | CTL_FORCE)
#define CTL_TLSA   (CTL_JSON | CTL_CERT | CTL_NEXT | CTL_PORT | CTL_CHECK | CTL_FORCE)
#define CTL_STS \
    (CTL_JSON | CTL_MODE | CTL_MX | CTL_MAX_AGE | CTL_CHECK | CTL_PROMOTE | CTL_OUT | CTL_DRY_RUN | CTL_FORCE | CTL_BY)
#define CTL_PROBE (CTL_JSON | CTL_TIMEOUT | CTL_WARN | CTL_PORT)
#define CTL_USE   (CTL_JSON | CTL_CONFIG_DIR | CTL_DRY_RUN | CTL_UNDO | CTL_FORCE)
#define CTL_NEW \
    (CTL_TYPE | CTL_ALT | CTL_ORGANIZATION | CTL_COUNTRY | CTL_DAYS | CTL_TITLE | CTL_CSR | CTL_OUT | CTL_FORCE)
#define CTL_ACME   (CTL_JSON | CTL_DNS | CTL_TYPE | CTL_TITLE | CTL_DRY_RUN)
#define CTL_IMPORT (CTL_BY | CTL_POSTFIX | CTL_REPLACE | CTL_DRY_RUN)

static int run_completion(const struct ctl *ctl);

static const struct command commands[] = {
    {"check sts-policy", "FILE|-", "is this a valid MTA-STS policy file?", CTL_JSON, 1, 1, check_sts_policy},
    {"check sts-record", "TXT...", "are these the TXT records of MTA-STS?", CTL_JSON, 1, SIZE_MAX, check_sts_record},
    {"check mx-match", "PATTERN HOST", "does an MX host fit a policy's mx pattern?", CTL_JSON, 2, 2, check_mx_match},
    {"check tlsrpt-record", "TXT...", "are these the TXT records of TLSRPT?", CTL_JSON, 1, SIZE_MAX,
     check_tlsrpt_record},
    {"check config", "[FILE]", "is the configuration right?", CTL_JSON, 0, 1, check_config},
    {"check postfix", "", "would Postfix let flagged mail go as any other, or mail past the milter?",
     CTL_JSON | CTL_CONFIG_DIR, 0, 0, check_postfix},
    {"setup", "postfix|exim|sendmail", "have a mail server go by Postern, or show what that takes", CTL_SETUP, 1, 1,
     run_setup},
    {"cert new", "NAME", "make a key and a certificate, or a request for one", CTL_NEW, 1, 1, run_cert_new},
    {"cert import", "NAME FILE", "take a certificate from PEM or PKCS#12",
     CTL_KEY | CTL_PASSWORD | CTL_TITLE | CTL_FORCE, 2, 2, run_cert_import},
    {"cert list", "", "the certificates of this machine's mail servers", CTL_JSON, 0, 0, run_cert_list},
    {"cert show", "NAME", "one of them, with its chain", CTL_JSON, 1, 1, run_cert_show},
    {"cert check", "[NAME]", "does one end soon, or is something wrong?", CTL_JSON | CTL_WARN, 0, 1, run_cert_check},
    {"cert remove", "NAME", "take one and its key away for good", CTL_FORCE, 1, 1, run_cert_remove},
    {"cert use", "NAME [postfix|exim]", "have this machine's mail server serve a certificate", CTL_USE, 0, 2,
     run_cert_use},
    {"cert acme new", "NAME HOST...", "a certificate that an authority signs by itself (ACME), and renews", CTL_ACME, 2,
     SIZE_MAX, run_cert_acme_new},
    {"cert acme renew", "[NAME]", "have those renewed that are due, and roll keys over", CTL_JSON | CTL_FORCE, 0, 1,
     run_cert_acme_renew},
    {"cert acme list", "", "those by ACME: how they stand, and when they are due", CTL_JSON, 0, 0, run_cert_acme_list},
    {"cert acme hook", "METHOD TYPE HOST TOKEN AUTH", "what uacme runs to prove that a host is ours", CTL_DNS, 5, 5,
     run_cert_acme_hook},
    {"explain", "DOMAIN|NEXTHOP", "how mail there leaves, and why", CTL_WHY, 1, 1, run_explain},
    {"probe", "DOMAIN|[HOST]", "what a sender meets with at each address of a domain's mail hosts", CTL_PROBE, 1, 1,
     run_probe},
    {"resolve", "DOMAIN", "what is known of a domain: MX, DANE, MTA-STS, TLSRPT", CTL_JSON | CTL_FRESH, 1, 1,
     run_resolve},
    {"cache show", "", "the answers that policyd holds in memory", CTL_JSON, 0, 0, run_cache_show},
    {"cache get", "DOMAIN", "one of them", CTL_JSON, 1, 1, run_cache_get},
    {"cache flush", "[DOMAIN]", "forget one of them, or all", CTL_JSON, 0, 1, run_cache_flush},
    {"list show", "[LIST]", "one of the operator's lists, or which there are", CTL_JSON, 0, 1, run_list_show},
    {"list add", "LIST PATTERN [VALUE...]", "put an entry into a list", CTL_ENTRY, 2, SIZE_MAX, run_list_add},
    {"list del", "LIST PATTERN", "take an entry out", 0, 2, 2, run_list_del},
    {"list import", "LIST FILE|-", "put a file into a list, all of it or nothing", CTL_IMPORT, 2, 2, run_list_import},
    {"list export", "LIST [FILE]", "write a list as a file that import reads", 0, 1, 2, run_list_export},
    {"list clear", "LIST", "take all entries out", 0, 1, 1, run_list_clear},
    {"list restore", "", "give a Redis that has lost its lists those that this node knows", CTL_DISCARD, 0, 0,
     run_list_restore},
    {"rules show", "", "the rules about messages, and what is wrong with them", CTL_JSON, 0, 0, run_rules_show},
    {"rules add", "'NAME: EXPRESSION -> ACTION'", "one more rule", CTL_PLACE, 1, 1, run_rules_add},
    {"rules replace", "'NAME: EXPRESSION -> ACTION'", "a rule in the place of that of its name", CTL_DISCARD, 1, 1,
     run_rules_replace},
    {"rules del", "NAME", "take a rule out", CTL_DISCARD, 1, 1, run_rules_del},
    {"rules move", "NAME", "give a rule another place", CTL_PLACE, 1, 1, run_rules_move},
    {"rules load", "FILE|-", "a file of rules in the place of all of them, or nothing", CTL_DISCARD, 1, 1,
     run_rules_load},
    {"rules save", "[FILE]", "write the rules as a file that load reads", 0, 0, 1, run_rules_save},
    {"rules test", "FILE|-", "which rules fit a message, and why", CTL_MAIL, 1, 1, run_rules_test},
    {"fallback show", "[NEXTHOP]", "where TLS has failed, and when", CTL_JSON, 0, 1, run_fallback_show},
    {"fallback clear", "[NEXTHOP]", "forget that TLS has failed there, or anywhere", 0, 0, 1, run_fallback_clear},
    {"fallback report", "NEXTHOP MXHOST handshake|later|tls|plain", "say what became of a delivery attempt", CTL_AT, 3,
     3, run_fallback_report},
    {"report read", "FILE|-", "a TLS report of anybody's: a mail, gzip or JSON", CTL_JSON, 1, 1, run_report_read},
    {"report list", "", "what was counted on a day, by domain, and whether it was sent", CTL_JSON | CTL_DAY, 0, 0,
     run_report_list},
    {"report show", "", "what was counted on a day, in full", CTL_COUNTS, 0, 0, run_report_show},
    {"report build", "", "the reports of a domain as they would be sent", CTL_DAY | CTL_DOMAIN | CTL_MAIL_FORM, 0, 0,
     run_report_build},
    {"report send", "", "have reports sent now", CTL_COUNTS | CTL_AGAIN | CTL_DRY_RUN, 0, 0, run_report_send},
    {"report key new", "FILE", "make a key that signs reports, and print its DNS record", CTL_TYPE, 1, 1,
     run_report_key_new},
    {"report key check", "", "is the DNS record of each key published, and right?", CTL_JSON, 0, 0,
     run_report_key_check},
    {"publish tlsrpt", "DOMAIN", "the record by which a domain asks for TLS reports", CTL_JSON | CTL_RUA | CTL_CHECK, 1,
     1, run_publish_tlsrpt},
    {"publish all", "DOMAIN", "everything that a domain publishes about TLS, as lines of its zone file",
     CTL_JSON | CTL_RUA | CTL_CHECK, 1, 1, run_publish_all},
    {"publish tlsa", "HOST", "the TLSA records of a server, and the steps in which its key changes", CTL_TLSA, 1, 1,
     run_publish_tlsa},
    {"publish sts", "DOMAIN [REPORT...]", "the MTA-STS policy of a domain of yours: make, check, promote it", CTL_STS,
     1, SIZE_MAX, run_publish_sts},
    {"publish list", "", "which domains publish a policy", CTL_JSON, 0, 0, run_publish_list},
    {"publish remove", "DOMAIN", "take a policy away, when no sender holds one any more", CTL_JSON | CTL_FORCE, 1, 1,
     run_publish_remove},
    {"status", "", "are the daemons up, and how do they fare?", CTL_JSON, 0, 0, run_status},
    {"top", "", "what they do now, on a screen that changes", CTL_JSON | CTL_INTERVAL | CTL_ONCE, 0, 0, run_top},
    {"tls ciphers", "", "what this OpenSSL offers, of versions, cipher suites and groups", CTL_JSON | CTL_PROTOCOLS, 0,
     0, run_tls_ciphers},
    {"completion", "bash|zsh", "what that shell needs to complete these commands", 0, 1, 1, run_completion},
    {NULL, NULL, NULL, 0, 0, 0, NULL},
};

static int run_completion(const struct ctl *ctl)
{
    enum completion_shell shell;
    struct buf text;

    if (completion_shell_by_name(&shell, ctl->word[0]) != 0) {
        report_error("completion: there is one for bash and one for zsh, not for \"%.100s\"", ctl->word[0]);
        return CTL_USAGE;
    }
    buf_init(&text, CTL_OUTPUT_MAX);
    completion_write(&text, commands, shell);
    return output_and_clear(&text);
}

/* No command has this name: show what could have been meant. */
static int no_command(const struct line *line)
{
    const char *first = line->ctl.word_count > 0 ? line->ctl.word[0] : NULL;
    const char *next = line->ctl.word_count > 1 ? line->ctl.word[1] : NULL;
    char both[GROUP_BUF];

    if (next != NULL && snprintf(both, sizeof(both), "%s %s", first, next) < GROUP_BUF &&
        command_group(commands, both)) {
        first = both;
        next = line->ctl.word_count > 2 ? line->ctl.word[2] : NULL;
    }
    if (line->help && first == NULL) {
        usage_all(stdout, commands, CONF_FILE);
        return output_flush();
    }
    if (line->help && first != NULL && usage_list(stdout, commands, first) > 0)
        return output_flush();
    if (first == NULL)
        report_error("no command given; posternctl -h lists them");
    else if (command_group(commands, first) && next != NULL)
        report_error("no command \"%s %s\"; there are", first, next);
    else if (command_group(commands, first))
        report_error("%s: a word is missing; there are", first);
    else
        report_error("no command \"%s\"; posternctl -h lists them", first);
    usage_list(stderr, commands, first);
    return CTL_USAGE;
}

/* The first option given that the command does not take; NULL: none. */
static const char *wrong_option(const struct command *c, const struct ctl *ctl)
{
    for (const struct option_kind *o = option_kinds; o->name != NULL; o++)
        if ((ctl->options & ~c->options & o->bit) != 0)
            return o->name;
    return NULL;
}

static int command_run(const struct command *c, const struct ctl *ctl)
{
    const char *wrong = wrong_option(c, ctl);

    if (wrong != NULL)
        report_error("%s: takes no option --%s", c->name, wrong);
    else if (ctl->word_count < c->least)
        report_error("%s: a word is missing: %s", c->name, c->args);
    else if (ctl->word_count > c->most)
        report_error("%s: one word too many: \"%s\"", c->name, ctl->word[c->most]);
    else
        return c->run(ctl);
    usage_command(stderr, c);
    return CTL_USAGE;
}

int main(int argc, char **argv)
{
    struct line line = {.ctl = {.conf_file = CONF_FILE}};
    const struct command *c;
    size_t used = 0;

    signal(SIGCHLD, SIG_DFL); /* ignored by who started us, it would take away how our programs end */
    signal(SIGPIPE, SIG_IGN); /* a daemon that closes, or a pager that ends, is an error like any other */
    log_open("posternctl", true, LOGLEVEL_ERROR); /* what Redis logs beside it is in our own errors */
    if (line_parse(&line, argc, argv) != 0)
        return CTL_USAGE;
    if (line.version) {
        puts("posternctl " PACKAGE_VERSION);
        return output_flush();
    }
    line.ctl.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    c = command_find(commands, line.ctl.word, line.ctl.word_count, &used);
    if (c == NULL)
        return no_command(&line);
    if (line.help) {
        usage_command(stdout, c);
        return output_flush();
    }
    line.ctl.word += used;
    line.ctl.word_count -= used;
    return command_run(c, &line.ctl);
}
