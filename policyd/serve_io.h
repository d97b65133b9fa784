/*
 * serve_io.h - the servers for MTAs: many listeners and connections, answers in the order of the requests, from memory
 * without allocation. By the socketmap protocol (socketmap_table(5)) the maps "postfix" and "QUERY" (plain) and
 * "QUERYwithTLSRPT"; "transport", "ehlo" and "requiretls", from the operator's lists. By the policy delegation protocol
 * (SMTPD_POLICY_README) which recipients have the tag. By lines, for Exim, all of these (exim_request.h). On sockets of
 * its own, to Postfix alone, the map "sni": certificates with their keys.
 */
#ifndef POSTERN_SERVE_IO_H
#define POSTERN_SERVE_IO_H

#include <event2/event.h>

#include "conf.h"
#include "err.h"
#include "lookup_io.h"
#include "memory.h"
#include "sni_store_io.h"

struct serve;

/* Opens the listeners of the configuration. NULL with the reason in e. Requests are read only after serve_run. */
struct serve *serve_new(struct event_base *base, const struct conf *conf, struct err *e);

/* From now on answer. memory, lookups, lists and sni (NULL: none) stay the caller's. */
void serve_run(struct serve *s, struct memory *memory, struct lookups *lookups, const struct operator_lists *lists,
               struct sni_store *sni);

/* Take no new connections or requests, close idle connections, though not at once those that are for one question which
 * has not come yet; when the last one is closed call done. */
void serve_drain(struct serve *s, void (*done)(void *ctx), void *ctx);

/* New limits, and the tags of the section milter, from the configuration (listeners stay as they are). */
void serve_configure(struct serve *s, const struct conf *conf);

void serve_free(struct serve *s);

size_t serve_connections(const struct serve *s);

#endif
