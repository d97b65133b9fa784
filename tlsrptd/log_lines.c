/* log_lines.c - see log_lines.h. */
#include "log_lines.h"

#include <stdlib.h>
#include <string.h>

#include "maillog.h"

#define WAITING_MAX ((size_t)64 * 1024) /* octets of a line without an end that stay in the buffer */
#define BUFFER      (LOG_FINGERPRINT_LEN + WAITING_MAX + LOG_LINES_READ)

struct log_lines {
    int64_t base;      /* where data[0] stands in the file */
    size_t line;       /* behind the line given last */
    size_t start, end; /* of what was not given */
    size_t looked;     /* there is no line's end before this */
    bool passing;      /* the line's rest is passed over */
    bool cut;          /* the line's beginning is in head */
    bool away;         /* `line` is in the buffer no more, and these are its place */
    int64_t away_offset;
    uint64_t away_fingerprint;
    char head[MAILLOG_LINE_MAX];
    char data[BUFFER];
};

struct log_lines *log_lines_new(void)
{
    return calloc(1, sizeof(struct log_lines));
}

void log_lines_free(struct log_lines *l)
{
    free(l);
}

void log_lines_begin(struct log_lines *l, int64_t offset, bool inside, const char *before, size_t len)
{
    memcpy(l->data, before, len);
    l->base = offset - (int64_t)len;
    l->line = l->start = l->looked = l->end = len;
    l->away = l->cut = false;
    l->passing = inside;
}

static size_t at_most(size_t len, size_t max)
{
    return len < max ? len : max;
}

/* The place behind the line given last leaves the buffer: keep what position it has. */
static void put_away(struct log_lines *l)
{
    l->away_fingerprint = log_lines_fingerprint(l);
    l->away_offset = log_lines_offset(l);
    l->away = true;
}

/* Of a line that grows too long only the beginning is kept, of one that is passed over nothing. */
static void shorten(struct log_lines *l)
{
    if (!l->away && l->end - l->line > WAITING_MAX)
        put_away(l);
    if (!l->passing && !l->cut && l->end - l->start > WAITING_MAX) {
        memcpy(l->head, l->data + l->start, sizeof(l->head));
        l->cut = true;
    }
    if (l->away && (l->passing || l->cut))
        l->start = l->looked = l->end;
}

char *log_lines_room(struct log_lines *l)
{
    size_t keep;

    shorten(l);
    keep = l->away ? l->start : l->line;
    keep -= at_most(keep, LOG_FINGERPRINT_LEN);
    memmove(l->data, l->data + keep, l->end - keep);
    l->base += (int64_t)keep;
    l->start -= keep;
    l->looked -= keep;
    l->end -= keep;
    l->line -= at_most(l->line, keep);
    return l->data + l->end;
}

void log_lines_added(struct log_lines *l, size_t len)
{
    l->end += len;
}

static void pass_nul(struct log_lines *l)
{
    while (l->start < l->end && l->data[l->start] == '\0')
        l->start++;
    l->looked = l->start;
}

bool log_lines_next(struct log_lines *l, const char **line, size_t *len)
{
    for (;;) {
        const char *end;
        bool passed = l->passing;

        if (l->looked == l->start && !l->passing && !l->cut)
            pass_nul(l);
        end = memchr(l->data + l->looked, '\n', l->end - l->looked);
        if (end == NULL) {
            l->looked = l->end;
            return false;
        }
        *line = l->cut ? l->head : l->data + l->start;
        *len = l->cut ? sizeof(l->head) : (size_t)(end - *line);
        if (!l->cut && *len > 0 && (*line)[*len - 1] == '\r')
            (*len)--;
        *len = at_most(*len, MAILLOG_LINE_MAX);
        l->start = l->looked = l->line = (size_t)(end - l->data) + 1;
        l->away = l->cut = l->passing = false;
        if (!passed)
            return true;
    }
}

int64_t log_lines_offset(const struct log_lines *l)
{
    return l->away ? l->away_offset : l->base + (int64_t)l->line;
}

int64_t log_lines_end(const struct log_lines *l)
{
    return l->base + (int64_t)l->end;
}

uint64_t log_lines_fingerprint(const struct log_lines *l)
{
    size_t len = at_most(l->line, LOG_FINGERPRINT_LEN);

    return l->away ? l->away_fingerprint : log_fingerprint(l->data + l->line - len, len);
}

const char *log_lines_last(const struct log_lines *l, size_t *len)
{
    *len = at_most(l->end, LOG_FINGERPRINT_LEN);
    return l->data + l->end - *len;
}
