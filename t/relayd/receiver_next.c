/* receiver_next.c - a small SMTP client, one command after the other; see receiver_next.h. */
#include "receiver_next.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct next {
    FILE *in, *out;
    char *reply; /* the last line of the last one */
    size_t size;
};

void next_envelope_add(char *envelope, size_t size, const char *command)
{
    const char *end = strchr(command, '>');
    size_t path = end != NULL ? (size_t)(end - command) + 1 : strlen(command), used;

    if (strncasecmp(command, "MAIL", 4) == 0)
        envelope[0] = '\0';
    used = strlen(envelope);
    (void)snprintf(envelope + used, size - used, "%.*s%s%s\n", (int)path, command,
                   strstr(command + path, " BODY=8BITMIME") != NULL ? " BODY=8BITMIME" : "",
                   strstr(command + path, " SMTPUTF8") != NULL ? " SMTPUTF8" : "");
}

static bool reply_read(struct next *n, char class)
{
    do {
        if (fgets(n->reply, (int)n->size, n->in) == NULL) {
            (void)snprintf(n->reply, n->size, "451 4.4.2 the next server has gone");
            return false;
        }
    } while (strlen(n->reply) > 3 && n->reply[3] == '-');
    n->reply[strcspn(n->reply, "\r\n")] = '\0';
    return n->reply[0] == class;
}

static bool command(struct next *n, const char *line, size_t len, char class)
{
    (void)fprintf(n->out, "%.*s\r\n", (int)len, line);
    (void)fflush(n->out);
    return reply_read(n, class);
}

static bool envelope_say(struct next *n, const char *envelope)
{
    for (const char *line = envelope, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        if (!command(n, line, (size_t)(end - line), '2'))
            return false;
    return true;
}

static bool message_say(struct next *n, FILE *message)
{
    char octets[16384];
    size_t len;

    rewind(message);
    while ((len = fread(octets, 1, sizeof(octets), message)) > 0)
        (void)fwrite(octets, 1, len, n->out);
    return command(n, ".", 1, '2');
}

static int connect_to(const char *where)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strchr(where, ':');
    char address[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address, sizeof(address), "%.*s", (int)strcspn(where, ":"), where);
    to.sin_port = htons((uint16_t)strtol(colon != NULL ? colon + 1 : "25", NULL, 10));
    if (inet_pton(AF_INET, address, &to.sin_addr) == 1 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

void next_deliver(char *reply, size_t size, const char *where, const char *envelope, FILE *message)
{
    int fd = connect_to(where);
    struct next n = {.reply = reply, .size = size};

    if (fd < 0) {
        (void)snprintf(reply, size, "451 4.4.1 no next server at %s", where);
        return;
    }
    n.in = fdopen(fd, "r");
    n.out = fdopen(dup(fd), "w");
    if (reply_read(&n, '2') && command(&n, "EHLO receiver.test", 18, '2') && envelope_say(&n, envelope) &&
        command(&n, "DATA", 4, '3'))
        (void)message_say(&n, message);
    (void)fprintf(n.out, "QUIT\r\n");
    (void)fclose(n.out);
    (void)fclose(n.in);
}
