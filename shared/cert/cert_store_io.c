/*
 * cert_store_io.c - see cert_store_io.h: the files of the store, read and changed. Everything below the store's folder
 * is opened from its descriptor, and no symbolic link is followed there.
 */
#include "cert_store_io.h"
#include "cert_folder_io.h"
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE    ".lock" /* not the name of an entry */
#define LOCK_WAIT_MS 30000
#define LOCK_STEP_MS 50
#define FOLDER_MODE  0755
#define FILE_MODE    0600
#define PATH_TEXT    512

static const char *const file_names[] = {"live.pem",  "next.key",   "pending.pem",
                                         "fresh.pem", "about.json", "old/live.pem"};

bool cert_name_valid(const char *name, struct err *e)
{
    size_t len = strlen(name);

    if (len == 0 || len > CERT_NAME_MAX) {
        err_set(e, "the name of a certificate has 1 to %d characters", CERT_NAME_MAX);
        return false;
    }
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len || strchr("._-", name[0]) != NULL) {
        err_set(e, "\"%.64s\" cannot be the name of a certificate: a-z, 0-9, '.', '_' and '-', a letter or digit first",
                name);
        return false;
    }
    return true;
}

const char *cert_file_name(enum cert_file file)
{
    return file_names[file];
}

void cert_path(char *out, size_t size, const char *folder, const char *name, enum cert_file file)
{
    int len = snprintf(out, size, "%s/%s/%s", folder, name, file_names[file]);

    if (size > 0 && (len < 0 || (size_t)len >= size))
        out[0] = '\0';
}

/* "FOLDER/NAME/FILE: reason" of errno. */
static int failed(const char *folder, const char *name, enum cert_file file, struct err *e)
{
    return err_set(e, "%s/%s/%s: %s", folder, name, file_names[file], strerror(errno));
}

/* The store may be changed only where nobody else can put links into it. */
static int check_owner(int fd, const char *path, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return err_set(e,
                       "%s: others than root may write into it, so no private key is kept there: "
                       "chown root and chmod 755 it",
                       path);
    return 0;
}

int cert_folder_open(const char *folder, struct err *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 ? fd : err_set(e, "%s: %s", folder, strerror(errno));
}

