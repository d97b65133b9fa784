/*
 * smtp_client_io.c - see smtp_client_io.h. The steps of the beginning stand in the table `steps`; each waits for one
 * reply, behind which nothing may come before the next command.
 */
#include "smtp_client_io.h"

#include "clock.h"
#include "connect_socket.h"
#include "counters.h"
#include "log.h"
#include "millis.h"
#include "session_tell_io.h"
#include "smtp_envelope.h"
#include "smtp_stream_io.h"
#include "upstream_io.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define READ_SIZE 16384

enum state { BEGIN, CONNECTING, GREETING, EHLO, STARTTLS, HANDSHAKE, TLS_EHLO, READY, OVER };

struct smtp_client {
    struct smtp_client_settings settings;
    const struct relay_path *path; /* this and the next until READY */
    const struct relay_candidate *candidate;
    char domain[DOMAIN_BUF], host[DOMAIN_BUF], address[ADDRESS_BUF];
    char our_address[ADDRESS_BUF], helo[DOMAIN_BUF]; /* what the host calls itself; "" before it has */
    int64_t began;                                   /* now_us */
    const struct smtp_client_events *events;
    void *ctx;

    enum state state, reached; /* reached: before OVER */
    struct smtp_stream stream;
    struct event *readable, *writable, *deadline;
    struct smtp_reply reply;
    struct smtp_ehlo ehlo;
    bool offered_bare;
    bool full; /* room is to be said */

    bool held, dead; /* freed from within a callback: what runs goes on to its end */
};

const struct smtp_ehlo *smtp_client_ehlo(struct smtp_client *c)
{
    return &c->ehlo;
}

bool smtp_client_offered_bare(const struct smtp_client *c)
{
    return c->offered_bare;
}

const char *smtp_client_host(const struct smtp_client *c)
{
    return c->host;
}

const char *smtp_client_address(const struct smtp_client *c)
{
    return c->address;
}

size_t smtp_client_queued(const struct smtp_client *c)
{
    return evbuffer_get_length(c->stream.out);
}

struct smtp_client_progress smtp_client_progress(const struct smtp_client *c)
{
    enum state reached = c->state == OVER ? c->reached : c->state;

    return (struct smtp_client_progress){.connected = reached >= GREETING,
                                         .starttls = reached >= STARTTLS,
                                         .handshake = reached >= HANDSHAKE,
                                         .verified = reached >= TLS_EHLO};
}

void smtp_client_peer(struct tls_client_peer *out, const struct smtp_client *c)
{
    memset(out, 0, sizeof(*out));
    if (c->stream.ssl != NULL)
        tls_client_peer(out, c->stream.ssl);
}

/* --- the end --- */

static void events_drop(struct event **e)
{
    if (*e != NULL)
        event_free(*e);
    *e = NULL;
}

static void socket_close(struct smtp_client *c)
{
    events_drop(&c->readable);
    events_drop(&c->writable);
    smtp_stream_close(&c->stream);
    smtp_reply_clear(&c->reply);
}

static void memory_free(struct smtp_client *c)
{
    evbuffer_free(c->stream.out);
    SSL_CTX_free(c->settings.tls);
    free(c);
}

void smtp_client_cut(struct smtp_client *c)
{
    if (c == NULL)
        return;
    c->state = OVER;
    socket_close(c);
    events_drop(&c->deadline);
    c->dead = true;
    if (!c->held)
        memory_free(c);
}

/* Nobody waits for the reply, nor for the socket to take it. */
static void quit(struct smtp_client *c)
{
    if (smtp_client_queued(c) > 0)
        return;
    evbuffer_add(c->stream.out, "QUIT\r\n", 6);
    (void)smtp_stream_flush(&c->stream);
}

void smtp_client_free(struct smtp_client *c)
{
    if (c == NULL)
        return;
    if (c->state > CONNECTING && c->state != HANDSHAKE && c->state != OVER)
        quit(c);
    smtp_client_cut(c);
}

