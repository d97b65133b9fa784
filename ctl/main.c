/*
 * main.c - posternctl: what a person does with Postern. The table below is all there is to adding a command; options
 * may stand before or after the words.
 */
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

#define CTL_ENTRY  (CTL_COMMENT | CTL_EXPIRES | CTL_OVERRIDE | CTL_BY)
#define CTL_PLACE  (CTL_FIRST | CTL_LAST | CTL_BEFORE | CTL_AFTER | CTL_DISCARD)
#define CTL_MAIL   (CTL_JSON | CTL_SENDER | CTL_RCPT | CTL_CLIENT | CTL_USER | CTL_TLS | CTL_RULES)
#define CTL_WHY    (CTL_JSON | CTL_REQUIRETLS | CTL_OFFLINE | CTL_TIMEOUT)
#define CTL_COUNTS (CTL_JSON | CTL_DAY | CTL_DOMAIN)
#define CTL_IMPORT (CTL_BY | CTL_POSTFIX | CTL_REPLACE | CTL_DRY_RUN)

static const struct command commands[] = {
    {"check sts-policy", "FILE|-", "is this a valid MTA-STS policy file?", CTL_JSON, 1, 1, check_sts_policy},
    {"check sts-record", "TXT...", "are these the TXT records of MTA-STS?", CTL_JSON, 1, SIZE_MAX, check_sts_record},
    {"check mx-match", "PATTERN HOST", "does an MX host fit a policy's mx pattern?", CTL_JSON, 2, 2, check_mx_match},
    {"check tlsrpt-record", "TXT...", "are these the TXT records of TLSRPT?", CTL_JSON, 1, SIZE_MAX,
     check_tlsrpt_record},
    {"check config", "[FILE]", "is the configuration right?", CTL_JSON, 0, 1, check_config},
    {"check postfix", "", "would Postfix let flagged mail go as any other, or mail past the milter?",
     CTL_JSON | CTL_CONFIG_DIR, 0, 0, check_postfix},
    {"explain", "DOMAIN|NEXTHOP", "how mail there leaves, and why", CTL_WHY, 1, 1, run_explain},
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
    {"status", "", "are the daemons up, and how do they fare?", CTL_JSON, 0, 0, run_status},
    {NULL, NULL, NULL, 0, 0, 0, NULL},
};

/* No command has this name: show what could have been meant. */
static int no_command(const struct line *line)
{
    const char *first = line->ctl.word_count > 0 ? line->ctl.word[0] : NULL;

    if (line->help && first == NULL) {
        usage_all(stdout, commands, CONF_FILE);
        return output_flush();
    }
    if (line->help && first != NULL && usage_list(stdout, commands, first) > 0)
        return output_flush();
    if (first == NULL)
        report_error("no command given; posternctl -h lists them");
    else if (command_group(commands, first) && line->ctl.word_count > 1)
        report_error("no command \"%s %s\"; there are", first, line->ctl.word[1]);
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
