/* postfix_finding.c - what each finding is called, why it matters, and what to do about it. */
#include "postfix_finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *why, *remedy;
} kinds[POSTFIX_FINDING_KINDS] = {
    [FLAG_UNROUTED] =
        {"flag-unrouted", "flagged mail goes out like any other",
         "put the lines of contrib/postfix/transport_flags.regexp into a regexp: map that is the first of "
         "transport_maps"},
    [FLAG_NO_TRANSPORT] = {"flag-no-transport", "flagged mail goes out like any other",
                           "write SERVICE:inet:ADDRESS:PORT, the service being one of type lmtp in master.cf"},
    [FLAG_SUBSTITUTION] = {"flag-substitution",
                           "Postfix passes over such a line in transport maps, with a warning in its log alone",
                           "write the right side without $1; each next hop has a line of its own"},
    [FLAG_LINE_SKIPPED] = {"flag-line-skipped", "Postfix passes over the line, with a warning in its log alone",
                           "mend the line; try it with postmap -q ADDRESS regexp:FILE"},
    [FLAG_LINE_UNSEEN] = {"flag-line-unseen", "what the line does with flagged addresses cannot be seen here",
                          "write it with one expression, and a shorter one; or take it out"},
    [FLAG_MAP_BEFORE] = {"flag-map-before", "what it answers to a flagged address goes before the flag map",
                         "put the flag map first in transport_maps"},
    [FLAG_MAP_UNREADABLE] = {"flag-map-unreadable", "what it does with flagged addresses cannot be seen",
                             "make the file a regular one that is there and can be read"},
    [FLAG_SERVICE_MISSING] = {"flag-service-missing", "flagged mail waits in the queue until it is too old",
                              "add the service requiretls of contrib/postfix/master.cf to master.cf"},
    [FLAG_SERVICE_NOT_LMTP] = {"flag-service-not-lmtp", "flagged mail must go to postern-relayd, by LMTP",
                               "take the service requiretls of contrib/postfix/master.cf"},
    [FLAG_SERVICE_SMALL] = {"flag-service-small", "one destination that is slow holds up all flagged mail",
                            "write a larger maxproc, such as 200"},
    [FLAG_NEXTHOP] = {"flag-nexthop", "flagged mail waits, or is given to a server that does not know what it is",
                      "write an address of relayd's listen, see posternctl check config"},
    [FLAG_NEXTHOP_CHROOT] = {"flag-nexthop-chroot",
                             "the service runs in a chroot, so the path begins at queue_directory: flagged mail waits",
                             "have relayd listen within queue_directory, or write n in the column chroot"},
    [FLAG_CONCURRENCY] = {"flag-concurrency", "one destination that is slow holds up all others of its next hop",
                          "write more than relayd's per_domain, such as 50"},
    [FLAG_COHORT_LIMIT] = {"flag-cohort-limit", "one failure of relayd puts off all flagged mail that waits for it",
                           "set it to 0"},
    [FLAG_RATE_DELAY] =
        {"flag-rate-delay",
         "one delivery at a time goes to a next hop: a destination that is slow holds up all others of it",
         "set it to 0s"},
    [FLAG_TIMEOUT] =
        {"flag-timeout", "mail on which Postfix gave up may be delivered all the same, and again later",
         "write more than relayd's transaction_timeout; lmtp_data_done_timeout more than its data_timeout, too"},
    [FLAG_FALLBACK] = {"flag-fallback-relay", "flagged mail goes there, past relayd, when relayd is away",
                       "write -o lmtp_fallback_relay= into the service"},
    [FLAG_LMTP_TLS] = {"flag-lmtp-tls", "relayd has no STARTTLS, as it is on this machine: flagged mail waits",
                       "write -o lmtp_tls_security_level=none into the service"},
    [FLAG_DEFERRED] = {"flag-deferred", "flagged mail waits until somebody takes the word out",
                       "take the service out of defer_transports"},
    [FLAG_FILTER] = {"flag-filter", "all recipients go there, past transport_maps, the flagged ones as well",
                     "let it lead only to a filter that hands mail back to this Postfix, recipients as they are"},
    [FLAG_HEADER_ACTION] = {"flag-header-action",
                            "FILTER leads all recipients past transport_maps, REDIRECT and BCC have no flag",
                            "take the line out, or be sure that what it does never meets flagged mail"},
    [FLAG_BCC] = {"flag-bcc", "a recipient that Postfix adds has no flag: that copy goes out like any other",
                  "let it lead to a domain of this Postfix alone"},
    [FLAG_REWRITTEN] = {"flag-rewritten", "the line takes the flag off, and the mail goes out like any other",
                        "put a line for flagged addresses before it, whose right side has the flag"},
    [MILTER_MISSING] = {"milter-missing", "mail that comes in here is not flagged",
                        "write postern-milter's address (milter.listen) into smtpd_milters"},
    [MILTER_MAPS] = {"milter-maps", "clients for which it answers something else pass by the milter",
                     "do without smtpd_milter_maps"},
    [MILTER_PROXY] = {"milter-proxy", "the milter cannot change mail before a proxy: it goes on unflagged",
                      "have smtpd_milters at the smtpd behind the proxy, and -o smtpd_milters= here"},
    [MILTER_ACTION] = {"milter-action", "while the milter is away mail is taken in unflagged, or refused",
                       "set milter_default_action = tempfail"},
    [MILTER_PROTOCOL] = {"milter-protocol", "the milter is not told what it needs to know of a message",
                         "set milter_protocol = 6"},
    [MILTER_STRIP] = {"milter-strip", "the milter does not see what stands behind a NUL in a header field",
                      "set message_strip_characters = \\0"},
    [MILTER_NON_SMTPD] = {"milter-non-smtpd",
                          "a recipient that Postfix rewrites gets a copy without the flag beside the one with it",
                          "take the milter out of it; contrib/postfix/sendmail.cf has mail of programs come by SMTP"},
    [MILTER_PICKUP] = {"milter-pickup", "mail of programs on this machine (sendmail) is not flagged",
                       "take the lines of contrib/postfix/sendmail.cf into master.cf, in place of that of pickup"},
    [MILTER_PICKUP_FILTER] = {"milter-pickup-filter", "mail of programs on this machine may go on unflagged",
                              "take the lines of contrib/postfix/sendmail.cf"},
    [MILTER_QMQP] = {"milter-qmqp", "mail by QMQP passes no smtpd, and so not the milter",
                     "take the service out of master.cf"},
    [MILTER_DELIMITER] = {"milter-delimiter", "flagged addresses of this Postfix are unknown to it",
                          "set recipient_delimiter to the delimiter of the section milter"},
    [MILTER_PROPAGATE] = {"milter-propagate", "what aliases and .forward lead to has no flag",
                          "set propagate_unmatched_extensions = canonical, virtual, alias, forward, include"},
    [RELAXED_UNROUTED] = {"relaxed-unrouted", "mail with TLS-Required: No goes out with its tag, and comes back",
                          "take the line for it of contrib/postfix/transport_flags.regexp"},
    [RELAXED_SERVICE] = {"relaxed-service", "mail with TLS-Required: No does not go out as its sender asks for",
                         "take the service smtp-relaxed of contrib/postfix/master.cf"},
    [RELAXED_ORDER] = {"relaxed-order", "an address that fits both lines is flagged, and would go out without TLS",
                       "put the lines for flagged mail before it"},
    [RELAXED_RELAYHOST] = {"relaxed-relayhost", "such mail goes past relayhost, to the recipient's own server",
                           "write the relay host behind the colon"},
    [RELAXED_WEAK] = {"relaxed-relayhost-tls",
                      "such mail goes to the relay host in clear, and the password with it, when that offers no TLS",
                      "take -o smtp_tls_security_level and -o smtp_tls_policy_maps out of the service"},
    [RELAXED_TAG] = {"relaxed-tag", "the other side gets an address with the tag, and does not know it",
                     "-o smtp_generic_maps=regexp:... with the line of contrib/postfix/generic_flags.regexp"},
    [POLICY_MAPS] = {"policy-maps", "mail that is not flagged goes out without the policies of Postern",
                     "set smtp_tls_policy_maps = socketmap:ADDRESS:postfix, with an address of policyd's listen"},
};

bool postfix_found(const struct postfix_findings *f, enum postfix_finding_kind kind, const char *where)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->item[i].kind == kind && strcmp(f->item[i].where, where) == 0)
            return true;
    return false;
}

void postfix_report(struct postfix_findings *f, enum postfix_finding_kind kind, const char *where, const char *fmt, ...)
{
    struct postfix_finding new = {.kind = kind};
    va_list args;

    snprintf(new.where, sizeof(new.where), "%s", where);
    va_start(args, fmt);
    vsnprintf(new.what, sizeof(new.what), fmt, args);
    va_end(args);
    for (size_t i = 0; i < f->count; i++)
        if (f->item[i].kind == kind && strcmp(f->item[i].where, new.where) == 0 &&
            strcmp(f->item[i].what, new.what) == 0)
            return;
    if (f->count < POSTFIX_FINDINGS_MAX)
        f->item[f->count++] = new;
    else
        f->cut = true;
}

const char *postfix_finding_name(enum postfix_finding_kind kind)
{
    return kinds[kind].name;
}

const char *postfix_finding_why(enum postfix_finding_kind kind)
{
    return kinds[kind].why;
}

const char *postfix_finding_remedy(enum postfix_finding_kind kind)
{
    return kinds[kind].remedy;
}
