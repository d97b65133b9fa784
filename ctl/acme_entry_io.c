/* acme_entry_io.c - see acme_entry_io.h. */
#include "acme_entry_io.h"
#include "acme_key.h"
#include "acme_plan.h"
#include "clock.h"
#include "whole_file.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void file_path(char path[PATH_MAX], const struct acme_entry *a, enum cert_file file)
{
    cert_path(path, PATH_MAX, a->conf->certs.folder, a->entry.name, file);
}

/* Returns 1, 0 when there is no such file, or -1 with the reason: it is none. */
static int read_chain(struct cert_chain *out, const struct acme_entry *a, enum cert_file file, struct err *e)
{
    char path[PATH_MAX];
    struct buf pem;
    int rc;

    memset(out, 0, sizeof(*out));
    file_path(path, a, file);
    buf_init(&pem, CERT_PEM_MAX);
    rc = whole_file_read(&pem, path, e);
    if (rc == 1 && cert_chain_read(out, buf_text(&pem), pem.len, e) != 0)
        rc = err_prefix(e, "%s", path);
    buf_wipe(&pem);
    return rc;
}

static int read_next(struct acme_entry *a, struct err *e)
{
    char path[PATH_MAX];
    int rc;

    file_path(path, a, CERT_FILE_NEXT_KEY);
    rc = whole_file_read(&a->next_pem, path, e);
    if (rc <= 0)
        return rc;
    a->next = acme_key_read(buf_text(&a->next_pem), a->next_pem.len);
    return a->next != NULL ? 1 : err_set(e, "%s is no private key; remove it, and another one is made", path);
}

/* One that cannot be used is none: another one is asked for. */
static void read_pending(struct acme_entry *a)
{
    int rc = read_chain(&a->pending, a, CERT_FILE_PENDING, NULL);

    a->waits = rc == 1 && a->pending.key != NULL && cert_facts_read(&a->pending_leaf, a->pending.cert[0], NULL) == 0;
}

static void read_old(struct acme_entry *a)
{
    struct cert_chain old;

    if (read_chain(&old, a, CERT_FILE_OLD, NULL) == 1 && old.key != NULL)
        a->has_old = cert_key_digest(a->old_key, old.key) == 0;
    cert_chain_clear(&old);
}

/* A file that is put into its place by its name has that time as the one of its last change. */
static void read_switched(struct acme_entry *a)
{
    char path[PATH_MAX];
    struct stat st;

    file_path(path, a, CERT_FILE_LIVE);
    if (stat(path, &st) == 0)
        a->switched = (int64_t)st.st_ctim.tv_sec + 1;
}

static int read_files(struct acme_entry *a, struct err *e)
{
    if (read_next(a, e) < 0)
        return -1;
    read_pending(a);
    read_old(a);
    read_switched(a);
    if (a->entry.live.count > 0 && a->entry.live.key != NULL)
        a->has_live = cert_key_digest(a->live_key, a->entry.live.key) == 0;
    if (a->waits)
        a->has_next = cert_key_digest(a->next_key, a->pending.key) == 0;
    else if (a->next != NULL)
        a->has_next = cert_key_digest(a->next_key, a->next) == 0;
    return 1;
}

int acme_entry_read(struct acme_entry *out, const struct conf *conf, const char *name, struct err *e)
{
    int rc;

    memset(out, 0, sizeof(*out));
    out->conf = conf;
    buf_init(&out->next_pem, ACME_KEY_MAX);
    rc = cert_entry_read(&out->entry, conf->certs.folder, name, e);
    if (rc == 1)
        rc = out->entry.about_unread ? err_set(e, "%s", out->entry.trouble) : read_files(out, e);
    if (rc != 1)
        acme_entry_clear(out);
    return rc;
}

void acme_entry_clear(struct acme_entry *a)
{
    const struct conf *conf = a->conf;

    cert_entry_clear(&a->entry);
    cert_chain_clear(&a->pending);
    cert_facts_clear(&a->pending_leaf);
    EVP_PKEY_free(a->next);
    buf_wipe(&a->next_pem);
    memset(a, 0, sizeof(*a));
    a->conf = conf;
}

int64_t acme_entry_due(const struct acme_entry *a)
{
    const struct cert_facts *leaf = &a->entry.leaf;

    return a->has_live ? acme_due(leaf->not_before, leaf->not_after, a->conf->certs.renew_before) : 0;
}

