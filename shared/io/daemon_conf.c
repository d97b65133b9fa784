/* daemon_conf.c - a daemon and its configuration file: where it is, whether it is right, what a change of it means. */
#include "daemon_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

char *daemon_absolute(const char *path)
{
    char *out = NULL;
    char *dir;

    dir = getcwd(NULL, 0);
    if (path[0] == '/')
        out = strdup(path);
    else if (dir == NULL || asprintf(&out, "%s/%s", dir, path) < 0)
        out = NULL;
    free(dir);
    if (out == NULL)
        log_oom();
    return out;
}

int daemon_check(const struct daemon_hooks *hooks, const char *path)
{
    struct conf *conf = NULL;
    struct err e = {""};
    int rc = conf_read(&conf, path, &e);

    log_open(hooks->name, true, LOGLEVEL_INFO);
    if (rc == 0 && hooks->check != NULL)
        rc = hooks->check(conf, &e);
    if (rc == 0)
        printf("%s: fine\n", path);
    else
        fprintf(stderr, "%s\n", e.text);
    conf_free(conf);
    return rc == 0 ? 0 : 1;
}

void daemon_log_refused(const struct err *e)
{
    log_error("config-error", "reason=%s action=%s", e->text, "the old one stays");
}

struct conf *daemon_read_again(const struct daemon_hooks *hooks, const char *path)
{
    struct conf *conf = NULL;
    struct err e = {""};

    if (hooks->reload == NULL)
        log_warning("reload-ignored", "reason=%s", "a restart is needed");
    else if (conf_read(&conf, path, &e) != 0)
        daemon_log_refused(&e);
    return conf;
}

static void say_restart(void *ctx, const char *section, const char *key)
{
    char name[128];

    (void)ctx;
    (void)snprintf(name, sizeof(name), "%s.%s", section, key);
    log_warning("takes-a-restart", "key=%s", name);
}

/* The program's own section is named as it is, without "postern-". */
void daemon_warn_of_restart(const struct daemon_hooks *hooks, const struct conf *before, const struct conf *now)
{
    const char *dash = strchr(hooks->name, '-');

    conf_needs_restart(before, now, "redis", say_restart, NULL);
    conf_needs_restart(before, now, dash == NULL ? hooks->name : dash + 1, say_restart, NULL);
}
