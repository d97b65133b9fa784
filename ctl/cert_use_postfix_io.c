/* cert_use_postfix_io.c - Postfix for cert_use_io.h. */
#include "cert_use_io.h"
#include "postfix_read_io.h"
#include "program_output_io.h"
#include "setup_postfix_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int find_dir(char out[PATH_MAX], const struct postfix_conf *postfix, struct err *e)
{
    const char *dir = postfix_value(postfix, NULL, "config_directory");

    return realpath(dir, out) != NULL ? 0 : err_set(e, "%s: %s", dir, strerror(errno));
}

static void find_host(char out[DOMAIN_BUF], const struct postfix_conf *postfix)
{
    const char *name = postfix_value(postfix, NULL, "myhostname");

    if (domain_normalise(out, name, strlen(name), NULL) != 0)
        out[0] = '\0';
}

int cert_postfix_look(struct cert_server_facts *out, const char *config_dir, struct err *e)
{
    struct postfix_conf postfix;
    int rc;

    *out = (struct cert_server_facts){.dir = ""};
    if (postfix_read(&postfix, config_dir, e) != 0)
        return -1;
    rc = find_dir(out->dir, &postfix, e);
    find_host(out->host, &postfix);
    cert_where_postfix(&out->where, &postfix, NULL);
    postfix_conf_free(&postfix);
    return rc;
}

int cert_postfix_plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    struct postfix_conf postfix, set;
    char dir[PATH_MAX];
    int rc;

    if (postfix_read(&postfix, r->ctl->config_dir, e) != 0)
        return -1;
    rc = find_dir(dir, &postfix, e);
    if (rc == 0)
        rc = setup_postfix_set(&set, r->ctl->config_dir, e);
    if (rc == 0) {
        cert_use_postfix(out, r->cert,
                         &(const struct cert_use_postfix_facts){
                             .postfix = &postfix, .set = &set, .config_dir = dir, .named = r->ctl->config_dir != NULL});
        postfix_conf_free(&set);
    }
    postfix_conf_free(&postfix);
    return rc;
}

int cert_postfix_reload(struct buf *said, const char *dir, struct err *e)
{
    char *argv[] = {(char *)"postfix", (char *)"-c", (char *)dir, (char *)"reload", NULL};
    struct buf out;
    int rc;

    buf_init(&out, 65536);
    rc = program_output(&out, argv, e);
    buf_clear(&out);
    if (rc == 0)
        buf_printf(said, "postfix -c %s reload\n", dir);
    return rc;
}
