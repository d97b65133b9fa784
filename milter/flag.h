/*
 * flag.h - which recipients of a message are flagged, and what the MTA is asked to change for it. Pure.
 *
 *   requiretls     user+requiretls@example.com: only over verified TLS, or back to the sender (RFC 8689 4)
 *   tls-optional   user+tlsoptional@example.com: delivery rather than TLS (RFC 8689 5)
 *
 * A message is flagged as a whole when MAIL FROM has REQUIRETLS, when a rule says so, or, with whole_message, when one
 * recipient has the tag; else only recipients that have the tag are. Local recipients are never tagged, and lose the
 * tags that they have. tls-optional, from the header or a rule, goes for the remote recipients that are not flagged,
 * and never takes a flag away. Tags of this kind that somebody wrote are taken off: they are the milter's own.
 */
#ifndef POSTERN_FLAG_H
#define POSTERN_FLAG_H

#include "address_tag.h"
#include "rule.h"
#include "tls_required.h"

struct flag_options {
    struct address_tag requiretls;
    struct address_tag optional;
    bool whole_message; /* a recipient's tag flags all remote recipients */
};

/* A recipient as the MTA gave it: "<user@example.com>", and the parameters of RCPT TO, NULL-terminated, may be NULL. */
struct flag_recipient {
    const char *address;
    const char *const *parameters;
};

struct flag_message {
    const struct flag_recipient *recipient;
    size_t recipients;
    bool mail_requiretls;    /* MAIL FROM had the parameter REQUIRETLS */
    enum tls_required no;    /* all TLS-Required fields together; TLS_REQUIRED_NONE when the sender may not say it */
    const struct rule *rule; /* the rule that ended (rule_outcome.rule), or NULL */
};

/* Is a domain, as it is written behind "@", one of ours? */
typedef bool flag_is_local(void *context, const char *domain, size_t len);

enum flag_why { FLAG_NOT, FLAG_BY_TAG, FLAG_BY_SENDER, FLAG_BY_RULE, FLAG_BY_HEADER };

const char *flag_why_name(enum flag_why why); /* "none", "tag", "mail-from", "rule", "header" */

/* A recipient that is to be changed. */
struct flag_edit {
    size_t recipient; /* which of the message's */
    char *address;    /* in its place, with <>; NULL: none, as another one has become the same */
    char *parameters; /* of RCPT TO for it: "ORCPT=rfc822;user@example.com NOTIFY=SUCCESS"; never NULL */
};

struct flag_plan {
    enum flag_why required; /* why any recipient is flagged, the first of: sender, rule, tag */
    enum flag_why optional; /* why any goes without demands: rule, header */
    size_t required_count;  /* remote recipients that are flagged, changed or not */
    size_t optional_count;
    struct flag_edit *edit;
    size_t edits;
};

/*
 * Plan the changes. ORCPT and NOTIFY of a changed recipient are passed on; one without ORCPT gets that of its address
 * without tags. Returns 0, and flag_plan_clear frees it; or -1 with a sentence that a sender may be told: a recipient
 * that should be flagged has an address that cannot have a tag, or there is no memory. Nothing is to free then.
 */
int flag_plan_make(struct flag_plan *out, const struct flag_options *options, const struct flag_message *message,
                   flag_is_local *is_local, void *context, struct err *e);

void flag_plan_clear(struct flag_plan *plan); /* safe on a cleared one */

#endif
