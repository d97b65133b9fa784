/* sni_look_io.c - see sni_look_io.h. Files are replaced as a whole, so their inodes and times tell of a change. */
#include "sni_look_io.h"

#include "clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MARK_START 0xcbf29ce484222325U /* FNV-1a, 64 bits */
#define MARK_PRIME 0x100000001b3U

static uint64_t mark_octets(uint64_t mark, const void *data, size_t len)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        mark = (mark ^ p[i]) * MARK_PRIME;
    return mark;
}

static uint64_t mark_number(uint64_t mark, uint64_t number)
{
    return mark_octets(mark, &number, sizeof(number));
}

static uint64_t mark_file(uint64_t mark, int folder, const char *path)
{
    struct stat st;

    if (fstatat(folder, path, &st, 0) != 0)
        return mark_number(mark, (uint64_t)errno);
    mark = mark_number(mark, (uint64_t)st.st_ino);
    mark = mark_number(mark, (uint64_t)st.st_size);
    mark = mark_number(mark, (uint64_t)st.st_ctim.tv_sec);
    return mark_number(mark, (uint64_t)st.st_ctim.tv_nsec);
}

/* Of one entry; names come in any order, so the marks are added up. */
static uint64_t mark_entry(int folder, const char *name)
{
    static const char *const file[] = {"live.pem", "about.json"};
    char path[CERT_NAME_MAX + sizeof("/about.json")];
    uint64_t mark = mark_octets(MARK_START, name, strlen(name));

    for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", name, file[i]);
        mark = mark_file(mark, folder, path);
    }
    return mark;
}

static int unreadable(const struct sni_look *l, struct err *e)
{
    return err_set(e, "%s: %s", l->folder, strerror(errno));
}

/* What would change with any file. Returns 0, or -1 with the reason. */
static int mark_folder(uint64_t *mark, const struct sni_look *l, struct err *e)
{
    DIR *dir = opendir(l->folder);
    const struct dirent *d;

    *mark = 1;
    if (dir == NULL)
        return errno == ENOENT && !l->known ? 0 : unreadable(l, e);
    while ((errno = 0, d = readdir(dir)) != NULL)
        if (cert_name_valid(d->d_name, NULL))
            *mark += mark_entry(dirfd(dir), d->d_name);
    if (errno != 0) {
        int why = errno;

        closedir(dir);
        errno = why;
        return unreadable(l, e);
    }
    closedir(dir);
    return 0;
}

/* When there is something new. */
static void read_anew(struct sni_look *l)
{
    struct cert_entries all = {0};
    int64_t now = now_seconds();
    uint64_t mark;

    if (mark_folder(&mark, l, &l->why) != 0 || (!l->anew && mark == l->seen && now < l->until))
        return;
    if (cert_entries_read(&all, l->folder, &l->why) != 0)
        return;
    l->table = sni_table_new(&all, now, l->answers, l->secret);
    cert_entries_clear(&all);
    if (l->table == NULL) {
        err_set(&l->why, "%s: out of memory", l->folder);
        return;
    }
    l->seen = mark;
    l->until = sni_table_until(l->table);
}

void sni_look(struct sni_look *l)
{
    int64_t began = now_ms();

    sni_table_free(l->drop);
    l->drop = NULL;
    l->table = NULL;
    l->why.text[0] = '\0';
    read_anew(l);
    l->ms = now_ms() - began;
}
