/* setup_sendmail_queue.h - flagged mail in Sendmail's queue: where the queue is, and what its files (qf) say. Pure. */
#ifndef POSTERN_SETUP_SENDMAIL_QUEUE_H
#define POSTERN_SETUP_SENDMAIL_QUEUE_H

#include "address_tag.h"
#include "buf.h"

/* The folders that a sendmail.cf names, one a line: option QueueDirectory, and queue groups (Q lines, P=). Some end in
 * "*": all that begin so. */
void setup_sendmail_queues(struct buf *out, const char *cf);

/*
 * Has a recipient in this control file one of the tags? What is no address but has a tag somewhere has it. first: that
 * recipient, cut.
 */
bool setup_sendmail_flagged(char first[256], const char *qf, const struct address_tag tags[], size_t count);

#endif
