/* line.c - the command line, sorted into options and words. */
#include "line.h"

#include "options.h"
#include "output_io.h"

#include <getopt.h>
#include <string.h>

#define LONG_FIRST 256 /* the code of the first in the table */

static const struct option own_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};
#define OWN_OPTIONS (sizeof(own_options) / sizeof(own_options[0]))

/* Those of the table, then our own and the end. */
static void long_options_make(struct option out[OPTION_KINDS + OWN_OPTIONS])
{
    for (size_t i = 0; i < OPTION_KINDS; i++)
        out[i] = (struct option){.name = option_kinds[i].name,
                                 .has_arg = option_kinds[i].arg != NULL ? required_argument : no_argument,
                                 .val = LONG_FIRST + (int)i};
    memcpy(out + OPTION_KINDS, own_options, sizeof(own_options));
}

static int bad_option(int c, const char *given)
{
    if (c == ':')
        report_error("option %s needs a value", given);
    else if (optopt > 0 && optopt < LONG_FIRST && strchr("chV", optopt) == NULL)
        report_error("unknown option -%c; posternctl -h lists them", optopt);
    else
        report_error("wrong option %s; posternctl -h lists them", given);
    return -1;
}

static int take_value(struct ctl_values *values, const struct option_kind *kind)
{
    if (values->count == CTL_VALUES_MAX) {
        report_error("option --%s: given more than %d times", kind->name, CTL_VALUES_MAX);
        return -1;
    }
    values->value[values->count++] = optarg;
    return 0;
}

static int take_kind(struct ctl *ctl, const struct option_kind *kind)
{
    ctl->options |= kind->bit;
    if (kind->many)
        return take_value((struct ctl_values *)(void *)((char *)ctl + kind->value), kind);
    if (kind->arg != NULL)
        memcpy((char *)ctl + kind->value, &optarg, sizeof(optarg));
    return 0;
}

static int take_option(struct line *out, int c, const char *given)
{
    switch (c) {
    case 'c':
        out->ctl.conf_file = optarg;
        return 0;
    case 'h':
        out->help = true;
        return 0;
    case 'V':
        out->version = true;
        return 0;
    default:
        return c >= LONG_FIRST ? take_kind(&out->ctl, &option_kinds[c - LONG_FIRST]) : bad_option(c, given);
    }
}

int line_parse(struct line *out, int argc, char **argv)
{
    struct option long_options[OPTION_KINDS + OWN_OPTIONS];
    char **word = argv + 1; /* written only where getopt has read */
    size_t count = 0;
    int c;

    long_options_make(long_options);
    opterr = 0;
    /* '-': words come in order as option 1, whatever POSIXLY_CORRECT says; ':': a missing value is told apart. */
    while ((c = getopt_long(argc, argv, "-:c:Vh", long_options, NULL)) != -1)
        if (c == 1)
            word[count++] = optarg;
        else if (take_option(out, c, argv[optind - 1]) != 0)
            return -1;
    while (optind < argc)
        word[count++] = argv[optind++];
    out->ctl.word = word;
    out->ctl.word_count = count;
    return 0;
}
