/*
 * transaction.h - one message of an LMTP session: its recipients, grouped by policy domain, what the next server of
 * each domain has answered, and the replies to the MTA, which stand in the order of its commands however late or early
 * the answers come (RFC 2033 4.2: one reply for each RCPT, and after the message one for each recipient that was
 * taken). Pure.
 *
 *   begin, rcpt … rcpt, ask_data, data … data, end, done … done; answers and replies in between; break at any time
 *
 * Answers are whole reply lines, as lmtp_reply.h writes them: "250 2.1.5 ok\r\n".
 */
#ifndef POSTERN_TRANSACTION_H
#define POSTERN_TRANSACTION_H

#include "lmtp_command.h"
#include "smtp_refusal.h"

#define TRANSACTION_RCPTS_MAX 1000 /* RFC 5321 4.5.3.1.8 grants 100 */

enum transaction_state {
    TRANSACTION_RCPT, /* recipients come */
    TRANSACTION_DATA, /* the next servers are asked whether the message may come */
    TRANSACTION_FEED, /* it comes */
    TRANSACTION_FINAL /* it has come: what they say of it */
};

/* The recipients of one policy domain, which have a connection of their own. */
struct transaction_domain {
    struct smtp_text name; /* as the first recipient has it */
    char *common;          /* in the one form if it has one, else as it was written */
    size_t *rcpt;          /* places in the list of recipients, in the order of the domain's own numbers */
    size_t count;
    size_t answered; /* of these, */
    size_t taken;    /* by 2xx */
    bool asked;      /* for DATA, and its answer has not come */
    bool feeding;    /* it has said that the message may come, and nothing final yet */
    char *outcome;   /* its answer for all that were taken, NULL: none yet */

    /* The shell's own: */
    void *owner;
    void *upstream;
    bool full; /* takes no more of the message for now */
};

struct transaction_rcpt {
    char *line;                  /* NULL: refused here */
    struct lmtp_command command; /* points into the line */
    size_t domain;               /* of no meaning when it was refused here */
    char *answer;                /* to RCPT; NULL: none yet */
    bool taken;
};

struct transaction {
    enum transaction_state state;
    char *line;
    struct lmtp_command mail;
    struct transaction_rcpt **rcpt;
    size_t count;
    struct transaction_domain **domain;
    size_t domains;
    size_t answered; /* recipients */
    size_t taken;
    size_t replied; /* recipients that the MTA has had its reply for, or that need none, in the present state */
};

/* Keep a MAIL that has been parsed. line is its text, without CRLF, and is copied. NULL without memory. */
struct transaction *transaction_new(const char *line, size_t len);

/* Does not free upstreams. */
void transaction_free(struct transaction *t);

/*
 * One more recipient: a RCPT that may come now. The line is copied; the command is valid as long as t is. Its place is
 * t->count - 1 from now on. Returns its domain, whose last recipient it is; count 1: the domain is a new one. Or NULL:
 * no memory.
 */
struct transaction_domain *transaction_rcpt(struct transaction *t, const char *line, size_t len);

/* A RCPT that is refused here, with this answer, in its place among the others. Returns 0, or -1: no memory. */
int transaction_refuse(struct transaction *t, const char *answer);

/*
 * Does another domain wait for this one: has it said all that it has to say for now, and this one has not? Its server
 * will not wait for ever.
 */
bool transaction_holds_up(const struct transaction *t, const struct transaction_domain *d);

/* Recipients whose answer has not come. Nothing but RCPT may be worked on while there are any. */
size_t transaction_waiting(const struct transaction *t);

/* The answer to a domain's recipient number n. Returns 0, or -1: no memory. */
int transaction_rcpt_answer(struct transaction *t, const struct transaction_domain *d, size_t n, const char *answer);

/* DATA: which domains are to be asked (d->asked) are those with a recipient that was taken; there is one. */
void transaction_ask_data(struct transaction *t);

/* A domain's answer to DATA: NULL, the message may come, or why it may not. Returns 0, or -1: no memory. */
int transaction_data_answer(struct transaction *t, struct transaction_domain *d, const char *answer);

/*
 * Have all domains answered? Then the state is TRANSACTION_FEED, and 354 to be said, also when none of them takes the
 * message: the MTA would take a refusal of DATA for one word about all recipients, and about this host, while each
 * domain has a reason of its own.
 */
bool transaction_may_feed(struct transaction *t);

/* The whole message has come. */
void transaction_end(struct transaction *t);

/*
 * What a domain says of the message, or why it has got no further. No server can have taken a message whose end it has
 * not seen: 2xx is 451 4.5.0 then. Returns 0, or -1: no memory.
 */
int transaction_done(struct transaction *t, struct transaction_domain *d, const char *answer);

/* The message cannot be passed on: that is the answer of every domain, whatever it has said. 0, or -1: no memory. */
int transaction_break(struct transaction *t, const char *answer);

/* Append the replies whose turn has come. Returns whether all that this state needs have been appended. */
bool transaction_replies(struct buf *out, struct transaction *t);

#endif
