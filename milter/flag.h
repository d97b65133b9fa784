/*
 * flag.h - which recipients of a message are flagged, and what the MTA is asked to change for it. Pure.
 *
 *   requiretls     user+requiretls@example.com: only over verified TLS, or back to the sender (RFC 8689 4)
 *   tls-optional   user+tlsoptional@example.com: delivery rather than TLS (RFC 8689 5)
 *
 * A message is flagged as a whole when MAIL FROM has REQUIRETLS, when a rule says so, or, with whole_message, when one
 * recipient, local or not, has the tag; else only recipients that have the tag are. Local recipients are never tagged,
 * and lose the tags that they have. tls-optional, from the header or a rule, goes for the remote recipients that are
 * not flagged, and never takes a flag away. Tags of this kind that somebody wrote are taken off: they are the milter's
 * own. So a recipient ends in one of these forms, whatever tags it came with:
 *
 *   local                                     user@ours.example
 *   remote and flagged                        user+requiretls@example.com
 *   remote, in a tls-optional message         user+tlsoptional@example.com
 *   any other                                 user@example.com
 *
 * One without a domain (<postmaster>) gets that of the MTA, where an alias may lead elsewhere: it is tagged with
 * requiretls like a remote one, and never with tls-optional.
 *
 * One that has just the tag it should have is not changed, also when the tag is in capitals or beside quotes: that is
 * the same address, and to add it anew where it was deleted is to trust that an MTA does not think it a duplicate.
 */
#ifndef POSTERN_FLAG_H
#define POSTERN_FLAG_H

#include "address_tag.h"
#include "rule.h"
#include "tls_required.h"

/* The words are not empty and not the same, and the delimiter is in none of them. */
struct flag_options {
    struct address_tag requiretls;
    struct address_tag optional;
    bool whole_message; /* a recipient's tag flags all remote recipients */
};

/*
 * A recipient as the MTA gave it: "<user@example.com>", and the parameters of RCPT TO ("NOTIFY=NEVER"),
 * NULL-terminated, may be NULL.
 */
struct flag_recipient {
    const char *address;
    const char *const *parameters;
};

struct flag_message {
    const struct flag_recipient *recipient;
    size_t recipients;
    bool refused_tag; /* a recipient with the tag was there, and the MTA has refused it: the others are flagged as if it
                         had not, unless it counts for itself alone */
    bool mail_requiretls;    /* MAIL FROM had the parameter REQUIRETLS */
    enum tls_required no;    /* all TLS-Required fields together; TLS_REQUIRED_NONE when the sender may not say it */
    const struct rule *rule; /* the rule that ended (rule_outcome.rule), or NULL */
};

/* Is a domain, as it is written behind "@" (in any case, perhaps an address in brackets), one of ours? */
typedef bool flag_is_local(void *context, const char *domain, size_t len);

enum flag_why { FLAG_NOT, FLAG_BY_TAG, FLAG_BY_SENDER, FLAG_BY_RULE, FLAG_BY_HEADER };

const char *flag_why_name(enum flag_why why); /* "none", "tag", "mail-from", "rule", "header" */

/* A recipient that is to be changed. */
struct flag_edit {
    size_t recipient; /* which of the message's */
    char *unrouted;   /* NULL, or it without its source route (<@a.example:user@example.com>), with <> */
    char *address;    /* in its place, with <>; NULL: none, as another one is or becomes the same */
    char *parameters; /* of RCPT TO for it: "ORCPT=rfc822;user@example.com NOTIFY=SUCCESS"; never NULL, may be "" */
};

/*
 * To carry it out, delete the recipients of all edits, as the MTA gave them and also unrouted (Postfix shows a source
 * route, but knows the recipient without it, and says nothing when it finds none to delete); then add the addresses
 * that are not NULL. No recipient that stays, and no address that is added, is one of those deleted, even if case and
 * quotes count for nothing; so it does no harm that an MTA deletes all copies of an address at once, or is asked to do
 * so once more.
 *
 * Edits are in the order of the recipients. Where several become the same, the first is added, with its ORCPT, and the
 * NOTIFY of all of them together: what any asked for is reported, and NEVER counts only if all said it. Where one that
 * is not changed is the same already, nothing is added, unless more was asked for than that one has: then the address
 * is there twice, as a message too many is better than a report too few.
 */
struct flag_plan {
    enum flag_why required; /* why the message, or a recipient, is flagged, the first of: sender, rule, tag */
    enum flag_why optional; /* why any recipient goes without demands, the first of: rule, header */
    size_t
        required_count; /* remote recipients with the tag in the end, changed or not; may be 0 in a flagged message */
    size_t optional_count; /* 0 only when optional is FLAG_NOT */
    struct flag_edit *edit;
    size_t edits;
};

#define FLAG_NO_MEMORY (-2)

/*
 * Plan the changes. Of the parameters of a changed recipient ORCPT and NOTIFY are passed on as they were, an ORCPT with
 * our tag in it, too: it says what the client wrote. All others are dropped (none is known that a milter may give), and
 * any with a blank or a control in it. One without ORCPT gets that of its address without tags, if it can have one.
 *
 * Addresses have up to ADDRESS_TAG_MAX octets, with the tag and <>. Not fit for a tag is a longer one, one that is none
 * (address_split), and a local one that names a further host (user%example.com@ours.example, example.com!user), which
 * an MTA may follow. Those stay as they are, unless the message is flagged as a whole, or a tag stands in them.
 *
 * Returns 0, and flag_plan_clear frees it; else nothing is to free and e has a sentence in ASCII: -1, which the sender
 * may be told: a recipient that should be flagged cannot have a tag, or one has a tag that cannot be taken off;
 * FLAG_NO_MEMORY. Time is n log n of the recipients.
 */
int flag_plan_make(struct flag_plan *out, const struct flag_options *options, const struct flag_message *message,
                   flag_is_local *is_local, void *context, struct err *e);

/* Does the address have the tag requiretls? False for what is no address. */
bool flag_has_tag(const struct flag_options *options, const char *address);

void flag_plan_clear(struct flag_plan *plan); /* safe on a cleared one */

/*
 * Append the value of the header field that says what was decided; nothing when nothing was. rule: that of the message.
 *
 *   requiretls; by=tag; recipients=2
 *   requiretls; by=rule; rule=secret; recipients=2
 *   tls-optional; by=header; recipients=1
 *
 * by is tag, mail-from or rule, and header or rule. In a message that has recipients of both kinds, requiretls counts.
 */
void flag_record(struct buf *out, const struct flag_plan *plan, const struct rule *rule);

#endif
