/* cert_install_io.h - a certificate of the store that was replaced is taken up by the mail servers that use it. */
#ifndef POSTERN_CERT_INSTALL_IO_H
#define POSTERN_CERT_INSTALL_IO_H

#include "buf.h"
#include "conf.h"
#include "domain.h"
#include "err.h"

/*
 * live.pem of this entry is another one than before: each mail server of its about.use has its copy renewed, is
 * reloaded, and must then serve the new certificate under STARTTLS within some seconds. One that does not run is left
 * alone: it reads the new one when it starts. The caller holds the store (cert_store_lock), which is not changed here.
 * said: lines for people, of each server one or more. Returns 0; or -1 with the reason, that of the first server which
 * failed: the others were gone on with, and a copy that its server would not serve is the old one again.
 */
int cert_install(const struct conf *conf, const char *name, struct buf *said, struct err *e);

/* The own name of a server of about.use, such as "postfix:/etc/postfix"; "": not known. */
void cert_install_host(char out[DOMAIN_BUF], const char *use);

#endif
