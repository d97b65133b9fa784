/*
 * datagram_load.c - sends datagrams as Postfix does with libtlsrpt: each by one sendto() that does not wait, so that it
 * is lost when the receiver's queue is full.
 *     datagram_load PATH COUNT RATE DISTINCT [each] [even] [wait]
 * RATE: a second, at random times (even: evenly); 0: as fast as they go. DISTINCT: of so many domains in turn, one in
 * four of which fails. each: a socket for each, as Postfix has. wait: sends that wait, so nothing is lost. Prints
 * "sent N lost N seconds S held-up N", the last being how often the sender was itself held up for more than 0.2 ms.
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

static unsigned long held_up;

/* # stands for the number of the domain. */
static const char good[] =
    "{\"dpv\": \"1\",\"d\": \"d#.example\",\"pr\": \"v=TLSRPTv1; rua=mailto:tlsrpt@d#.example\",\"policies\":["
    "{\"policy-type\":2,\"policy-domain\": \"d#.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\","
    "\"mx: mx.d#.example\",\"max_age: 86400\"],\"mx-host\":[\"mx.d#.example\"],\"t\":0,\"f\":0}]}";
static const char bad[] =
    "{\"dpv\": \"1\",\"d\": \"d#.example\",\"pr\": \"v=TLSRPTv1; rua=mailto:tlsrpt@d#.example\",\"policies\":["
    "{\"policy-type\":9,\"policy-domain\": \"d#.example\",\"failure-details\":[{\"c\":201,\"s\": \"192.0.2.246\","
    "\"n\": \"mx.d#.example\",\"h\": \"250-mx.d#.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n"
    "250-ENHANCEDSTATUSCODES\\r\\n250-DSN\\r\\n250 SMTPUTF8\",\"r\": \"192.0.2.16\"}],\"t\":1,\"f\":1}]}";

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

static double gap(double rate, bool even)
{
    static uint64_t x = 88172645463325252ULL;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return even ? 1 / rate : -log(((double)(x >> 11) + 1) / 9007199254740993.0) / rate;
}

/* Returns the time that it was to be; or that it is, when we ourselves have been held up: no burst makes up for that.
 */
static double wait_until(double due)
{
    double now;

    while ((now = seconds()) < due) {
    }
    if (now - due < HELD_UP)
        return due;
    held_up++;
    return now;
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

static char *make_one(const char *form, unsigned long number)
{
    char text[DATAGRAM_MAX] = "", digits[32];
    size_t len = 0;

    (void)snprintf(digits, sizeof(digits), "%lu", number);
    for (; *form != '\0'; form++) {
        const char *part = *form == '#' ? digits : (const char[]){*form, '\0'};

        memcpy(text + len, part, strlen(part));
        len += strlen(part);
    }
    return strdup(text);
}

/* All datagrams, made beforehand, so that making them takes no time between them. */
static char **make(unsigned long distinct)
{
    char **made = calloc(distinct, sizeof(*made));

    for (unsigned long i = 0; made != NULL && i < distinct; i++)
        made[i] = make_one(i % 4 == 3 ? bad : good, i);
    return made;
}

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    unsigned long count = argc < 5 ? 0 : strtoul(argv[2], NULL, 10), distinct, lost = 0;
    double rate, begun, due;
    bool each, even;
    char **made;
    int fd, flags;

    if (count == 0 || (distinct = strtoul(argv[4], NULL, 10)) == 0 || distinct > DISTINCT_MAX)
        return 2;
    rate = strtod(argv[3], NULL);
    each = option(argc, argv, "each");
    even = option(argc, argv, "even");
    flags = option(argc, argv, "wait") ? 0 : MSG_DONTWAIT;
    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", argv[1]);
    made = make(distinct);
    if (made == NULL)
        die("memory");
    fd = each ? -1 : datagram_socket();
    begun = due = seconds();
    for (unsigned long i = 0; i < count; i++) {
        const char *text = made[i % distinct];

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
