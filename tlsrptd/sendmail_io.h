/*
 * sendmail_io.h - a message to a program as sendmail(8) is: PATH -i -f FROM -- TO, the message on its standard input
 * with LF line ends, without a shell (checks W11, W12). It has no descriptors of ours, an environment of PATH alone,
 * and a minute; then it and its children are killed.
 */
#ifndef POSTERN_SENDMAIL_IO_H
#define POSTERN_SENDMAIL_IO_H

#include <event2/event.h>

#include "buf.h"

#define SENDMAIL_TIMEOUT_MS 60000

struct sendmail;

/* Called once, later; the handle is invalid then. why: NULL when the program took it (exit status 0), else what
 * happened, with the first line that it wrote to standard error. */
typedef void sendmail_fn(void *ctx, const char *why);

/* message: moved, the caller's is empty then. */
struct sendmail *sendmail_start(struct event_base *base, const char *path, const char *from, const char *to,
                                struct buf *message, int timeout_ms, sendmail_fn *fn, void *ctx);

/* Kills it; its callback does not come. */
void sendmail_cancel(struct sendmail *s);

#endif
