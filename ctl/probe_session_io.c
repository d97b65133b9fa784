/* probe_session_io.c - see probe_session_io.h. Each state waits for one reply, or for the handshake. */
#include "probe_session_io.h"

#include "ascii.h"
#include "connect_socket.h"
#include "log.h"
#include "millis.h"
#include "probe_tls.h"
#include "relay_path.h"
#include "smtp_ehlo.h"
#include "smtp_envelope.h"
#include "smtp_stream_io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define READ_SIZE 16384

enum state { BEGIN, CONNECTING, GREETING, EHLO, STARTTLS, HANDSHAKE, TLS_EHLO, OVER };

struct probe_session {
    struct probe_session_settings settings;
    const struct dest *dest;
    const struct dest_host *host;
    struct probe_address *out;
    probe_session_fn *done;
    void *ctx;

    enum state state;
    struct smtp_stream stream;
    struct smtp_reply reply;
    struct event *readable, *writable, *deadline;
    int hello; /* the version that the server chose, as in its ServerHello; 0: there was none */
};

static void events_drop(struct event **e)
{
    if (*e != NULL)
        event_free(*e);
    *e = NULL;
}

/* --- the end --- */

static void say(struct probe_session *s, const char *octets, size_t len)
{
    if (evbuffer_add(s->stream.out, octets, len) != 0)
        log_oom();
}

static void close_all(struct probe_session *s)
{
    events_drop(&s->readable);
    events_drop(&s->writable);
    smtp_stream_close(&s->stream);
    smtp_reply_clear(&s->reply);
}

/* done is called from the loop, where nothing of ours runs. */
static void end(struct probe_session *s)
{
    bool polite = s->state > CONNECTING && s->state != HANDSHAKE && evbuffer_get_length(s->stream.out) == 0;

    if (polite && s->stream.fd >= 0) {
        say(s, "QUIT\r\n", 6);
        (void)smtp_stream_flush(&s->stream);
    }
    close_all(s);
    s->state = OVER;
    event_active(s->deadline, EV_TIMEOUT, 0);
}

