/*
 * dns_script.h - scripted resolvers on the test's own event base: loopback, ephemeral ports. All static, for one test
 * program each.
 *
 * A script has one word per query that arrives (after the last word: nothing), one letter per thing the server does:
 *
 * - G good answer, A the same with AD, N NXDOMAIN, S SERVFAIL, R REFUSED, T truncated
 * - B a broken packet with the right question, i wrong id, q wrong question, g garbage
 * - o a forged answer from another port, x nothing
 * - over TCP also: h half a reply and then nothing, c close, m two replies at once
 */
#ifndef POSTERN_DNS_SCRIPT_H
#define POSTERN_DNS_SCRIPT_H

#include <event2/event.h>

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h> /* needs some of the above */

#define FORGED_OCTET 66 /* last octet of the address in a forged answer */
#define QUERIES_MAX  64
#define WORD_BUF     32

struct server {
    const char *udp, *tcp; /* rest of the scripts */
    int fd, forger, listener, peer;
    struct event *udp_event, *accept_event, *peer_event;
    unsigned port;
    unsigned seen, seen_tcp;
    uint16_t id[QUERIES_MAX];
    in_port_t from[QUERIES_MAX];
};

static size_t packet_build(uint8_t *out, char kind, const uint8_t *query, size_t len)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
    size_t question = 12;

    while (question < len && query[question] != 0)
        question += query[question] + 1U;
    question += 5;
    assert_true(question <= len);
    memcpy(out, query, question);
    memset(out + 6, 0, 6); /* no records */
    out[2] = 0x81;         /* QR, RD */
    out[3] = 0x80;         /* RA */
    switch (kind) {
    case 'i':
        out[0] ^= 0x55;
        break;
    case 'q':
        out[13] ^= 1;
        break;
    case 'A':
        out[3] |= 0x20;
        break;
    case 'T':
        out[2] |= 0x02;
        return question;
    case 'N':
        out[3] |= 3;
        return question;
    case 'S':
        out[3] |= 2;
        return question;
    case 'R':
        out[3] |= 5;
        return question;
    case 'g':
        memset(out, 0xee, 40);
        return 40;
    default:
        break;
    }
    out[7] = 1;
    memcpy(out + question, record, sizeof(record));
    if (kind == 'o')
        out[question + sizeof(record) - 1] = FORGED_OCTET;
    return kind == 'B' ? question + 7 : question + sizeof(record);
}

/* The letters of the next word of the script. */
static size_t word_take(const char **script, char out[WORD_BUF])
{
    size_t n = strcspn(*script, " ");

    assert_true(n < WORD_BUF);
    memcpy(out, *script, n);
    out[n] = '\0';
    *script += n + strspn(*script + n, " ");
    return n;
}

static void on_datagram(evutil_socket_t fd, short what, void *ctx)
{
    struct server *s = ctx;
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    uint8_t query[1024], reply[1100];
    char word[WORD_BUF];
    size_t i, n;
    ssize_t len = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);

    (void)what;
    assert_true(len > 12);
    assert_true(s->seen < QUERIES_MAX);
    s->id[s->seen] = (uint16_t)(query[0] << 8 | query[1]);
    s->from[s->seen++] = from.sin_port;
    n = word_take(&s->udp, word);
    for (i = 0; i < n; i++) {
        size_t size = packet_build(reply, word[i], query, (size_t)len);

        if (word[i] != 'x') {
            assert_int_equal(
                sendto(word[i] == 'o' ? s->forger : fd, reply, size, 0, (struct sockaddr *)&from, from_len),
                (ssize_t)size);
        }
    }
}

static void tcp_reply(struct server *s, char kind, const uint8_t *query, size_t len)
{
    uint8_t reply[1100];
    size_t size = packet_build(reply + 2, kind, query, len);

    reply[0] = (uint8_t)(size >> 8);
    reply[1] = (uint8_t)(size & 0xff);
    size += 2;
    if (kind == 'm') {
        memcpy(reply + size, reply, size);
        size *= 2;
    }
    if (kind == 'c') {
        event_del(s->peer_event);
        close(s->peer);
        s->peer = -1;
    } else if (kind != 'x') {
        assert_int_equal(write(s->peer, reply, kind == 'h' ? size / 2 : size),
                         (ssize_t)(kind == 'h' ? size / 2 : size));
    }
}

static void on_peer(evutil_socket_t fd, short what, void *ctx)
{
    struct server *s = ctx;
    uint8_t query[1024];
    char word[WORD_BUF];
    ssize_t len = read(fd, query, sizeof(query));

    (void)what;
    if (len <= 0) {
        event_del(s->peer_event);
        return;
    }
    s->seen_tcp++;
    assert_int_equal(query[0] << 8 | query[1], len - 2);
    assert_int_equal(word_take(&s->tcp, word), 1);
    tcp_reply(s, word[0], query + 2, (size_t)len - 2);
}

static void peer_drop(struct server *s)
{
    if (s->peer_event != NULL) {
        event_free(s->peer_event);
        s->peer_event = NULL;
    }
    if (s->peer >= 0) {
        close(s->peer);
        s->peer = -1;
    }
}

static void on_accept(evutil_socket_t fd, short what, void *ctx)
{
    struct server *s = ctx;

    (void)what;
    peer_drop(s);
    s->peer = accept(fd, NULL, NULL);
    assert_true(s->peer >= 0);
    s->peer_event = event_new(event_get_base(s->accept_event), s->peer, EV_READ | EV_PERSIST, on_peer, s);
    event_add(s->peer_event, NULL);
}

static int bound_socket(int type, unsigned *port)
{
    struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)*port)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)&sa, len) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

static void server_open(struct server *s, struct event_base *base, const char *udp, const char *tcp)
{
    unsigned any = 0;

    memset(s, 0, sizeof(*s));
    s->peer = -1;
    s->udp = udp;
    s->tcp = tcp;
    do { /* a port that is free for both protocols */
        s->port = 0;
        s->listener = bound_socket(SOCK_STREAM, &s->port);
        s->fd = bound_socket(SOCK_DGRAM, &s->port);
        if (s->fd < 0)
            close(s->listener);
    } while (s->fd < 0);
    s->forger = bound_socket(SOCK_DGRAM, &any);
    assert_int_equal(listen(s->listener, 5), 0);
    s->udp_event = event_new(base, s->fd, EV_READ | EV_PERSIST, on_datagram, s);
    s->accept_event = event_new(base, s->listener, EV_READ | EV_PERSIST, on_accept, s);
    event_add(s->udp_event, NULL);
    event_add(s->accept_event, NULL);
}

static void server_close(struct server *s)
{
    peer_drop(s);
    event_free(s->udp_event);
    event_free(s->accept_event);
    close(s->fd);
    close(s->forger);
    close(s->listener);
}

#endif