/* --- changes --- */

static int write_file(const struct acme_entry *a, enum cert_file file, const struct buf *octets, struct err *e)
{
    return cert_file_write(a->conf->certs.folder, a->entry.name, file, octets->data, octets->len, a->conf->policyd.user,
                           e);
}

/* What others may have changed meanwhile stays: the rest of about is as it is in the store. */
static int merge(struct cert_about *store, const struct cert_about *ours, struct err *e)
{
    store->tried = ours->tried;
    store->told = ours->told;
    store->spare_told = ours->spare_told;
    store->pending_since = ours->pending_since;
    store->tlsa_seen = ours->tlsa_seen;
    if (cert_about_set(&store->trouble, ours->trouble) != 0 || cert_about_set(&store->refused, ours->refused) != 0)
        return err_set(e, "no memory");
    return 0;
}

static int save(const struct acme_entry *a, struct err *e)
{
    struct cert_entry now;
    int rc = cert_entry_read(&now, a->conf->certs.folder, a->entry.name, e);

    if (rc != 1)
        return rc == 0 ? err_set(e, "the certificate %s was removed meanwhile", a->entry.name) : -1;
    rc = now.about_unread ? err_set(e, "%s", now.trouble) : merge(&now.about, &a->entry.about, e);
    if (rc == 0)
        rc = cert_about_save(a->conf->certs.folder, a->entry.name, &now.about, a->conf->policyd.user, e);
    cert_entry_clear(&now);
    return rc;
}

int acme_entry_save(struct acme_entry *a, struct err *e)
{
    int lock = cert_store_lock(a->conf->certs.folder, e), rc;

    if (lock < 0)
        return -1;
    rc = save(a, e);
    close(lock);
    return rc;
}

/* Read it anew after a change. */
static int again(struct acme_entry *a, struct err *e)
{
    const struct conf *conf = a->conf;
    char name[CERT_NAME_MAX + 1];
    int rc;

    memcpy(name, a->entry.name, sizeof(name));
    acme_entry_clear(a);
    rc = acme_entry_read(a, conf, name, e);
    return rc == 1 ? 0 : rc == 0 ? err_set(e, "the certificate %s was removed meanwhile", name) : -1;
}

/* What was seen in DNS was seen of the key before: that goes first. */
static int new_key(struct acme_entry *a, struct err *e)
{
    struct buf pem;
    int rc;

    a->entry.about.tlsa_seen = 0;
    if (save(a, e) != 0)
        return -1;
    buf_init(&pem, ACME_KEY_MAX);
    rc = acme_key_new(&pem, a->entry.about.key_type, e);
    if (rc == 0)
        rc = write_file(a, CERT_FILE_NEXT_KEY, &pem, e);
    buf_wipe(&pem);
    return rc;
}

static int activate(struct acme_entry *a, struct err *e)
{
    return cert_pending_activate(a->conf->certs.folder, a->entry.name, e);
}

static int drop(struct acme_entry *a, struct err *e)
{
    return cert_file_remove(a->conf->certs.folder, a->entry.name, CERT_FILE_PENDING, e);
}

static int change(struct acme_entry *a, int (*fn)(struct acme_entry *a, struct err *e), struct err *e)
{
    int lock = cert_store_lock(a->conf->certs.folder, e), rc;

    if (lock < 0)
        return -1;
    rc = fn(a, e);
    close(lock);
    return rc == 0 ? again(a, e) : -1;
}

int acme_entry_new_key(struct acme_entry *a, struct err *e)
{
    return change(a, new_key, e);
}

int acme_entry_activate(struct acme_entry *a, struct err *e)
{
    return change(a, activate, e);
}

int acme_entry_drop(struct acme_entry *a, struct err *e)
{
    return change(a, drop, e);
}

int acme_entry_pending(struct acme_entry *a, const struct buf *pem, struct err *e)
{
    int lock = cert_store_lock(a->conf->certs.folder, e), rc;

    if (lock < 0)
        return -1;
    a->entry.about.pending_since = now_seconds();
    rc = save(a, e) == 0 ? write_file(a, CERT_FILE_PENDING, pem, e) : -1;
    close(lock);
    return rc == 0 ? again(a, e) : -1;
}