static void fail(struct probe_session *s, bool later, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void fail(struct probe_session *s, bool later, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(s->out->why, sizeof(s->out->why), fmt, ap);
    va_end(ap);
    ascii_make_printable(s->out->why);
    s->out->later = later;
    end(s);
}

static const char *awaited(const struct probe_session *s)
{
    static const char *const words[] = {[BEGIN] = "its turn",
                                        [CONNECTING] = "the connection",
                                        [GREETING] = "its greeting",
                                        [EHLO] = "the reply to EHLO",
                                        [STARTTLS] = "the reply to STARTTLS",
                                        [HANDSHAKE] = "the end of the TLS handshake",
                                        [TLS_EHLO] = "the reply to EHLO under TLS",
                                        [OVER] = "nothing"};

    return words[s->state];
}

static void fail_reply(struct probe_session *s)
{
    struct buf shown;

    buf_init(&shown, SMTP_REPLY_OCTETS_MAX);
    smtp_reply_show(&shown, &s->reply);
    fail(s, s->reply.code / 100 == 4, "%s is %.150s", awaited(s), buf_text(&shown));
    buf_clear(&shown);
}

static void fail_lost(struct probe_session *s)
{
    fail(s, false, "it closed the connection before %s", awaited(s));
}

/* --- TLS --- */

static void say_ehlo(struct probe_session *s)
{
    struct buf line;

    buf_init(&line, 1024);
    smtp_ehlo_write(&line, s->settings.name);
    say(s, buf_text(&line), line.len);
    buf_clear(&line);
}

static void writable_arm(struct probe_session *s)
{
    if (s->writable != NULL && smtp_stream_wants_write(&s->stream))
        event_add(s->writable, NULL);
}

static void handshake_go_on(struct probe_session *s)
{
    unsigned long error = 0;
    struct err e = {""};
    int outcome = smtp_stream_handshake(&s->stream, &error);

    if (outcome == 0) {
        writable_arm(s);
        return;
    }
    probe_tls_note(s->out, s->stream.ssl);
    if (outcome < 0) {
        probe_tls_why(s->stream.ssl, error, s->hello, &e);
        if (s->stream.own > SMTP_STREAM_OWN_MAX)
            (void)err_set(&e, "it sends messages of TLS itself without end");
        fail(s, false, "%s", e.text);
        return;
    }
    s->out->stage = PROBE_TLS;
    s->state = TLS_EHLO;
    say_ehlo(s);
}

static void handshake_begin(struct probe_session *s)
{
    struct err e = {""};
    SSL *ssl = probe_tls_new(s->settings.tls, s->dest, s->host, &s->hello, &e);

    if (ssl == NULL || smtp_stream_secure(&s->stream, ssl) != 0) {
        fail(s, true, "TLS cannot be begun here: %s", e.text);
        return;
    }
    s->state = HANDSHAKE;
    handshake_go_on(s);
}

/* --- replies --- */

static void step_taken(struct probe_session *s)
{
    struct smtp_ehlo ehlo;

    switch (s->state) {
    case GREETING:
        smtp_reply_host(s->out->greeting, sizeof(s->out->greeting), &s->reply);
        ascii_make_printable(s->out->greeting);
        s->out->stage = PROBE_GREETED;
        s->state = EHLO;
        say_ehlo(s);
        break;
    case EHLO:
        smtp_ehlo_read(&ehlo, &s->reply);
        s->out->offers_starttls = ehlo.starttls;
        if (!ehlo.starttls) {
            fail(s, false, "it does not offer STARTTLS");
            return;
        }
        s->state = STARTTLS;
        say(s, "STARTTLS\r\n", 10);
        break;
    case STARTTLS:
        s->out->stage = PROBE_STARTTLS;
        smtp_reply_clear(&s->reply);
        handshake_begin(s);
        break;
    default:
        smtp_ehlo_read(&ehlo, &s->reply);
        s->out->offers_requiretls = ehlo.requiretls;
        s->out->stage = PROBE_DONE;
        end(s);
        break;
    }
}

/* A whole reply, of which took of len octets were. */
static void step_reply(struct probe_session *s, size_t took, size_t len)
{
    struct err e = {""};
    unsigned wanted = s->state == GREETING || s->state == STARTTLS ? 220 : 250;

    if (s->reply.code / 10 != wanted / 10)
        fail_reply(s);
    else if (s->state == STARTTLS && smtp_reply_ends_clear(took, len, &e) != 0)
        fail(s, false, "behind its reply to STARTTLS is text in clear, which somebody in between may have put there");
    else if (took < len)
        fail(s, false, "it replies before it is asked");
    else
        step_taken(s);
}

static void replies_read(struct probe_session *s)
{
    char octets[READ_SIZE];
    size_t got = 0, took = 0;
    struct err e = {""};
    int some = 1, whole;

    while (s->state != OVER && s->state != HANDSHAKE && some == 1) {
        some = smtp_stream_read(&got, &s->stream, octets, sizeof(octets));
        if (some < 0) {
            fail_lost(s);
        } else if (some == 1) {
            whole = smtp_reply_read(&took, &s->reply, octets, got, &e);
            if (whole < 0)
                fail(s, false, "%s: %s", awaited(s), e.text);
            else if (whole == 1)
                step_reply(s, took, got);
        }
    }
}

/* --- connecting, and the loop --- */

static void on_socket(evutil_socket_t fd, short what, void *ctx);

static struct event *event_made(struct probe_session *s, short what)
{
    struct event *e = event_new(s->settings.base, s->stream.fd, what, on_socket, s);

    if (e == NULL)
        log_oom();
    return e;
}

/* This machine has no address of the family, or no route. */
static bool is_unrouted(int error)
{
    return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static void connect_begin(struct probe_session *s)
{
    struct address a;

    errno = EINVAL;
    if (address_of_ip(&a, s->out->address, s->settings.port) != 0 || (s->stream.fd = connect_socket(&a)) < 0) {
        s->out->unrouted = is_unrouted(errno);
        fail(s, s->out->unrouted || errno != ECONNREFUSED, "%s%s", s->out->unrouted ? "unreachable from here: " : "",
             strerror(errno));
        return;
    }
    s->state = CONNECTING;
    s->readable = event_made(s, EV_READ | EV_PERSIST);
    s->writable = event_made(s, EV_WRITE);
    event_add(s->writable, NULL);
}

static void connect_ended(struct probe_session *s)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(s->stream.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0) {
        fail(s, error != ECONNREFUSED, "it does not take the connection: %s", strerror(error));
        return;
    }
    s->out->stage = PROBE_CONNECTED;
    s->state = GREETING;
    event_add(s->readable, NULL);
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
    struct probe_session *s = ctx;

    (void)fd;
    (void)what;
    if (s->state == CONNECTING) {
        connect_ended(s);
        return;
    }
    if (s->state == HANDSHAKE)
        handshake_go_on(s);
    if (s->state != OVER && s->state != HANDSHAKE)
        replies_read(s);
    if (s->state == OVER || s->state == HANDSHAKE)
        return;
    if (smtp_stream_flush(&s->stream) != 0)
        fail_lost(s);
    else
        writable_arm(s);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct probe_session *s = ctx;

    (void)fd;
    (void)what;
    if (s->state == OVER) {
        s->done(s->ctx);
    } else if (s->state == BEGIN) {
        timer_start(s->deadline, s->settings.ms);
        connect_begin(s);
    } else {
        if (s->state == HANDSHAKE)
            probe_tls_note(s->out, s->stream.ssl);
        fail(s, true, "no time was left to wait for %s", awaited(s));
    }
}

struct probe_session *probe_session_new(const struct probe_session_settings *settings, const struct dest *dest,
                                        const struct dest_host *host, struct probe_address *out, probe_session_fn *done,
                                        void *ctx)
{
    struct probe_session *s = calloc(1, sizeof(*s));

    if (s == NULL)
        log_oom();
    *s =
        (struct probe_session){.settings = *settings, .dest = dest, .host = host, .out = out, .done = done, .ctx = ctx};
    s->stream.fd = -1;
    s->stream.out = evbuffer_new();
    s->deadline = evtimer_new(settings->base, on_deadline, s);
    if (s->stream.out == NULL || s->deadline == NULL)
        log_oom();
    smtp_reply_init(&s->reply);
    out->pkix = out->dane = (struct tls_client_judgement){TLS_CLIENT_BROKEN, ""};
    event_active(s->deadline, EV_TIMEOUT, 0);
    return s;
}

void probe_session_free(struct probe_session *s)
{
    if (s == NULL)
        return;
    close_all(s);
    events_drop(&s->deadline);
    evbuffer_free(s->stream.out);
    free(s);
}
