/*
 * receiver.c - MX hosts that offer REQUIRETLS, each right or wrong in its own way. receiver DIR [PORT] reads one host a
 * line from standard input,
 *
 *   ADDRESS NAME [KEY=VALUE …]
 *
 * writes the certificate of its authority to DIR/ca.pem, of another one to DIR/stranger.pem, prints "port N", the same
 * for all, then "NAME ADDRESS SPKI TA", the SHA-256 digests of the host's key and of the authority's certificate, and
 * "ready"; and serves until it is killed. What host NAME saw stands in DIR/NAME.log, a line an event, the number of the
 * connection before it:
 *
 *   1 open ADDRESS       1 tls TLSv1.3 SNI      1 clear MAIL FROM:<a@b>   1 under MAIL FROM:<a@b> REQUIRETLS
 *   1 message 1234 SHA-256 of the octets up to the final dot's line      1 closed
 *
 * Keys:
 *   cert=good (default), self, expired, other (another name), FILE (a PEM file with certificate and key)
 *        by an intermediate: middle, untold (which is not sent), stale (which has expired), crooked (sent behind the
 *        authority); many (10,000 names), nul (in its name), huge (a chain of more than 100 KB)
 *   offer=A,B after=A,B  what EHLO offers before and under TLS
 *   greeting= ehlo= starttls= tls_ehlo= mail= rcpt= data= end= rset=
 *                        what the step is answered: a reply with _ for blanks, or
 *                        close, hang, drip (an octet every 50 ms, without end), line (1 MB without an end of line),
 *                        endless (a reply of ever more lines), garbage, nul, twice (its reply two times),
 *                        flood (its reply without end), drop (TCP ends without TLS's end), chop (the same behind
 *                        its reply but for the CRLF), chopline (behind a first line), clear (a reply that is not
 *                        under TLS), record (a TLS record of junk), huge (one that is too long), alert (a fatal
 *                        one), renegotiate, rekey (and its reply), tickets, rekeys (these without end)
 *   again=               what MAIL is answered after a first message
 *   inject=TEXT          behind the reply to STARTTLS, in clear
 *   handshake=close, hang, garbage, old (no TLS above 1.1), tls12 (none above that),
 *                        hello (requests to begin anew, without end)
 *   cut=N                close after N octets of a message
 *   early=REPLY          say that after the first octets of a message
 *   most=N beyond=REPLY  what recipients beyond the Nth of a connection are answered (default 452_4.5.3_too_many)
 *   late=N               rest so many ms before the reply to a message
 *   slow=N               rest so many ms after each 16 KiB of a message
 *   pause=N              rest so many ms before the greeting
 *   once=N               connections are closed after so many messages
 *   full=1               the kernel takes no connection
 *   store=1              messages go to DIR/NAME.CONNECTION.MESSAGE
 *   next=ADDRESS:PORT    messages go on to this MTA, in clear, and what it says is what they are answered
 *   named=FIELD          behind the digest of a message stand an ID, the time and the text of that header field; the
 *                        reply is 250 2.0.0 kept ID, and no two messages have the same
 *
 * A recipient r450…@ is answered 450, and so on. The lab has it as a receiver, too.
 */
#include "receiver_cert.h"
#include "receiver_next.h"

#include <openssl/err.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEYS_MAX 32
#define LINE_CAP 65536

static const char *dir;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

struct host {
    int fd;
    char address[64], name[256];
    char key[KEYS_MAX][32], value[KEYS_MAX][2048];
    size_t keys;
    SSL_CTX *tls;
    FILE *log;
    unsigned connections;
    struct conn *live; /* under log_lock */
};

struct conn {
    struct host *host;
    struct conn *next; /* of host->live */
    int fd;
    unsigned number, messages, recipients;
    bool drops; /* without TLS's end */
    SSL *ssl;
    char in[LINE_CAP];
    size_t at, len;
    char envelope[LINE_CAP]; /* for the next MTA */
};

static void die(const char *what)
{
    fprintf(stderr, "receiver: %s: %s\n", what, strerror(errno));
    exit(1);
}

static const char *setting(const struct host *h, const char *key, const char *otherwise)
{
    for (size_t i = 0; i < h->keys; i++)
        if (strcmp(h->key[i], key) == 0)
            return h->value[i];
    return otherwise;
}

