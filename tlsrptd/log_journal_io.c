/* log_journal_io.c - see log_journal_io.h. */
#include "log_journal_io.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "clock.h"
#include "log.h"
#include "millis.h"

#define IDENT_MAX 200

struct log_journal {
    sd_journal *journal;
    struct log_taker *taker;
    struct event *work; /* the next turn */
    struct event *news; /* the journal's descriptor, or NULL */
    struct log_position opened, last;
    uint64_t seen; /* of the entries to come */
    int failed;    /* what was logged last, and is so still; or 0 */
    bool paused;
    char ident[IDENT_MAX];
    char text[MAILLOG_LINE_MAX];
    char position[LOG_POSITION_MAX + 1];
};

/* ---- opening ---- */

static int open_journal(sd_journal **out, const char *folder, struct err *e)
{
    const char *name = folder == NULL ? "the journal" : folder;
    int rc = folder == NULL ? sd_journal_open(out, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                            : sd_journal_open_directory(out, folder, 0);

    if (rc < 0) {
        *out = NULL;
        return err_set(e, "%s: %s", name, strerror(-rc));
    }
    if (folder == NULL && sd_journal_has_runtime_files(*out) <= 0 && sd_journal_has_persistent_files(*out) <= 0)
        return err_set(e, "the journal: there is none, or it cannot be read: put the daemon's user into the group "
                          "systemd-journal");
    return 0;
}

static int match_user(sd_journal *journal, uid_t uid)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "_UID=%lu", (unsigned long)uid);
    return sd_journal_add_match(journal, text, 0);
}

/* Different fields must all fit; of one field any of its values. */
static int match_entries(sd_journal *journal, struct err *e)
{
    const struct passwd *postfix = getpwnam("postfix");
    int rc = sd_journal_add_match(journal, "SYSLOG_FACILITY=2", 0);

    if (rc >= 0)
        rc = sd_journal_add_match(journal, "_TRANSPORT=syslog", 0);
    if (rc >= 0)
        rc = match_user(journal, 0);
    if (rc >= 0 && postfix != NULL)
        rc = match_user(journal, postfix->pw_uid);
    if (postfix == NULL)
        log_warning("journal-without-postfix", "why=%s", "there is no user postfix: only entries of root are read");
    if (rc < 0)
        return err_set(e, "the journal: %s", strerror(-rc));
    return 0;
}

static void keep_position(struct log_journal *j)
{
    char *cursor;
    size_t len;

    if (sd_journal_get_cursor(j->journal, &cursor) < 0)
        return;
    len = strlen(cursor);
    if (len <= LOG_CURSOR_MAX) {
        j->last.kind = LOG_POSITION_JOURNAL;
        memcpy(j->last.cursor, cursor, len + 1);
    }
    free(cursor);
}

/* Behind the last entry. From a tail without entries libsystemd never comes back, so then at the beginning. */
static int seek_end(struct log_journal *j)
{
    int rc = sd_journal_seek_tail(j->journal);

    if (rc >= 0)
        rc = sd_journal_previous(j->journal);
    if (rc > 0)
        keep_position(j);
    return rc == 0 ? sd_journal_seek_head(j->journal) : rc;
}

static void lost(struct log_journal *j, const char *why)
{
    j->taker->stats.lost++;
    log_warning("log-lines-lost", "log=%s why=%s", "journal", why);
}

/* Some entries before the position's, which are seen, as that is. */
static int seek_warm(struct log_journal *j)
{
    int rc = sd_journal_previous_skip(j->journal, LOG_JOURNAL_WARM_UP - 1);

    if (rc < 0)
        return rc;
    j->seen = (uint64_t)rc + 1;
    /* The first of them is the next to be read. */
    rc = sd_journal_previous(j->journal);
    return rc == 0 ? sd_journal_seek_head(j->journal) : rc;
}

static int seek(struct log_journal *j)
{
    int rc;

    if (j->opened.kind == LOG_POSITION_NONE)
        return seek_end(j);
    if (j->opened.kind == LOG_POSITION_FILE) {
        lost(j, "the position is one in a file: the journal is read from its end on");
        return seek_end(j);
    }
    rc = sd_journal_seek_cursor(j->journal, j->opened.cursor);
    if (rc >= 0)
        rc = sd_journal_next(j->journal);
    if (rc > 0 && sd_journal_test_cursor(j->journal, j->opened.cursor) > 0)
        return seek_warm(j);
    lost(j, "the entry that was read last is gone: it is gone on with the next");
    if (rc > 0) {
        rc = sd_journal_previous(j->journal);
        return rc == 0 ? sd_journal_seek_head(j->journal) : rc;
    }
    return rc < 0 ? rc : seek_end(j);
}

/* ---- entries ---- */

/* A field's value, cut; libsystemd's own memory is good only until the next one is asked for. Returns its length, or
 * -1. */
static ssize_t field(struct log_journal *j, const char *name, char *out, size_t room)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;

    if (sd_journal_get_data(j->journal, name, &data, &len) < 0 || len < skip)
        return -1;
    len -= skip;
    if (len > room)
        len = room;
    memcpy(out, (const char *)data + skip, len);
    return (ssize_t)len;
}

