/* cert_tlsa_io.h - do the TLSA records that are in DNS now fit a certificate? Waits for the look-ups. */
#ifndef POSTERN_CERT_TLSA_IO_H
#define POSTERN_CERT_TLSA_IO_H

#include "cert_use.h"
#include "conf.h"

/*
 * cert_use_judge_tlsa with the records at port 25 of host ("": not known) and of each name of the certificate, leaf,
 * but for those that known (NULL: nothing) is for: the worst of them. Here and below wildcards are passed over, and no
 * more is asked once an answer cannot be had (LATER).
 */
enum cert_use_verdict cert_tlsa_look(struct buf *said, const struct conf *conf, const struct cert_chain *c,
                                     const struct cert_facts *leaf, const char *host, const struct cert_facts *known);

/*
 * May fresh take the place of what is live in this entry? Refused when the records of one of its hosts, or of host (""
 * for none), fit what is live and not fresh: senders that go by DANE would deliver no more. LATER when that cannot be
 * known now.
 */
enum cert_use_verdict cert_tlsa_replace(struct buf *said, const struct conf *conf, const struct cert_entry *before,
                                        const struct cert_chain *fresh, const char *host);

#endif
