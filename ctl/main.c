/*
 * main.c - posternctl: what a person does with Postern. The table below is all there is to adding a command; options
 * may stand before or after the words.
 */
#include "ctl.h"
#include "line.h"
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

static const struct command commands[] = {
    {"check sts-policy", "FILE|-", "is this a valid MTA-STS policy file?", CTL_JSON, 1, 1, check_sts_policy},
    {"check sts-record", "TXT...", "are these the TXT records of MTA-STS?", CTL_JSON, 1, SIZE_MAX, check_sts_record},
    {"check mx-match", "PATTERN HOST", "does an MX host fit a policy's mx pattern?", CTL_JSON, 2, 2, check_mx_match},
    {"check tlsrpt-record", "TXT...", "are these the TXT records of TLSRPT?", CTL_JSON, 1, SIZE_MAX,
     check_tlsrpt_record},
    {"check config", "[FILE]", "is the configuration right?", CTL_JSON, 0, 1, check_config},
    {"explain", "DOMAIN|NEXTHOP", "how mail there leaves, and why", CTL_JSON, 1, 1, run_explain},
    {"resolve", "DOMAIN", "what is known of a domain: MX, DANE, MTA-STS, TLSRPT", CTL_JSON | CTL_FRESH, 1, 1,
     run_resolve},
    {"cache show", "", "the answers that policyd holds in memory", CTL_JSON, 0, 0, run_cache_show},
    {"cache get", "DOMAIN", "one of them", CTL_JSON, 1, 1, run_cache_get},
    {"cache flush", "[DOMAIN]", "forget one of them, or all", CTL_JSON, 0, 1, run_cache_flush},
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
    else if (line->ctl.word_count > 1)
        report_error("no command \"%s %s\"; posternctl -h lists them", first, line->ctl.word[1]);
    else
        report_error("no command \"%s\"; posternctl -h lists them", first);
    usage_list(stderr, commands, first);
    return CTL_USAGE;
}

static int command_run(const struct command *c, const struct ctl *ctl)
{
    if ((ctl->options & ~c->options) != 0)
        report_error("%s: takes no option %s", c->name, ctl->options & ~c->options & CTL_FRESH ? "--fresh" : "--json");
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