static long number(const struct host *h, const char *key)
{
    return strtol(setting(h, key, "0"), NULL, 10);
}

static void log_line(const struct conn *c, const char *what, const char *text)
{
    fprintf(c->host->log, "%u %s%s%s\n", c->number, what, text[0] != '\0' ? " " : "", text);
    fflush(c->host->log);
}

static void note(const struct conn *c, const char *what, const char *text)
{
    pthread_mutex_lock(&log_lock);
    log_line(c, what, text);
    pthread_mutex_unlock(&log_lock);
}

/* --- what stands in the handshake --- */

static void host_secure(struct host *h)
{
    h->tls = receiver_cert_tls(h->name, setting(h, "cert", "good"));
    if (strcmp(setting(h, "handshake", ""), "old") == 0) {
        SSL_CTX_set_security_level(h->tls, 0);
        SSL_CTX_set_max_proto_version(h->tls, TLS1_1_VERSION);
    }
    if (strcmp(setting(h, "handshake", ""), "tls12") == 0)
        SSL_CTX_set_max_proto_version(h->tls, TLS1_2_VERSION);
}

/* --- octets; all return whether the connection goes on --- */

static bool put(struct conn *c, const char *octets, size_t len)
{
    while (len > 0) {
        ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, octets, len > 65536 ? 65536 : (int)len)
                                   : send(c->fd, octets, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        octets += n;
        len -= (size_t)n;
    }
    return true;
}

static bool fill(struct conn *c)
{
    ssize_t n;

    if (c->at > 0)
        memmove(c->in, c->in + c->at, c->len - c->at);
    c->len -= c->at;
    c->at = 0;
    if (c->len == sizeof(c->in))
        return false;
    n = c->ssl != NULL ? SSL_read(c->ssl, c->in + c->len, (int)(sizeof(c->in) - c->len))
                       : recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);
    if (n <= 0)
        return false;
    c->len += (size_t)n;
    return true;
}

static bool get_line(struct conn *c, char *out, size_t size)
{
    for (;;) {
        const char *end = memchr(c->in + c->at, '\n', c->len - c->at);

        if (end != NULL) {
            size_t len = (size_t)(end - (c->in + c->at)) + 1, keep = len - 1;

            if (keep > 0 && end[-1] == '\r')
                keep--;
            (void)snprintf(out, size, "%.*s", (int)keep, c->in + c->at);
            c->at += len;
            return true;
        }
        if (!fill(c))
            return false;
    }
}

/* --- what a step is answered --- */

static bool hang(struct conn *c)
{
    char line[1024];

    while (get_line(c, line, sizeof(line)))
        ;
    return false;
}

static bool endless(struct conn *c, const char *octets, size_t len, useconds_t rest)
{
    while (put(c, octets, len))
        if (rest > 0)
            usleep(rest);
    return false;
}

static bool line_without_end(struct conn *c)
{
    char *octets = malloc(1 << 20);

    if (octets == NULL)
        return false;
    memset(octets, 'x', 1 << 20);
    memcpy(octets, "250-", 4);
    (void)put(c, octets, 1 << 20);
    free(octets);
    return hang(c);
}

static bool say(struct conn *c, const char *reply)
{
    char line[2300];
    size_t len = (size_t)snprintf(line, sizeof(line), "%s\r\n", reply);

    for (char *p = line; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    return put(c, line, len);
}

static bool drop(struct conn *c)
{
    c->drops = true;
    return false;
}

/* Past TLS. */
static bool put_raw(const struct conn *c, const char *octets, size_t len)
{
    return send(c->fd, octets, len, MSG_NOSIGNAL) == (ssize_t)len;
}

#define JUNK               \
    "\x17\x03\x03\x00\x20" \
    "0123456789abcdef0123456789abcdef"

/* What TLS itself reads is junk, so it says so to the other side. */
static bool alert(struct conn *c)
{
    char octets[8];

    SSL_set0_rbio(c->ssl, BIO_new_mem_buf(JUNK, sizeof(JUNK) - 1));
    (void)SSL_read(c->ssl, octets, sizeof(octets));
    return drop(c);
}

static bool again_handshake(struct conn *c, const char *how)
{
    int done = strcmp(how, "rekey") == 0 ? SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED) : SSL_renegotiate(c->ssl);

    return done == 1 && SSL_do_handshake(c->ssl) == 1;
}