static const char *verified_by(const struct smtp_client *c)
{
    if (c->candidate->dane)
        return c->candidate->pkix ? "dane+pkix" : "dane";
    return "pkix";
}

/* One line for the beginning, badly ended or well (NOTHING). */
static void outcome_log(const struct smtp_client *c, enum relay_failed what, const char *why)
{
    const char *result = what == RELAY_FAILED_NOTHING ? "verified" : relay_failed_name(what);
    struct tls_client_peer peer;

    count_host(what);
    if (what == RELAY_FAILED_NOTHING)
        metric_observe(&relayd_counters[HISTOGRAM_CONNECT], now_us() - c->began);
    smtp_client_peer(&peer, c);
    log_info("connection", "domain=%s host=%s address=%s tls=%s cipher=%s verified=%s result=%s why=%s", c->domain,
             c->host, c->address, peer.version[0] != '\0' ? peer.version : NULL,
             peer.cipher[0] != '\0' ? peer.cipher : NULL, c->state >= TLS_EHLO ? verified_by(c) : NULL, result,
             why != NULL && why[0] != '\0' ? why : NULL);
}

static enum relay_failed handshake_failed(enum tls_client_result result)
{
    switch (result) {
    case TLS_CLIENT_UNTRUSTED:
        return RELAY_FAILED_CERT_UNTRUSTED;
    case TLS_CLIENT_EXPIRED:
        return RELAY_FAILED_CERT_EXPIRED;
    case TLS_CLIENT_NAME:
        return RELAY_FAILED_CERT_NAME;
    case TLS_CLIENT_TLSA:
        return RELAY_FAILED_CERT_TLSA;
    case TLS_CLIENT_REFUSED:
        return RELAY_FAILED_HANDSHAKE_REFUSED;
    case TLS_CLIENT_LOCAL:
        return RELAY_FAILED_LOCAL;
    case TLS_CLIENT_VERIFIED:
    case TLS_CLIENT_BROKEN:
        break;
    }
    return RELAY_FAILED_HANDSHAKE;
}

static struct session_verdict verdict(const struct tls_client_judgement *j)
{
    return (struct session_verdict){
        j->result == TLS_CLIENT_VERIFIED ? RELAY_FAILED_NOTHING : handshake_failed(j->result), j->words};
}

/* Once for each session: when the handshake is over, or can no more be. */
static void outcome_tell(const struct smtp_client *c, enum relay_failed what)
{
    struct session s = {.dest = c->path->dest,
                        .host = c->candidate->host,
                        .what = what,
                        .dane = {RELAY_FAILED_HANDSHAKE, ""},
                        .pkix = {RELAY_FAILED_HANDSHAKE, ""},
                        .sending_ip = c->our_address,
                        .receiving_ip = c->address,
                        .helo = c->helo};
    struct tls_client_judgement dane, pkix;

    if (c->stream.ssl != NULL) {
        tls_client_judged(&dane, &pkix, c->stream.ssl);
        s.dane = verdict(&dane);
        s.pkix = verdict(&pkix);
    }
    session_tell(c->settings.tell, &s);
}

static void fail(struct smtp_client *c, enum relay_failed what, const char *enhanced, const char *detail)
{
    if (c->state < READY)
        outcome_log(c, what, detail);
    if (c->state <= HANDSHAKE)
        outcome_tell(c, what);
    c->reached = c->state;
    c->state = OVER;
    events_drop(&c->readable);
    events_drop(&c->writable);
    event_del(c->deadline);
    c->events->failed(c->ctx, what, enhanced, detail);
}

static void fail_reply(struct smtp_client *c, enum relay_failed what)
{
    struct buf shown;

    buf_init(&shown, SMTP_REPLY_OCTETS_MAX);
    smtp_reply_show(&shown, &c->reply);
    quit(c);
    fail(c, what, c->reply.status, buf_text(&shown));
    buf_clear(&shown);
}

