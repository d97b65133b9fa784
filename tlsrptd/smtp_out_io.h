/* smtp_out_io.h - a message to an SMTP server of ours by libcurl, in the clear and without login: it is on this
 * machine, or near. One minute. */
#ifndef POSTERN_SMTP_OUT_IO_H
#define POSTERN_SMTP_OUT_IO_H

#include "buf.h"
#include "curl_loop_io.h"

struct smtp_out;

/* why: NULL when the server took it. The handle is invalid then. */
typedef void smtp_out_fn(void *ctx, const char *why);

/* server: "127.0.0.1:25", "[::1]:25". message: moved, lines end with CR LF. */
struct smtp_out *smtp_out_start(struct curl_loop *loop, const char *server, const char *from, const char *to,
                                struct buf *message, smtp_out_fn *fn, void *ctx);
void smtp_out_cancel(struct smtp_out *s);

#endif