/* Wrong in TLS. Returns whether it is one of these. */
static bool answer_tls(struct conn *c, const char *how, const char *otherwise, bool *goes_on)
{
    *goes_on = false;
    if (strcmp(how, "drop") == 0)
        *goes_on = drop(c);
    else if (strcmp(how, "chop") == 0)
        *goes_on = put(c, otherwise, strlen(otherwise)) && drop(c);
    else if (strcmp(how, "chopline") == 0)
        *goes_on = put(c, "250-2.0.0 first\r\n", 17) && drop(c);
    else if (strcmp(how, "clear") == 0)
        *goes_on = put_raw(c, "250 2.0.0 ok\r\n", 14) && hang(c);
    else if (strcmp(how, "record") == 0)
        *goes_on = put_raw(c, JUNK, sizeof(JUNK) - 1) && hang(c);
    else if (strcmp(how, "huge") == 0)
        *goes_on = put_raw(c, "\x17\x03\x03\xff\xff", 5) && hang(c);
    else if (strcmp(how, "tickets") == 0)
        while (SSL_new_session_ticket(c->ssl) == 1 && SSL_do_handshake(c->ssl) == 1)
            ;
    else if (strcmp(how, "rekeys") == 0)
        while (SSL_key_update(c->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(c->ssl) == 1)
            ;
    else if (strcmp(how, "alert") == 0)
        *goes_on = alert(c);
    else if (strcmp(how, "renegotiate") == 0 || strcmp(how, "rekey") == 0)
        *goes_on = again_handshake(c, how) && say(c, otherwise);
    else
        return false;
    return true;
}

static bool answer(struct conn *c, const char *step, const char *otherwise)
{
    const char *how = setting(c->host, step, otherwise);
    bool goes_on;

    if (answer_tls(c, how, otherwise, &goes_on))
        return goes_on;
    if (strcmp(how, "flood") == 0)
        while (say(c, otherwise))
            ;
    if (strcmp(how, "close") == 0)
        return false;
    if (strcmp(how, "hang") == 0)
        return hang(c);
    if (strcmp(how, "drip") == 0)
        return put(c, "250-", 4) && endless(c, "x", 1, 50000);
    if (strcmp(how, "endless") == 0)
        return endless(c, "250-and so on\r\n", 15, 0);
    if (strcmp(how, "line") == 0)
        return line_without_end(c);
    if (strcmp(how, "garbage") == 0)
        return put(c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) && hang(c);
    if (strcmp(how, "nul") == 0)
        return put(c, "550 a\0b\r\n", 9) && hang(c);
    if (strcmp(how, "twice") == 0)
        return say(c, otherwise) && say(c, otherwise);
    return say(c, how);
}

static bool answer_ehlo(struct conn *c)
{
    const char *step = c->ssl != NULL ? "tls_ehlo" : "ehlo";
    char words[2048], reply[4096], *save = NULL;
    size_t len;

    if (setting(c->host, step, NULL) != NULL)
        return answer(c, step, "");
    if (c->ssl != NULL)
        (void)snprintf(words, sizeof(words), "%s",
                       setting(c->host, "after", "PIPELINING,8BITMIME,SMTPUTF8,DSN,SIZE 99999999,REQUIRETLS"));
    else
        (void)snprintf(words, sizeof(words), "%s", setting(c->host, "offer", "PIPELINING,8BITMIME,STARTTLS"));
    len = (size_t)snprintf(reply, sizeof(reply), "250-%s\r\n", c->host->name);
    for (char *word = strtok_r(words, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save))
        len += (size_t)snprintf(reply + len, sizeof(reply) - len, "250-%s\r\n", word);
    len += (size_t)snprintf(reply + len, sizeof(reply) - len, "250 HELP\r\n");
    for (char *p = reply; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    return put(c, reply, len);
}

/* Records full of HelloRequest, which a client passes over (RFC 5246 7.4.1.1), without end. */
static bool hello_requests(struct conn *c)
{
    static const char record[5 + 16384] = "\x16\x03\x03\x40";

    return fill(c) && endless(c, record, sizeof(record), 0);
}

static bool secure(struct conn *c)
{
    const char *how = setting(c->host, "handshake", "");
    char text[256];

    if (strcmp(how, "close") == 0)
        return false;
    if (strcmp(how, "hang") == 0)
        return hang(c);
    if (strcmp(how, "hello") == 0)
        return hello_requests(c);
    if (strcmp(how, "garbage") == 0)
        return put(c, "220 go ahead\r\n220 go ahead\r\n", 28) && hang(c);
    c->ssl = SSL_new(c->host->tls);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) != 1) {
        note(c, "no-tls", "");
        return false;
    }
    c->at = c->len = 0;
    (void)snprintf(text, sizeof(text), "%s %s", SSL_get_version(c->ssl),
                   SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name) != NULL
                       ? SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name)
                       : "-");
    note(c, "tls", text);
    return true;
}

