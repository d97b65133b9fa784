/*
 * listen_socket.c - making sockets, or taking those that systemd made. Two daemons that start at the same
 * moment for the same path are not kept apart: the later one wins.
 */
#include "listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

static uid_t owner_uid = (uid_t)-1;
static gid_t owner_gid = (gid_t)-1;

static const char *path_of(const struct address *a)
{
    return a->sa.ss_family == AF_UNIX ? ((const struct sockaddr_un *)(const void *)&a->sa)->sun_path : NULL;
}

static bool same_inet(const struct address *a, const struct sockaddr_storage *b)
{
    if (a->sa.ss_family == AF_INET) {
        const struct sockaddr_in *x = (const struct sockaddr_in *)(const void *)&a->sa;
        const struct sockaddr_in *y = (const struct sockaddr_in *)(const void *)b;

        return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    if (a->sa.ss_family == AF_INET6) {
        const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)(const void *)&a->sa;
        const struct sockaddr_in6 *y = (const struct sockaddr_in6 *)(const void *)b;

        return x->sin6_port == y->sin6_port && memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr)) == 0;
    }
    return false;
}

static bool is_bound_to(int fd, const struct address *a, int type)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    const char *path = path_of(a);

    if (path != NULL)
        return sd_is_socket_unix(fd, type, type == SOCK_STREAM, path, 0) > 0;
    if (sd_is_socket(fd, a->sa.ss_family, type, type == SOCK_STREAM) <= 0)
        return false;
    memset(&sa, 0, sizeof(sa));
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && same_inet(a, &sa);
}

/*
 * A descriptor that systemd handed over, or -1. It is doubled, so that the address can be closed and opened again when
 * the configuration is read anew.
 */
static int take_handed_over(const struct address *a, int type)
{
    int count = sd_listen_fds(0);
    int fd;

    for (fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
        if (is_bound_to(fd, a, type)) {
            int copy = fcntl(fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START);

            if (copy >= 0 && fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK) == 0)
                return copy;
            if (copy >= 0)
                close(copy);
        }
    }
    return -1;
}

/* Is the file at the path a socket, of any type, that nobody listens on? Returns 1, or 0 with the reason in e. */
static int is_left_over(const struct address *a, struct err *e)
{
    struct stat st;
    int fd;
    int failed;

    if (lstat(path_of(a), &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        err_set(e, "there is a file of that name that is no socket; move it away or write another path");
        return 0;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err_set(e, "%s", strerror(errno));
        return 0;
    }
    failed = connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!failed)
        err_set(e, "another process listens there");
    return failed;
}

/* The file is born with its permissions: a chmod by name later could be led to another file. */
static int bind_path(int fd, const struct address *a, unsigned mode, struct err *e)
{
    mode_t mask = umask(0777 & ~(mode_t)mode);
    int rc = bind(fd, (const struct sockaddr *)&a->sa, a->len);
    int why = errno;

    if (rc != 0 && why == EADDRINUSE && is_left_over(a, e)) {
        rc = unlink(path_of(a)) == 0 || errno == ENOENT ? bind(fd, (const struct sockaddr *)&a->sa, a->len) : -1;
        why = errno;
        if (rc != 0)
            err_set(e, "%s", strerror(why));
    } else if (rc != 0 && why != EADDRINUSE) {
        err_set(e, "%s", strerror(why));
    }
    umask(mask);
    return rc;
}

static int bind_inet(int fd, const struct address *a, struct err *e)
{
    const int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->sa.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&a->sa, a->len) != 0)
        return err_set(e, "%s", strerror(errno));
    return 0;
}

void listen_socket_owner(uid_t uid, gid_t gid)
{
    owner_uid = uid;
    owner_gid = gid;
}

/* A folder with the set-group-ID bit says to which group the files in it belong. */
static gid_t group_in(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char *slash;
    struct stat st;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return owner_gid;
    *slash = '\0';
    return stat(folder, &st) == 0 && (st.st_mode & S_ISGID) != 0 ? st.st_gid : owner_gid;
}

/* Remember which file it is, give it its owner, listen. */
static int make_ready(struct listen_socket *s, int type, struct err *e)
{
    const char *path = path_of(&s->address);
    struct stat st;

    if (path != NULL) {
        if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
            return err_set(e, "the socket has vanished");
        s->made_by = getpid();
        s->dev = st.st_dev;
        s->ino = st.st_ino;
        if (owner_uid != (uid_t)-1 && lchown(path, owner_uid, group_in(path)) != 0)
            return err_set(e, "%s", strerror(errno));
    }
    return type == SOCK_DGRAM || listen(s->fd, SOMAXCONN) == 0 ? 0 : err_set(e, "%s", strerror(errno));
}

static int open_of(struct listen_socket *out, const char *address, int type, unsigned mode, struct err *e)
{
    struct address *a = &out->address;
    int rc;

    memset(out, 0, sizeof(*out));
    out->fd = -1;
    if (address_parse(a, address, e) != 0)
        return -1;
    out->fd = take_handed_over(a, type);
    if (out->fd >= 0)
        return 0;
    out->fd = socket(a->sa.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (out->fd < 0)
        return err_set(e, "%s: %s", address, strerror(errno));
    rc = path_of(a) != NULL ? bind_path(out->fd, a, mode, e) : bind_inet(out->fd, a, e);
    if (rc != 0 || make_ready(out, type, e) != 0) {
        listen_socket_close(out);
        return err_prefix(e, "%s", address);
    }
    return 0;
}

int listen_socket_open(struct listen_socket *out, const char *address, unsigned mode, struct err *e)
{
    return open_of(out, address, SOCK_STREAM, mode, e);
}

int listen_socket_open_datagrams(struct listen_socket *out, const char *address, unsigned mode, struct err *e)
{
    return open_of(out, address, SOCK_DGRAM, mode, e);
}

void listen_socket_close(struct listen_socket *s)
{
    const char *path = path_of(&s->address);
    struct stat st;

    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (s->made_by == getpid() && lstat(path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
        unlink(path);
    s->made_by = 0;
}
