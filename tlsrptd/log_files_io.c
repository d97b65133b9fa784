/* log_files_io.c - see log_files_io.h. */
#include "log_files_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ascii.h"
#include "log.h"

int64_t log_file_changed(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static const char *why_not(int error)
{
    return error == EACCES ? ": put the daemon's user into the group that may read it (adm)" : "";
}

int log_file_open(const char *path, struct stat *st, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int error = errno;

    if (fd < 0) {
        err_set(e, "%s: %s%s", path, strerror(error), why_not(error));
    } else if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        (void)close(fd);
        fd = -1;
        error = EINVAL;
        err_set(e, "%s: this is no file, and only a file can be followed", path);
    }
    errno = error;
    return fd;
}

ssize_t log_file_before(int fd, int64_t offset, char out[LOG_FINGERPRINT_LEN])
{
    size_t len = offset < LOG_FINGERPRINT_LEN ? (size_t)offset : LOG_FINGERPRINT_LEN;

    return pread(fd, out, len, offset - (int64_t)len) == (ssize_t)len ? (ssize_t)len : -1;
}

/* What rotation puts behind a name: '.' or '-', and a number or date. */
static size_t number_len(const char *suffix)
{
    size_t len = *suffix == '.' || *suffix == '-' ? strspn(suffix + 1, "0123456789-_") : 0;

    return len > 0 ? 1 + len : 0;
}

static bool is_packed(const char *rest)
{
    static const char *const words[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(rest, words[i]) == 0)
            return true;
    return false;
}

static void add_file(struct log_files *files, const char *folder, const char *name, const char *suffix)
{
    struct log_file_entry f = {.current = *suffix == '\0'};
    const char *rest = suffix + number_len(suffix);

    f.packed = rest != suffix && is_packed(rest);
    if (!f.current && !f.packed && (rest == suffix || *rest != '\0'))
        return;
    if (asprintf(&f.path, "%s%s", folder, name) < 0)
        log_oom();
    if (stat(f.path, &f.st) != 0 || !S_ISREG(f.st.st_mode)) {
        free(f.path);
        return;
    }
    files->entry = must_have(reallocarray(files->entry, files->count + 1, sizeof(f)));
    files->entry[files->count++] = f;
}

/* The number of "name.7", or -1 for a date or the name alone. */
static long number_of(const struct log_file_entry *f)
{
    const char *name = strrchr(f->path, '/');
    size_t len = strlen(name);

    if (f->packed)
        len = (size_t)(strrchr(name, '.') - name);
    while (len > 0 && ascii_is_digit(name[len - 1]))
        len--;
    return len > 0 && name[len - 1] == '.' && ascii_is_digit(name[len]) ? strtol(name + len, NULL, 10) : -1;
}

/* Numbers grow with age; else the time of the last change tells, or a date in the name. */
static int older_first(const void *va, const void *vb)
{
    const struct log_file_entry *a = va, *b = vb;
    long na = number_of(a), nb = number_of(b);
    int64_t ta = log_file_changed(&a->st), tb = log_file_changed(&b->st);

    if (a->current != b->current)
        return a->current ? 1 : -1;
    if (na >= 0 && nb >= 0 && na != nb)
        return na > nb ? -1 : 1;
    if (ta != tb)
        return ta < tb ? -1 : 1;
    return strcmp(a->path, b->path);
}

void log_files_list(struct log_files *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder_len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    char *folder = must_have(slash == NULL ? strdup("./") : strndup(path, folder_len));
    size_t base = strlen(path + folder_len);
    DIR *dir = opendir(folder);

    *out = (struct log_files){NULL, 0};
    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;)
        if (strncmp(d->d_name, path + folder_len, base) == 0)
            add_file(out, folder, d->d_name, d->d_name + base);
    if (dir != NULL)
        (void)closedir(dir);
    else
        add_file(out, folder, path + folder_len, "");
    free(folder);
    if (out->count > 0)
        qsort(out->entry, out->count, sizeof(out->entry[0]), older_first);
}

void log_files_clear(struct log_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->entry[i].path);
    free(files->entry);
    *files = (struct log_files){NULL, 0};
}

static bool fits(const struct log_file_entry *f, const struct log_position *p)
{
    char before[LOG_FINGERPRINT_LEN];
    struct stat st;
    ssize_t len = -1;
    int fd;

    if (f->packed || f->st.st_size < p->offset)
        return false;
    fd = log_file_open(f->path, &st, NULL);
    if (fd < 0)
        return false;
    if (st.st_ino == f->st.st_ino && st.st_dev == f->st.st_dev)
        len = log_file_before(fd, p->offset, before);
    (void)close(fd);
    return len >= 0 && log_fingerprint(before, (size_t)len) == p->fingerprint;
}

size_t log_files_inode(const struct log_files *files, uint64_t device, uint64_t inode)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->entry[i].st.st_ino == inode && files->entry[i].st.st_dev == device)
            return i;
    return LOG_FILES_NONE;
}

size_t log_files_find(const struct log_files *files, const struct log_position *p)
{
    size_t same = log_files_inode(files, p->device, p->inode);

    if (same != LOG_FILES_NONE && fits(&files->entry[same], p))
        return same;
    for (size_t i = files->count; p->offset > 0 && i > 0; i--)
        if (fits(&files->entry[i - 1], p))
            return i - 1;
    return LOG_FILES_NONE;
}

size_t log_files_next(const struct log_files *files, size_t i, int64_t changed, const char **missing)
{
    *missing = NULL;
    for (size_t j = i == LOG_FILES_NONE ? 0 : i + 1; j < files->count; j++) {
        const struct log_file_entry *f = &files->entry[j];

        if (i == LOG_FILES_NONE && !f->current && log_file_changed(&f->st) <= changed)
            continue;
        if (f->packed)
            *missing = f->path;
        else if (f->current || f->st.st_size > 0)
            return j;
    }
    return LOG_FILES_NONE;
}
