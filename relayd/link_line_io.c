/* link_line_io.c - see link_line_io.h. */
#include "link_line_io.h"

#include "log.h"
#include "millis.h"

/* It is over for all: each is told in a turn of its own. */
static void line_end(struct link_line *line)
{
    line->stuck = true;
    for (struct link_waiter *w = TAILQ_FIRST(&line->waiting); w != NULL; w = TAILQ_NEXT(w, next))
        event_active(w->turn, EV_TIMEOUT, 1);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
    struct link_waiter *w = ctx;
    struct link_line *line = w->line;
    bool given = w->given;

    (void)fd;
    (void)what;
    w->line = NULL;
    w->given = false;
    if (!given) {
        TAILQ_REMOVE(&line->waiting, w, next);
        if (!line->stuck)
            line_end(line);
    }
    w->tell(w->ctx, given);
}

void link_waiter_init(struct link_waiter *w, struct event_base *base, void (*tell)(void *ctx, bool place), void *ctx)
{
    *w = (struct link_waiter){.tell = tell, .ctx = ctx, .turn = evtimer_new(base, on_turn, w)};
    if (w->turn == NULL)
        log_oom();
}

void link_waiter_clear(struct link_waiter *w)
{
    link_line_quit(w);
    event_free(w->turn);
    w->turn = NULL;
}

void link_line_init(struct link_line *line, size_t limit, int64_t wait_ms)
{
    *line = (struct link_line){.limit = limit, .wait_ms = wait_ms};
    TAILQ_INIT(&line->waiting);
}

/* Places that are free go to those who have waited longest. */
static void line_move(struct link_line *line)
{
    struct link_waiter *w;

    while (line->taken < line->limit && (w = TAILQ_FIRST(&line->waiting)) != NULL) {
        TAILQ_REMOVE(&line->waiting, w, next);
        w->given = true;
        line->taken++;
        event_active(w->turn, EV_TIMEOUT, 1);
    }
    if (line->taken <= line->limit / 2)
        line->stuck = false;
}

void link_line_set(struct link_line *line, size_t limit, int64_t wait_ms)
{
    line->limit = limit;
    line->wait_ms = wait_ms;
    line_move(line);
}

enum link_line_result link_line_enter(struct link_line *line, struct link_waiter *w)
{
    struct timeval tv = millis(line->wait_ms);

    if (line->taken < line->limit) {
        line->taken++;
        return LINK_LINE_PASSED;
    }
    if (line->stuck || line->wait_ms <= 0)
        return LINK_LINE_FULL;
    w->line = line;
    TAILQ_INSERT_TAIL(&line->waiting, w, next);
    event_add(w->turn, &tv);
    return LINK_LINE_WAITS;
}

void link_line_quit(struct link_waiter *w)
{
    struct link_line *line = w->line;

    if (line == NULL)
        return;
    event_del(w->turn);
    w->line = NULL;
    if (!w->given) {
        TAILQ_REMOVE(&line->waiting, w, next);
        return;
    }
    w->given = false;
    link_line_leave(line);
}

void link_line_leave(struct link_line *line)
{
    line->taken--;
    line_move(line);
}

size_t link_line_waiting(const struct link_line *line)
{
    const struct link_waiter *w;
    size_t n = 0;

    TAILQ_FOREACH(w, &line->waiting, next)
    n++;
    return n;
}

bool link_line_empty(const struct link_line *line)
{
    return line->taken == 0 && TAILQ_EMPTY(&line->waiting);
}
