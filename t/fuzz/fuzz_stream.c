/*
 * fuzz_stream.c - a stream of socketmap requests in any pieces, on a real connection of policyd (conn_io.c) with
 * answers in memory: the replies are those that the same requests get one by one, in order, and then the connection is
 * closed or not as the stream's last octets say. The client reads when it likes; the server's socket takes little at a
 * time. Look-ups are ours: they take as long as the input says.
 *
 * The recipe: requests first, then the pieces: how many octets are sent, how often the loop turns, how many are read.
 */
#include "conn_io.h"
#include "dest.h"
#include "recipe.h"

#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_MAX  150000
#define REPLIES_CAP (4 << 20)
#define REQUESTS    40
#define OUT_CAP     (2 * SOCKETMAP_REPLY_MAX) /* octets of replies that the server keeps */
#define TURNS_MAX   20000
#define LONGEST     40000 /* octets of a reply */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct octets {
    char *at;
    size_t len, cap;
};

struct lookup_wait {
    lookup_done_fn *fn; /* NULL: free */
    void *ctx;
    struct answer *answer;
    unsigned turns;
    bool learnt;
    char domain[DOMAIN_BUF];
};

/* What there is once. The server has one connection at a time. */
static struct event_base *base;
static struct conns conns;
static struct memory memory;
static struct lookup_wait lookup;
static unsigned delay;
static struct lists lists;
static struct answer *answers[3]; /* plain, with a long policy, none */

/* --- the look-ups --- */

struct lookup_wait *lookup_start(struct lookups *l, const struct nexthop *hop, lookup_done_fn *fn, void *ctx)
{
    size_t len = strlen(hop->name);

    (void)l;
    demand(lookup.fn == NULL && len <= DOMAIN_MAX);
    if (strcmp(hop->name, "full.test") == 0)
        return NULL;
    lookup = (struct lookup_wait){.fn = fn, .ctx = ctx, .answer = answers[hop->port == 587 ? 2 : len % 3]};
    lookup.turns = delay;
    lookup.learnt = strncmp(hop->name, "learn", 5) == 0 && hop->port != 587;
    memcpy(lookup.domain, hop->name, len + 1);
    return &lookup;
}

void lookup_cancel(struct lookup_wait *w)
{
    demand(w == &lookup && w->fn != NULL);
    w->fn = NULL;
}

void lookup_refresh(struct lookups *l, const struct nexthop *hop)
{
    (void)l;
    (void)hop;
}

void lookup_prepare(struct lookups *l, const struct nexthop *hop)
{
    (void)l;
    (void)hop;
}

bool lookup_remembers(const struct nexthop *hop)
{
    return hop->port != 587;
}

const struct lists *operator_lists_get(const struct operator_lists *o)
{
    (void)o;
    return &lists;
}

static struct answer *answer_copy(const struct answer *a)
{
    size_t len = sizeof(*a) + a->plain_len + a->tlsrpt_len;
    struct answer *copy = malloc(len);

    demand(copy != NULL);
    memcpy(copy, a, len);
    return copy;
}

static void put_answer(const char *domain, const struct answer *a)
{
    demand(memory_put(&memory, domain, strlen(domain), answer_copy(a)) == 0);
}

