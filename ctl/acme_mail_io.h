/* acme_mail_io.h - telling the operator (certs.contact) about a certificate, by mail, the way tlsrptd.mail says. */
#ifndef POSTERN_ACME_MAIL_IO_H
#define POSTERN_ACME_MAIL_IO_H

#include "conf.h"
#include "err.h"

/* Waits until it is taken. Returns 0, also when there is nobody to be told, or -1 with the reason. */
int acme_mail_send(const struct conf *conf, const char *name, const char *state, const char *text, struct err *e);

#endif
