/* cert_use_exim_io.c - Debian's Exim for cert_use_io.h. */
#include "cert_use_io.h"
#include "program_output_io.h"
#include "setup_exim.h"
#include "setup_exim_io.h"
#include "setup_file_io.h"
#include "whole_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USUAL_DIR  "/etc/exim4"
#define COPIES     "postern-certs"
#define OUTPUT_MAX ((size_t)1 << 20)

static int run(struct buf *out, const char *const words[], struct err *e)
{
    return program_output(out, (char *const *)words, e);
}

/* The value of a main option of what Exim reads; "" when it has none. */
static int ask_exim(char *out, size_t size, const char *option, struct err *e)
{
    struct buf text;
    const char *equals;
    int rc;

    buf_init(&text, OUTPUT_MAX);
    rc = run(&text, (const char *[]){"exim4", "-bP", option, NULL}, e);
    equals = strchr(buf_text(&text), '=');
    equals = equals != NULL ? equals + 1 + strspn(equals + 1, " ") : "";
    (void)snprintf(out, size, "%.*s", (int)strcspn(equals, "\n"), equals);
    buf_clear(&text);
    return rc;
}

static int find_dir(char out[PATH_MAX], const char *config_dir, struct err *e)
{
    const char *dir = config_dir != NULL ? config_dir : USUAL_DIR;

    return realpath(dir, out) != NULL ? 0 : err_set(e, "%s: %s; is Exim installed?", dir, strerror(errno));
}

int cert_exim_look(struct cert_server_facts *out, const char *config_dir, struct err *e)
{
    char name[300], interfaces[2000], ports[300];

    *out = (struct cert_server_facts){.dir = ""};
    if (find_dir(out->dir, config_dir, e) != 0 || ask_exim(name, sizeof(name), "primary_hostname", e) != 0 ||
        ask_exim(interfaces, sizeof(interfaces), "local_interfaces", e) != 0 ||
        ask_exim(ports, sizeof(ports), "daemon_smtp_ports", e) != 0)
        return -1;
    if (domain_normalise(out->host, name, strlen(name), NULL) != 0)
        out->host[0] = '\0';
    cert_where_exim(&out->where, interfaces, ports);
    return 0;
}

/* --- the plan --- */

void cert_exim_copy(char out[PATH_MAX], const char *dir, const char *name)
{
    (void)snprintf(out, PATH_MAX, "%.3900s/" COPIES "/%s.pem", dir, name);
}

bool cert_exim_copied(const char *copy, const char *live)
{
    struct buf x, y;
    bool same;

    buf_init(&x, CERT_PEM_MAX);
    buf_init(&y, CERT_PEM_MAX);
    same = whole_file_read(&x, copy, NULL) == 1 && whole_file_read(&y, live, NULL) == 1 && x.len == y.len &&
           memcmp(buf_text(&x), buf_text(&y), x.len) == 0;
    buf_clear(&x);
    buf_clear(&y);
    return same;
}

