/*
 * metrics.c - the numbers as text, and the small HTTP server that gives them out. It knows no users and no bound on
 * connections but a time-out: its address belongs on loopback or a network of one's own.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "listen_socket.h"
#include "log.h"

#define TEXT_MAX     1048576
#define HEADERS_MAX  8192
#define BODY_MAX     1024
#define IDLE_SECONDS 10
#define SOCKET_MODE  0660 /* of a unix socket */

static const struct timeval short_of_descriptors = {0, 100000};

struct metrics_server {
    struct evhttp *http;
    struct evconnlistener *listener;
    struct event *again;
    struct listen_socket socket;
    const struct metric *metrics;
    size_t count, rows;
    void (*update)(void *ctx);
    void *ctx;
};

/* The name without labels. */
static int family_length(const char *name)
{
    return (int)strcspn(name, "{");
}

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

uint64_t metrics_sum(const struct metric *m, size_t count, size_t rows, size_t which)
{
    uint64_t sum = 0;

    for (size_t row = 0; row < rows; row++)
        sum += m[row * count + which].value;
    return sum;
}

void metrics_clear_gauges(struct metric *row, size_t count)
{
    bool gauge = false;

    for (size_t i = 0; i < count; i++) {
        if (row[i].type != NULL) /* else as the one before, of the same family */
            gauge = strcmp(row[i].type, "gauge") == 0;
        if (gauge)
            row[i].value = 0;
    }
}

void metrics_render(struct buf *out, const struct metric *m, size_t count, size_t rows)
{
    size_t i;

    for (i = 0; i < count; i++) {
        int family = family_length(m[i].name);

        if (m[i].help != NULL)
            buf_printf(out, "# HELP %.*s %s\n", family, m[i].name, m[i].help);
        if (m[i].type != NULL)
            buf_printf(out, "# TYPE %.*s %s\n", family, m[i].name, m[i].type);
        buf_printf(out, "%s %" PRIu64 "\n", m[i].name, metrics_sum(m, count, rows, i));
    }
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct metrics_server *s = arg;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();
    struct buf text;

    if (body == NULL)
        log_oom();
    if (s->update != NULL)
        s->update(s->ctx);
    buf_init(&text, TEXT_MAX);
    metrics_render(&text, s->metrics, s->count, s->rows);
    if (!buf_ok(&text)) {
        evhttp_send_error(req, HTTP_INTERNAL, NULL);
    } else {
        evhttp_add_header(headers, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        evbuffer_add(body, buf_text(&text), text.len);
        evhttp_send_reply(req, HTTP_OK, "OK", body);
    }
    buf_clear(&text);
    evbuffer_free(body);
}

/* evhttp has set the listener's argument to something of its own, so this one is found here. */
static struct metrics_server *the_server;

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct metrics_server *s = the_server;

    (void)arg;
    if (s == NULL)
        return;
    log_warning("accept-failed", "address=%s", s->socket.address.text);
    evconnlistener_disable(listener);
    event_add(s->again, &short_of_descriptors);
}

static void on_again(evutil_socket_t sock, short what, void *arg)
{
    struct metrics_server *s = arg;

    (void)sock;
    (void)what;
    evconnlistener_enable(s->listener);
}

static void http_set_up(struct metrics_server *s)
{
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET);
    evhttp_set_max_headers_size(s->http, HEADERS_MAX);
    evhttp_set_max_body_size(s->http, BODY_MAX);
    evhttp_set_timeout(s->http, IDLE_SECONDS);
    if (evhttp_set_cb(s->http, "/metrics", on_request, s) != 0)
        log_oom();
}

struct metrics_server *metrics_serve(struct event_base *base, const char *address, const struct metric *m, size_t count,
                                     size_t rows, void (*update)(void *ctx), void *ctx, struct err *e)
{
    struct metrics_server *s = must_have(calloc(1, sizeof(*s)));
    struct evhttp_bound_socket *bound;

    s->metrics = m;
    s->count = count;
    s->rows = rows;
    s->update = update;
    s->ctx = ctx;
    if (listen_socket_open(&s->socket, address, SOCKET_MODE, e) != 0) {
        free(s);
        return NULL;
    }
    s->http = must_have(evhttp_new(base));
    s->again = must_have(evtimer_new(base, on_again, s));
    http_set_up(s);
    bound = must_have(evhttp_accept_socket_with_handle(s->http, s->socket.fd));
    s->listener = evhttp_bound_socket_get_listener(bound);
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    the_server = s;
    return s;
}

void metrics_server_free(struct metrics_server *s)
{
    if (s == NULL)
        return;
    the_server = NULL;
    event_free(s->again);
    evhttp_free(s->http); /* with the descriptor */
    s->socket.fd = -1;
    listen_socket_close(&s->socket);
    free(s);
}
