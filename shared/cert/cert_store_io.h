/*
 * cert_store_io.h - the folder of certificates (certs.folder): a folder for each name, in it
 *
 *   live.pem      the private key, then its chain, leaf first: what mail servers serve
 *   next.key      the key of the certificate after this one, for TLSA records that must be there before it
 *   pending.pem   as live.pem: has been issued, and waits until its TLSA record is known everywhere
 *   about.json    what is known beside them (struct cert_about)
 *   fresh.pem     as live.pem, for a moment: a command is putting it there; left by one that was killed
 *   old/live.pem  what was live before
 *
 * The folders are root's with mode 0755, the files 0600 of the user that policyd runs as (or of whoever runs posternctl
 * when that is not root), and are replaced as a whole or not at all.
 */
#ifndef POSTERN_CERT_STORE_IO_H
#define POSTERN_CERT_STORE_IO_H

#include "buf.h"
#include "certificate.h"
#include "err.h"

#define CERT_NAME_MAX    64 /* of a certificate in the store: a-z 0-9 . _ -, the first a letter or digit */
#define CERT_ENTRIES_MAX 10000
#define CERT_USES_MAX    8
#define CERT_HOSTS_MAX   100 /* host names of one ACME order */

/* What a certificate is for, and where it comes from. Texts owned by the struct, never NULL. */
struct cert_about {
    char *title;     /* the operator's own, "friendly name"; "" for none */
    char *source;    /* "self-signed", "csr", "import", "acme" */
    int64_t created; /* when it came into the store */

    /* Mail servers that were told to use it: "postfix:/etc/postfix", "exim:/etc/exim4" */
    char *use[CERT_USES_MAX];
    size_t uses;

    /* ACME; host_count 0: it is not renewed. */
    char *host[CERT_HOSTS_MAX]; /* the first is the subject */
    size_t host_count;
    char *challenge;       /* "http-01", "dns-01" */
    char *key_type;        /* "rsa2048", "p256", … */
    int64_t tried;         /* last attempt to renew; 0: never */
    char *trouble;         /* why it failed; "" when it did not */
    int64_t told;          /* when the operator was told of it */
    char *refused;         /* what the authority said, or what kept it from being asked; "" when it has issued */
    int64_t spare_told;    /* when the operator was told of TLSA records that are of no more use; 0: there are none */
    int64_t pending_since; /* when pending.pem was issued */
    int64_t tlsa_seen;     /* since when the TLSA records of next.key are in DNS; 0: they are not */
};

#define CERT_ABOUT_MAX 65536 /* octets of about.json */

/* An object of JSON, of CERT_ABOUT_MAX octets at most. Returns 0, or -1 with the reason and *out empty. */
int cert_about_read(struct cert_about *out, const char *text, size_t len, struct err *e);
void cert_about_write(struct buf *out, const struct cert_about *a);
void cert_about_clear(struct cert_about *a); /* NULL-safe, may be called twice */

/* Replace one of its texts by a copy. Returns 0, or -1 without memory. */
int cert_about_set(char **text, const char *value);

struct cert_entry {
    char name[CERT_NAME_MAX + 1];
    struct cert_about about;
    bool about_unread;      /* about.json is there and cannot be read: about is empty, and that says nothing */
    struct cert_chain live; /* count 0: there is none yet (a CSR, or the first ACME order has not ended) */
    struct cert_facts leaf; /* of live */
    char trouble[200];      /* files of it that cannot be read or are wrong; "" for none */
    int trouble_errno;      /* why one of them cannot be opened, such as EACCES; 0: none of that */
};

/* The name can be one of a certificate in the store; else the reason in e. */
bool cert_name_valid(const char *name, struct err *e);

enum cert_file {
    CERT_FILE_LIVE,
    CERT_FILE_NEXT_KEY,
    CERT_FILE_PENDING,
    CERT_FILE_FRESH,
    CERT_FILE_ABOUT,
    CERT_FILE_OLD
};

/* FOLDER/NAME/live.pem and so on; "" when it is too long. */
void cert_path(char *out, size_t size, const char *folder, const char *name, enum cert_file file);

/*
 * Read one entry. Returns 1, 0 when there is no such name, or -1 with the reason and *out empty; a broken file is no
 * error but entry.trouble.
 */
int cert_entry_read(struct cert_entry *out, const char *folder, const char *name, struct err *e);
void cert_entry_clear(struct cert_entry *entry); /* NULL-safe, may be called twice */

/*
 * All of them, by name. Returns 0, or -1 with the reason: the folder cannot be read, or there are no descriptors or no
 * memory to read files with. No folder: none.
 */
struct cert_entries {
    struct cert_entry *entry; /* owned */
    size_t count;
};
int cert_entries_read(struct cert_entries *out, const char *folder, struct err *e);
void cert_entries_clear(struct cert_entries *all);

/*
 * Hold the store: two programs that change it do so one after the other. Returns a descriptor to be closed, or -1 with
 * the reason (another one holds it for more than 30 seconds). Makes the folder when there is none.
 */
int cert_store_lock(const char *folder, struct err *e);

/*
 * Replace one file of an entry; owner is the user that the files are for (conf.policyd.user; as root only). Makes the
 * entry's folder when there is none. Returns 0, or -1 with the reason, and nothing has changed; but where its folder
 * could not be synced, the new one is there.
 */
int cert_file_write(const char *folder, const char *name, enum cert_file file, const char *octets, size_t len,
                    const char *owner, struct err *e);

/* The same with about.json. A text that could not be read again is an error. */
int cert_about_save(const char *folder, const char *name, const struct cert_about *about, const char *owner,
                    struct err *e);

int cert_file_remove(const char *folder, const char *name, enum cert_file file, struct err *e); /* none: 0 */

/*
 * pending.pem becomes live.pem, what was live becomes old/live.pem. live.pem is there at every moment. Returns 0, or -1
 * with the reason.
 */
int cert_pending_activate(const char *folder, const char *name, struct err *e);

/* fresh.pem becomes live.pem in the same way. A pending.pem, which was for the one before, goes. */
int cert_fresh_activate(const char *folder, const char *name, struct err *e);

/* The entry, all of it. */
int cert_entry_remove(const char *folder, const char *name, struct err *e);

#endif
