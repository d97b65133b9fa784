/* metrics.c - see metrics.h. */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "http_server.h"
#include "log.h"

#define TEXT_MAX 1048576

struct metrics_server {
    struct http_server *http;
    const struct metric *metrics;
    size_t count, rows;
    void (*update)(void *ctx);
    void *ctx;
    void (*more)(void *ctx, struct buf *page);
    void *more_ctx;
    int64_t started;
};

struct metric *metrics_share(const struct metric *m, size_t count, size_t rows)
{
    size_t size = count * sizeof(*m);
    struct metric *table = mmap(NULL, rows * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (table == MAP_FAILED)
        log_oom();
    for (size_t row = 0; row < rows; row++)
        memcpy(table + row * count, m, size);
    return table;
}

static void render_page(struct metrics_server *s, struct buf *out)
{
    if (s->update != NULL)
        s->update(s->ctx);
    metrics_render_process(out, PACKAGE_VERSION, s->started);
    metrics_render(out, s->metrics, s->count, s->rows);
    if (s->more != NULL)
        s->more(s->more_ctx, out);
}

static void on_request(void *ctx, struct http_call *call, const struct http_request *request)
{
    struct metrics_server *s = ctx;
    struct http_answer answer = {.status = 200, .type = "text/plain; version=0.0.4; charset=utf-8"};
    struct buf page;

    if (!span_is(request->path, "/metrics")) {
        http_answer_text(call, 404, "The numbers are at /metrics.\n");
        return;
    }
    buf_init(&page, TEXT_MAX);
    render_page(s, &page);
    if (!buf_ok(&page))
        log_oom();
    answer.body = (struct span){page.data, page.len};
    http_answer(call, &answer);
    buf_clear(&page);
}

struct metrics_server *metrics_serve(struct event_base *base, const char *address, const struct metric *m, size_t count,
                                     size_t rows, void (*update)(void *ctx), void *ctx, struct err *e)
{
    struct metrics_server *s = must_have(calloc(1, sizeof(*s)));
    const struct http_server_options options = {
        .address = address, .connections_max = METRICS_CONNECTIONS_MAX, .fn = on_request, .ctx = s};

    *s = (struct metrics_server){.metrics = m,
                                 .count = count,
                                 .rows = rows,
                                 .update = update,
                                 .ctx = ctx,
                                 .started = now_seconds(),
                                 .http = http_server_new(base, &options, e)};
    if (s->http != NULL)
        return s;
    free(s);
    return NULL;
}

void metrics_server_more(struct metrics_server *s, void (*fn)(void *ctx, struct buf *page), void *ctx)
{
    if (s == NULL)
        return;
    s->more = fn;
    s->more_ctx = ctx;
}

void metrics_server_free(struct metrics_server *s)
{
    if (s == NULL)
        return;
    http_server_free(s->http);
    free(s);
}