static const char without_end[] = "messages of TLS itself without end";

static void fail_lost(struct smtp_client *c)
{
    if (c->stream.own > SMTP_STREAM_OWN_MAX)
        fail(c, RELAY_FAILED_NONSENSE, NULL, without_end);
    else
        fail(c, RELAY_FAILED_LOST, NULL, NULL);
}

/* --- saying --- */

static void writable_arm(struct smtp_client *c)
{
    if (c->writable != NULL && smtp_stream_wants_write(&c->stream))
        event_add(c->writable, NULL);
}

void smtp_client_say(struct smtp_client *c, const char *octets, size_t len)
{
    if (c->state == OVER)
        return;
    if (evbuffer_add(c->stream.out, octets, len) != 0)
        log_oom();
    c->full = c->full || smtp_client_queued(c) >= UPSTREAM_HIGH_WATER;
    if (c->writable != NULL && !c->held) /* what runs ends with writing */
        event_active(c->writable, EV_WRITE, 0);
}

void smtp_client_wait(struct smtp_client *c, int64_t ms)
{
    struct timeval tv = millis(ms);

    if (c->state == OVER)
        return;
    event_del(c->deadline);
    if (ms > 0)
        event_add(c->deadline, &tv);
}

static void say_ehlo(struct smtp_client *c)
{
    struct buf line;

    buf_init(&line, 1024);
    smtp_ehlo_write(&line, c->settings.name);
    smtp_client_say(c, buf_text(&line), line.len);
    buf_clear(&line);
}

/* --- TLS --- */

static void handshake_go_on(struct smtp_client *c)
{
    unsigned long error = 0;
    struct err e = {""};
    int outcome = smtp_stream_handshake(&c->stream, &error);
    enum tls_client_result result;

    if (outcome == 0) {
        writable_arm(c);
        return;
    }
    result = tls_client_result(c->stream.ssl, error, &e);
    if (c->stream.own > SMTP_STREAM_OWN_MAX)
        (void)err_set(&e, "%s", without_end);
    if (outcome < 0 || result != TLS_CLIENT_VERIFIED) {
        fail(c, handshake_failed(result), NULL, e.text);
        return;
    }
    outcome_tell(c, RELAY_FAILED_NOTHING);
    c->state = TLS_EHLO;
    say_ehlo(c);
}

static void handshake_begin(struct smtp_client *c)
{
    const struct relay_candidate *candidate = c->candidate;
    const char *names[RELAY_NAMES_MAX];
    struct tls_client_demand demand = {.sni = relay_candidate_sni(candidate)};
    struct err e = {""};
    SSL *ssl;

    demand.pkix_noted = candidate->pkix_noted && c->settings.tell != NULL;
    if (candidate->pkix || demand.pkix_noted)
        demand.pkix_name = candidate->host->name;
    if (candidate->dane) {
        demand.tlsa = candidate->host->tlsa;
        demand.tlsa_count = candidate->host->tlsa_count;
        demand.dane_name = names;
        demand.dane_names = relay_candidate_names(names, c->path, candidate);
    }
    ssl = tls_client_new(c->settings.tls, &demand, &e);
    if (ssl == NULL || smtp_stream_secure(&c->stream, ssl) != 0) {
        fail(c, RELAY_FAILED_LOCAL, NULL, e.text);
        return;
    }
    c->state = HANDSHAKE;
    handshake_go_on(c);
}

/* --- the steps of the beginning --- */

static const enum relay_step steps[] = {[GREETING] = RELAY_STEP_GREETING,
                                        [EHLO] = RELAY_STEP_EHLO,
                                        [STARTTLS] = RELAY_STEP_STARTTLS,
                                        [TLS_EHLO] = RELAY_STEP_TLS_EHLO};

static void become_ready(struct smtp_client *c)
{
    event_del(c->deadline);
    outcome_log(c, RELAY_FAILED_NOTHING, NULL);
    c->path = NULL;
    c->candidate = NULL;
    c->state = READY;
    c->events->ready(c->ctx);
}

