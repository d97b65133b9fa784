/*
 * fuzz_lmtp_session.c - a session of an MTA that says anything, over a socket, to next servers that do what the names
 * of their domains say (t/relayd/fake_upstream.c). Replies are lines as they should be, and no upstream is left over;
 * fake upstreams themselves see to it that none is fed at a wrong time.
 *
 * The input: octets of a piece, turns of the event loop behind each piece, then what the MTA says.
 */
#include "fake_upstream.h"
#include "lmtp_reply.h"
#include "lmtp_session_io.h"
#include "log.h"
#include "recipe.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void turn(const struct lmtp_sessions *all, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        demand(event_base_loop(all->base, EVLOOP_NONBLOCK) >= 0);
}

/* The replies so far; their last line may still be on its way. */
static void take_replies(int fd, struct buf *replies)
{
    char octets[4096];
    ssize_t got;

    while ((got = recv(fd, octets, sizeof(octets), MSG_DONTWAIT)) > 0)
        buf_add(replies, octets, (size_t)got);
}

static void check_replies(const struct buf *replies)
{
    const char *at = buf_text(replies), *end;

    for (; (end = strstr(at, "\r\n")) != NULL; at = end + 2) {
        demand(end - at >= 4 && end - at + 2 <= LMTP_REPLY_MAX);
        demand(strchr("2345", at[0]) != NULL && (at[3] == ' ' || at[3] == '-'));
        for (const char *c = at; c < end; c++)
            demand(*c >= ' ' && *c <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe recipe = {data, size};
    size_t piece = take(&recipe) + 1;
    unsigned turns = take(&recipe) % 8;
    struct lmtp_sessions all;
    struct conf_relayd conf = {0};
    struct buf replies;
    int fd[2];

    fake_upstream_hurry = true;
    log_open("fuzz", true, LOGLEVEL_ERROR);
    demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
    buf_init(&replies, 16777216);
    lmtp_sessions_init(&all, event_base_new());
    all.upstreams = upstreams_new(all.base, &conf, "", NULL);
    all.size_max = 5000;
    all.patience_ms = 10000;
    (void)strcpy(all.name, "relay.test");
    lmtp_session_open(&all, fd[0]);
    while (recipe.left > 0 && all.count == 1) {
        size_t given = recipe.left < piece ? recipe.left : piece;

        (void)!write(fd[1], recipe.at, given);
        recipe.at += given;
        recipe.left -= given;
        turn(&all, turns);
        take_replies(fd[1], &replies);
    }
    turn(&all, 8);
    take_replies(fd[1], &replies);
    check_replies(&replies);
    lmtp_sessions_clear(&all);
    demand(upstreams_open(all.upstreams) == 0);
    upstreams_free(all.upstreams);
    event_base_free(all.base);
    close(fd[1]);
    buf_clear(&replies);
    return 0;
}
