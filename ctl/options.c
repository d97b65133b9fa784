/* options.c - the options that only some commands take. */
#include "options.h"

#define AT(member) offsetof(struct ctl, member)

const struct option_kind option_kinds[OPTION_KINDS + 1] = {
    {"json", CTL_JSON, NULL, "print one JSON object in place of text", 0, false},
    {"fresh", CTL_FRESH, NULL, "look everything up again", 0, false},
    {"comment", CTL_COMMENT, "TEXT", "what the entry is for", AT(comment), false},
    {"expires", CTL_EXPIRES, "TIME|DURATION",
     "when the entry ends: 2027-01-01T00:00:00Z, 2027-01-01, 90s, 15m, 4h, 30d", AT(expires), false},
    {"override", CTL_OVERRIDE, NULL, "the entry goes before what the destination publishes", 0, false},
    {"by", CTL_BY, "NAME", "who says so, in place of your own name", AT(by), false},
    {"postfix", CTL_POSTFIX, NULL, "the file is a TLS policy table of Postfix", 0, false},
    {"replace", CTL_REPLACE, NULL, "the list is the file afterwards; else the file is added to it", 0, false},
    {"dry-run", CTL_DRY_RUN, NULL, "show what would change, and write nothing", 0, false},
    {"discard", CTL_DISCARD, NULL, "begin anew with what Redis has", 0, false},
    {"at", CTL_AT, "TIME", "when that was: 2026-11-21T10:00:00Z; else now", AT(at), false},
    {"first", CTL_FIRST, NULL, "the rule goes before all others", 0, false},
    {"last", CTL_LAST, NULL, "the rule goes behind all others", 0, false},
    {"before", CTL_BEFORE, "NAME", "the rule goes before that one", AT(before), false},
    {"after", CTL_AFTER, "NAME", "the rule goes behind that one", AT(after), false},
    {"sender", CTL_SENDER, "ADDRESS", "sender of the envelope; \"\" for the null sender", AT(sender), false},
    {"rcpt", CTL_RCPT, "ADDRESS", "recipient of the envelope; for several, more than once", AT(rcpt), true},
    {"client", CTL_CLIENT, "ADDRESS", "address of the client; else a message from this machine", AT(client), false},
    {"user", CTL_USER, "NAME", "name that the client has logged in with", AT(user), false},
    {"tls", CTL_TLS, NULL, "the client's session has TLS", 0, false},
    {"rules", CTL_RULES, "FILE|-", "rules in place of those in Redis", AT(rules), false},
    {NULL, 0, NULL, NULL, 0, false},
};