static void turn(void)
{
    struct lookup_wait done = lookup;

    demand(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
    if (lookup.fn == NULL || lookup.turns-- > 0)
        return;
    done = lookup;
    lookup.fn = NULL;
    if (done.learnt)
        put_answer(done.domain, done.answer);
    done.fn(done.ctx, &(struct lookup_result){.answer = done.answer, .source = LOOKUP_STSD});
}

/* --- the beginning --- */

static struct answer *make_answer(bool policy, unsigned lines, int64_t refresh_at)
{
    struct decide_options options = decide_options_default();
    struct dest *d = dest_new("good.test");
    struct decision decision;
    struct answer *a;
    struct buf body;

    demand(d != NULL);
    d->mx = DEST_MX_LIST;
    d->valid_until = 2000;
    buf_init(&body, STS_BODY_MAX);
    buf_str(&body, "version: STSv1\nmode: enforce\nmx: mx.good.test\nmax_age: 1000\n");
    for (; lines > 0; lines--)
        buf_printf(&body, "mx: a%u.long-label-long-label.good.test\n", lines);
    if (policy)
        demand(dest_sts_set_policy(&d->sts, "1", body.data, body.len, 1000, NULL) == 0);
    decide(&decision, d, DECIDE_FRESH, &options, 1000);
    a = answer_new(&decision, d, &options);
    demand(a != NULL && a->plain_len < LONGEST && a->tlsrpt_len < LONGEST);
    a->valid_until = a->stale_until = INT64_MAX;
    a->refresh_at = refresh_at;
    buf_clear(&body);
    dest_free(d);
    return a;
}

static void put_entry(enum list_id list, const char *text, const char *value)
{
    struct list_entry_in in = {.value = value, .author = "", .comment = "", .created = 1};
    struct list_pattern pattern;
    struct list_entry *entry;

    demand(list_pattern_parse(&pattern, text, strlen(text), NULL) == 0);
    entry = list_entry_new(list, &pattern, &in, NULL);
    demand(entry != NULL && list_put(lists.list[list], entry) == 0);
}

static void begin(void)
{
    static const uint8_t secret[16] = {7};

    log_open("fuzz_stream", true, LOGLEVEL_ERROR);
    base = event_base_new();
    demand(base != NULL && memory_init(&memory, 100, secret) == 0 && lists_init(&lists, secret) == 0);
    conns_init(&conns, base);
    conns.memory = &memory;
    answers[0] = make_answer(true, 0, INT64_MAX);
    answers[1] = make_answer(true, 250, 0);
    answers[2] = make_answer(false, 0, INT64_MAX);
    put_entry(LIST_SMTPS, "smtps.test", "");
    put_entry(LIST_REQUIRETLS, ".req.test", "opportunistic");
    put_entry(LIST_INBOUND_EXCLUDE, "192.0.2.0/24", "");
    put_answer("good.test", answers[0]);
    put_answer("long.test", answers[1]);
    put_answer("none.test", answers[2]);
}

/* --- the stream --- */

static void put_frame(struct octets *s, const char *data, size_t len)
{
    s->len += netstring_write(s->at + s->len, s->cap - s->len, data, len);
}

static void put_request(struct octets *s, struct recipe *in)
{
    static const char *const texts[] = {
        "postfix good.test",     "QUERYwithTLSRPT long.test",
        "QUERY none.test",       "postfix slow.test",
        "postfix learnt.test",   "postfix full.test",
        "postfix GOOD.Test.",    "postfix good.test:25",
        "postfix good.test:587", "postfix .test",
        "postfix [mx.test]",     "postfix a..b",
        "nosuchmap x",           "postfix",
        "postfix long.test",     "QUERYwithTLSRPT slow2.test",
        "ehlo 192.0.2.1",        "transport smtps.test",
        "transport slow3.test",  "postfix [mx.test]:587",
        "requiretls a.req.test", "requiretls [b.test]:25",
    };
    const size_t count = sizeof(texts) / sizeof(texts[0]);
    static char large[SOCKETMAP_REQUEST_MAX + 2];
    unsigned n = take(in);
    char raw[200];
    size_t len;

    if (n < 192) {
        put_frame(s, texts[n % count], strlen(texts[n % count]));
    } else if (n < 224) {
        put_frame(s, raw, take_octets(raw, take(in) % sizeof(raw), in));
    } else if (n < 240) { /* at and over the limit */
        memset(large, 'a', sizeof(large));
        memcpy(large, "postfix ", 8);
        put_frame(s, large, sizeof(large) - n % 4);
    } else { /* perhaps no netstring */
        len = take_octets(raw, n % 16, in);
        memcpy(s->at + s->len, raw, len);
        s->len += len;
    }
}

/* Up to 255 times the same, while the replies to it have room. */
static void put_requests(struct octets *s, struct recipe *in)
{
    unsigned n = take(in), times = take(in) + 1;
    size_t once;

    for (unsigned i = n % REQUESTS; i > 0 && s->len < s->cap / 8; i--)
        put_request(s, in);
    once = s->len;
    if (n % REQUESTS > 0 && times > REPLIES_CAP / LONGEST / (n % REQUESTS))
        times = REPLIES_CAP / LONGEST / (n % REQUESTS);
    for (; times > 1 && s->len + once <= s->cap; times--) {
        memcpy(s->at + s->len, s->at, once);
        s->len += once;
    }
}

/* --- the client --- */

static int client_new(bool narrow)
{
    int fd[2], least = 1;

    demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0);
    if (narrow)
        demand(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)) == 0);
    conn_open(&conns, fd[1], &conn_socketmap);
    demand(conns.count == 1);
    return fd[0];
}

static void client_end(int fd)
{
    close(fd);
    for (unsigned i = 0; conns.count > 0; i++) {
        demand(i < TURNS_MAX);
        turn();
    }
    demand(lookup.fn == NULL);
}

static void client_read(struct octets *out, int fd, size_t max)
{
    ssize_t got;

    if (max > out->cap - out->len)
        max = out->cap - out->len;
    got = recv(fd, out->at + out->len, max, 0);
    out->len += got > 0 ? (size_t)got : 0;
}

