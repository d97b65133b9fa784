/* mail_out_io.h - report mails on their way out, as the setting `mail` says: by a sendmail program (sendmail_io.h) or
 * to an SMTP server (smtp_out_io.h). */
#ifndef POSTERN_MAIL_OUT_IO_H
#define POSTERN_MAIL_OUT_IO_H

#include <event2/event.h>

#include "buf.h"
#include "curl_loop_io.h"

struct mail_out;

/* Called once, later; the handle is invalid then. why: NULL when the mail was taken. */
typedef void mail_out_fn(void *ctx, const char *why);

/*
 * how: the setting, checked by conf_check.c. Envelope from and to are data, whatever they look like (W12). message is
 * moved; lines end with CR LF.
 */
struct mail_out *mail_out_start(struct event_base *base, struct curl_loop *loop, const char *how, const char *from,
                                const char *to, struct buf *message, mail_out_fn *fn, void *ctx);
void mail_out_cancel(struct mail_out *m); /* its callback does not come; it may have gone out all the same */

#endif