int cert_folder_open_own(const char *folder, struct err *e)
{
    int fd = cert_folder_open(folder, e);

    if (fd >= 0 && check_owner(fd, folder, e) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A folder within another; made when it is not there and make says so. Returns a descriptor, or -1 with errno. */
static int open_within(int at, const char *name, bool make)
{
    int fd;

    if (make && mkdirat(at, name, FOLDER_MODE) == 0)
        (void)fsync(at);
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && make && fchmod(fd, FOLDER_MODE) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int cert_entry_open(int store, const char *name)
{
    return open_within(store, name, false);
}

int cert_store_lock(const char *folder, struct err *e)
{
    static const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    int store, fd;

    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST)
        return err_set(e, "%s: %s%s", folder, strerror(errno), geteuid() != 0 ? "; root may make it" : "");
    store = cert_folder_open_own(folder, e);
    if (store < 0)
        return -1;
    fd = openat(store, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    close(store);
    if (fd < 0)
        return err_set(e, "%s/" LOCK_FILE ": %s%s", folder, strerror(errno), errno == EACCES ? "; do it as root" : "");
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP_MS) {
        if (waited >= LOCK_WAIT_MS || (errno != EWOULDBLOCK && errno != EINTR)) {
            err_set(e, "%s: another program is changing the certificates: %s; try again", folder, strerror(errno));
            close(fd);
            return -1;
        }
        nanosleep(&step, NULL);
    }
    return fd;
}

static int replace(int at, const char *name, const char *octets, size_t len, const struct passwd *owner)
{
    const struct whole_file_owner as = {.mode = FILE_MODE,
                                        .uid = owner != NULL ? owner->pw_uid : (uid_t)-1,
                                        .gid = owner != NULL ? owner->pw_gid : (gid_t)-1};

    return whole_file_put_at(at, name, octets, len, &as);
}

/* The folder in which the file is, and its name there. Returns a descriptor, or -1 with errno. */
static int open_place(int store, const char *name, enum cert_file file, bool make, const char **base)
{
    const char *slash = strchr(file_names[file], '/');
    int entry = open_within(store, name, make);
    int old;

    *base = slash != NULL ? slash + 1 : file_names[file];
    if (entry < 0 || slash == NULL)
        return entry;
    old = open_within(entry, "old", make);
    close(entry);
    return old;
}

static int find_owner(const struct passwd **out, const char *owner, struct err *e)
{
    *out = NULL;
    if (owner == NULL || owner[0] == '\0' || geteuid() != 0)
        return 0;
    *out = getpwnam(owner);
    return *out != NULL ? 0 : err_set(e, "there is no user \"%s\" (policyd.user), whose the certificates are", owner);
}

int cert_file_write(const char *folder, const char *name, enum cert_file file, const char *octets, size_t len,
                    const char *owner, struct err *e)
{
    const struct passwd *who;
    const char *base;
    int store, place, rc;

    if (!cert_name_valid(name, e) || find_owner(&who, owner, e) != 0)
        return -1;
    store = cert_folder_open_own(folder, e);
    if (store < 0)
        return -1;
    place = open_place(store, name, file, true, &base);
    rc = place < 0 ? -1 : replace(place, base, octets, len, who);
    if (rc != 0)
        failed(folder, name, file, e);
    if (place >= 0)
        close(place);
    if (rc != 0)
        (void)unlinkat(store, name, AT_REMOVEDIR); /* if it is empty */
    close(store);
    return rc;
}

int cert_about_save(const char *folder, const char *name, const struct cert_about *about, const char *owner,
                    struct err *e)
{
    struct buf text;
    int rc;

    buf_init(&text, CERT_ABOUT_MAX);
    cert_about_write(&text, about);
    rc = buf_ok(&text) ? cert_file_write(folder, name, CERT_FILE_ABOUT, buf_text(&text), text.len, owner, e)
                       : err_set(e, "about.json: too long, or out of memory");
    buf_clear(&text);
    return rc;
}

int cert_file_remove(const char *folder, const char *name, enum cert_file file, struct err *e)
{
    const char *base;
    int store, place, rc;

    if (!cert_name_valid(name, e))
        return -1;
    store = cert_folder_open_own(folder, e);
    if (store < 0)
        return -1;
    place = open_place(store, name, file, false, &base);
    rc = place < 0 ? -1 : unlinkat(place, base, 0);
    if (rc == 0)
        rc = fsync(place);
    else if (errno == ENOENT)
        rc = 0;
    if (rc != 0)
        failed(folder, name, file, e);
    if (place >= 0)
        close(place);
    close(store);
    return rc;
}

/* A second name of live.pem as old/live.pem. Returns 0, or -1 with errno. */
static int keep_old(int entry)
{
    int old = open_within(entry, "old", true);
    int rc, why;

    if (old < 0)
        return -1;
    (void)unlinkat(old, "live.pem.new", 0);
    rc = linkat(entry, "live.pem", old, "live.pem.new", 0);
    if (rc == 0) {
        rc = renameat(old, "live.pem.new", old, "live.pem");
        (void)unlinkat(old, "live.pem.new", 0); /* rename does nothing when both are one file */
    } else if (errno == ENOENT)                 /* nothing was live before */
        rc = 0;
    if (rc == 0)
        rc = fsync(old);
    why = errno;
    close(old);
    errno = why;
    return rc;
}

static int activate(const char *folder, const char *name, enum cert_file file, struct err *e)
{
    int store, entry, rc = -1;

    if (!cert_name_valid(name, e))
        return -1;
    store = cert_folder_open_own(folder, e);
    if (store < 0)
        return -1;
    entry = open_within(store, name, false);
    if (entry >= 0 && faccessat(entry, file_names[file], F_OK, AT_SYMLINK_NOFOLLOW) == 0 && keep_old(entry) == 0 &&
        renameat(entry, file_names[file], entry, "live.pem") == 0)
        rc = fsync(entry);
    if (rc != 0)
        failed(folder, name, file, e);
    if (entry >= 0)
        close(entry);
    close(store);
    return rc;
}

int cert_pending_activate(const char *folder, const char *name, struct err *e)
{
    return activate(folder, name, CERT_FILE_PENDING, e);
}

int cert_fresh_activate(const char *folder, const char *name, struct err *e)
{
    if (activate(folder, name, CERT_FILE_FRESH, e) != 0)
        return -1;
    return cert_file_remove(folder, name, CERT_FILE_PENDING, e);
}
