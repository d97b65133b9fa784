/* cert_use_commands_io.c - posternctl cert use: a certificate of the store goes into this machine's mail server. */
#include "cert_tlsa_io.h"
#include "cert_trust_io.h"
#include "cert_use.h"
#include "cert_use_io.h"
#include "clock.h"
#include "ctl.h"
#include "output_io.h"
#include "setup_run_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All that a run has. */
struct using
{
    const struct ctl *ctl;
    struct conf *conf;
    const struct cert_server *server;
    struct cert_server_facts facts;
    char use[CERT_TEXT_BUF + PATH_MAX]; /* of about.use */
    int lock;                           /* of the store; -1: none */
    struct cert_entry entry;
};

/* --- which server --- */

static bool has_program(const char *name)
{
    static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin"};
    char path[300];

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* Is its configuration in this folder? */
static bool is_configured(const struct cert_server *s, const char *dir)
{
    char path[PATH_MAX];

    for (size_t i = 0; s->marks[i] != NULL; i++) {
        (void)snprintf(path, sizeof(path), "%.3900s/%s", dir, s->marks[i]);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

/* NULL with the reason. */
static const struct cert_server *installed_server(const struct ctl *ctl, struct err *e)
{
    const struct cert_server *found = NULL;

    for (const struct cert_server *s = cert_servers; s->setup.name != NULL; s++) {
        if (!has_program(s->program) || !is_configured(s, ctl->config_dir != NULL ? ctl->config_dir : s->usual))
            continue;
        if (found != NULL) {
            err_set(e, "%s and %s are both installed; say which of them is meant, behind the name of the certificate",
                    found->setup.name, s->setup.name);
            return NULL;
        }
        found = s;
    }
    if (found == NULL)
        err_set(e, "there is neither Postfix nor Exim here (%s); --config-dir DIR says where its configuration is",
                ctl->config_dir != NULL ? ctl->config_dir : "/etc/postfix, /etc/exim4");
    return found;
}

static int choose_server(struct using *u, const char *name, struct err *e)
{
    if (name == NULL)
        u->server = installed_server(u->ctl, e);
    else if ((u->server = cert_server_by_name(name, strlen(name))) == NULL)
        err_set(e, "%s: there is no such mail server here; there are: postfix, exim", name);
    return u->server != NULL ? 0 : -1;
}

/* --- may it? --- */

static enum cert_use_verdict judge(struct using *u, struct buf *said)
{
    X509_STORE *trust = cert_system_trust();
    enum cert_use_verdict v = cert_use_judge(said, &u->entry, u->facts.host, trust, now_seconds()),
                          dane = CERT_USE_GOOD;

    X509_STORE_free(trust);
    if (u->facts.host[0] == '\0')
        buf_printf(said,
                   "warning: the host name that %s goes by is no name that others could ask for, so whether the "
                   "certificate is for it is not looked at\n",
                   u->server->setup.name);
    if (v != CERT_USE_NEVER)
        dane = cert_tlsa_look(said, u->conf, &u->entry.live, &u->entry.leaf, u->facts.host, NULL);
    return dane > v ? dane : v;
}

static void report_lines(const struct using *u, const struct buf *said)
{
    for (const char *at = buf_text(said); *at != '\0';) {
        size_t len = strcspn(at, "\n");

        report_error("cert use %s: %.*s", u->entry.name, (int)len, at);
        at += len + (at[len] == '\n');
    }
}

/* CTL_YES: go on. */
static int may_be_used(struct using *u)
{
    bool force = (u->ctl->options & CTL_FORCE) != 0;
    enum cert_use_verdict v;
    struct buf said;

    buf_init(&said, 65536);
    v = judge(u, &said);
    report_lines(u, &said);
    buf_clear(&said);
    if (v == CERT_USE_GOOD || (force && v != CERT_USE_NEVER))
        return CTL_YES;
    report_error("cert use %s: nothing was changed%s", u->entry.name,
                 v != CERT_USE_NEVER ? "; --force uses it all the same" : "");
    return v == CERT_USE_LATER ? CTL_LATER : CTL_NO;
}

/* --- the store --- */

/* Whoever used this server does not any more, but for keep, which does (NULL: nobody). */
static int move_use(const struct using *u, const char *keep, struct err *e)
{
    struct cert_entries all;
    int rc = cert_entries_read(&all, u->conf->certs.folder, e);

    for (size_t i = 0; rc == 0 && i < all.count; i++) {
        struct cert_entry *entry = &all.entry[i];
        bool wanted = keep != NULL && strcmp(entry->name, keep) == 0;

        if (cert_use_has(&entry->about, u->use) == wanted)
            continue;
        if (!wanted)
            (void)cert_use_drop(&entry->about, u->use);
        else if (cert_use_add(&entry->about, u->use) != 0)
            rc = err_set(e, "%s is in use by %d mail servers already", entry->name, CERT_USES_MAX);
        if (rc == 0)
            rc = cert_about_save(u->conf->certs.folder, entry->name, &entry->about, u->conf->policyd.user, e);
    }
    cert_entries_clear(&all);
    return rc;
}

/* The entry that this server uses; "": none. */
static void find_user(char out[CERT_NAME_MAX + 1], const struct using *u)
{
    struct cert_entries all;

    out[0] = '\0';
    if (cert_entries_read(&all, u->conf->certs.folder, NULL) != 0)
        return;
    for (size_t i = 0; i < all.count; i++)
        if (cert_use_has(&all.entry[i].about, u->use))
            (void)snprintf(out, CERT_NAME_MAX + 1, "%s", all.entry[i].name);
    cert_entries_clear(&all);
}

static void tidy(const struct using *u, const char *keep)
{
    if (u->server->copy != NULL)
        cert_exim_tidy(u->facts.dir, keep);
}

/* --- what is asked for --- */

/* It is in use already, and may have been replaced in the store since. */
static int use_again(const struct using *u, struct err *e)
{
    struct buf said;
    int rc;

    buf_init(&said, CTL_OUTPUT_MAX);
    rc = cert_install_one(u->conf, u->entry.name, u->use, u->entry.leaf.sha256, &said, e);
    if ((u->ctl->options & CTL_JSON) == 0)
        (void)output_text(&said);
    buf_clear(&said);
    return rc;
}

/* A copy that is there is not renewed by a plan: what fails then could not be put back. */
static bool copy_is_other(const struct using *u, const char *live)
{
    char copy[PATH_MAX];

    if (u->server->copy == NULL)
        return false;
    u->server->copy(copy, u->facts.dir, u->entry.name);
    return access(copy, F_OK) == 0 && !cert_exim_copied(copy, live);
}

/* In the store first: killed in the midst of it, a certificate that may be served counts as one that is used. */
static int mark_use(struct using *u, struct err *e)
{
    if (cert_use_has(&u->entry.about, u->use))
        return 0;
    if (cert_use_add(&u->entry.about, u->use) != 0)
        return err_set(e, "it is in use by %d mail servers already", CERT_USES_MAX);
    return cert_about_save(u->conf->certs.folder, u->entry.name, &u->entry.about, u->conf->policyd.user, e);
}

static int use_it(struct using *u, const struct cert_use *use, struct err *e)
{
    char before[CERT_NAME_MAX + 1];
    bool same, good;
    int rc;

    find_user(before, u);
    same = strcmp(before, use->name) == 0;
    good = same && use_again(u, e) == 0;
    if (same && !good && copy_is_other(u, use->live))
        return CTL_NO;
    e->text[0] = '\0';
    if (mark_use(u, e) != 0)
        return CTL_NO;
    rc = setup_run(u->ctl, &u->server->setup, use, SETUP_APPLY);
    if (rc != CTL_YES) {
        tidy(u, before);
        (void)move_use(u, before[0] != '\0' ? before : NULL, e);
        return rc;
    }
    if (same && !good && use_again(u, e) != 0)
        return CTL_NO;
    if (move_use(u, use->name, e) != 0) {
        err_prefix(e, "it is in use now, but the store could not be told, so it is not renewed there");
        return CTL_NO;
    }
    tidy(u, use->name);
    return CTL_YES;
}

static int run_use(struct using *u, struct err *e)
{
    const char *name = u->ctl->word[0];
    bool dry = (u->ctl->options & CTL_DRY_RUN) != 0;
    char live[PATH_MAX];
    const struct cert_use use = {.name = u->entry.name, .live = live, .sha256 = u->entry.leaf.sha256};
    int rc;

    if (!cert_name_valid(name, e))
        return CTL_USAGE;
    if (!dry && (u->lock = cert_store_lock(u->conf->certs.folder, e)) < 0)
        return CTL_NO;
    rc = cert_entry_read(&u->entry, u->conf->certs.folder, name, e);
    if (rc <= 0) {
        if (rc == 0)
            err_set(e, "there is no certificate of that name; \"posternctl cert list\" shows which there are");
        return CTL_USAGE;
    }
    cert_path(live, sizeof(live), u->conf->certs.folder, name, CERT_FILE_LIVE);
    rc = may_be_used(u);
    if (rc != CTL_YES)
        return rc;
    return dry ? setup_run(u->ctl, &u->server->setup, &use, SETUP_SHOW) : use_it(u, &use, e);
}

/* Something is left: the server may name the certificate still, so it stays one that is in use. */
static int still_used(const struct using *u, int rc, struct err *e)
{
    char name[CERT_NAME_MAX + 1];

    find_user(name, u);
    if (name[0] != '\0')
        err_set(e,
                "%s still counts as used by %s, and is renewed there: use another one, or --undo again when what is "
                "left was put right",
                name, u->use);
    return rc;
}

static int run_undo(struct using *u, struct err *e)
{
    int rc;

    u->lock = cert_store_lock(u->conf->certs.folder, e);
    if (u->lock < 0)
        return CTL_NO;
    rc = setup_run(u->ctl, &u->server->setup, NULL, SETUP_UNDO);
    if (rc != CTL_YES)
        return still_used(u, rc, e);
    tidy(u, NULL);
    return move_use(u, NULL, e) == 0 ? CTL_YES : CTL_NO;
}

static int begin(struct using *u, const char *server, struct err *e)
{
    if (choose_server(u, server, e) != 0)
        return CTL_USAGE;
    if (u->server->look(&u->facts, u->ctl->config_dir, e) != 0)
        return CTL_USAGE;
    if (!cert_use_text(u->use, sizeof(u->use), u->server->setup.name, u->facts.dir)) {
        err_set(e, "--config-dir: too long");
        return CTL_USAGE;
    }
    return CTL_YES;
}

/* The words: NAME [SERVER]; with --undo [SERVER]. */
int run_cert_use(const struct ctl *ctl)
{
    bool undo = (ctl->options & CTL_UNDO) != 0;
    size_t names = undo ? 0 : 1;
    struct using u = {.ctl = ctl, .lock = -1};
    struct err e = {""};
    int rc;

    if (ctl->word_count < names || ctl->word_count > names + 1 || (undo && (ctl->options & CTL_DRY_RUN))) {
        report_error("cert use: write cert use NAME [postfix|exim], or cert use --undo [postfix|exim]");
        return CTL_USAGE;
    }
    u.conf = read_conf(ctl);
    if (u.conf == NULL)
        return CTL_USAGE;
    rc = begin(&u, ctl->word_count > names ? ctl->word[names] : NULL, &e);
    if (rc == CTL_YES)
        rc = undo ? run_undo(&u, &e) : run_use(&u, &e);
    if (rc != CTL_YES && e.text[0] != '\0')
        report_error("cert use%s%s: %s", undo ? "" : " ", undo ? "" : ctl->word[0], e.text);
    cert_entry_clear(&u.entry);
    if (u.lock >= 0)
        close(u.lock);
    conf_free(u.conf);
    return rc;
}
