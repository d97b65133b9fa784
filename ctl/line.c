/* line.c - the command line, sorted into options and words. */
#include "line.h"

#include "output_io.h"

#include <getopt.h>
#include <string.h>

enum { LONG_FRESH = 256, LONG_JSON };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'}, {"fresh", no_argument, NULL, LONG_FRESH},
    {"help", no_argument, NULL, 'h'},         {"json", no_argument, NULL, LONG_JSON},
    {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
};

static int bad_option(int c, const char *given)
{
    if (c == ':')
        report_error("option %s needs a value", given);
    else if (optopt > 0 && optopt < LONG_FRESH && strchr("chV", optopt) == NULL)
        report_error("unknown option -%c; posternctl -h lists them", optopt);
    else
        report_error("wrong option %s; posternctl -h lists them", given);
    return -1;
}

static int take_option(struct line *out, int c, const char *given)
{
    switch (c) {
    case 'c':
        out->ctl.conf_file = optarg;
        return 0;
    case LONG_JSON:
        out->ctl.options |= CTL_JSON;
        return 0;
    case LONG_FRESH:
        out->ctl.options |= CTL_FRESH;
        return 0;
    case 'h':
        out->help = true;
        return 0;
    case 'V':
        out->version = true;
        return 0;
    default:
        return bad_option(c, given);
    }
}

int line_parse(struct line *out, int argc, char **argv)
{
    char **word = argv + 1; /* written only where getopt has read */
    size_t count = 0;
    int c;

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
