/* log_source_io.c - see log_source_io.h. */
#include "log_source_io.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "log_file_io.h"
#include "log_journal_io.h"

struct log_source {
    struct log_taker taker;
    struct log_file *file;
    struct log_journal *journal; /* one of the two is NULL */
};

static const char journal_word[] = "journal";

static int open_source(struct log_source *s, struct event_base *base, const char *where, const struct log_position *p,
                       struct err *e)
{
    size_t word = sizeof(journal_word) - 1;

    if (strcmp(where, journal_word) == 0)
        s->journal = log_journal_new(base, NULL, p, &s->taker, e);
    else if (strncmp(where, journal_word, word) == 0 && where[word] == ':')
        s->journal = log_journal_new(base, where + word + 1, p, &s->taker, e);
    else
        s->file = log_file_new(base, where, p, &s->taker, e);
    return s->journal == NULL && s->file == NULL ? -1 : 0;
}

struct log_source *log_source_open(struct event_base *base, const char *where, const char *position,
                                   int64_t clock_offset, log_source_fn *fn, void *ctx, struct err *e)
{
    struct log_source *s = must_have(calloc(1, sizeof(*s)));
    struct log_position p;

    s->taker = (struct log_taker){.fn = fn, .ctx = ctx, .clock_offset = clock_offset};
    if (log_position_read(&p, position, e) != 0) {
        s->taker.stats.lost++;
        log_warning("log-lines-lost", "log=%s why=%s", where, e->text);
        p = (struct log_position){.kind = LOG_POSITION_NONE};
    }
    if (open_source(s, base, where, &p, e) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

void log_source_resume(struct log_source *s)
{
    if (s->file != NULL)
        log_file_resume(s->file);
    else
        log_journal_resume(s->journal);
}

void log_source_close(struct log_source *s)
{
    if (s == NULL)
        return;
    log_file_free(s->file);
    log_journal_free(s->journal);
    free(s);
}

const char *log_source_position(struct log_source *s)
{
    return s->file != NULL ? log_file_position(s->file) : log_journal_position(s->journal);
}

struct log_source_stats log_source_stats(const struct log_source *s)
{
    return s->taker.stats;
}
