/* cert_entry_io.c - see cert_store_io.h: entries of the store, read and removed. */
#include "cert_folder_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABOUT_FILE_MAX 65537 /* one more than cert_about_read takes, which then says so */

/* All of a descriptor, which it closes. */
static int read_all(struct buf *out, int fd, const char *path, size_t max, struct err *e)
{
    struct stat st;
    ssize_t got = 0;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, "%s: is not a file", path);
    }
    if (st.st_size < 0 || (size_t)st.st_size > max) {
        close(fd);
        return err_set(e, "%s: has %lld octets, at most %zu are taken", path, (long long)st.st_size, max);
    }
    if (!buf_reserve(out, (size_t)st.st_size + 1)) {
        close(fd);
        return err_set(e, "%s: out of memory", path);
    }
    while (out->len < (size_t)st.st_size) {
        got = read(fd, out->data + out->len, (size_t)st.st_size - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        out->len += (size_t)got;
    }
    out->data[out->len] = '\0';
    close(fd);
    return got < 0 ? err_set(e, "%s: %s", path, strerror(errno)) : 0;
}

/* This process is short of something: the file may well be fine. */
static bool is_shortage(int why)
{
    return why == EMFILE || why == ENFILE || why == ENOMEM;
}

/*
 * Returns 1, 0 when there is none, -1 with the reason, or -2: it cannot be known now. *why: errno of one that is there
 * and cannot be opened; else it is left alone.
 */
static int read_file(struct buf *out, int entry, enum cert_file file, size_t max, int *why, struct err *e)
{
    const char *name = cert_file_name(file);
    int fd = openat(entry, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), error = errno;

    buf_init(out, max + 1);
    if (fd < 0 && is_shortage(error))
        return err_set(e, "%s: %s", name, strerror(error)) - 1;
    if (fd < 0 && error == ENOENT)
        return 0;
    if (fd < 0) {
        *why = error;
        return err_set(e, "%s: %s", name, strerror(error));
    }
    return read_all(out, fd, name, max, e) == 0 ? 1 : -1;
}

static int read_live(struct cert_entry *out, int entry, struct err *e)
{
    struct buf pem;
    int rc = read_file(&pem, entry, CERT_FILE_LIVE, CERT_PEM_MAX, &out->trouble_errno, e);

    if (rc == 1 && (cert_chain_read(&out->live, buf_text(&pem), pem.len, e) != 0 ||
                    cert_facts_read(&out->leaf, out->live.cert[0], e) != 0))
        rc = err_prefix(e, "live.pem");
    else if (rc == 1 && out->live.key == NULL)
        rc = err_set(e, "live.pem: there is no private key in it");
    buf_wipe(&pem);
    return rc < 0 ? rc : 0;
}

static int read_about(struct cert_entry *out, int entry, struct err *e)
{
    struct buf text;
    int rc = read_file(&text, entry, CERT_FILE_ABOUT, ABOUT_FILE_MAX, &out->trouble_errno, e);

    if (rc == 1 && cert_about_read(&out->about, buf_text(&text), text.len, e) != 0)
        rc = err_prefix(e, "about.json");
    buf_clear(&text);
    if (rc != 1 && cert_about_read(&out->about, "{}", 2, NULL) != 0) /* nothing is known */
        return err_set(e, "out of memory");
    return rc < 0 ? rc : 0;
}

/*
 * The entry whose folder is open. What is wrong with its files is its trouble. Returns 0, or -1 with the reason: they
 * cannot be read now.
 */
static int read_entry(struct cert_entry *out, int entry, const char *name, struct err *e)
{
    struct err about_why = {""}, live_why = {""};
    int about, live;

    memset(out, 0, sizeof(*out));
    snprintf(out->name, sizeof(out->name), "%.64s", name);
    about = read_about(out, entry, &about_why);
    live = read_live(out, entry, &live_why);
    if (about == -2 || live == -2) {
        cert_entry_clear(out);
        return err_set(e, "%s/%s", name, about == -2 ? about_why.text : live_why.text);
    }
    out->about_unread = about != 0;
    if (about != 0 && live != 0)
        snprintf(out->trouble, sizeof(out->trouble), "%.98s; %.98s", about_why.text, live_why.text);
    else if (about != 0 || live != 0)
        snprintf(out->trouble, sizeof(out->trouble), "%.199s", about != 0 ? about_why.text : live_why.text);
    return 0;
}

/* One that may not be looked into is an entry all the same. */
static int read_closed(struct cert_entry *out, const char *name, int error, struct err *e)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->name, sizeof(out->name), "%.64s", name);
    out->about_unread = true;
    out->trouble_errno = error;
    snprintf(out->trouble, sizeof(out->trouble), "its folder cannot be read: %.100s", strerror(error));
    return cert_about_read(&out->about, "{}", 2, e);
}

/* The store. Returns a descriptor, -1 with the reason, or -2: there is none, which is no trouble. */
static int open_store(const char *folder, struct err *e)
{
    struct err why = {""};
    int store = cert_folder_open(folder, &why);

    if (store < 0 && errno == ENOENT)
        return -2;
    return store >= 0 ? store : err_set(e, "%s", why.text);
}

