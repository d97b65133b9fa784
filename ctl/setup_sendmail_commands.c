/* setup_sendmail_commands.c - see setup_sendmail_commands.h. */
#include "setup_sendmail_commands.h"

#include <string.h>

#define TAKE "sed -i --follow-symlinks \"" SETUP_SENDMAIL_DELETE "\" "

/* FILE LINE... */
static const char add[] = "set -e; file=$1; shift; " TAKE "\"$file\"; printf \"%s\\n\" \"$@\" >>\"$file\"";

/* FOLDER SENDMAIL ARGUMENT-OF-M4...: sendmail.cf is replaced as a whole, and keeps owner and permissions. */
#define MAKE                                                                                                        \
    "program=$2; shift 2; cf=$(readlink -f sendmail.cf); trap \"rm -f \\\"$cf.new\\\"\" EXIT; m4 \"$@\" "           \
    ">\"$cf.new\"; said=$(\"$program\" -C \"$cf.new\" -bt </dev/null 2>&1) || { printf \"%s\\n\" \"$said\" | grep " \
    "\": line \" >&2; exit 1; }; chown --reference=\"$cf\" \"$cf.new\"; chmod --reference=\"$cf\" \"$cf.new\"; mv " \
    "-f \"$cf.new\" \"$cf\""

static const char make[] = "set -e; cd \"$1\"; " MAKE;
static const char make_bare[] = "set -e; cd \"$1\"; " TAKE "sendmail.mc; " MAKE;

void setup_sendmail_add(const char *out[SETUP_SENDMAIL_WORDS], const char *file, const char *now,
                        const struct setup_sendmail_lines *lines)
{
    const char *const begin[] = {"sh", "-c", add, "sh", file};
    size_t n = 0;

    for (; n < sizeof(begin) / sizeof(begin[0]); n++)
        out[n] = begin[n];
    if (*now != '\0' && now[strlen(now) - 1] != '\n')
        out[n++] = ""; /* its last line has no end */
    for (size_t i = 0; i < lines->count; i++)
        out[n++] = lines->line[i];
    out[n] = NULL;
}

void setup_sendmail_make(const char *out[SETUP_SENDMAIL_WORDS], const struct setup_sendmail_facts *facts, bool bare)
{
    const char *const begin[] = {"sh", "-c", bare ? make_bare : make, "sh", facts->config_dir, facts->program};
    size_t n = 0;

    for (; n < sizeof(begin) / sizeof(begin[0]); n++)
        out[n] = begin[n];
    setup_sendmail_m4(out + n, facts->mc, "sendmail.mc");
}
