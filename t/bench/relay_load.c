/*
 * relay_load.c - an MTA that has as much mail as relayd takes: so many LMTP sessions, each with one message under way,
 * its commands pipelined as Postfix does it. relay_load ADDRESS PORT SESSIONS MESSAGES OCTETS PARENT DOMAINS [RENEW]
 * Recipients are in d0.PARENT, d1.PARENT … in turn, so many DOMAINS. RENEW: every second session is ended after so many
 * messages, and begun anew. Each message must be taken. Prints messages per second, and of the milliseconds that a
 * message took median, 95th of a hundred and the most.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_MAX 5000
#define EVENTS       256
#define PATIENCE     600 /* seconds after which all of it has failed */
#define REPLIES      3   /* to MAIL, RCPT and DATA */

enum state { GREETING, LHLO, ENVELOPE, MESSAGE, QUIT };

struct session {
    int fd;
    enum state state;
    unsigned replies, messages;
    double began;
    char line[2048];
    size_t len;
};

static struct sockaddr_in relay;
static const char *parent;
static unsigned long domains, renew, wanted, begun, ended;
static size_t octets;
static char *message;
static double *took;
static struct session session[SESSIONS_MAX];
static int epoll;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double milliseconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void message_make(size_t len)
{
    static const char head[] =
        "From: Anna <anna@client.test>\r\nTo: Bob <bob@bench.test>\r\nSubject: Our offer\r\n\r\n";

    message = malloc(len + 128);
    if (message == NULL)
        die("message");
    octets = strlen(strcpy(message, head));
    while (octets < len)
        octets +=
            (size_t)sprintf(message + octets, "%s", "A line of the message, which is as long as lines often are.\r\n");
    octets += (size_t)sprintf(message + octets, ".\r\n");
}

/* The kernel takes all of it: it comes to rest before the next one. */
static void say(struct session *s, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(s->fd, text, len, MSG_NOSIGNAL);

        if (sent <= 0)
            die("send");
        text += sent;
        len -= (size_t)sent;
    }
}

static void session_open(struct session *s)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
    const int on = 1;

    *s = (struct session){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&relay, sizeof(relay)) != 0)
        die("connect");
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &ev) != 0)
        die("epoll");
}

static void envelope_say(struct session *s)
{
    char text[1024];
    int len = snprintf(text, sizeof(text),
                       "MAIL FROM:<anna@client.test> SIZE=%zu\r\nRCPT TO:<bob+requiretls@d%lu.%s>\r\nDATA\r\n", octets,
                       begun++ % domains, parent);

    s->state = ENVELOPE;
    s->replies = 0;
    s->began = milliseconds();
    say(s, text, (size_t)len);
}

static void next(struct session *s)
{
    bool old = renew > 0 && (s - session) % 2 == 1 && s->messages >= renew;

    if (begun < wanted && !old) {
        envelope_say(s);
        return;
    }
    s->state = QUIT;
    say(s, "QUIT\r\n", 6);
}

static void reply_take(struct session *s, const char *line)
{
    char good = s->state == ENVELOPE && s->replies == REPLIES - 1 ? '3' : '2';

    if (line[0] != good) {
        fprintf(stderr, "relay_load: unexpected reply: %s\n", line);
        exit(1);
    }
    if (line[3] == '-')
        return;
    if (s->state == GREETING) {
        s->state = LHLO;
        say(s, "LHLO client.test\r\n", 18);
    } else if (s->state == LHLO) {
        next(s);
    } else if (s->state == ENVELOPE && ++s->replies == REPLIES) {
        s->state = MESSAGE;
        say(s, message, octets);
    } else if (s->state == MESSAGE) {
        took[ended++] = milliseconds() - s->began;
        s->messages++;
        next(s);
    }
}

static void session_read(struct session *s)
{
    ssize_t got = recv(s->fd, s->line + s->len, sizeof(s->line) - 1 - s->len, 0);
    char *line = s->line, *end;

    if (got <= 0 && s->state != QUIT)
        die("a session ended");
    if (got <= 0) {
        close(s->fd);
        if (begun < wanted)
            session_open(s);
        return;
    }
    s->len += (size_t)got;
    s->line[s->len] = '\0';
    for (; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
        *end = '\0';
        reply_take(s, line);
    }
    s->len -= (size_t)(line - s->line);
    memmove(s->line, line, s->len);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    size_t sessions;
    double start, length;

    if (argc < 8)
        return 2;
    relay.sin_family = AF_INET;
    relay.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    sessions = strtoul(argv[3], NULL, 10);
    wanted = strtoul(argv[4], NULL, 10);
    message_make(strtoul(argv[5], NULL, 10));
    parent = argv[6];
    domains = strtoul(argv[7], NULL, 10);
    renew = argc > 8 ? strtoul(argv[8], NULL, 10) : 0;
    took = calloc(wanted + 1, sizeof(*took));
    epoll = epoll_create1(0);
    if (inet_pton(AF_INET, argv[1], &relay.sin_addr) != 1 || sessions > SESSIONS_MAX || domains == 0 || took == NULL)
        return 2;
    alarm(PATIENCE);
    start = milliseconds();
    for (size_t i = 0; i < sessions; i++)
        session_open(&session[i]);
    while (ended < wanted) {
        int ready = epoll_wait(epoll, events, EVENTS, 1000);

        for (int i = 0; i < ready; i++)
            session_read(events[i].data.ptr);
    }
    length = milliseconds() - start;
    qsort(took, ended, sizeof(*took), compare);
    printf("%.0f %.2f %.2f %.2f\n", (double)ended / length * 1e3, took[ended / 2], took[ended * 95 / 100],
           took[ended - 1]);
    return 0;
}
