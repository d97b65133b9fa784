/* acme_mail_io.c - see acme_mail_io.h. */
#include "acme_mail_io.h"
#include "acme_mail.h"
#include "clock.h"
#include "mail_out_io.h"
#include "random_octets.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNIQUE_OCTETS 12

struct sending {
    bool done;
    int rc;
    struct err *e;
};

static void on_sent(void *ctx, const char *why)
{
    struct sending *s = ctx;

    s->done = true;
    s->rc = why == NULL ? 0 : err_set(s->e, "the mail to the operator was not taken: %s", why);
}

/* message is moved. */
static int send_mail(const struct conf *conf, const char *from, struct buf *message, struct err *e)
{
    struct event_base *base = event_base_new();
    struct curl_loop *loop = base != NULL ? curl_loop_new(base, e) : NULL;
    struct sending s = {.e = e};

    if (loop == NULL) {
        s.rc = err_set(e, "no event loop to send the mail with");
    } else {
        mail_out_start(base, loop, conf->tlsrptd.mail, from, conf->certs.contact, message, on_sent, &s);
        while (!s.done && event_base_loop(base, EVLOOP_ONCE) == 0)
            continue;
        if (!s.done)
            s.rc = err_set(e, "the event loop failed");
    }
    curl_loop_free(loop);
    if (base != NULL)
        event_base_free(base);
    return s.rc;
}

int acme_mail_send(const struct conf *conf, const char *name, const char *state, const char *text, struct err *e)
{
    char host[HOST_NAME_MAX + 1] = "localhost", postmaster[HOST_NAME_MAX + 20], unique[2 * UNIQUE_OCTETS + 1];
    const struct conf_tlsrptd *t = &conf->tlsrptd;
    struct acme_mail mail = {
        .to = conf->certs.contact, .host = host, .name = name, .state = state, .text = text, .unique = unique};
    struct buf message;
    int rc;

    if (conf->certs.contact[0] == '\0')
        return 0;
    (void)gethostname(host, sizeof(host) - 1);
    random_hex(unique, UNIQUE_OCTETS);
    (void)snprintf(postmaster, sizeof(postmaster), "postmaster@%s", host);
    mail.from = t->from[0] != '\0' ? t->from : t->contact[0] != '\0' ? t->contact : postmaster;
    mail.now = now_seconds();
    buf_init(&message, ACME_MAIL_MAX);
    rc = acme_mail_build(&message, &mail, e);
    if (rc == 0)
        rc = send_mail(conf, mail.from, &message, e);
    buf_clear(&message);
    return rc;
}
