/*
 * conn_policy_io.c - what each request of Postfix's policy delegation protocol gets: at once, by the recipient's tag.
 */
#include "conn_internal.h"

#include "counters.h"
#include "policy_request.h"

_Static_assert(POLICY_REQUEST_MAX <= CONN_REQUEST_MAX, "an incomplete request has room in conns.in");

/* Once, until the configuration is read again: Postfix asks so for every message. */
static void tell_misplaced(struct conns *s)
{
    if (s->misplaced)
        return;
    s->misplaced = true;
    log_error("policy-misplaced", "why=%s do=%s",
              "Postfix asks about recipients where it is of no use: before RCPT, at DATA with several, or at the end",
              "put check_policy_service first into smtpd_recipient_restrictions of main.cf, and nowhere else");
}

static ssize_t answer_first(struct conn *c, const char *data, size_t len, struct err *why)
{
    struct conns *s = c->conns;
    struct policy_request req;
    enum policy_action action;
    int found = policy_request_parse(&req, data, len, why);

    if (found < 0)
        return err_prefix(why, "policy delegation");
    if (found == 0)
        return 0;
    count(COUNT_POLICY_REQUESTS);
    action = policy_request_action(&req, &s->tag);
    if (action == POLICY_REQUIRETLS)
        count(COUNT_POLICY_TAGGED);
    if (action == POLICY_MISPLACED)
        tell_misplaced(s);
    buf_str(&s->out, policy_reply(action));
    return (ssize_t)req.total;
}

const struct conn_protocol conn_policy = {.answer = answer_first, .refusal = policy_reply_bad};
