/*
 * conf.h - the configuration: one file, a section a program, read with libconfuse. conf_table.c holds one table per
 * section: name, kind, default, limits, one line of help; the reader, `-t`, `posternctl check config` and the manual
 * page check all go by these tables. Neither other files (include) nor environment variables (${NAME}) are read; a key
 * may stand once, a section more often.
 */
#ifndef POSTERN_CONF_H
#define POSTERN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CONF_FILE_MAX 1048576

/* Lists are NULL-terminated and never NULL; strings are never NULL, "" means not set. All owned by the struct conf. */
struct conf_redis {
    char *url;                 /* "unix:/path", "tcp:host:port" (host an address), "" = no Redis */
    char *prefix;              /* of every key, "postern:" */
    char *username, *password; /* of programs that have none of their own */
    int64_t database;
    int64_t timeout_ms; /* one command's deadline */
};

/* As whom one program logs in to Redis; each of the two by itself: "" = that of the section redis. */
struct conf_login {
    char *username, *password;
};

struct conf_stsd {
    char *listen; /* address of the call socket */
    struct conf_login redis;
    char *user;           /* to run as, when started as root */
    char *metrics_listen; /* "" = none */
    char *pid_file;
    char **resolvers; /* "127.0.0.1:53", "[::1]:53"; empty: those of /etc/resolv.conf */
    bool trust_ad;    /* believe AD from resolvers that are not on loopback */
    int64_t dns_timeout_ms;
    int64_t dns_tries;
    char *ca_file; /* "" = the system's */
    int64_t https_port;
    int64_t https_timeout_ms;
    int64_t https_concurrency;
    int64_t lookup_timeout_ms; /* one resolution, all in all */
    int64_t lookup_concurrency;
    int64_t lookup_queue; /* waiting beyond that: refused with TEMP */
    int64_t memory_records;
    bool dane, sts;
    int64_t ttl_min;
    int64_t refetch_after;
    int64_t retry_after;
    int64_t refresh_used_within; /* policies of domains used within that time are kept fresh */
    char *tlsrpt;                /* the collector of TLS outcomes; "" = nobody */
    char *publish_listen;        /* HTTP: policies of our own domains, ACME challenges; "" = none */
    char *publish_file;          /* what was last published in Redis; "" = none */
};

struct conf_policyd {
    char **listen;        /* socketmap */
    char **policy_listen; /* policy delegation; empty: none */
    char **exim_listen;   /* Exim's readsocket; empty: none */
    char **sni_listen;    /* socketmap for tls_server_sni_maps, unix sockets; empty: none */
    char *control;        /* address of the call socket for posternctl */
    char *stsd;           /* where stsd listens */
    struct conf_login redis;
    char *user;
    char *metrics_listen;
    char *pid_file;
    int64_t workers;     /* processes */
    int64_t socket_mode; /* of unix sockets in listen */
    int64_t cache_entries;
    int64_t connections;
    int64_t lookup_timeout_ms;
    int64_t idle_timeout_ms; /* a connection without a request is closed; 0: never */
    bool dane, sts;
    int64_t sts_unknown_hold;
    int64_t stale_max;
    char *lists_file; /* snapshot of the lists; "" = none */
    char *fallback;   /* mode for destinations without an entry, as list_value_parse reads it */
    int64_t fallback_keep;
    char *default_level; /* "" = the MTA's own, "may", "encrypt" */
};

struct conf_milter {
    char *listen; /* one address: libmilter opens it */
    struct conf_login redis;
    char *user;
    char *metrics_listen;
    char *pid_file;
    int64_t socket_mode; /* of a unix socket */
    char *tag;           /* word at the end of a local part: only over verified TLS */
    char *optional_tag;  /* the same for TLS-Required: No */
    char *delimiter;     /* one character */
    char *scope;         /* whom a tag flags: "message", "recipient" */
    char *record_header; /* "" = none */
    char *tls_required;  /* who may say TLS-Required: No: "anyone", "submitters", "nobody" */
    char **rules;        /* before those in Redis */
    int64_t body_octets; /* of the body, that rules see */
    char *lists_file;    /* "" = none */
    char *rules_file;    /* what was last in Redis; "" = none */
};

struct conf_relayd {
    char **listen; /* LMTP */
    char *stsd;    /* where stsd listens */
    char *user;
    char *metrics_listen;
    char *pid_file;
    int64_t socket_mode; /* of unix sockets in listen */
    char *name;          /* for EHLO; "" = the host's */
    char *ca_file;       /* "" = the system's */
    int64_t port;
    int64_t connect_timeout_ms;
    int64_t command_timeout_ms;     /* for each reply */
    int64_t data_timeout_ms;        /* for the reply to the end of the message */
    int64_t transaction_timeout_ms; /* from MAIL to the last reply */
    int64_t connections;            /* of LMTP clients */
    int64_t per_domain;             /* connections to next servers, of one policy domain */
    int64_t upstreams;              /* the same in all */
    int64_t busy_wait_ms;           /* for one of these to come free; 0: none */
    int64_t idle_timeout_ms;        /* of a connection kept for the next message; 0: none is kept */
    int64_t size_max;               /* octets of a message; 0: no limit */
    int64_t sts_unknown_hold;
    char *tlsrpt; /* the collector of TLS outcomes; "" = nobody */
};

