/* publish_io.h - what the commands "publish ..." about DNS share, and the parts that "publish all" puts together. */
#ifndef POSTERN_PUBLISH_IO_H
#define POSTERN_PUBLISH_IO_H

#include "buf.h"
#include "conf.h"
#include "ctl.h"
#include "domain.h"
#include "publish_verdict.h"

#define PUBLISH_ZONE_MAX ((size_t)1 << 20) /* octets of a fragment */

/* The command's word as a domain in its one form. Returns 0, or -1 with the reason reported. */
int publish_domain(char out[DOMAIN_BUF], const struct ctl *ctl);

/*
 * Print the verdicts, as text or, with --json, as member "verdicts" of facts, which is taken. Returns the exit code of
 * the worst of them.
 */
int publish_verdicts(const struct ctl *ctl, const struct verdicts *v, json_t *facts);

/* Verdicts as comments of a fragment, those that are not OK with their level. */
void publish_comments(struct buf *zone, const struct verdicts *v);

/* publish_tlsrpt_io.c. The record of a domain, with comments. Returns 0, or -1 with the reason. */
int publish_tlsrpt_zone(struct buf *zone, const struct ctl *ctl, const struct conf *conf, const char *domain,
                        struct err *e);
/* The same against live DNS. */
void publish_tlsrpt_check(struct verdicts *v, const struct ctl *ctl, const struct conf *conf, const char *domain);

/* publish_tlsa_io.c. The record of a server's key, with what it is of. */
struct tlsa_key;
void publish_tlsa_zone(struct buf *zone, const struct tlsa_key *key, const struct conf *conf, const char *host);

#endif