static int64_t number_field(struct log_journal *j, const char *name)
{
    char text[24];
    ssize_t len = field(j, name, text, sizeof(text) - 1);
    char *end;
    long long n;

    if (len <= 0)
        return -1;
    text[len] = '\0';
    n = strtoll(text, &end, 10);
    return *end == '\0' && n >= 0 ? n : -1;
}

static bool read_time(struct log_journal *j, int64_t *at)
{
    int64_t sent = number_field(j, "_SOURCE_REALTIME_TIMESTAMP");
    uint64_t came;

    if (sent >= 0)
        *at = sent / 1000000;
    else if (sd_journal_get_realtime_usec(j->journal, &came) >= 0)
        *at = (int64_t)(came / 1000000);
    else
        return false;
    return true;
}

/* False: it is no program's that matters, or cannot be read. */
static bool read_entry(struct log_journal *j, struct maillog_entry *out)
{
    ssize_t ident = field(j, "SYSLOG_IDENTIFIER", j->ident, sizeof(j->ident)), text;
    int64_t pid;

    if (ident <= 0 || !maillog_ident_wanted(j->ident, (size_t)ident))
        return false;
    pid = number_field(j, "_PID");
    if (pid < 0)
        pid = number_field(j, "SYSLOG_PID");
    text = field(j, "MESSAGE", j->text, sizeof(j->text));
    if (text < 0 || pid < 0 || !read_time(j, &out->at))
        return false;
    out->ident = j->ident;
    out->ident_len = (size_t)ident;
    out->pid = (long)pid;
    out->text = j->text;
    out->text_len = (size_t)text;
    j->taker->stats.octets += out->text_len;
    return true;
}

const char *log_journal_position(struct log_journal *j)
{
    log_position_write(j->position, &j->last);
    return j->position;
}

static void take_entry(struct log_journal *j)
{
    struct maillog_entry entry;
    bool seen = j->seen > 0;

    j->taker->stats.lines++;
    if (seen)
        j->seen--;
    else
        keep_position(j);
    if (read_entry(j, &entry))
        j->paused = !j->taker->fn(j->taker->ctx, &entry, seen, log_journal_position(j));
}

/* Once, until it is something else. */
static void say_failed(struct log_journal *j, int rc)
{
    if (rc < 0 && rc != j->failed)
        log_warning("journal-unread", "why=%s", strerror(-rc));
    if (rc < 0)
        j->failed = rc;
}

/* Returns whether there may be more at once. */
static bool turn(struct log_journal *j)
{
    int64_t until = now_ms() + LOG_TURN_MS;

    say_failed(j, sd_journal_process(j->journal));
    while (!j->paused && now_ms() < until) {
        int rc = sd_journal_next(j->journal);

        if (rc == 0)
            j->taker->stats.all_read = now_seconds();
        if (rc <= 0) {
            say_failed(j, rc);
            return false;
        }
        j->failed = 0;
        take_entry(j);
    }
    return !j->paused;
}

static void on_work(evutil_socket_t fd, short what, void *ctx)
{
    struct log_journal *j = ctx;

    (void)fd;
    (void)what;
    if (j->paused)
        return;
    if (turn(j)) {
        timer_start(j->work, 0);
    } else if (!j->paused) {
        timer_start(j->work, LOG_POLL_MS);
        if (j->news != NULL)
            event_add(j->news, NULL);
    }
}

static void on_news(evutil_socket_t fd, short what, void *ctx)
{
    struct log_journal *j = ctx;

    (void)fd;
    (void)what;
    if (!j->paused)
        timer_start(j->work, LOG_TURN_MS);
}

static int start(struct log_journal *j, const char *folder, struct err *e)
{
    int rc;

    if (open_journal(&j->journal, folder, e) != 0 || match_entries(j->journal, e) != 0)
        return -1;
    (void)sd_journal_set_data_threshold(j->journal, MAILLOG_LINE_MAX + sizeof("MESSAGE="));
    rc = seek(j);
    return rc < 0 ? err_set(e, "the journal: %s", strerror(-rc)) : 0;
}

struct log_journal *log_journal_new(struct event_base *base, const char *folder, const struct log_position *position,
                                    struct log_taker *taker, struct err *e)
{
    struct log_journal *j = must_have(calloc(1, sizeof(*j)));
    int fd;

    j->taker = taker;
    j->opened = *position;
    if (position->kind == LOG_POSITION_JOURNAL)
        j->last = *position;
    if (start(j, folder, e) != 0) {
        log_journal_free(j);
        return NULL;
    }
    j->work = must_have(evtimer_new(base, on_work, j));
    fd = sd_journal_get_fd(j->journal);
    if (fd >= 0)
        j->news = must_have(event_new(base, fd, EV_READ, on_news, j));
    timer_start(j->work, 0);
    return j;
}

void log_journal_resume(struct log_journal *j)
{
    if (!j->paused)
        return;
    j->paused = false;
    timer_start(j->work, 0);
}

void log_journal_free(struct log_journal *j)
{
    if (j == NULL)
        return;
    if (j->news != NULL)
        event_free(j->news);
    if (j->work != NULL)
        event_free(j->work);
    if (j->journal != NULL)
        sd_journal_close(j->journal);
    free(j);
}
