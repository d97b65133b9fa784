/* setup_sendmail_hold_io.c - flagged mail in Sendmail's queue is quarantined; see setup_sendmail_io.h. */
#include "setup_sendmail_io.h"

#include "ascii.h"
#include "hold_report.h"
#include "program_output_io.h"
#include "setup_sendmail_program_io.h"
#include "setup_sendmail_queue.h"
#include "whole_file.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BATCH  50
#define ID_MAX 64
#define QF_MAX ((size_t)8 << 20) /* octets of a control file */
#define TRIES  20                /* for messages that are being delivered just now */
#define REASON "flagged mail, and Postern was taken back"

struct flagged {
    char id[ID_MAX], first[256];
};

struct holding {
    struct hold_report *report;
    const struct setup_request *r;
    struct sendmail_place place;
    struct flagged found[BATCH]; /* that are not quarantined */
    size_t count;                /* of all that there are, also beyond BATCH */
};

/* --- what is there --- */

static bool is_id(const char *id)
{
    size_t len = strlen(id);

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alnum(id[i]))
            return false;
    return len > 0 && len < ID_MAX;
}

/* qf: a message; those in quarantine are hf. One that is gone meanwhile is delivered. */
static int look_at_file(struct holding *h, const char *folder, const char *name, struct err *e)
{
    const struct conf_milter *m = &h->r->conf->milter;
    const struct address_tag tags[2] = {{*m->delimiter, m->tag}, {*m->delimiter, m->optional_tag}};
    struct flagged f;
    char path[2 * PATH_MAX];
    struct buf qf;
    int rc;

    if (strncmp(name, "qf", 2) != 0 || !is_id(name + 2))
        return 0;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    buf_init(&qf, QF_MAX);
    rc = whole_file_read(&qf, path, e);
    if (rc == 1 && setup_sendmail_flagged(f.first, buf_text(&qf), tags, 2)) {
        (void)snprintf(f.id, sizeof(f.id), "%s", name + 2);
        if (h->count < BATCH)
            h->found[h->count] = f;
        h->count++;
    }
    buf_clear(&qf);
    return rc < 0 ? -1 : 0;
}

static int look_at_folder(struct holding *h, const char *path, struct err *e)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int rc = 0;

    if (dir == NULL)
        return err_set(e, "%s: %s", path, strerror(errno));
    while (rc == 0 && (entry = readdir(dir)) != NULL)
        rc = look_at_file(h, path, entry->d_name, e);
    closedir(dir);
    return rc;
}

/* A queue may have its control files in a folder qf. */
static int look_at_queue(struct holding *h, const char *path, struct err *e)
{
    char qf[PATH_MAX + 8];
    struct stat st;

    (void)snprintf(qf, sizeof(qf), "%s/qf", path);
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return 0;
    if (stat(qf, &st) == 0 && S_ISDIR(st.st_mode) && look_at_folder(h, qf, e) != 0)
        return -1;
    return look_at_folder(h, path, e);
}

static int look_at_queues(struct holding *h, const char *pattern, struct err *e)
{
    glob_t paths;
    int rc = glob(pattern, 0, NULL, &paths);

    if (rc == GLOB_NOMATCH)
        return 0;
    if (rc != 0)
        return err_set(e, "%s: the queue cannot be read", pattern);
    for (size_t i = 0; rc == 0 && i < paths.gl_pathc; i++)
        rc = look_at_queue(h, paths.gl_pathv[i], e);
    globfree(&paths);
    return rc;
}

static int look(struct holding *h, struct err *e)
{
    struct buf cf, folders;
    char *line, *rest = NULL;
    int rc;

    h->count = 0;
    buf_init(&cf, SETUP_FILE_MAX);
    buf_init(&folders, 65536);
    rc = whole_file_read(&cf, h->place.cf, e);
    if (rc == 0)
        rc = err_set(e, "%s: there is no such file", h->place.cf);
    if (rc == 1)
        setup_sendmail_queues(&folders, buf_text(&cf));
    for (line = rc == 1 && folders.len > 0 ? strtok_r(folders.data, "\n", &rest) : NULL; rc == 1 && line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        rc = look_at_queues(h, line, e) == 0 ? 1 : -1;
    buf_clear(&cf);
    buf_clear(&folders);
    return rc == 1 ? 0 : -1;
}

/* --- quarantine --- */

static int quarantine(const struct holding *h, struct err *e)
{
    char id[BATCH][ID_MAX + 4];
    const char *argv[BATCH + 8] = {h->place.program, "-C", h->place.cf, "-Q" REASON};
    size_t n = 4, count = h->count < BATCH ? h->count : BATCH;
    struct buf out;
    int rc;

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(id[i], sizeof(id[i]), "-qI%s", h->found[i].id);
        argv[n++] = id[i];
    }
    argv[n] = NULL;
    buf_init(&out, 1 << 20);
    rc = program_output(&out, (char *const *)argv, e);
    buf_clear(&out);
    return rc;
}

static bool is_found(const struct holding *h, const char *id)
{
    for (size_t i = 0; i < h->count && i < BATCH; i++)
        if (strcmp(h->found[i].id, id) == 0)
            return true;
    return false;
}

/* Of these, what is not to be found any more. */
static void name_those(struct holding *h, const struct holding *before)
{
    for (size_t i = 0; i < before->count && i < BATCH; i++)
        if (!is_found(h, before->found[i].id))
            hold_report_add(h->report, before->found[i].id, before->found[i].first);
}

/* Until there are none that are not in quarantine. A message that is being delivered is locked, and is tried again. */
static int hold_all(struct holding *h, struct err *e)
{
    static const struct timespec pause = {.tv_nsec = 250000000};
    struct holding before;

    for (int tries = 0; h->count > 0 && tries < TRIES; tries++) {
        before = *h;
        if (quarantine(h, e) != 0 || look(h, e) != 0)
            return -1;
        name_those(h, &before);
        if (h->count < before.count)
            tries = 0;
        else
            (void)nanosleep(&pause, NULL);
    }
    if (h->count > 0)
        return err_set(
            e, "%zu flagged messages are being delivered just now, the first is %s: try again, or stop Sendmail",
            h->count, h->found[0].id);
    return 0;
}

int setup_sendmail_hold(struct buf *said, const struct setup_request *r, struct err *e)
{
    struct hold_report report = {.said = said, .state = "in quarantine"};
    struct holding h = {.report = &report, .r = r};
    char release[2 * PATH_MAX];
    int rc;

    if (sendmail_find(&h.place, r, e) != 0 || look(&h, e) != 0)
        return -1;
    rc = hold_all(&h, e);
    (void)snprintf(release, sizeof(release), "%s -C %s -qQ -Q -qIID", h.place.program, h.place.cf);
    hold_report_end(&report, "sendmail", release, "; sendmail -bp -qQ shows it", "Let out");
    return rc == 0 ? (int)report.count : -1;
}
