/*
 * upstream_links_io.h - the connections of all upstreams: so many to one policy domain and in all, and those that are
 * kept for the next message. One is used again only for the same policy domain and MX host, of which the same was
 * demanded (S9). Whoever wants one needs a place first, among those of the domain and among all, and may have to stand
 * in line for it (link_line_io.h); an idle connection takes none, and goes when there is need of it.
 */
#ifndef POSTERN_UPSTREAM_LINKS_IO_H
#define POSTERN_UPSTREAM_LINKS_IO_H

#include "address_tag.h"
#include "call_client.h"
#include "link_line_io.h"
#include "relay_walk.h"
#include "smtp_client_io.h"
#include "upstream_io.h"

#include <sys/queue.h>

#define LINK_USES_MAX 100 /* messages over one connection */
#define LINK_LIFE     300 /* seconds after which one is not kept any more */
#define LINK_DEMAND   32  /* octets of a digest */

TAILQ_HEAD(links, link);

/* While it has connections, or somebody wants one. */
struct link_domain {
    char name[DOMAIN_BUF];
    struct link_line line;
    size_t open;
    struct links idle; /* the one that has waited longest first */
};

struct link {
    struct upstreams *all;
    struct smtp_client *client;
    struct link_domain *domain;
    char host[DOMAIN_BUF];
    unsigned char demand[LINK_DEMAND];
    unsigned uses;
    unsigned configured; /* as in upstreams */
    int64_t opened;
    enum { LINK_USED, LINK_RESETTING /* the reply to RSET has not come yet; it has a place */, LINK_IDLE } state;
    struct event *idle_over;
    TAILQ_ENTRY(link) next, of_domain;
};

struct upstreams {
    struct smtp_client_settings settings;
    struct call_client *stsd;
    char tag_word[64];
    struct address_tag tag;
    int64_t data_timeout_ms, transaction_timeout_ms, idle_timeout_ms, sts_unknown_hold;
    size_t per_domain;
    int64_t busy_wait_ms;
    unsigned configured; /* how often: what was verified by former authorities is not kept */

    struct cache *domains; /* of struct link_domain */
    struct link_line line;
    size_t open;
    struct links idle, resetting; /* the one that has waited longest first */
};

/* One who wants a connection, or has one. */
struct link_place {
    struct upstreams *all;
    struct link_domain *domain;
    unsigned lines;   /* passed: that of the domain, and that of all */
    bool full_in_all; /* the one that was full is that of all, not that of the domain */
    struct link_waiter waiter;
    void (*tell)(void *ctx, bool place); /* after WAITS, from the loop: has it, or has no luck */
    void *ctx;
};

void link_place_init(struct link_place *p, struct upstreams *all, void (*tell)(void *ctx, bool place), void *ctx);

/* PASSED, WAITS or FULL; PASSED at once by one that has a place already. */
enum link_line_result link_place_take(struct link_place *p, const char *domain);

/* Give it back, or stand in line no more. */
void link_place_leave(struct link_place *p);

/* The same, for good. */
void link_place_clear(struct link_place *p);

/*
 * For one that has a place at the domain of the path: a connection to the host that is kept (only with may_be_kept), to
 * whichever address, and *kept is true and it is ready; or one to the address at hand, that begins.
 */
struct link *link_open(const struct link_place *p, const struct relay_path *path, const struct relay_walk *walk,
                       bool may_be_kept, bool *kept, const struct smtp_client_events *events, void *ctx);

/* Keep it for the next message, if that is worth it; in_transaction: after RSET, and until then it keeps p's place. */
void link_keep(struct link *l, bool in_transaction, struct link_place *p);

/* These leave the place to its owner. NULL-safe. */
void link_close(struct link *l); /* with QUIT */
void link_cut(struct link *l);

/* All that are kept. */
void links_kept_close(struct upstreams *all);

/* New limits, in all and to each domain, and how long a place is waited for. */
void links_limit(struct upstreams *all, size_t most, size_t per_domain, int64_t busy_wait_ms);

#endif
