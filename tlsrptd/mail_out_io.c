/* mail_out_io.c - see mail_out_io.h. */
#include "mail_out_io.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "sendmail_io.h"
#include "smtp_out_io.h"

struct mail_out {
    struct sendmail *sendmail; /* one of these */
    struct smtp_out *smtp;
    mail_out_fn *fn;
    void *ctx;
};

static void on_done(void *ctx, const char *why)
{
    struct mail_out *m = ctx;
    mail_out_fn *fn = m->fn;
    void *fn_ctx = m->ctx;

    free(m);
    fn(fn_ctx, why);
}

struct mail_out *mail_out_start(struct event_base *base, struct curl_loop *loop, const char *how, const char *from,
                                const char *to, struct buf *message, mail_out_fn *fn, void *ctx)
{
    static const char sendmail[] = "sendmail:";
    struct mail_out *m = must_have(calloc(1, sizeof(*m)));

    m->fn = fn;
    m->ctx = ctx;
    if (strncmp(how, sendmail, strlen(sendmail)) == 0)
        m->sendmail = sendmail_start(base, how + strlen(sendmail), from, to, message, SENDMAIL_TIMEOUT_MS, on_done, m);
    else
        m->smtp = smtp_out_start(loop, how + strlen("smtp:"), from, to, message, on_done, m);
    return m;
}

void mail_out_cancel(struct mail_out *m)
{
    if (m->sendmail != NULL)
        sendmail_cancel(m->sendmail);
    else
        smtp_out_cancel(m->smtp);
    free(m);
}