static bool answer_starttls(struct conn *c)
{
    const char *inject = setting(c->host, "inject", NULL);
    char both[2300];

    if (c->ssl != NULL)
        return say(c, "503 5.5.1 already");
    if (inject != NULL) {
        (void)snprintf(both, sizeof(both), "220 go\r\n%s", inject);
        return say(c, both) && secure(c);
    }
    return answer(c, "starttls", "220 2.0.0 go") && (setting(c->host, "starttls", "2")[0] != '2' || secure(c));
}

static bool answer_rcpt(struct conn *c, const char *line)
{
    const char *at = strstr(line, "<r");
    char reply[32];

    if (at != NULL && at[2] >= '2' && at[2] <= '5') {
        (void)snprintf(reply, sizeof(reply), "%.3s %c.1.1 so it is", at + 2, at[2]);
        return say(c, reply);
    }
    if (number(c->host, "most") > 0 && ++c->recipients > (unsigned)number(c->host, "most"))
        return answer(c, "beyond", "452 4.5.3 too many");
    next_envelope_add(c->envelope, sizeof(c->envelope), line);
    return answer(c, "rcpt", "250 2.1.5 ok");
}

/* --- the message --- */

struct message {
    EVP_MD_CTX *md;
    FILE *store;
    size_t octets, rested;
    bool early;
    char id[64], name[128];
};

static void name_read(struct message *m, const char *field, const char *line, size_t len)
{
    size_t skip = strlen(field) + 2;

    if (m->name[0] == '\0' && len > skip + 2 && strncasecmp(line, field, skip - 2) == 0 && line[skip - 2] == ':')
        (void)snprintf(m->name, sizeof(m->name), "%.*s", (int)(len - skip - 2), line + skip);
}

static bool message_octets(struct conn *c, struct message *m, const char *octets, size_t len)
{
    const struct host *h = c->host;

    EVP_DigestUpdate(m->md, octets, len);
    if (m->id[0] != '\0')
        name_read(m, setting(h, "named", ""), octets, len);
    if (m->store != NULL)
        (void)fwrite(octets, 1, len, m->store);
    m->octets += len;
    if (number(h, "cut") > 0 && m->octets >= (size_t)number(h, "cut"))
        return false;
    if (setting(h, "early", NULL) != NULL && !m->early) {
        m->early = true;
        if (!say(c, setting(h, "early", "")))
            return false;
    }
    if (number(h, "slow") > 0 && m->octets - m->rested >= 16384) {
        m->rested = m->octets;
        usleep((useconds_t)number(h, "slow") * 1000);
    }
    return true;
}

static bool message_read(struct conn *c, struct message *m)
{
    bool line_begins = true;

    for (;;) {
        const char *end = memchr(c->in + c->at, '\n', c->len - c->at);
        size_t len = end != NULL ? (size_t)(end - (c->in + c->at)) + 1 : 0;

        if (len == 0) {
            if (!fill(c))
                return false;
            continue;
        }
        if (line_begins && len == 3 && memcmp(c->in + c->at, ".\r\n", 3) == 0) {
            c->at += 3;
            return true;
        }
        if (!message_octets(c, m, c->in + c->at, len))
            return false;
        c->at += len;
    }
}

