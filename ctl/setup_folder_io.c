/* setup_folder_io.c - see setup_folder_io.h. */
#include "setup_folder_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody but root and you can put something else in the place of what is in this folder. */
static bool is_safe_parent(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid()) && ((st->st_mode & 022) == 0 || (st->st_mode & S_ISVTX) != 0);
}

/* A folder above it that belongs to a daemon's user would be as bad: he could put his own in its place. */
static int check_parents(const char *path, struct err *e)
{
    char *folder = realpath(path, NULL);
    char *slash;
    struct stat st;
    int rc = 0;

    if (folder == NULL)
        return err_set(e, "%s: %s", path, strerror(errno));
    while (rc == 0 && (slash = strrchr(folder, '/')) != NULL) {
        *slash = '\0';
        if (lstat(*folder != '\0' ? folder : "/", &st) != 0)
            rc = err_set(e, "%s: %s", folder, strerror(errno));
        else if (!is_safe_parent(&st))
            rc = err_set(e, "%s: others may put another folder in its place, as %s is not of root's alone", path,
                         folder);
    }
    free(folder);
    return rc;
}

/* Whoever could write here could have root's --undo write anything anywhere. */
static int check_owner(const char *path, struct err *e)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        return err_set(e, "%s: is no folder that %s alone may write to", path, geteuid() == 0 ? "root" : "you");
    return check_parents(path, e);
}

static int make_folder(const char *path, struct err *e)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(e, "%s: cannot make the folder: %s", path, strerror(errno));
    return check_owner(path, e);
}

static int name_file(char out[PATH_MAX], const char *folder, const char *name)
{
    return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ? 0 : -1;
}

/* One for all mail servers: they change the same postern.conf. */
static int take_lock(struct setup_folder *f, const char *base, struct err *e)
{
    char path[PATH_MAX];

    (void)name_file(path, base, "lock");
    f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if (flock(f->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(f->lock);
    return err_set(e, "another posternctl setup is at work (%s is locked)", path);
}

static int name_folder(char out[512], const char *base, const char *name, struct err *e)
{
    if (snprintf(out, 512, "%s/%s", base, name) < 512)
        return 0;
    return err_set(e, "posternctl.setup_folder: %.100s is too long", base);
}

int setup_folder_open(struct setup_folder *f, const char *base, const char *name, struct err *e)
{
    if (name_folder(f->path, base, name, e) != 0 || make_folder(base, e) != 0 || make_folder(f->path, e) != 0)
        return -1;
    return take_lock(f, base, e);
}

void setup_folder_close(struct setup_folder *f)
{
    close(f->lock);
}

int setup_folder_manifest(struct setup_manifest *out, const char *base, const char *name, struct err *e)
{
    char folder[512], path[PATH_MAX];
    struct setup_file file;
    int rc;

    if (name_folder(folder, base, name, e) != 0)
        return -1;
    (void)name_file(path, folder, "manifest");
    if (access(path, F_OK) != 0)
        return errno == ENOENT || errno == EACCES ? 0 : err_set(e, "%s: %s", path, strerror(errno));
    if (check_owner(base, e) != 0 || check_owner(folder, e) != 0 || setup_file_look(&file, path, e) != 0)
        return -1;
    rc = setup_manifest_read(out, buf_text(&file.text), file.text.len, e);
    setup_file_clear(&file);
    return rc == 0 ? 1 : err_prefix(e, "%s", path);
}

static int put(const struct setup_folder *f, const char *name, const char *text, size_t len, struct err *e)
{
    const struct setup_owner owner = {.mode = 0600, .uid = geteuid(), .gid = getegid()};
    char path[PATH_MAX];

    (void)name_file(path, f->path, name);
    return setup_file_put(path, text, len, &owner, e);
}

int setup_folder_write(const struct setup_folder *f, const struct setup_manifest *m, struct err *e)
{
    struct buf text;
    int rc;

    buf_init(&text, SETUP_MANIFEST_MAX);
    if (setup_manifest_write(&text, m) == 0)
        rc = put(f, "manifest", buf_text(&text), text.len, e);
    else
        rc = err_set(e, "what is changed cannot be written down: no memory, or more than %zu octets", text.max);
    buf_clear(&text);
    return rc;
}

static void kept_name(char out[64], unsigned number, const char *ending)
{
    (void)snprintf(out, 64, "%u.%s", number, ending);
}

int setup_folder_keep(const struct setup_folder *f, unsigned number, const char *ending, const struct buf *text,
                      struct err *e)
{
    char name[64];

    kept_name(name, number, ending);
    return put(f, name, buf_text(text), text->len, e);
}

int setup_folder_kept(struct setup_file *out, const struct setup_folder *f, const struct setup_kept *kept,
                      struct err *e)
{
    char name[64], path[PATH_MAX];

    *out = (struct setup_file){.there = false};
    buf_init(&out->text, SETUP_FILE_MAX);
    if (kept->before[0] != '\0') {
        kept_name(name, kept->number, "kept");
        (void)name_file(path, f->path, name);
        if (setup_file_look(out, path, e) != 0)
            return -1;
        if (strcmp(out->hash, kept->before) != 0) {
            setup_file_clear(out);
            return err_set(e, "%s: is not %s as it was", path, kept->path);
        }
        out->mode = kept->mode;
        out->uid = kept->uid;
        out->gid = kept->gid;
    }
    out->link = kept->link != NULL ? strdup(kept->link) : NULL;
    return 0;
}

int setup_folder_forget(const struct setup_folder *f, const struct setup_manifest *m, bool copies, struct err *e)
{
    char name[64], path[PATH_MAX];

    (void)name_file(path, f->path, "manifest");
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set(e, "%s: cannot take it away: %s", path, strerror(errno));
    for (size_t i = 0; copies && i < m->file_count; i++) {
        kept_name(name, m->file[i].number, "kept");
        (void)name_file(path, f->path, name);
        (void)unlink(path);
    }
    return 0;
}
