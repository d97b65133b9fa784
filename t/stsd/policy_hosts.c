/*
 * policy_hosts.c - policy hosts that do one thing each, right or wrong (https_server.h has what), for tests of the
 * built daemons. policy_hosts CA-FILE reads one host a line from standard input, ADDRESS NAME CERTIFICATE CONDUCT TEXT
 * [FIRST] the texts in hex ("-": empty), writes the certificate of its authority to CA-FILE, prints the port, the same
 * for all, and serves until it is killed. FIRST is what the first connection gets instead, with a good certificate. Two
 * conducts more than there: REFUSED (nobody listens) and FULL (the kernel takes no connection).
 */
#pragma GCC diagnostic ignored "-Wunused-function" /* not all of it is needed here */
#include "https_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#define HOSTS_MAX 1000
#define LINE_SIZE 400000
#define REFUSED   1000
#define FULL      1001

struct word {
    const char *name;
    int value;
};

static const struct word certs[] = {{"GOOD", CERT_GOOD},         {"WILDCARD", CERT_WILDCARD},
                                    {"WIDE", CERT_WIDE},         {"PARTIAL", CERT_PARTIAL},
                                    {"CN_ONLY", CERT_CN_ONLY},   {"EXPIRED", CERT_EXPIRED},
                                    {"EARLY", CERT_EARLY},       {"OTHER", CERT_OTHER},
                                    {"SELF", CERT_SELF},         {"IP", CERT_IP},
                                    {"CHAIN", CERT_CHAIN},       {"ORPHAN", CERT_ORPHAN},
                                    {"ENORMOUS", CERT_ENORMOUS}, {NULL, 0}};

static const struct word conducts[] = {{"SEND", SEND},
                                       {"SEND_HANG", SEND_HANG},
                                       {"SEND_RESET", SEND_RESET},
                                       {"SEND_CUT", SEND_CUT},
                                       {"SEND_DRIP", SEND_DRIP},
                                       {"REPEAT", REPEAT},
                                       {"HANG_ACCEPTED", HANG_ACCEPTED},
                                       {"HANG_RECORD", HANG_RECORD},
                                       {"HANG_HELLO", HANG_HELLO},
                                       {"DRIP_HANDSHAKE", DRIP_HANDSHAKE},
                                       {"HANG_SECURED", HANG_SECURED},
                                       {"CLOSE_ACCEPTED", CLOSE_ACCEPTED},
                                       {"RESET_ACCEPTED", RESET_ACCEPTED},
                                       {"RESET_HELLO", RESET_HELLO},
                                       {"RESET_SECURED", RESET_SECURED},
                                       {"ALERT", ALERT},
                                       {"PLAIN", PLAIN},
                                       {"OLD_TLS", OLD_TLS},
                                       {"NO_CIPHER", NO_CIPHER},
                                       {"H2", H2},
                                       {"RENEGOTIATE", RENEGOTIATE},
                                       {"REFUSED", REFUSED},
                                       {"FULL", FULL},
                                       {NULL, 0}};

struct host {
    int fd;
    int conduct;
    struct sockaddr_in sa;
    struct serving serving, first;
};

static void die(const char *what)
{
    fprintf(stderr, "policy_hosts: %s\n", what);
    exit(1);
}

static int value_of(const struct word *words, const char *name)
{
    for (; words->name != NULL; words++)
        if (strcmp(words->name, name) == 0)
            return words->value;
    die(name);
    return 0;
}

static void from_hex(struct serving *out, const char *hex)
{
    size_t len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    char *text = calloc(1, len + 1);

    if (text == NULL)
        die("no memory");
    for (size_t i = 0; i < len; i++) {
        unsigned octet = 0;

        if (sscanf(hex + 2 * i, "%2x", &octet) != 1)
            die("no hex");
        text[i] = (char)octet;
    }
    out->text = text;
    out->len = len;
}

/* Bound, and never listening: nobody else gets this port when the host gives it up. */
static void reserve(const struct host *h, const char *address)
{
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&h->sa, sizeof(h->sa)) != 0)
        die(address);
}

/* The port of the first host is everybody's. */
static void open_listener(struct host *h, const char *address, int *port)
{
    const int on = 1;
    socklen_t len = sizeof(h->sa);

    h->sa.sin_family = AF_INET;
    h->sa.sin_port = htons((uint16_t)*port);
    h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (inet_pton(AF_INET, address, &h->sa.sin_addr) != 1 || bind(h->fd, (struct sockaddr *)&h->sa, len) != 0 ||
        getsockname(h->fd, (struct sockaddr *)&h->sa, &len) != 0)
        die(address);
    if (h->conduct == REFUSED)
        reserve(h, address);
    if (listen(h->fd, h->conduct == FULL ? 0 : 50) != 0)
        die(address);
    *port = ntohs(h->sa.sin_port);
}

static void read_host(struct host *h, const struct pki *pki, char *line, int *port)
{
    char *save;
    char *address = strtok_r(line, " \n", &save), *name = strtok_r(NULL, " \n", &save);
    char *cert = strtok_r(NULL, " \n", &save), *conduct = strtok_r(NULL, " \n", &save);
    char *text = strtok_r(NULL, " \n", &save), *first = strtok_r(NULL, " \n", &save);

    if (text == NULL)
        die("too few words");
    h->conduct = value_of(conducts, conduct);
    h->serving.conduct = h->conduct == REFUSED || h->conduct == FULL ? SEND : (enum conduct)h->conduct;
    h->serving.ctx = server_ctx(pki, (enum cert_kind)value_of(certs, cert), h->serving.conduct, name);
    from_hex(&h->serving, text);
    if (first != NULL) {
        h->first = (struct serving){.ctx = server_ctx(pki, CERT_GOOD, SEND, name), .conduct = SEND};
        from_hex(&h->first, first);
    }
    open_listener(h, address, port);
}

/* Connections that nobody accepts, until the kernel takes no more. */
static void fill(const struct host *h)
{
    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)connect(fd, (const struct sockaddr *)&h->sa, sizeof(h->sa));
        usleep(10000);
    }
}

static void *host_serve(void *arg)
{
    struct host *h = arg;

    if (h->first.text != NULL)
        connection_accept(h->fd, &h->first);
    if (h->conduct == REFUSED)
        close(h->fd);
    else if (h->conduct == FULL)
        fill(h);
    else
        for (;;)
            connection_accept(h->fd, &h->serving);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct host host[HOSTS_MAX];
    static char line[LINE_SIZE];
    struct pki pki;
    size_t count = 0;
    int port = 0;
    pthread_t thread;

    (void)signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != 2)
        die("usage: policy_hosts CA-FILE");
    pki_make(&pki);
    if (rename(pki.ca_file, argv[1]) != 0 || chmod(argv[1], 0644) != 0)
        die(argv[1]);
    while (count < HOSTS_MAX && fgets(line, sizeof(line), stdin) != NULL)
        read_host(&host[count++], &pki, line, &port);
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&thread, NULL, host_serve, &host[i]) != 0)
            die("no thread");
    printf("%d\n", port);
    fflush(stdout);
    for (;;)
        pause();
}
