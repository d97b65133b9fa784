/* options.c - the options that only some commands take. */
#include "options.h"

#define AT(member) offsetof(struct ctl, member)

const struct option_kind option_kinds[OPTION_KINDS + 1] = {
    {"json", CTL_JSON, false, NULL, "print one JSON object in place of text", 0},
    {"fresh", CTL_FRESH, false, NULL, "look everything up again", 0},
    {"comment", CTL_COMMENT, false, "TEXT", "what the entry is for", AT(comment)},
    {"expires", CTL_EXPIRES, false, "TIME|DURATION",
     "when the entry ends: 2027-01-01T00:00:00Z, 2027-01-01, 90s, 15m, 4h, 30d", AT(expires)},
    {"override", CTL_OVERRIDE, false, NULL, "the entry goes before what the destination publishes", 0},
    {"by", CTL_BY, false, "NAME", "who says so, in place of your own name", AT(by)},
    {"postfix", CTL_POSTFIX, false, NULL, "the file is a TLS policy table of Postfix", 0},
    {"replace", CTL_REPLACE, false, NULL, "the list is the file afterwards; else the file is added to it", 0},
    {"dry-run", CTL_DRY_RUN, false, NULL, "show what would change, and write nothing", 0},
    {"discard", CTL_DISCARD, false, NULL, "begin anew with what Redis has", 0},
    {"at", CTL_AT, false, "TIME", "when that was: 2026-11-21T10:00:00Z; else now", AT(at)},
    {"first", CTL_FIRST, false, NULL, "the rule goes before all others", 0},
    {"last", CTL_LAST, false, NULL, "the rule goes behind all others", 0},
    {"before", CTL_BEFORE, false, "NAME", "the rule goes before that one", AT(before)},
    {"after", CTL_AFTER, false, "NAME", "the rule goes behind that one", AT(after)},
    {"sender", CTL_SENDER, false, "ADDRESS", "sender of the envelope; \"\" for the null sender", AT(sender)},
    {"rcpt", CTL_RCPT, true, "ADDRESS", "recipient of the envelope; for several, more than once", AT(rcpt)},
    {"client", CTL_CLIENT, false, "ADDRESS", "address of the client; else a message from this machine", AT(client)},
    {"user", CTL_USER, false, "NAME", "name that the client has logged in with", AT(user)},
    {"tls", CTL_TLS, false, NULL, "the client's session has TLS", 0},
    {"rules", CTL_RULES, false, "FILE|-", "rules in place of those in Redis", AT(rules)},
    {"config-dir", CTL_CONFIG_DIR, false, "DIR", "where main.cf and master.cf are; else Postfix's own place",
     AT(config_dir)},
    {"requiretls", CTL_REQUIRETLS, false, NULL, "mail that may go only over verified TLS, all the way (RFC 8689)", 0},
    {"offline", CTL_OFFLINE, false, NULL, "with --requiretls: by what is published alone; no MX host is contacted", 0},
    {"timeout", CTL_TIMEOUT, false, "TIME", "with --requiretls: how long to wait for the hosts; else 15s", AT(timeout)},
    {NULL, 0, false, NULL, NULL, 0},
};
