/*
 * redis_server.h - a private redis-server on a unix socket (and a TCP port) in a temporary directory. All static, for
 * one test program each. The program is $POSTERN_REDIS_SERVER, else the first redis-server of $PATH; without one the
 * tests fail.
 */
#ifndef POSTERN_REDIS_SERVER_H
#define POSTERN_REDIS_SERVER_H

#include <hiredis/hiredis.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* needs some of the above */

#define SERVER_START_SECONDS 60

struct redis_server {
    char dir[64], path[96], url[104], tcp_url[64];
    char host[32]; /* of this process alone: who else is on loopback does not meet it */
    pid_t pid;
    redisContext *other; /* a second client, blocking */
};

/* The directory and addresses; nothing runs yet. */
static void redis_server_init(struct redis_server *s)
{
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/postern-redis-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->host, sizeof(s->host), "127.%d.%d.%d", 64 + (getpid() >> 16 & 63), getpid() >> 8 & 255,
                   getpid() & 255);
    (void)snprintf(s->path, sizeof(s->path), "%s/redis.sock", s->dir);
    (void)snprintf(s->url, sizeof(s->url), "unix:%s", s->path);
    (void)snprintf(s->tcp_url, sizeof(s->tcp_url), "tcp:%s:6379", s->host);
}

static void redis_server_exec(const struct redis_server *s)
{
    const char *program = getenv("POSTERN_REDIS_SERVER");
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    dup2(fd, STDOUT_FILENO);
    if (program == NULL || program[0] == '\0')
        program = "redis-server";
    execlp(program, program, "--port", "6379", "--bind", s->host, "--unixsocket", s->path, "--dir", s->dir, "--save",
           "", "--appendonly", "no", "--daemonize", "no", "--enable-debug-command", "yes", (char *)NULL);
    fprintf(stderr, "%s cannot be run; install redis-server, or name it in POSTERN_REDIS_SERVER\n", program);
    _exit(127);
}

static void redis_server_stop(struct redis_server *s)
{
    if (s->other != NULL) {
        redisFree(s->other);
        s->other = NULL;
    }
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
        s->pid = 0;
    }
}

static void redis_server_clear(struct redis_server *s)
{
    redis_server_stop(s);
    unlink(s->path);
    rmdir(s->dir);
}

/* Start it and wait until it answers. */
static void redis_server_start(struct redis_server *s)
{
    int i;

    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0)
        redis_server_exec(s);
    for (i = 0; i < SERVER_START_SECONDS * 50; i++) {
        s->other = redisConnectUnix(s->path);
        if (s->other != NULL && s->other->err == 0)
            return;
        redisFree(s->other);
        s->other = NULL;
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            redis_server_clear(s);
            fail_msg("no redis-server: install it, or name it in POSTERN_REDIS_SERVER");
        }
        usleep(20000);
    }
    redis_server_clear(s);
    fail_msg("redis-server does not answer after %d s", SERVER_START_SECONDS);
}

/* A command of the second client that must not be refused; returns its integer, or 0. */
static long long other_do(struct redis_server *s, const char *fmt, ...)
{
    long long n;
    redisReply *reply;
    va_list ap;

    va_start(ap, fmt);
    reply = redisvCommand(s->other, fmt, ap);
    va_end(ap);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", fmt, reply->str);
    n = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return n;
}

/* One for all tests of a program. */
static struct redis_server server;

static int server_setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    redis_server_init(&server);
    redis_server_start(&server);
    return 0;
}

static int server_teardown(void **state)
{
    (void)state;
    redis_server_clear(&server);
    return 0;
}

#endif
