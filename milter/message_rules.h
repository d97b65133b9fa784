/* message_rules.h - a message as the milter keeps it (message.h), made what rules see of it (rule_eval.h). Pure. */
#ifndef POSTERN_MESSAGE_RULES_H
#define POSTERN_MESSAGE_RULES_H

#include "message.h"
#include "rule_mail.h"

struct message_client {
    const char *address; /* "": it is this machine */
    const char *user;    /* NULL: it has not logged in */
    bool tls;
};

/* Begins as zeros. */
struct message_rules {
    struct rule_mail mail; /* mail.message is what rule_eval_run takes */
    struct rule_text *recipient;
};

/*
 * Read what a set of rules needs (bits of enum rule_need). The texts stay those of view and client, which must outlive
 * it; so must *out not move. convert: see rule_mail.h. Returns 0, or -1 without memory; message_rules_clear in any
 * case.
 */
int message_rules_read(struct message_rules *out, const struct message_view *view, const struct message_client *client,
                       mime_convert *convert, unsigned need);

void message_rules_clear(struct message_rules *m); /* safe on zeros */

#endif
