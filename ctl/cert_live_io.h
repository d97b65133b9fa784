/* cert_live_io.h - an entry of the store, held while a command changes it; the certificate in it is replaced. */
#ifndef POSTERN_CERT_LIVE_IO_H
#define POSTERN_CERT_LIVE_IO_H

#include "cert_store_io.h"
#include "conf.h"
#include "ctl.h"

struct cert_held {
    const struct ctl *ctl;
    struct conf *conf;
    const char *folder, *name;
    int lock;
    bool known; /* there is an entry */
    struct cert_entry entry;
};

/*
 * Read the configuration, hold the store, read the entry. Returns CTL_YES, or another with the reason reported; CTL_NO,
 * too, when about.json cannot be read, without --force. cert_release in any case.
 */
int cert_hold(struct cert_held *h, const struct ctl *ctl, const char *name);
void cert_release(struct cert_held *h);

/*
 * The PEM text, key and chain, becomes live.pem, what was there old/live.pem; about.json is written with source and
 * --title. Refused without --force when something would be lost (cert_guard.h), or when TLSA records of a name that
 * senders are shown it for would not fit it. The mail servers that use it are told; when one of them does not serve it,
 * what was there is live again (not with --force). Prints what is live now. Returns a code of ctl_exit.
 */
int cert_live_put(struct cert_held *h, const struct buf *pem, const char *source);

/* Senders are shown it: by a mail server that uses it, or by policyd, which serves the store by name (sni_listen). */
bool cert_is_shown(const struct cert_held *h);

/* about.json, as it is in h->entry.about. Returns 0, or -1 with the reason reported. */
int cert_about_put(struct cert_held *h);

#endif