static int read_one(struct buf *out, const char *dir, const char *name, struct err *e)
{
    char path[2 * PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return whole_file_read(out, path, e);
}

static int read_debian(struct cert_use_exim_facts *f, const char *dir, struct err *e)
{
    struct setup_exim_debian debian;
    char path[PATH_MAX];
    struct buf text;
    int rc;

    (void)snprintf(path, sizeof(path), "%.3900s/exim4.conf", dir);
    f->own = access(path, F_OK) == 0;
    if (f->own)
        return 0;
    buf_init(&text, SETUP_FILE_MAX);
    rc = read_one(&text, dir, "update-exim4.conf.conf", e);
    if (rc == 0)
        err_set(e,
                "%s has no update-exim4.conf.conf: this Exim is not configured as Debian does it; have it read "
                "tls_certificate = a copy of live.pem by hand",
                dir);
    rc = rc == 1 ? setup_exim_read_debian(&debian, buf_text(&text), e) : -1;
    buf_clear(&text);
    f->split = rc == 0 && debian.split;
    return rc;
}

/* What facts point to. */
struct gathered {
    struct cert_use_exim_facts facts;
    char dir[PATH_MAX], copy[PATH_MAX], folder[PATH_MAX], group[300], certificate[PATH_MAX];
    struct buf macros;
};

static int gather(struct gathered *g, const struct setup_request *r, struct err *e)
{
    struct cert_use_exim_facts *f = &g->facts;
    int rc;

    if (find_dir(g->dir, r->ctl->config_dir, e) != 0 || read_debian(f, g->dir, e) != 0 ||
        ask_exim(g->group, sizeof(g->group), "exim_group", e) != 0)
        return -1;
    if (ask_exim(g->certificate, sizeof(g->certificate), "tls_certificate", NULL) != 0)
        g->certificate[0] = '\0';
    rc = f->own ? 0 : read_one(&g->macros, g->dir, f->split ? CERT_USE_EXIM_SPLIT : "exim4.conf.localmacros", e);
    if (rc < 0)
        return -1;
    cert_exim_copy(g->copy, g->dir, r->cert->name);
    (void)snprintf(g->folder, sizeof(g->folder), "%.3900s/" COPIES, g->dir);
    f->config_dir = g->dir;
    f->named = r->ctl->config_dir != NULL;
    f->certificate = g->certificate;
    f->macros = rc == 1 ? buf_text(&g->macros) : NULL;
    f->localmacros_counts = access(USUAL_DIR "/exim4.conf.localmacros", F_OK) == 0 || strcmp(g->dir, USUAL_DIR) == 0;
    f->generated = f->own || setup_exim_is_generated(g->dir);
    f->copy = g->copy;
    f->group = g->group;
    f->folder_there = access(g->folder, F_OK) == 0;
    f->copied = cert_exim_copied(g->copy, r->cert->live);
    f->systemd = access("/run/systemd/system", F_OK) == 0;
    return 0;
}

int cert_exim_plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    struct gathered *g = calloc(1, sizeof(*g));
    int rc;

    if (g == NULL)
        return err_set(e, "no memory");
    buf_init(&g->macros, SETUP_FILE_MAX);
    rc = gather(g, r, e);
    if (rc == 0)
        cert_use_exim(out, r->cert, &g->facts);
    buf_clear(&g->macros);
    free(g);
    return rc;
}

/* --- afterwards --- */

int cert_exim_reload(struct buf *said, const char *dir, struct err *e)
{
    bool systemd = access("/run/systemd/system", F_OK) == 0;
    const char *by_systemd[] = {"systemctl", "reload", "exim4", NULL};
    const char *by_script[] = {"invoke-rc.d", "exim4", "reload", NULL};
    struct buf out;
    int rc;

    (void)dir;
    buf_init(&out, OUTPUT_MAX);
    rc = run(&out, systemd ? by_systemd : by_script, e);
    buf_clear(&out);
    if (rc == 0)
        buf_str(said, systemd ? "systemctl reload exim4\n" : "invoke-rc.d exim4 reload\n");
    return rc;
}

static bool is_copy(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && len > 4 && strcmp(name + len - 4, ".pem") == 0;
}

void cert_exim_tidy(const char *dir, const char *keep)
{
    char folder[PATH_MAX], path[PATH_MAX + 300], kept[300] = "";
    const struct dirent *d;
    DIR *all;

    (void)snprintf(folder, sizeof(folder), "%.3900s/" COPIES, dir);
    if (keep != NULL)
        (void)snprintf(kept, sizeof(kept), "%s.pem", keep);
    all = opendir(folder);
    while (all != NULL && (d = readdir(all)) != NULL) {
        if (!is_copy(d->d_name) || strcmp(d->d_name, kept) == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
        (void)unlink(path);
    }
    if (all != NULL)
        closedir(all);
    (void)rmdir(folder);
}
