/* cert_install_io.c - see cert_install_io.h; and the table of cert_use_io.h. */
#include "cert_install_io.h"

#include "cert_served_io.h"
#include "cert_use_io.h"
#include "print.h"
#include "setup_exim_io.h"
#include "setup_file_io.h"
#include "setup_postfix_io.h"
#include "whole_file.h"

#include <stdio.h>
#include <string.h>

#define BY_ITSELF_MS 7000 /* a server may take so long to see by itself that its copy is another one */

const struct cert_server cert_servers[] = {
    {.setup = {.name = "postfix",
               .command = "cert use postfix",
               .kept_as = "cert-postfix",
               .plan = cert_postfix_plan,
               .running = setup_postfix_running,
               .works = cert_works_postfix},
     .program = "postconf",
     .usual = "/etc/postfix",
     .marks = {"main.cf"},
     .look = cert_postfix_look,
     .reload = cert_postfix_reload},
    {.setup = {.name = "exim",
               .command = "cert use exim",
               .kept_as = "cert-exim",
               .plan = cert_exim_plan,
               .running = setup_exim_running,
               .without = cert_use_exim_take,
               .works = cert_works_exim},
     .program = "exim4",
     .usual = "/etc/exim4",
     .marks = {"update-exim4.conf.conf", "exim4.conf"},
     .look = cert_exim_look,
     .reload = cert_exim_reload,
     .copy = cert_exim_copy},
    {.setup = {.name = NULL}},
};

const struct cert_server *cert_server_by_name(const char *name, size_t len)
{
    for (const struct cert_server *s = cert_servers; s->setup.name != NULL; s++)
        if (strlen(s->setup.name) == len && memcmp(s->setup.name, name, len) == 0)
            return s;
    return NULL;
}

/* --- does it serve it? --- */

static int see(struct buf *said, const struct cert_server *s, const char *config_dir, const uint8_t *sha256,
               struct err *e)
{
    struct cert_server_facts now;

    if (s->look(&now, config_dir, e) != 0)
        return -1;
    if (now.where.host[0] == '\0') {
        buf_printf(said, "%s takes no mail of others over STARTTLS, so what it serves is not looked at\n",
                   s->setup.name);
        return 0;
    }
    if (cert_served_wait(&now.where, sha256, CERT_SERVED_MS, e) != 0)
        return -1;
    buf_printf(said, "%s port %s serves it\n", now.where.host, now.where.port);
    return 0;
}

static int works(struct buf *said, const struct cert_server *s, const struct setup_request *r, struct err *e)
{
    return s->setup.running(r) ? see(said, s, r->ctl->config_dir, r->cert->sha256, e) : 0;
}

int cert_works_postfix(struct buf *said, const struct setup_request *r, struct err *e)
{
    return works(said, &cert_servers[0], r, e);
}

int cert_works_exim(struct buf *said, const struct setup_request *r, struct err *e)
{
    return works(said, &cert_servers[1], r, e);
}

/* --- copies --- */

static int put_copy(const struct setup_file *as, const char *path, const struct buf *text, struct err *e)
{
    const struct setup_owner owner = {.mode = as->mode, .uid = as->uid, .gid = as->gid};

    return setup_file_put(path, buf_text(text), text->len, &owner, e);
}

/* *old: the copy as it was. Returns 1: it was replaced; 0: it is the same, or there is none to be; -1 with the reason.
 */
static int renew_copy(struct setup_file *old, char path[PATH_MAX], const struct conf *conf, const struct cert_server *s,
                      const char *dir, const char *name, struct err *e)
{
    char live[PATH_MAX];
    struct buf text;
    int rc;

    if (s->copy == NULL)
        return 0;
    s->copy(path, dir, name);
    cert_path(live, sizeof(live), conf->certs.folder, name, CERT_FILE_LIVE);
    if (setup_file_look(old, path, e) != 0)
        return -1;
    if (!old->there)
        return err_set(e, "%s: there is no such file any more; \"posternctl cert use %s %s\" makes it again", path,
                       name, s->setup.name);
    buf_init(&text, CERT_PEM_MAX);
    rc = whole_file_read(&text, live, e) == 1 && buf_ok(&text) ? 0 : err_prefix(e, "%s: cannot be read", live);
    if (rc == 0 && (text.len != old->text.len || memcmp(buf_text(&text), buf_text(&old->text), text.len) != 0))
        rc = put_copy(old, path, &text, e) == 0 ? 1 : -1;
    buf_wipe(&text);
    return rc;
}