static void step_taken(struct smtp_client *c)
{
    switch (c->state) {
    case GREETING:
        c->state = EHLO;
        say_ehlo(c);
        break;
    case EHLO:
        smtp_ehlo_read(&c->ehlo, &c->reply);
        smtp_reply_host(c->helo, sizeof(c->helo), &c->reply);
        c->offered_bare = c->ehlo.requiretls;
        if (!c->ehlo.starttls) {
            quit(c);
            fail(c, RELAY_FAILED_STARTTLS_ABSENT, NULL, NULL);
            return;
        }
        c->state = STARTTLS;
        smtp_client_say(c, "STARTTLS\r\n", 10);
        break;
    case STARTTLS:
        smtp_reply_clear(&c->reply);
        memset(&c->ehlo, 0, sizeof(c->ehlo)); /* RFC 3207 4.2: what was learnt in clear is forgotten */
        handshake_begin(c);
        break;
    default:
        smtp_ehlo_read(&c->ehlo, &c->reply);
        become_ready(c);
        break;
    }
}

/* A whole reply, of which `took` of len octets were. What follows it was said too early, or by somebody in between. */
static void step_reply(struct smtp_client *c, size_t took, size_t len)
{
    enum relay_failed what = relay_failed_reply(steps[c->state], (int)c->reply.code, false);
    struct err e = {""};

    if (what != RELAY_FAILED_NOTHING)
        fail_reply(c, what);
    else if (c->state == STARTTLS && smtp_reply_ends_clear(took, len, &e) != 0)
        fail(c, RELAY_FAILED_STARTTLS_INJECTION, NULL, NULL);
    else if (took < len || (c->state != GREETING && smtp_client_queued(c) > 0))
        fail(c, RELAY_FAILED_NONSENSE, NULL, "it replies before it is asked");
    else
        step_taken(c);
}

/* --- reading --- */

static void octets_take(struct smtp_client *c, const char *octets, size_t len)
{
    while (len > 0 && c->state != OVER) {
        size_t took = 0;
        struct err e = {""};
        int whole = smtp_reply_read(&took, &c->reply, octets, len, &e);

        if (whole < 0) {
            fail(c, RELAY_FAILED_NONSENSE, NULL, e.text);
        } else if (whole == 1 && c->state != READY) {
            step_reply(c, took, len);
            return;
        } else if (whole == 1) {
            c->events->reply(c->ctx, &c->reply);
        }
        octets += took;
        len -= took;
    }
}

static void replies_read(struct smtp_client *c)
{
    char octets[READ_SIZE];
    size_t got = 0;
    int some = 1;

    while (c->state != OVER && c->state != HANDSHAKE && some == 1) {
        some = smtp_stream_read(&got, &c->stream, octets, sizeof(octets));
        if (some == 1)
            octets_take(c, octets, got);
    }
    if (some < 0 && c->state != OVER)
        fail_lost(c);
}

/* --- connecting --- */

static void on_socket(evutil_socket_t fd, short what, void *ctx);

static struct event *event_made(struct smtp_client *c, int fd, short what, event_callback_fn fn)
{
    struct event *e = event_new(c->settings.base, fd, what, fn, c);

    if (e == NULL)
        log_oom();
    return e;
}

/* Why the socket could not be had, or would not begin. */
static enum relay_failed socket_failed(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ? RELAY_FAILED_LOCAL
                                                                                     : RELAY_FAILED_CONNECT;
}

static void connect_begin(struct smtp_client *c)
{
    struct address a;

    errno = EINVAL;
    if (address_of_ip(&a, c->address, c->settings.port) != 0 || (c->stream.fd = connect_socket(&a)) < 0) {
        fail(c, socket_failed(errno), NULL, strerror(errno));
        return;
    }
    c->state = CONNECTING;
    c->readable = event_made(c, c->stream.fd, EV_READ | EV_PERSIST, on_socket);
    c->writable = event_made(c, c->stream.fd, EV_WRITE, on_socket);
    event_add(c->writable, NULL);
    smtp_client_wait(c, c->settings.connect_timeout_ms);
}

