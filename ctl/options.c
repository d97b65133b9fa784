/* options.c - the options that only some commands take. */
#include "options.h"

#define AT(member) offsetof(struct ctl, member)

const struct option_kind option_kinds[OPTION_KINDS + 1] = {
    {"json", CTL_JSON, NULL, "print one JSON object in place of text", 0},
    {"fresh", CTL_FRESH, NULL, "look everything up again", 0},
    {"comment", CTL_COMMENT, "TEXT", "what the entry is for", AT(comment)},
    {"expires", CTL_EXPIRES, "TIME|DURATION",
     "when the entry ends: 2027-01-01T00:00:00Z, 2027-01-01, 90s, 15m, 4h, 30d", AT(expires)},
    {"override", CTL_OVERRIDE, NULL, "the entry goes before what the destination publishes", 0},
    {"by", CTL_BY, "NAME", "who says so, in place of your own name", AT(by)},
    {"postfix", CTL_POSTFIX, NULL, "the file is a TLS policy table of Postfix", 0},
    {"replace", CTL_REPLACE, NULL, "the list is the file afterwards; else the file is added to it", 0},
    {"dry-run", CTL_DRY_RUN, NULL, "show what would change, and write nothing", 0},
    {"discard", CTL_DISCARD, NULL, "begin anew with the lists that Redis has", 0},
    {"at", CTL_AT, "TIME", "when that was: 2026-11-21T10:00:00Z; else now", AT(at)},
    {NULL, 0, NULL, NULL, 0},
};