static void send_all(int fd, const char *data, size_t len)
{
    demand(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* It stands in one list, where it belongs, and keeps no more than it may. */
static void demand_bounds(void)
{
    size_t found = 0;

    for (size_t place = 0; place < CONN_PLACES; place++) {
        const struct conn *c = TAILQ_FIRST(&conns.list[place]);

        if (c == NULL)
            continue;
        found++;
        demand(c->place == place && (c->wait != NULL) == (place != CONN_FREE));
        demand(c->in_len <= CONN_READ_MAX + CONN_REQUEST_MAX && c->out.len < OUT_CAP);
    }
    demand(found == conns.count && conns.count <= 1);
}

/* Each request alone, and its reply before the next. Returns whether the connection must be closed after them. */
static bool ask_singly(struct octets *out, const struct octets *stream)
{
    int fd = client_new(false), rc;
    struct netstring ns;
    size_t at = 0;

    while ((rc = netstring_parse(&ns, stream->at + at, stream->len - at, SOCKETMAP_REQUEST_MAX)) == 1) {
        size_t begin = out->len;
        struct netstring reply;

        send_all(fd, stream->at + at, ns.total);
        at += ns.total;
        for (unsigned i = 0; netstring_parse(&reply, out->at + begin, out->len - begin, SOCKETMAP_REPLY_MAX) != 1;
             i++) {
            demand(i < TURNS_MAX && conns.count == 1);
            turn();
            client_read(out, fd, out->cap);
        }
        demand(reply.total == out->len - begin);
    }
    client_end(fd);
    return rc < 0;
}

static size_t pick_size(struct recipe *in)
{
    unsigned n = take(in);

    return n < 128 ? n : n < 250 ? (size_t)(n - 127) * 64 : 65536;
}

/* One piece: send, let the server work, read. Returns whether anything went over. */
static bool exchange(struct octets *out, size_t *sent, int fd, const struct octets *stream, struct recipe *in)
{
    bool more = in->left > 0;
    size_t want = more ? pick_size(in) : 65536, len = stream->len - *sent, before = out->len;
    ssize_t n = send(fd, stream->at + *sent, want < len ? want : len, MSG_NOSIGNAL);

    *sent += n > 0 ? (size_t)n : 0;
    for (unsigned i = more ? take(in) % 4 : 1; i > 0; i--)
        turn();
    client_read(out, fd, more ? pick_size(in) : 65536);
    demand_bounds();
    return more || n > 0 || out->len > before;
}

/* The same in pieces. Returns whether all of it was asked: the client may go, or the server end, before that. */
static bool ask_in_pieces(struct octets *out, const struct octets *stream, const struct octets *wanted, bool closed,
                          struct recipe *in)
{
    unsigned how = take(in), pieces = (how & 12) != 0 ? how >> 4 : UINT_MAX, idle = 0;
    int fd = client_new((how & 1) != 0);
    size_t sent = 0;

    for (; pieces > 0 && (sent < stream->len || out->len < wanted->len) && conns.count == 1; pieces--) {
        idle = exchange(out, &sent, fd, stream, in) ? 0 : idle + 1;
        demand(idle < TURNS_MAX);
    }
    if (pieces == 0) {
        conns.draining = (how & 4) != 0;
        client_end(fd);
        conns.draining = false;
        return false;
    }
    if ((how & 2) != 0)
        (void)shutdown(fd, SHUT_WR);
    for (unsigned i = 0; i < 8; i++)
        turn();
    demand((conns.count == 0) == (closed || (how & 2) != 0) || sent < stream->len);
    client_read(out, fd, out->cap);
    client_end(fd);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char stream_octets[STREAM_MAX], wanted_octets[REPLIES_CAP], got_octets[REPLIES_CAP];
    struct octets stream = {stream_octets, 0, STREAM_MAX}, wanted = {wanted_octets, 0, REPLIES_CAP};
    struct octets got = {got_octets, 0, REPLIES_CAP};
    struct recipe in = {data, size};
    bool closed, whole;

    if (base == NULL)
        begin();
    delay = take(&in) % 8;
    put_requests(&stream, &in);
    closed = ask_singly(&wanted, &stream);
    (void)cache_remove(memory.cache, "learnt.test", 11);
    whole = ask_in_pieces(&got, &stream, &wanted, closed, &in);
    (void)cache_remove(memory.cache, "learnt.test", 11);
    demand(got.len == wanted.len || (!whole && got.len < wanted.len));
    demand(memcmp(got.at, wanted.at, got.len) == 0);
    return 0;
}