static void message_note(struct conn *c, const struct message *m)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char text[512];
    struct timespec now;
    int len = snprintf(text, sizeof(text), "%zu ", m->octets);

    EVP_DigestFinal_ex(m->md, md, &size);
    for (unsigned i = 0; i < size; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%02x", md[i]);
    clock_gettime(CLOCK_REALTIME, &now);
    if (m->id[0] != '\0')
        (void)snprintf(text + len, sizeof(text) - (size_t)len, " %s %lld.%06ld %s", m->id, (long long)now.tv_sec,
                       now.tv_nsec / 1000, m->name);
    note(c, "message", text);
}

static FILE *message_store(const struct conn *c)
{
    char path[1024];

    if (setting(c->host, "next", NULL) != NULL)
        return tmpfile();
    (void)snprintf(path, sizeof(path), "%s/%s.%u.%u", dir, c->host->name, c->number, c->messages);
    return number(c->host, "store") > 0 ? fopen(path, "w+") : NULL;
}

static bool answer_message(struct conn *c, const struct message *m)
{
    const char *next = setting(c->host, "next", NULL);
    char reply[512] = "";

    if (m->store != NULL)
        (void)fflush(m->store);
    message_note(c, m);
    c->messages++;
    usleep((useconds_t)number(c->host, "late") * 1000);
    (void)snprintf(reply, sizeof(reply), "250 2.0.0 kept%s%s", m->id[0] != '\0' ? " " : "", m->id);
    if (next == NULL)
        return answer(c, "end", reply) && c->messages != (unsigned)number(c->host, "once");
    next_deliver(reply, sizeof(reply), next, c->envelope, m->store);
    return say(c, reply);
}

static bool answer_data(struct conn *c)
{
    struct message m = {.md = EVP_MD_CTX_new()};
    bool goes_on;

    if (!answer(c, "data", "354 go on"))
        return false;
    if (strchr("3r", setting(c->host, "data", "3")[0]) == NULL) /* 354, renegotiate, rekey */
        return true;
    EVP_DigestInit_ex(m.md, EVP_sha256(), NULL);
    if (setting(c->host, "named", NULL) != NULL)
        (void)snprintf(m.id, sizeof(m.id), "%d.%u.%u", getpid(), c->number, c->messages);
    m.store = message_store(c);
    goes_on = message_read(c, &m) && answer_message(c, &m);
    EVP_MD_CTX_free(m.md);
    if (m.store != NULL)
        (void)fclose(m.store);
    return goes_on;
}

/* --- a connection --- */

static bool command(struct conn *c, const char *line)
{
    note(c, c->ssl != NULL ? "under" : "clear", line);
    if (strncasecmp(line, "EHLO", 4) == 0)
        return answer_ehlo(c);
    if (strcasecmp(line, "STARTTLS") == 0)
        return answer_starttls(c);
    if (strncasecmp(line, "MAIL", 4) == 0) {
        next_envelope_add(c->envelope, sizeof(c->envelope), line);
        return answer(c, c->messages > 0 ? "again" : "mail", "250 2.1.0 ok");
    }
    if (strncasecmp(line, "RCPT", 4) == 0)
        return answer_rcpt(c, line);
    if (strcasecmp(line, "DATA") == 0)
        return answer_data(c);
    if (strcasecmp(line, "RSET") == 0)
        return answer(c, "rset", "250 2.0.0 ok");
    if (strcasecmp(line, "QUIT") == 0) {
        (void)say(c, "221 2.0.0 bye");
        return false;
    }
    return say(c, "500 5.5.1 what");
}

/* It is closed for the log when its client has closed it, though its thread may come to know of that after the client's
 * next connection. */
