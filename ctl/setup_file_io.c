/* setup_file_io.c - see setup_file_io.h. */
#include "setup_file_io.h"

#include "hex.h"
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside `path`, in the same folder; *out is to be freed. NULL without memory. */
static char *beside(const char *path)
{
    char *name = NULL;

    return asprintf(&name, "%s" WHOLE_FILE_FRESH, path) < 0 ? NULL : name;
}

static int hash_text(char out[SETUP_HASH], const struct buf *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(buf_text(text), text->len, digest, &len, EVP_sha256(), NULL) != 1 || len != 32)
        return -1;
    hex_write(out, digest, len);
    return 0;
}

static int read_text(struct setup_file *out, int fd, const char *path, struct err *e)
{
    char part[65536];
    ssize_t got;

    while ((got = read(fd, part, sizeof(part))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(e, "%s: cannot read it: %s", path, strerror(errno));
        buf_add(&out->text, part, (size_t)got);
        if (!buf_ok(&out->text))
            return err_set(e, "%s: longer than %zu octets", path, out->text.max);
    }
    return hash_text(out->hash, &out->text) == 0 ? 0 : err_set(e, "%s: no SHA-256 of it: no memory", path);
}

static int look_at_link(struct setup_file *out, const char *path, struct err *e)
{
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);

    if (len < 0)
        return err_set(e, "%s: cannot read the link: %s", path, strerror(errno));
    target[len] = '\0';
    out->link = strdup(target);
    return out->link != NULL ? 0 : err_set(e, "no memory");
}

static int look(struct setup_file *out, const char *path, struct err *e)
{
    struct stat st;
    int fd, rc;

    if (lstat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(e, "%s: %s", path, strerror(errno));
    if (S_ISLNK(st.st_mode) && look_at_link(out, path, e) != 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(e, "%s: cannot open it: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        rc = err_set(e, "%s: is no regular file", path);
    } else {
        out->there = true;
        out->mode = st.st_mode & 07777;
        out->uid = st.st_uid;
        out->gid = st.st_gid;
        rc = read_text(out, fd, path, e);
    }
    close(fd);
    return rc;
}

int setup_file_look(struct setup_file *out, const char *path, struct err *e)
{
    *out = (struct setup_file){.there = false};
    buf_init(&out->text, SETUP_FILE_MAX);
    if (look(out, path, e) == 0)
        return 0;
    setup_file_clear(out);
    return -1;
}

void setup_file_clear(struct setup_file *f)
{
    free(f->link);
    f->link = NULL;
    f->there = false;
    buf_wipe(&f->text); /* it may hold a key or a password */
}

/* `path` is no link. */
static int put(const char *path, const char *text, size_t len, const struct setup_owner *owner, struct err *e)
{
    const bool ours = owner->uid == geteuid() && owner->gid == getegid();
    const struct whole_file_owner as = {
        .mode = owner->mode, .uid = ours ? (uid_t)-1 : owner->uid, .gid = ours ? (gid_t)-1 : owner->gid};

    return whole_file_put(path, text, len, &as) == 0 ? 0 : err_set(e, "%s: cannot write it: %s", path, strerror(errno));
}

void setup_file_tidy(const char *path)
{
    char *target = realpath(path, NULL);
    char *fresh = beside(target != NULL ? target : path);

    if (fresh != NULL)
        (void)unlink(fresh);
    free(fresh);
    free(target);
}

int setup_file_put(const char *path, const char *text, size_t len, const struct setup_owner *owner, struct err *e)
{
    struct stat st;
    char *target = NULL;
    int rc;

    if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
        return put(path, text, len, owner, e);
    target = realpath(path, NULL);
    if (target == NULL)
        return err_set(e, "%s: the link leads nowhere: %s", path, strerror(errno));
    rc = put(target, text, len, owner, e);
    free(target);
    return rc;
}

/* The link as it was; postconf, for one, puts a file in its place. */
static int restore_link(const char *path, const char *target, struct err *e)
{
    char *fresh = beside(path);
    int rc;

    if (fresh == NULL)
        return err_set(e, "no memory");
    (void)unlink(fresh);
    rc = symlink(target, fresh) == 0 && rename(fresh, path) == 0 && whole_file_sync_name(path) == 0
             ? 0
             : err_set(e, "%s: cannot make the link: %s", path, strerror(errno));
    free(fresh);
    return rc;
}

static bool same_owner(const struct setup_file *a, const struct setup_file *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

int setup_file_restore(const char *path, const struct setup_file *f, struct err *e)
{
    const struct setup_owner owner = {.mode = f->mode, .uid = f->uid, .gid = f->gid};
    struct setup_file now;
    int rc = 0;

    if (setup_file_look(&now, path, e) != 0)
        return -1;
    if (f->link != NULL && (now.link == NULL || strcmp(now.link, f->link) != 0)) {
        setup_file_clear(&now);
        if (restore_link(path, f->link, e) != 0 || setup_file_look(&now, path, e) != 0)
            return -1;
    }
    if (f->there && (!now.there || strcmp(now.hash, f->hash) != 0 || !same_owner(&now, f)))
        rc = setup_file_put(path, buf_text(&f->text), f->text.len, &owner, e);
    else if (!f->there && now.there && (unlink(path) != 0 || whole_file_sync_name(path) != 0))
        rc = err_set(e, "%s: cannot take it away: %s", path, strerror(errno));
    setup_file_clear(&now);
    return rc;
}
