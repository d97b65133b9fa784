/* publish_view_io.h - what is known of a server's TLSA records: the keys that are given or in the store, live DNS, and
 * the server as a sender meets it. */
#ifndef POSTERN_PUBLISH_VIEW_IO_H
#define POSTERN_PUBLISH_VIEW_IO_H

#include "cert_store_io.h"
#include "conf.h"
#include "publish_tlsa.h"

struct publish_view {
    char host[DOMAIN_BUF];
    struct tlsa_key live, next;
    char next_name[CERT_NAME_MAX + 1];
    struct tlsa_live dns;
    struct probe *probe;
    struct err probe_why;
    struct tlsa_view view; /* of all these */
};

/*
 * Take the keys: cert and next are words for publish_key_read. Without cert the certificate of the store that is for
 * the host, if there is just one; without next that certificate's next key. Returns 1; 0 when there is no key; -1 or
 * SEVERAL (of the store are for the host) with the reason. publish_view_clear in any case.
 */
#define PUBLISH_VIEW_SEVERAL (-2)
int publish_view_keys(struct publish_view *out, const struct conf *conf, const char *host, const char *cert,
                      const char *next, struct err *e);

/* Look at DNS and at the server's port now, which takes up to some seconds. Returns 0, or -1 with the reason. */
int publish_view_look(struct publish_view *out, const struct conf *conf, uint16_t port, struct err *e);

void publish_view_clear(struct publish_view *v);

#endif
