/* setup_postfix_queue.h - flagged mail in Postfix's queue, as postqueue -j prints it. Pure. */
#ifndef POSTERN_SETUP_POSTFIX_QUEUE_H
#define POSTERN_SETUP_POSTFIX_QUEUE_H

#include "address_tag.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>

#define SETUP_QUEUE_ID 64

struct setup_queued {
    char id[SETUP_QUEUE_ID];
    bool held;       /* on hold already */
    bool flagged;    /* a recipient has one of the tags */
    char first[256]; /* of these recipients, cut */
};

/* One line of it: a JSON object. Returns 0, or -1 with the reason. */
int setup_queued_read(struct setup_queued *out, const char *line, size_t len, const struct address_tag *tags,
                      size_t tag_count, struct err *e);

#endif