static bool client_gone(const struct conn *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void conn_enter(struct conn *c)
{
    struct conn **at = &c->host->live;

    pthread_mutex_lock(&log_lock);
    while (*at != NULL)
        if (client_gone(*at)) {
            log_line(*at, "closed", "");
            *at = (*at)->next;
        } else {
            at = &(*at)->next;
        }
    *at = c;
    log_line(c, "open", c->host->address);
    pthread_mutex_unlock(&log_lock);
}

static void conn_leave(struct conn *c)
{
    struct conn **at = &c->host->live;

    pthread_mutex_lock(&log_lock);
    while (*at != NULL && *at != c)
        at = &(*at)->next;
    if (*at == c) {
        *at = c->next;
        log_line(c, "closed", "");
    }
    pthread_mutex_unlock(&log_lock);
}

static void *serve(void *ctx)
{
    struct conn *c = ctx;
    char line[8192];

    usleep((useconds_t)number(c->host, "pause") * 1000);
    if (answer(c, "greeting", "220 receiver ESMTP"))
        while (get_line(c, line, sizeof(line)) && command(c, line))
            ;
    conn_leave(c);
    if (c->ssl != NULL && !c->drops)
        (void)SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    free(c);
    return NULL;
}

static void *host_serve(void *ctx)
{
    struct host *h = ctx;
    const int on = 1;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (;;) {
        struct conn *c = calloc(1, sizeof(*c));
        pthread_t thread;

        if (c == NULL)
            die("no memory");
        c->host = h;
        c->fd = accept(h->fd, NULL, NULL);
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        c->number = ++h->connections;
        if (c->fd < 0) {
            free(c);
            continue;
        }
        conn_enter(c);
        if (pthread_create(&thread, &attr, serve, c) != 0)
            die("thread");
    }
    return NULL;
}

/* --- the beginning --- */

/* So many wait already that no more can. */
static void fill_up(const struct sockaddr_storage *sa, socklen_t len)
{
    for (int i = 0; i < 4; i++) {
        int fd = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)connect(fd, (const struct sockaddr *)sa, len);
    }
}

static void host_listen(struct host *h, int *port)
{
    struct sockaddr_storage sa;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
    socklen_t len = sizeof(sa);
    const int on = 1;

    memset(&sa, 0, sizeof(sa));
    if (inet_pton(AF_INET, h->address, &v4->sin_addr) == 1) {
        sa.ss_family = AF_INET;
        v4->sin_port = htons((uint16_t)*port);
        len = sizeof(*v4);
    } else if (inet_pton(AF_INET6, h->address, &v6->sin6_addr) == 1) {
        sa.ss_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)*port);
        len = sizeof(*v6);
    }
    h->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(h->fd, (struct sockaddr *)&sa, len) != 0 || listen(h->fd, number(h, "full") > 0 ? 0 : 500) != 0 ||
        getsockname(h->fd, (struct sockaddr *)&sa, &len) != 0)
        die(h->address);
    if (number(h, "full") > 0)
        fill_up(&sa, len);
    *port = ntohs(sa.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

static struct host *host_read(char *line)
{
    struct host *h = calloc(1, sizeof(*h));
    char *save = NULL, *word = strtok_r(line, " \n", &save), path[1024];

    if (h == NULL || word == NULL)
        die("no host");
    (void)snprintf(h->address, sizeof(h->address), "%s", word);
    word = strtok_r(NULL, " \n", &save);
    if (word == NULL)
        die("no name");
    (void)snprintf(h->name, sizeof(h->name), "%s", word);
    while ((word = strtok_r(NULL, " \n", &save)) != NULL && h->keys < KEYS_MAX) {
        char *equal = strchr(word, '=');

        if (equal == NULL)
            die(word);
        *equal = '\0';
        (void)snprintf(h->key[h->keys], sizeof(h->key[0]), "%s", word);
        (void)snprintf(h->value[h->keys++], sizeof(h->value[0]), "%s", equal + 1);
    }
    (void)snprintf(path, sizeof(path), "%s/%s.log", dir, h->name);
    h->log = fopen(path, "a");
    if (h->log == NULL)
        die(path);
    return h;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    int port = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
    bool said = false;

    if (argc < 2)
        die("usage: receiver DIR [PORT]");
    dir = argv[1];
    (void)signal(SIGPIPE, SIG_IGN);
    receiver_cert_authorities(dir);
    while (getline(&line, &room, stdin) > 1) {
        struct host *h = host_read(line);
        pthread_t thread;

        host_secure(h);
        host_listen(h, &port);
        if (!said)
            printf("port %d\n", port);
        said = true;
        printf("%s %s", h->name, h->address);
        receiver_cert_print(h->tls);
        if (number(h, "full") == 0 && pthread_create(&thread, NULL, host_serve, h) != 0)
            die("thread");
    }
    free(line);
    printf("ready\n");
    (void)fflush(stdout);
    for (;;)
        pause();
}
