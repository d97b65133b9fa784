/*
 * maillog_process.h - one smtp process: it has one message at a time, tries host after host for it, and says whose
 * domain it is only when it is done with a recipient. What is known until then waits here. Pure.
 */
#ifndef POSTERN_MAILLOG_PROCESS_H
#define POSTERN_MAILLOG_PROCESS_H

#include "maillog.h"
#include "maillog_session.h"

#define MAILLOG_HELD 16 /* attempts for one message that wait for the domain; more are not told of */

/* All zero: nothing is known. */
struct maillog_process {
    struct maillog_session session;
    char queue_id[MAILLOG_QUEUE_ID_MAX + 1]; /* of the message that it has; "" when it has not said yet */
    char counted[MAILLOG_HOST_MAX + 1];      /* the host whose session with that message is an attempt already */
    int64_t counted_at;
    struct tls_attempt *held;
    size_t held_room, held_count;
    size_t unclaimed; /* the last of them, told of before the next message said which it is */
};

void maillog_process_free(void *process);

/* Take in a line. skip: its message does not count. */
void maillog_process_line(struct maillog_process *p, const struct smtp_line *line, int64_t at, bool skip,
                          maillog_attempt_fn *fn, void *ctx);

#endif