struct conf_tlsrptd {
    char *listen;    /* address of the call socket */
    char *datagrams; /* unix address of libtlsrpt's; "" = none */
    char *exim;      /* address of the door for Exim; "" = none */
    char *log;       /* path of the mail log, "journal", or "" = none */
    char *log_name;  /* syslog_name of Postfix */
    bool log_counts; /* report what is in the log; else it is for fallback alone */
    char *stsd;      /* where stsd listens */
    char *policyd;   /* where policyd's control listens */
    struct conf_login redis;
    char *user;
    char *metrics_listen;
    char *pid_file;
    int64_t socket_mode; /* of unix sockets in datagrams and exim */
    int64_t memory_octets;
    char *spool; /* folder */
    int64_t spool_octets;
    int64_t commit_ms;
    int64_t commit_events;
    int64_t keep; /* seconds */
    char *organization;
    char *contact; /* an address; "" = no reports are sent */
    char *from;    /* "" = contact */
    char *rsa_key, *rsa_selector;
    char *ed25519_key, *ed25519_selector;
    char *mail; /* "sendmail:/path", "smtp:ADDRESS:PORT" */
    char *ca_file;
    bool post_anywhere; /* POST to loopback and private addresses, too */
    int64_t report_delay;
    int64_t report_retry;
    bool report_success;  /* also domains without a failure */
    int64_t clock_offset; /* seconds added to the clock; 0 but in tests */
};

struct conf_posternctl {
    struct conf_login redis;
    char *setup_folder; /* what `posternctl setup` has changed is kept there */
};

/* Certificates of our own mail servers: posternctl makes and renews them, policyd shows them. */
struct conf_certs {
    char *folder;         /* of the store (cert_store_io.h) */
    int64_t warn_before;  /* seconds */
    int64_t renew_before; /* seconds */
    char *acme_url;       /* the authority's directory (RFC 8555 7.1.1) */
    char *acme_client;    /* path of uacme */
    char *contact;        /* of the account, and who is told when a renewal fails; "" = nobody */
    char *dns_hook;       /* program that sets and takes away DNS records; "" = none */
    int64_t tlsa_ttl;     /* seconds, of TLSA records */
};

struct conf {
    struct conf_redis redis;
    struct conf_stsd stsd;
    struct conf_policyd policyd;
    struct conf_milter milter;
    struct conf_relayd relayd;
    struct conf_tlsrptd tlsrptd;
    struct conf_certs certs;
    struct conf_posternctl posternctl;
};

/*
 * Read and check a file. Returns 0 and *out (free with conf_free), or -1 with "FILE:LINE: KEY: what is wrong, what to
 * write" in e: unknown sections and keys, bad values, values out of range, addresses that are none.
 */
int conf_read(struct conf **out, const char *path, struct err *e);

/* The same for a file's contents that are in memory; name is the one for errors. Not re-entrant, as libconfuse is not.
 */
int conf_parse(struct conf **out, const char *name, const char *text, size_t len, struct err *e);

void conf_free(struct conf *c); /* NULL-safe */

/* The section redis as it goes for the program whose login this is: &conf->stsd.redis, &conf->policyd.redis,
 * &conf->milter.redis, &conf->posternctl.redis. Its strings are those of conf. */
struct conf_redis conf_redis_for(const struct conf *conf, const struct conf_login *login);

/*
 * conf_live.c: call fn for each setting of a section that differs between two configurations and that a running daemon
 * does not take up.
 */
void conf_needs_restart(const struct conf *before, const struct conf *now, const char *section,
                        void (*fn)(void *ctx, const char *section, const char *key), void *ctx);

/* The defaults alone. NULL without memory. */
struct conf *conf_default(void);

enum conf_kind {
    CONF_STRING,
    CONF_LIST, /* of strings */
    CONF_BOOL,
    CONF_NUMBER,
    CONF_SECONDS, /* "90", "90s", "15m", "4h", "30d" -> seconds */
    CONF_MILLIS,  /* "500ms", "2s", "1m" -> milliseconds; a bare number is seconds */
    CONF_MODE,    /* octal file mode */
    CONF_ADDRESS, /* one address, see core/address.h: "unix:/path", "inet:127.0.0.1:8461", "inet:[::1]:8461"; "" allowed
                     when min is 0 */
    CONF_ADDRESSES, /* also ranges, "inet:127.0.1.1-16:8461", of which each becomes an element */
    CONF_RESOLVERS,
    CONF_FALLBACK, /* a text that list_value_parse takes for the list fallback */
    CONF_CHOICE,   /* one of `words`; "" allowed when min is 0 */
    CONF_TAG,      /* a word that a local part may end with: letters and digits, "-", "_" between them */
    CONF_HEADER,   /* the name of a header field; "" allowed when min is 0 */
    CONF_NAME,     /* how this host greets: a host name in ASCII, or an address in brackets; "" allowed when min is 0 */
    CONF_MAILBOX,  /* a mail address: LOCAL@DOMAIN, both in ASCII, without quotes; "" allowed when min is 0 */
    CONF_MAIL_WAY, /* how mails leave: "sendmail:/path", "smtp:ADDRESS:PORT" */
    CONF_RULES     /* rules, see core/rule.h */
};

struct conf_option {
    const char *name;
    enum conf_kind kind;
    const char *fallback; /* the default, as it would be written in the file */
    int64_t min, max;     /* of numbers and times, in the unit that is stored; of texts, octets; of lists, elements */
    size_t offset;        /* in the section's struct */
    const char *help;     /* one line */
    const char *words;    /* of CONF_CHOICE, with blanks between them; else NULL */
};

struct conf_section {
    const char *name;                 /* "redis", "stsd", "policyd", … "certs", "posternctl" */
    const struct conf_option *option; /* ends with a NULL name */
    size_t offset;                    /* in struct conf */
};

/* All sections; ends with a NULL name. */
extern const struct conf_section conf_sections[];

#endif