/* --- one server --- */

/* Exim takes a new copy up by itself; at a reload it would close its port for a moment. */
static int take_up(const struct cert_server *s, const char *dir, const uint8_t *sha256, struct buf *said, struct err *e)
{
    struct cert_server_facts now;

    if (s->copy != NULL && s->look(&now, dir, e) == 0 &&
        cert_served_wait(&now.where, sha256, BY_ITSELF_MS, NULL) == 0) {
        buf_printf(said, "%s port %s serves it\n", now.where.host, now.where.port);
        return 0;
    }
    if (s->reload(said, dir, e) != 0)
        return -1;
    return see(said, s, dir, sha256, e);
}

static void put_back(const struct cert_server *s, const char *dir, const char *path, const struct setup_file *old,
                     struct buf *said)
{
    struct err e = {""};

    if (put_copy(old, path, &old->text, &e) == 0 && s->reload(said, dir, &e) == 0)
        buf_printf(said, "%s is the old one again\n", path);
    else
        buf_printf(said, "the old copy is not back: %s\n", e.text);
}

static int install_at(const struct conf *conf, const struct cert_server *s, const char *name, const char *dir,
                      const uint8_t *sha256, struct buf *said, struct err *e)
{
    const struct ctl ctl = {.config_dir = dir};
    const struct setup_request r = {.ctl = &ctl, .conf = conf};
    struct setup_file old = {.there = false};
    char path[PATH_MAX] = "";
    int copied = renew_copy(&old, path, conf, s, dir, name, e), rc = copied < 0 ? -1 : 0;

    if (copied == 1)
        buf_printf(said, "%s is renewed\n", path);
    if (rc == 0 && !s->setup.running(&r))
        buf_printf(said, "%s does not run, so nothing is reloaded\n", s->setup.name);
    else if (rc == 0)
        rc = take_up(s, dir, sha256, said, e);
    if (rc != 0 && copied == 1)
        put_back(s, dir, path, &old, said);
    setup_file_clear(&old);
    return rc;
}

static const struct cert_server *server_of(const char *use, const char **dir)
{
    const char *colon = strchr(use, ':');

    *dir = colon != NULL ? colon + 1 : "";
    return colon != NULL ? cert_server_by_name(use, (size_t)(colon - use)) : NULL;
}

void cert_install_host(char out[DOMAIN_BUF], const char *use)
{
    const char *dir;
    const struct cert_server *s = server_of(use, &dir);
    struct cert_server_facts now;
    struct err e = {""};

    out[0] = '\0';
    if (s != NULL && s->look(&now, dir, &e) == 0)
        (void)snprintf(out, DOMAIN_BUF, "%s", now.host);
}

int cert_install_one(const struct conf *conf, const char *name, const char *use, const uint8_t sha256[CERT_DIGEST_LEN],
                     struct buf *said, struct err *e)
{
    const char *dir;
    const struct cert_server *s = server_of(use, &dir);

    if (s == NULL)
        return err_set(e, "about.json of %s names a mail server that is not known here: %.100s", name, use);
    return install_at(conf, s, name, dir, sha256, said, e) == 0 ? 0 : err_prefix(e, "%s", use);
}

int cert_install(const struct conf *conf, const char *name, struct buf *said, struct err *e)
{
    struct cert_entry entry;
    int rc = cert_entry_read(&entry, conf->certs.folder, name, e);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, "there is no certificate %s in %s", name, conf->certs.folder);
    rc = entry.live.count > 0 ? 0 : err_set(e, "%s", entry.trouble[0] != '\0' ? entry.trouble : "no certificate yet");
    for (size_t i = 0; entry.live.count > 0 && i < entry.about.uses; i++) {
        struct err fault = {""};

        if (cert_install_one(conf, name, entry.about.use[i], entry.leaf.sha256, said, &fault) == 0)
            continue;
        print_text(said, fault.text, strlen(fault.text));
        buf_char(said, '\n');
        if (rc == 0)
            err_set(e, "%s", fault.text);
        rc = -1;
    }
    cert_entry_clear(&entry);
    return rc;
}
