/*
 * acme_client_io.h - uacme(1), which speaks ACME (RFC 8555): it runs as the user that policyd runs as, not as root, in
 * a folder of its own, and is given a request to sign; the keys of certificates it does not see.
 *
 * In certs.folder: .acme/uacme (that user's: uacme's account key, requests, and what was issued last), .acme/account
 * (which authority and contact the account is for), .acme/hook-http-01 and hook-dns-01 (what uacme runs: posternctl
 * cert acme hook).
 */
#ifndef POSTERN_ACME_CLIENT_IO_H
#define POSTERN_ACME_CLIENT_IO_H

#include "cert_store_io.h"
#include "conf.h"

struct acme_client {
    const struct conf *conf;
    const char *conf_file;
};

/* One run at a time. Returns a descriptor to be closed, or -1 with the reason: another one is at work. */
int acme_client_lock(const struct acme_client *c, struct err *e);

/* Make folders and hook, and the account where there is none yet with this authority. Returns 0, or -1 with the reason:
 * what the authority says. */
int acme_client_account(const struct acme_client *c, struct err *e);

/*
 * Have a certificate issued for key and the hosts of about; key_pem is the same key. chain: key and chain as they go
 * into pending.pem; it is for all the hosts and good now. What was issued in a run that was killed is taken before
 * another one is asked for. Returns 0, or -1 with the reason.
 */
int acme_client_issue(const struct acme_client *c, struct buf *chain, const char *name, const struct cert_about *about,
                      EVP_PKEY *key, const struct buf *key_pem, struct err *e);

/* Forget what was issued: it is in the store. */
void acme_client_taken(const struct acme_client *c, const char *name);

#endif
