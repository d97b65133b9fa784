/* lmtp_serve_io.h - the LMTP server for the MTA: listeners, and how many connections there may be. */
#ifndef POSTERN_LMTP_SERVE_IO_H
#define POSTERN_LMTP_SERVE_IO_H

#include <event2/event.h>

#include "conf.h"
#include "err.h"
#include "upstream_io.h"

struct lmtp_serve;

/*
 * What the next servers have said is passed on before anything else is done: if relayd is killed in between, the MTA
 * asks again for what was delivered. So the base must have these priorities (event_base_priority_init) before any event
 * is made; other events have the lower one if nothing is said.
 */
#define LMTP_SERVE_PRIORITIES 2

/* Opens the listeners of the configuration. NULL with the reason in e. Connections are taken only after
 * lmtp_serve_run; until then they wait in the listen queue. */
struct lmtp_serve *lmtp_serve_new(struct event_base *base, const struct conf_relayd *conf, struct err *e);

/* From now on serve. upstreams stays the caller's, and must outlive s. */
void lmtp_serve_run(struct lmtp_serve *s, struct upstreams *upstreams);

/* Take no new connections or messages; those that are under way are finished. Then call done, once, perhaps at
 * once. */
void lmtp_serve_drain(struct lmtp_serve *s, void (*done)(void *ctx), void *ctx);

/* Name and limits from the configuration; listeners stay as they are. */
void lmtp_serve_configure(struct lmtp_serve *s, const struct conf_relayd *conf);

void lmtp_serve_free(struct lmtp_serve *s);

size_t lmtp_serve_connections(const struct lmtp_serve *s);

#endif
