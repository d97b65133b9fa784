/*
 * cert_use.h - a certificate of the store in the machine's own mail server: may it go there, what has to be changed for
 * it (setup.h), and where the server can then be seen to serve it. Pure; cert_use_io.h does it.
 */
#ifndef POSTERN_CERT_USE_H
#define POSTERN_CERT_USE_H

#include "buf.h"
#include "cert_store_io.h"
#include "certificate.h"
#include "dns_msg.h"
#include "postfix_conf.h"
#include "setup.h"
#include "setup_exim_text.h"

/* What is to be used; texts are the caller's. */
struct cert_use {
    const char *name;      /* of the entry */
    const char *live;      /* path of its live.pem, from the root */
    const uint8_t *sha256; /* of its leaf, CERT_DIGEST_LEN octets */
};

/* --- may it? --- */

enum cert_use_verdict {
    CERT_USE_GOOD,
    CERT_USE_LATER,   /* not known now; --force goes on */
    CERT_USE_REFUSED, /* --force goes on */
    CERT_USE_NEVER    /* no server could work with it */
};

#define CERT_USE_SPARE 86400 /* seconds that a certificate must still be good */

/*
 * The key fits, the chain is complete and in order and good now and for CERT_USE_SPARE, the leaf is for host ("": not
 * known, and not looked at). trust: the authorities of this system; NULL: not looked at. Each thing that is wrong is
 * appended to said, a line each; those that forbid nothing begin with "warning: ".
 */
enum cert_use_verdict cert_use_judge(struct buf *said, const struct cert_entry *entry, const char *host,
                                     X509_STORE *trust, int64_t now);

/*
 * The TLSA RRset of host as it is in DNS now: usable records of which none fits the chain are a refusal (RFC 7671 8.1),
 * with the record that must be published before; a failed look-up is LATER. Records that are not secure count as those
 * that are (as in tlsa_rollover.h): they bind senders whose resolver validates where ours does not.
 * least_ttl: what such records have at least (certs.tlsa_ttl); the answer's may have been counted down by a cache.
 */
enum cert_use_verdict cert_use_judge_tlsa(struct buf *said, const struct cert_chain *c, const char *host,
                                          const struct dns_answer *tlsa, int64_t least_ttl);

/* --- the entry's about.use --- */

/* "postfix:/etc/postfix"; false: longer than out. */
bool cert_use_text(char *out, size_t size, const char *server, const char *dir);
bool cert_use_has(const struct cert_about *about, const char *text);
int cert_use_add(struct cert_about *about, const char *text);   /* 0; -1: no memory, or CERT_USES_MAX */
bool cert_use_drop(struct cert_about *about, const char *text); /* it was there */

/* --- where the server listens --- */

struct cert_where {
    char host[256]; /* a name or an address; "": nowhere */
    char port[32];  /* a number or a name of /etc/services */
};

/* Postfix's first service of master.cf for mail of others with STARTTLS, port 25 first. *service (may be NULL): it. */
void cert_where_postfix(struct cert_where *out, const struct postfix_conf *p, const struct postfix_service **service);

/* Exim's, by what -bP prints of local_interfaces and daemon_smtp_ports. */
void cert_where_exim(struct cert_where *out, const char *interfaces, const char *ports);

/* --- what is changed --- */

struct cert_use_postfix_facts {
    const struct postfix_conf *postfix; /* postconf -x, -M, -Px */
    const struct postfix_conf *set;     /* postconf -n */
    const char *config_dir;
    bool named; /* by --config-dir */
};

void cert_use_postfix(struct setup_plan *out, const struct cert_use *use, const struct cert_use_postfix_facts *f);

struct cert_use_exim_facts {
    const char *config_dir;
    bool named;
    bool own;                  /* exim4.conf, a whole configuration of the operator's */
    const char *certificate;   /* tls_certificate of what Exim reads now; "": none, or not known */
    bool split;                /* Debian's scheme */
    const char *macros;        /* what the file of macros has; NULL: there is none */
    bool localmacros_counts;   /* as in setup_exim.h */
    bool generated;            /* the same */
    const char *copy;          /* path of the copy that Exim can read */
    const char *group;         /* Exim's */
    bool folder_there, copied; /* the copy's folder is there; the copy is as live.pem */
    bool systemd;
};

void cert_use_exim(struct setup_plan *out, const struct cert_use *use, const struct cert_use_exim_facts *f);

/* A setup_server.without: the text without what cert_use_exim has put in. */
bool cert_use_exim_take(struct buf *out, const char *text);

#define CERT_USE_EXIM_SPLIT "conf.d/main/000_postern_certificate"

#endif
