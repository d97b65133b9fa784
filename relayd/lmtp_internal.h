/* lmtp_internal.h - what lmtp_session_io.c (the connection) and lmtp_work_io.c (what is said on it) share. */
#ifndef POSTERN_LMTP_INTERNAL_H
#define POSTERN_LMTP_INTERNAL_H

#include "data_stream.h"
#include "lmtp_session_io.h"
#include "transaction.h"

#define LMTP_IN_MAX   65536 /* octets that have come and are not worked on; more are not read */
#define LMTP_OUT_HIGH 65536 /* octets that the MTA has not taken, at which no more is worked on */
#define LMTP_OUT_MAX  (LMTP_OUT_HIGH + (TRANSACTION_RCPTS_MAX + 16) * LMTP_REPLY_MAX)

struct lmtp_session {
    TAILQ_ENTRY(lmtp_session) link;
    struct lmtp_sessions *all;
    int fd;
    struct event *readable;
    struct event *writable;
    struct event *turn; /* an answer has come: to be worked on from the event loop, not from within its callback, and
                         * before all other events */
    struct event *patience; /* while it is the MTA's turn */
    struct event *held_up;  /* while a domain holds up another */
    char *in;               /* LMTP_IN_MAX; NULL: nothing there */
    size_t in_at;           /* where what has not been worked on begins, */
    size_t in_len;          /* and its octets */
    struct buf out;
    struct lmtp_progress progress;
    struct transaction *t; /* from MAIL to its last reply */
    struct data_stream data;
    int64_t ended; /* now_us when the message did */
    bool ending;   /* to be closed when the replies have gone */
};

/* Does a domain hold up another? Those that do are given up with give_up. */
bool lmtp_held_up(const struct lmtp_session *s, bool give_up);

/* Work on what has come, as far as it goes. */
void lmtp_work(struct lmtp_session *s);

/* A next server is to take octets before more can be fed. */
bool lmtp_full(const struct lmtp_session *s);

/* End the transaction, if there is one, wherever it is; its upstreams are freed. */
void lmtp_drop(struct lmtp_session *s);

#endif
