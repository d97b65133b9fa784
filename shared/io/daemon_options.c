/* daemon_options.c - the options that every daemon takes. */
#include "daemon_options.h"

#include <stdio.h>
#include <unistd.h>

#define CONF_DEFAULT SYSCONFDIR "/postern/postern.conf"

static void usage(FILE *f, const char *name, const char *summary)
{
    fprintf(f,
            "usage: %s [-c FILE] [-f] [-t]\n"
            "%s\n\n"
            "  -c FILE  the configuration, instead of " CONF_DEFAULT "\n"
            "  -f       stay in front, log to standard error\n"
            "  -t       check the configuration only\n"
            "  -V       print the version\n"
            "  -h       print this\n",
            name, summary);
}

int daemon_options_read(struct daemon_options *out, int argc, char **argv, const char *name, const char *summary)
{
    int c;

    *out = (struct daemon_options){.conf = CONF_DEFAULT};
    optind = 1;
    while ((c = getopt(argc, argv, "c:ftVh")) != -1) {
        switch (c) {
        case 'c':
            out->conf = optarg;
            break;
        case 'f':
            out->front = true;
            break;
        case 't':
            out->test = true;
            break;
        case 'V':
            printf("%s %s\n", name, PACKAGE_VERSION);
            return 0;
        case 'h':
            usage(stdout, name, summary);
            return 0;
        default:
            usage(stderr, name, summary);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: \"%s\" is too much\n", name, argv[optind]);
        usage(stderr, name, summary);
        return 2;
    }
    return -1;
}
