/*
 * upstream_links_io.h - the connections of all upstreams: so many to one policy domain and in all, and those that are
 * kept for the next message. One is used again only for the same policy domain and MX host, of which the same was
 * demanded (S9).
 */
#ifndef POSTERN_UPSTREAM_LINKS_IO_H
#define POSTERN_UPSTREAM_LINKS_IO_H

#include "address_tag.h"
#include "call_client.h"
#include "smtp_client_io.h"
#include "upstream_io.h"

#include <sys/queue.h>

#define LINK_USES_MAX 100 /* messages over one connection */
#define LINK_LIFE     300 /* seconds after which one is not kept any more */
#define LINK_DEMAND   32  /* octets of a digest */

struct link {
    struct upstreams *all;
    struct smtp_client *client;
    char domain[DOMAIN_BUF], host[DOMAIN_BUF];
    unsigned char demand[LINK_DEMAND];
    unsigned uses;
    unsigned configured; /* as in upstreams */
    int64_t opened;
    bool resetting; /* the reply to RSET has not come yet */
    bool idle;
    struct event *idle_over;
    TAILQ_ENTRY(link) next; /* of the idle ones, the one that has waited longest first */
};

struct upstreams {
    struct smtp_client_settings settings;
    struct call_client *stsd;
    char tag_word[64];
    struct address_tag tag;
    int64_t data_timeout_ms, transaction_timeout_ms, idle_timeout_ms, sts_unknown_hold;
    size_t per_domain, most;
    unsigned configured; /* how often: what was verified by former authorities is not kept */

    struct cache *domains; /* how many connections to each: size_t */
    size_t open;
    TAILQ_HEAD(links_waiting, link) idle;
};

/*
 * One that is kept (only with may_be_kept), and *kept is true and it is ready; or one that begins. NULL: there are as
 * many as may be.
 */
struct link *link_open(struct upstreams *all, const struct relay_path *path, const struct relay_candidate *candidate,
                       bool may_be_kept, bool *kept, const struct smtp_client_events *events, void *ctx);

/* Keep it for the next message, if that is worth it; in_transaction: after RSET. */
void link_keep(struct link *l, bool in_transaction);

void link_close(struct link *l); /* with QUIT. NULL-safe, as the next */
void link_cut(struct link *l);

/* All that are idle. */
void links_idle_close(struct upstreams *all);

#endif