int cert_entry_read(struct cert_entry *out, const char *folder, const char *name, struct err *e)
{
    int store, entry, rc;

    memset(out, 0, sizeof(*out));
    if (!cert_name_valid(name, e))
        return -1;
    store = open_store(folder, e);
    if (store < 0)
        return store == -2 ? 0 : -1;
    entry = cert_entry_open(store, name);
    if (entry < 0) {
        int why = errno;

        close(store);
        return why == ENOENT ? 0 : err_set(e, "%s/%s: %s", folder, name, strerror(why));
    }
    rc = read_entry(out, entry, name, e);
    close(entry);
    close(store);
    return rc == 0 ? 1 : err_prefix(e, "%s", folder);
}

void cert_entry_clear(struct cert_entry *entry)
{
    if (entry == NULL)
        return;
    cert_about_clear(&entry->about);
    cert_chain_clear(&entry->live);
    cert_facts_clear(&entry->leaf);
    memset(entry, 0, sizeof(*entry));
}

static int make_room(struct cert_entries *all, size_t *room, struct err *e)
{
    size_t more = *room == 0 ? 16 : *room * 2;
    struct cert_entry *grown;

    if (all->count < *room)
        return 0;
    grown = all->count < CERT_ENTRIES_MAX ? realloc(all->entry, more * sizeof(*grown)) : NULL;
    if (grown == NULL)
        return err_set(e, "more than %d certificates, or out of memory", CERT_ENTRIES_MAX);
    all->entry = grown;
    *room = more;
    return 0;
}

static int add_entry(struct cert_entries *all, size_t *room, int store, const char *name, struct err *e)
{
    int entry = cert_entry_open(store, name), why = errno, rc;

    if (entry < 0 && (why == ENOENT || why == ENOTDIR || why == ELOOP)) /* gone, or not ours */
        return 0;
    if (entry < 0 && is_shortage(why))
        return err_set(e, "%s: %s", name, strerror(why));
    rc = make_room(all, room, e);
    if (rc == 0)
        rc = entry < 0 ? read_closed(&all->entry[all->count], name, why, e)
                       : read_entry(&all->entry[all->count], entry, name, e);
    if (rc == 0)
        all->count++;
    if (entry >= 0)
        close(entry);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct cert_entry *)a)->name, ((const struct cert_entry *)b)->name);
}

static int read_all_entries(struct cert_entries *out, DIR *dir, struct err *e)
{
    const struct dirent *one;
    size_t room = 0;

    for (errno = 0; (one = readdir(dir)) != NULL; errno = 0)
        if (cert_name_valid(one->d_name, NULL) && add_entry(out, &room, dirfd(dir), one->d_name, e) != 0)
            return -1;
    return errno == 0 ? 0 : err_set(e, "%s", strerror(errno));
}

int cert_entries_read(struct cert_entries *out, const char *folder, struct err *e)
{
    int store = open_store(folder, e);
    DIR *dir;
    int rc;

    memset(out, 0, sizeof(*out));
    if (store < 0)
        return store == -2 ? 0 : -1;
    dir = fdopendir(store);
    if (dir == NULL) {
        close(store);
        return err_set(e, "%s: %s", folder, strerror(errno));
    }
    rc = read_all_entries(out, dir, e);
    closedir(dir);
    if (rc != 0) {
        cert_entries_clear(out);
        return err_prefix(e, "%s", folder);
    }
    if (out->count > 0)
        qsort(out->entry, out->count, sizeof(*out->entry), by_name);
    return 0;
}

void cert_entries_clear(struct cert_entries *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->count; i++)
        cert_entry_clear(&all->entry[i]);
    free(all->entry);
    memset(all, 0, sizeof(*all));
}

static bool is_kept(const char *name)
{
    static const char *const kept[] = {".", "..", "old", "about.json"};

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (strcmp(name, kept[i]) == 0)
            return true;
    return false;
}

/*
 * All files of a folder, links as links; about.json last, so that one that was removed by half is still known to be in
 * use. Returns 0, or -1 with errno.
 */
static int empty_folder(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *one;
    int rc = 0;

    if (dir == NULL) {
        if (copy >= 0)
            close(copy);
        return -1;
    }
    rewinddir(dir);
    while (rc == 0 && (one = readdir(dir)) != NULL)
        if (!is_kept(one->d_name))
            rc = unlinkat(fd, one->d_name, 0);
    closedir(dir);
    if (rc == 0 && unlinkat(fd, "about.json", 0) != 0 && errno != ENOENT)
        rc = -1;
    return rc;
}

static int remove_within(int store, const char *name)
{
    int entry = cert_entry_open(store, name);
    int old = entry < 0 ? -1 : cert_entry_open(entry, "old");
    int rc = entry < 0 ? -1 : 0;

    if (old >= 0)
        rc = empty_folder(old) != 0 || unlinkat(entry, "old", AT_REMOVEDIR) != 0 ? -1 : 0;
    if (rc == 0)
        rc = empty_folder(entry) != 0 || unlinkat(store, name, AT_REMOVEDIR) != 0 ? -1 : fsync(store);
    if (old >= 0)
        close(old);
    if (entry >= 0)
        close(entry);
    return rc;
}

int cert_entry_remove(const char *folder, const char *name, struct err *e)
{
    int store, rc;

    if (!cert_name_valid(name, e))
        return -1;
    store = cert_folder_open_own(folder, e);
    if (store < 0)
        return -1;
    rc = remove_within(store, name);
    if (rc != 0)
        err_set(e, "%s/%s: %s", folder, name, strerror(errno));
    close(store);
    return rc;
}
