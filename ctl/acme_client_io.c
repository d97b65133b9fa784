/* acme_client_io.c - see acme_client_io.h. */
#include "acme_client_io.h"
#include "acme_key.h"
#include "acme_plan.h"
#include "clock.h"
#include "process.h"
#include "unguarded.h"
#include "user_program_io.h"
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAID_MAX       65536
#define ACCOUNT_MAX    8192
#define CLIENT_SECONDS 600 /* an authority may take its time for a hundred names */
#define PATH_BUF       (PATH_MAX + 100)

/* --- folders --- */

static void path_of(char out[PATH_BUF], const struct acme_client *c, const char *file)
{
    (void)snprintf(out, PATH_BUF, "%s/.acme%s%s", c->conf->certs.folder, file[0] != '\0' ? "/" : "", file);
}

static int make_folder(const char *path, mode_t mode, struct err *e)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return 0;
    return err_set(e, "%s: %s", path, strerror(errno));
}

/* uacme's own folder is the user's alone. */
static int make_own_folder(const struct acme_client *c, struct err *e)
{
    char path[PATH_BUF];
    uid_t uid;
    gid_t gid;

    path_of(path, c, "uacme");
    if (make_folder(path, 0700, e) != 0)
        return -1;
    if (process_owner(c->conf->policyd.user, &uid, &gid, e) != 0)
        return -1;
    if (uid != (uid_t)-1 && lchown(path, uid, gid) != 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    return 0;
}

/* For a shell, in single quotes. */
static void add_quoted(struct buf *out, const char *word)
{
    buf_char(out, '\'');
    for (; *word != '\0'; word++)
        if (*word == '\'')
            buf_str(out, "'\\''");
        else
            buf_char(out, *word);
    buf_char(out, '\'');
}

/* uacme takes the path of a program, without words: there is one for each kind of challenge. */
static int make_hook(const struct acme_client *c, bool dns, struct err *e)
{
    char path[PATH_BUF], *self = realpath("/proc/self/exe", NULL), *conf = realpath(c->conf_file, NULL);
    struct buf text;
    int rc = 0;

    path_of(path, c, dns ? "hook-dns-01" : "hook-http-01");
    buf_init(&text, ACCOUNT_MAX);
    buf_str(&text, "#!/bin/sh\nexec ");
    add_quoted(&text, self != NULL ? self : "posternctl");
    buf_str(&text, " -c ");
    add_quoted(&text, conf != NULL ? conf : c->conf_file);
    buf_printf(&text, " cert acme hook%s -- \"$@\"\n", dns ? " --dns" : "");
    if (!buf_ok(&text) || whole_file_replace(path, text.data, text.len) != 0 || chmod(path, 0755) != 0)
        rc = err_set(e, "%s: %s", path, strerror(errno));
    buf_clear(&text);
    free(self);
    free(conf);
    return rc;
}

static int make_folders(const struct acme_client *c, struct err *e)
{
    char path[PATH_BUF];

    path_of(path, c, "");
    if (make_folder(c->conf->certs.folder, 0755, e) != 0 || make_folder(path, 0755, e) != 0)
        return -1;
    return make_own_folder(c, e);
}

int acme_client_lock(const struct acme_client *c, struct err *e)
{
    char path[PATH_BUF];
    int fd;

    if (make_folders(c, e) != 0)
        return -1;
    path_of(path, c, "lock");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return err_set(e, "another \"posternctl cert acme\" is at work; try again when it is done");
}

/* --- the client --- */

/* Returns 0, or -1 with what it says; octets: of the file that it is given. fine: what it may say and yet all is well.
 */
static int run_client(const struct acme_client *c, char *const *argv, const char *file, const struct buf *octets,
                      const char *fine, struct err *e)
{
    char folder[PATH_BUF], why[ERR_MAX];
    struct user_program client = {
        .user = c->conf->policyd.user, .folder = folder, .argv = argv, .seconds = CLIENT_SECONDS, .file = file};
    struct buf said;
    int rc;

    path_of(folder, c, "uacme");
    if (octets != NULL) {
        client.octets = octets->data;
        client.len = octets->len;
    }
    buf_init(&said, SAID_MAX);
    rc = user_program_run(&said, &client, e);
    if (rc > 0 && fine != NULL && strstr(buf_text(&said), fine) != NULL)
        rc = 0;
    if (rc > 0) {
        acme_complaint(why, sizeof(why), buf_text(&said));
        rc = err_set(e, "%s: %s", argv[0], why[0] != '\0' ? why : "it gives no reason");
    }
    buf_clear(&said);
    return rc;
}

/* An account is for one authority; a new contact is told, too. */
int acme_client_account(const struct acme_client *c, struct err *e)
{
    const struct conf_certs *certs = &c->conf->certs;
    char path[PATH_BUF], folder[PATH_BUF];
    char *const argv[] = {certs->acme_client,
                          unguarded("-a"),
                          certs->acme_url,
                          unguarded("-c"),
                          folder,
                          unguarded("-y"),
                          unguarded("-t"),
                          unguarded("EC"),
                          unguarded("new"),
                          certs->contact[0] != '\0' ? certs->contact : NULL,
                          NULL};
    struct buf have, want;
    int rc;

    path_of(path, c, "account");
    path_of(folder, c, "uacme");
    buf_init(&have, ACCOUNT_MAX);
    buf_init(&want, ACCOUNT_MAX);
    buf_printf(&want, "%s\n%s\n", certs->acme_url, certs->contact);
    rc = make_hook(c, false, e) == 0 ? make_hook(c, true, e) : -1;
    if (rc == 0)
        rc = whole_file_read(&have, path, e) < 0 ? -1 : 0;
    if (rc == 0 && strcmp(buf_text(&have), buf_text(&want)) != 0) {
        rc = run_client(c, argv, NULL, NULL, "Account already exists", e);
        if (rc == 0 && whole_file_replace(path, want.data, want.len) != 0)
            rc = err_set(e, "%s: %s", path, strerror(errno));
    }
    buf_clear(&have);
    buf_clear(&want);
    return rc;
}

/* --- a certificate --- */

/* What uacme has put there. It is another user's folder: no link is followed, nothing but a file is waited for. */
static int read_issued(struct buf *out, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    char part[4096];
    ssize_t n = -1;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(e, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        while ((n = read(fd, part, sizeof(part))) > 0)
            buf_add(out, part, (size_t)n);
    close(fd);
    return n == 0 && buf_ok(out) ? 1 : err_set(e, "%s is no certificate", path);
}

/* A certificate for what was asked? */
static int judge_issued(const struct buf *chain, const struct cert_about *about, struct err *e)
{
    struct cert_chain got;
    int rc = cert_chain_read(&got, chain->data, chain->len, e);

    if (rc == 0 && got.key == NULL)
        rc = err_set(e, "it is for another key");
    for (size_t i = 0; rc == 0 && i < about->host_count; i++) {
        /* a wildcard is for any one label */
        const char *host = about->host[i];
        char name[DOMAIN_BUF];

        (void)snprintf(name, sizeof(name), "%s%s", host[0] == '*' ? "a" : "", host[0] == '*' ? host + 1 : host);
        if (cert_chain_judge(&got, name, NULL, now_seconds(), e) != CERT_GOOD)
            rc = -1;
    }
    cert_chain_clear(&got);
    return rc;
}

/* Key and what was issued. Returns 1, 0 when there is nothing, or -1 with what is wrong with it. */
static int take_issued(struct buf *chain, const char *path, const struct cert_about *about, const struct buf *key_pem,
                       struct err *e)
{
    struct buf issued;
    int rc;

    buf_init(&issued, CERT_PEM_MAX);
    rc = read_issued(&issued, path, e);
    buf_reset(chain);
    buf_add(chain, key_pem->data, key_pem->len);
    buf_add(chain, buf_text(&issued), issued.len);
    buf_clear(&issued);
    if (rc == 1 && judge_issued(chain, about, e) != 0)
        rc = err_prefix(e, "what the authority has issued cannot be used");
    return rc;
}

/* It is still fresh: half of its time is left. */
static bool is_fresh(const struct buf *chain)
{
    struct cert_chain c;
    struct cert_facts leaf;
    bool fresh = false;

    if (cert_chain_read(&c, chain->data, chain->len, NULL) != 0)
        return false;
    if (cert_facts_read(&leaf, c.cert[0], NULL) == 0)
        fresh = now_seconds() < leaf.not_before + (leaf.not_after - leaf.not_before) / 2;
    cert_facts_clear(&leaf);
    cert_chain_clear(&c);
    return fresh;
}

static void issued_path(char out[PATH_BUF], const struct acme_client *c, const char *name)
{
    char file[CERT_NAME_MAX + 20];

    (void)snprintf(file, sizeof(file), "uacme/%s-cert.pem", name);
    path_of(out, c, file);
}

void acme_client_taken(const struct acme_client *c, const char *name)
{
    char path[PATH_BUF];

    issued_path(path, c, name);
    (void)unlink(path);
}

static int ask_authority(const struct acme_client *c, const char *name, const struct cert_about *about, EVP_PKEY *key,
                         struct err *e)
{
    const struct conf_certs *certs = &c->conf->certs;
    char folder[PATH_BUF], hook[PATH_BUF], request[CERT_NAME_MAX + 10];
    char *const argv[] = {certs->acme_client,
                          unguarded("-a"),
                          certs->acme_url,
                          unguarded("-c"),
                          folder,
                          unguarded("-h"),
                          hook,
                          unguarded("-n"),
                          unguarded("-o"),
                          unguarded("-f"),
                          unguarded("issue"),
                          request,
                          NULL};
    struct buf csr;
    int rc;

    path_of(folder, c, "uacme");
    path_of(hook, c, strcmp(about->challenge, "dns-01") == 0 ? "hook-dns-01" : "hook-http-01");
    (void)snprintf(request, sizeof(request), "%s.csr", name);
    buf_init(&csr, ACME_CSR_MAX);
    rc = acme_csr(&csr, key, about->host, about->host_count, e);
    if (rc == 0)
        rc = run_client(c, argv, request, &csr, NULL, e);
    buf_clear(&csr);
    return rc;
}

/* Perhaps the authority does not know it any more: it is asked next time. */
static void forget_account(const struct acme_client *c)
{
    char path[PATH_BUF];

    path_of(path, c, "account");
    (void)unlink(path);
}

int acme_client_issue(const struct acme_client *c, struct buf *chain, const char *name, const struct cert_about *about,
                      EVP_PKEY *key, const struct buf *key_pem, struct err *e)
{
    char path[PATH_BUF];
    int rc;

    issued_path(path, c, name);
    if (take_issued(chain, path, about, key_pem, e) == 1 && is_fresh(chain))
        return 0;
    (void)unlink(path);
    if (ask_authority(c, name, about, key, e) != 0) {
        forget_account(c);
        return -1;
    }
    rc = take_issued(chain, path, about, key_pem, e);
    if (rc == 0)
        return err_set(e, "%s: it ended well, but %s is not there", c->conf->certs.acme_client, path);
    return rc < 0 ? -1 : 0;
}
