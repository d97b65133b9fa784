/*
 * exim_load.c - asks policyd's listener for Exim as readsocket does, one process at a time: connect, write the request,
 * shut down our side, read to the end, close.
 *     exim_load SOCKET REQUEST SECONDS ANSWER
 * ANSWER: what every answer must begin with. Prints connections per second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120 /* seconds after which all of it has failed */

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void ask(const struct sockaddr_un *to, const char *request, const char *expected)
{
    char got[65536];
    size_t len = 0;
    ssize_t more = 1;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 ||
        write(fd, request, strlen(request)) != (ssize_t)strlen(request) || shutdown(fd, SHUT_WR) != 0) {
        perror(to->sun_path);
        exit(1);
    }
    while (more > 0) {
        more = read(fd, got + len, sizeof(got) - len);
        len += more > 0 ? (size_t)more : 0;
    }
    close(fd);
    if (len >= strlen(expected) && memcmp(got, expected, strlen(expected)) == 0)
        return;
    fprintf(stderr, "unexpected answer: %.*s\n", (int)len, got);
    exit(1);
}

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    unsigned long asked = 0;
    double start, now, length;
    char request[1100];

    if (argc != 5 || strlen(argv[1]) >= sizeof(to.sun_path) || strlen(argv[2]) > 1024)
        return 2;
    strcpy(to.sun_path, argv[1]);
    snprintf(request, sizeof(request), "%s\n", argv[2]);
    length = strtod(argv[3], NULL);
    alarm(PATIENCE);
    ask(&to, request, argv[4]); /* not counted: it fills the memory */
    for (start = now = seconds(); now < start + length; now = seconds(), asked++)
        ask(&to, request, argv[4]);
    printf("%.0f\n", (double)asked / (now - start));
    return 0;
}
