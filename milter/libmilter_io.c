/*
 * libmilter_io.c - see libmilter_io.h.
 *
 * libmilter has a thread that waits for SIGHUP, SIGINT and SIGTERM and ends the loop. A signal for the process goes to
 * its main thread when that does not hold it back, so that thread hears of none.
 */
#include "libmilter_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "connect_socket.h"
#include "log.h"

#define BACKLOG     512
#define CONN_MAX    160
#define CONNECT_MS  1000
#define DESCRIPTORS 1024 /* few are open when it starts */
#define WAKE_MS     10

static struct address listen_address;
static pthread_t thread;
static bool running;
static struct stat made; /* the file of a unix socket, when st_ino is not 0 */
static atomic_bool stopping;

/* As smfi_setconn wants it: the port goes first. */
static void connection_text(char out[CONN_MAX], const struct address *a)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (a->sa.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&a->sa;

        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
        snprintf(out, CONN_MAX, "inet6:%u@%s", ntohs(six->sin6_port), host);
    } else if (a->sa.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&a->sa;

        inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
        snprintf(out, CONN_MAX, "inet:%u@%s", ntohs(four->sin_port), host);
    } else {
        snprintf(out, CONN_MAX, "unix:%.110s", ((const struct sockaddr_un *)(const void *)&a->sa)->sun_path);
    }
}

/* Somebody takes connections there. */
static bool is_answered(const struct address *a)
{
    int fd = connect_socket(a);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int failed = 1;
    socklen_t len = sizeof(failed);

    if (fd < 0)
        return false;
    if (poll(&wait, 1, CONNECT_MS) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
        failed = 1;
    close(fd);
    return failed == 0;
}

static bool listens_there(int fd, const struct address *a)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    int listens = 0;
    socklen_t size = sizeof(listens);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0 &&
           getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && len == a->len && memcmp(&sa, &a->sa, len) == 0;
}

/*
 * By TCP each change of a message is a small packet, and the MTA answers none: the kernel would hold back the second
 * one until the first is acknowledged, some 40 ms later. Connections have this from the socket that takes them, whose
 * descriptor only libmilter knows.
 */
static void send_at_once(const struct address *a)
{
    const int on = 1;

    for (int fd = 3; fd < DESCRIPTORS; fd++)
        if (listens_there(fd, a) && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0)
            return;
    log_warning("slow-by-tcp", "why=%s", "the socket of libmilter is not found");
}

static const char *path_of(const struct address *a)
{
    return ((const struct sockaddr_un *)(const void *)&a->sa)->sun_path;
}

static int give_away(const char *path, unsigned mode, uid_t uid, gid_t gid, struct err *e)
{
    if (chmod(path, mode) != 0)
        return err_set(e, "%s: chmod: %s", path, strerror(errno));
    if (uid != (uid_t)-1 && chown(path, uid, gid) != 0)
        return err_set(e, "%s: chown: %s", path, strerror(errno));
    return 0;
}

int libmilter_open(const struct smfiDesc *milter, const char *address, unsigned mode, uid_t uid, gid_t gid,
                   struct err *e)
{
    char text[CONN_MAX];

    if (address_parse(&listen_address, address, e) != 0)
        return -1;
    connection_text(text, &listen_address);
    if (is_answered(&listen_address))
        return err_set(e, "%s: somebody listens there already; is postern-milter running?", address);
    if (smfi_setconn(text) != MI_SUCCESS || smfi_register(*milter) != MI_SUCCESS ||
        smfi_setbacklog(BACKLOG) != MI_SUCCESS)
        return err_set(e, "%s: libmilter does not take it", address);
    errno = 0;
    if (smfi_opensocket(listen_address.sa.ss_family == AF_UNIX) != MI_SUCCESS)
        return err_set(e, "%s: cannot listen: %s", address, errno == 0 ? "see the mail log" : strerror(errno));
    if (listen_address.sa.ss_family != AF_UNIX) {
        send_at_once(&listen_address);
        return 0;
    }
    if (lstat(path_of(&listen_address), &made) != 0)
        made.st_ino = 0;
    return give_away(path_of(&listen_address), mode, uid, gid, e);
}

void libmilter_remove_socket(void)
{
    struct stat now;

    if (made.st_ino != 0 && lstat(path_of(&listen_address), &now) == 0 && now.st_ino == made.st_ino &&
        now.st_dev == made.st_dev)
        (void)unlink(path_of(&listen_address));
}

static void *serve(void *unused)
{
    int rc = smfi_main();

    (void)unused;
    if (!atomic_load(&stopping)) {
        log_error("libmilter-ended", "code=%d", rc);
        kill(getpid(), SIGTERM);
    }
    return NULL;
}

int libmilter_run(struct err *e)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, NULL, serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    running = rc == 0;
    return rc == 0 ? 0 : err_set(e, "cannot begin a thread: %s", strerror(rc));
}

static void *ask_to_stop(void *unused)
{
    (void)unused;
    smfi_stop();
    return NULL;
}

/*
 * Its loop looks every few seconds whether it is to end, and whenever somebody connects; smfi_stop waits for that. So
 * while a thread waits in there somebody connects.
 */
void libmilter_stop(void)
{
    pthread_t asking;
    int fd;

    if (!running)
        return;
    running = false;
    atomic_store(&stopping, true);
    if (pthread_create(&asking, NULL, ask_to_stop, NULL) == 0) {
        do {
            fd = connect_socket(&listen_address);
            poll(NULL, 0, WAKE_MS);
            if (fd >= 0)
                close(fd);
        } while (pthread_tryjoin_np(asking, NULL) != 0);
    } else {
        smfi_stop();
    }
    pthread_join(thread, NULL);
}