static void our_address_take(struct smtp_client *c)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    if (getsockname(c->stream.fd, (struct sockaddr *)&sa, &len) != 0 ||
        getnameinfo((struct sockaddr *)&sa, len, c->our_address, sizeof(c->our_address), NULL, 0, NI_NUMERICHOST) != 0)
        c->our_address[0] = '\0';
    c->our_address[strcspn(c->our_address, "%")] = '\0';
}

static void connect_ended(struct smtp_client *c)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(c->stream.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0) {
        fail(c, RELAY_FAILED_CONNECT, NULL, strerror(error));
        return;
    }
    our_address_take(c);
    c->state = GREETING;
    event_add(c->readable, NULL);
    smtp_client_wait(c, c->settings.command_timeout_ms);
}

/* --- the loop --- */

static void go_on(struct smtp_client *c)
{
    if (c->state == CONNECTING) {
        connect_ended(c);
        return;
    }
    if (c->state == HANDSHAKE)
        handshake_go_on(c);
    if (c->state != OVER && c->state != HANDSHAKE)
        replies_read(c);
    if (c->state == OVER || c->state == HANDSHAKE)
        return;
    if (smtp_stream_flush(&c->stream) != 0) {
        fail_lost(c);
        return;
    }
    writable_arm(c);
    if (c->full && smtp_client_queued(c) <= UPSTREAM_LOW_WATER) {
        c->full = false;
        c->events->room(c->ctx);
        writable_arm(c);
    }
}

static void release(struct smtp_client *c)
{
    c->held = false;
    if (c->dead)
        memory_free(c);
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
    struct smtp_client *c = ctx;

    (void)fd;
    (void)what;
    c->held = true;
    go_on(c);
    release(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct smtp_client *c = ctx;

    (void)fd;
    (void)what;
    c->held = true;
    if (c->state == BEGIN)
        connect_begin(c);
    else if (c->state == CONNECTING)
        fail(c, RELAY_FAILED_CONNECT_TIMEOUT, NULL, NULL);
    else if (c->state == HANDSHAKE)
        fail(c, RELAY_FAILED_HANDSHAKE, NULL, "it took too long");
    else
        fail(c, RELAY_FAILED_TIMEOUT, NULL, NULL);
    release(c);
}

struct smtp_client *smtp_client_new(const struct smtp_client_settings *settings, const struct relay_path *path,
                                    const struct relay_candidate *candidate, const char *address,
                                    const struct smtp_client_events *events, void *ctx)
{
    struct smtp_client *c = calloc(1, sizeof(*c));

    if (c == NULL)
        log_oom();
    c->settings = *settings;
    c->began = now_us();
    SSL_CTX_up_ref(c->settings.tls);
    c->path = path;
    c->candidate = candidate;
    memcpy(c->domain, path->dest->domain, sizeof(c->domain));
    memcpy(c->host, candidate->host->name, sizeof(c->host));
    snprintf(c->address, sizeof(c->address), "%s", address);
    c->stream.fd = -1;
    c->stream.out = evbuffer_new();
    if (c->stream.out == NULL)
        log_oom();
    smtp_reply_init(&c->reply);
    smtp_client_own(c, events, ctx);
    c->deadline = evtimer_new(settings->base, on_deadline, c);
    if (c->deadline == NULL)
        log_oom();
    event_active(c->deadline, EV_TIMEOUT, 0);
    return c;
}

void smtp_client_own(struct smtp_client *c, const struct smtp_client_events *events, void *ctx)
{
    c->events = events;
    c->ctx = ctx;
}

void smtp_client_expire(struct smtp_client *c)
{
    event_active(c->deadline, EV_TIMEOUT, 0);
}
