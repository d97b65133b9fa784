/*
 * datagram_load.c - sends datagrams as Postfix does with libtlsrpt: each by one sendto() that does not wait, so that it
 * is lost when the receiver's queue is full.
 *     datagram_load PATH COUNT RATE DISTINCT [each] [even] [wait] [mix] [keep]
 * RATE: a second, at random times (even: evenly); 0: as fast as they go. DISTINCT: of so many domains in turn, one in
 * four of which fails. mix: of domains at random, one in twenty datagrams tells of a failure, with one of 20 details
 * for each domain. each: a socket for each, as Postfix has. wait: sends that wait, so nothing is lost. keep: the rate
 * is kept, by bursts, also when the sender itself was held up. Prints "sent N lost N seconds S held-up N", the last
 * being how often the sender was itself held up for more than 0.2 ms.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 2048
#define DISTINCT_MAX 1000000
#define HELD_UP      0.0002 /* seconds */

#define MIX_DETAILS 20
#define MIX_FAILED  20 /* one in so many */

static unsigned long held_up;
static bool keep;

/* # stands for the number of the domain, * for that of the detail. */
static const char good[] =
    "{\"dpv\": \"1\",\"d\": \"d#.example\",\"pr\": \"v=TLSRPTv1; rua=mailto:tls-reports@example.com\",\"policies\":["
    "{\"policy-type\":2,\"policy-domain\": \"d#.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\","
    "\"mx: mx.d#.example\",\"max_age: 86400\"],\"mx-host\":[\"mx.d#.example\"],\"t\":0,\"f\":0}]}";
static const char bad[] =
    "{\"dpv\": \"1\",\"d\": \"d#.example\",\"pr\": \"v=TLSRPTv1; rua=mailto:tls-reports@example.com\",\"policies\":["
    "{\"policy-type\":9,\"policy-domain\": \"d#.example\",\"failure-details\":[{\"c\":201,\"s\": \"192.0.2.246\","
    "\"n\": \"mx.d#.example\",\"h\": \"250-mx.d#.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n"
    "250-ENHANCEDSTATUSCODES\\r\\n250-DSN\\r\\n250 SMTPUTF8\",\"r\": \"192.0.2.*\"}],\"t\":1,\"f\":1}]}";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t random_number(void)
{
    static uint64_t x = 88172645463325252ULL;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x >> 11;
}

static double gap(double rate, bool even)
{
    return even ? 1 / rate : -log(((double)random_number() + 1) / 9007199254740993.0) / rate;
}

/* Returns the time that it was to be; or that it is, when we ourselves have been held up: no burst makes up for that,
 * unless the rate is kept. */
static double wait_until(double due)
{
    double now;

    while ((now = seconds()) < due) {
    }
    if (now - due < HELD_UP)
        return due;
    held_up++;
    return keep ? due : now;
}

static int datagram_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (fd < 0)
        die("socket");
    return fd;
}

static bool option(int argc, char **argv, const char *name)
{
    for (int i = 5; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return false;
}

static char *make_one(const char *form, unsigned long number, unsigned long detail)
{
    char text[DATAGRAM_MAX] = "", digits[32];
    size_t len = 0;

    for (; *form != '\0'; form++) {
        if (*form == '#' || *form == '*')
            (void)snprintf(digits, sizeof(digits), "%lu", *form == '#' ? number : detail);
        else
            (void)snprintf(digits, sizeof(digits), "%c", *form);
        memcpy(text + len, digits, strlen(digits));
        len += strlen(digits);
    }
    return strdup(text);
}

/* All datagrams are made beforehand, so that making them takes no time between them. */
struct made {
    char **text;
    unsigned long distinct;
    bool mix; /* of each domain one that is good, and then those with details */
};

static struct made make(unsigned long distinct, bool mix)
{
    unsigned long each = mix ? 1 + MIX_DETAILS : 1;
    struct made made = {calloc(distinct * each, sizeof(*made.text)), distinct, mix};

    if (made.text == NULL)
        die("memory");
    for (unsigned long i = 0; i < distinct; i++) {
        made.text[i * each] = make_one(!mix && i % 4 == 3 ? bad : good, i, 16);
        for (unsigned long k = 1; k < each; k++)
            made.text[i * each + k] = make_one(bad, i, k);
    }
    return made;
}

static const char *choose(const struct made *made, unsigned long i)
{
    unsigned long domain;

    if (!made->mix)
        return made->text[i % made->distinct];
    domain = random_number() % made->distinct;
    if (random_number() % MIX_FAILED != 0)
        return made->text[domain * (1 + MIX_DETAILS)];
    return made->text[domain * (1 + MIX_DETAILS) + 1 + random_number() % MIX_DETAILS];
}

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    unsigned long count = argc < 5 ? 0 : strtoul(argv[2], NULL, 10), distinct, lost = 0;
    double rate, begun, due;
    bool each, even;
    struct made made;
    int fd, flags;

    if (count == 0 || (distinct = strtoul(argv[4], NULL, 10)) == 0 || distinct > DISTINCT_MAX)
        return 2;
    rate = strtod(argv[3], NULL);
    each = option(argc, argv, "each");
    even = option(argc, argv, "even");
    flags = option(argc, argv, "wait") ? 0 : MSG_DONTWAIT;
    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", argv[1]);
    keep = option(argc, argv, "keep");
    made = make(distinct, option(argc, argv, "mix"));
    fd = each ? -1 : datagram_socket();
    begun = due = seconds();
    for (unsigned long i = 0; i < count; i++) {
        const char *text = choose(&made, i);

        due = rate > 0 ? wait_until(due) : 0;
        if (each)
            fd = datagram_socket();
        if (sendto(fd, text, strlen(text), flags, (const struct sockaddr *)&to, sizeof(to)) < 0) {
            if (errno != EAGAIN)
                die("sendto");
            lost++;
        }
        if (each)
            close(fd);
        if (rate > 0)
            due += gap(rate, even);
    }
    printf("sent %lu lost %lu seconds %.3f held-up %lu\n", count - lost, lost, seconds() - begun, held_up);
    return 0;
}
