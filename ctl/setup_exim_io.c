/* setup_exim_io.c - see setup_exim_io.h. */
#include "setup_exim_io.h"

#include "hold_report.h"
#include "program_output_io.h"
#include "setup_exim.h"
#include "setup_machine_io.h"
#include "whole_file.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USUAL_DIR  "/etc/exim4"
#define PID_FILE   "/run/exim4/exim.pid"
#define OUTPUT_MAX ((size_t)1 << 20)
#define HOLD_BATCH 100
#define HOLD_TRIES 3

/* The files that are looked at: those of contrib/exim, those of conf.d, and the rest */
enum { PART, SPLIT = PART + SETUP_EXIM_PARTS, DEBIAN = SPLIT + SETUP_EXIM_PARTS, OWN, TEMPLATE, LOCALMACROS, FILES };

/* What facts point to. */
struct gathered {
    struct setup_exim_facts facts;
    struct setup_exim_debian debian;
    struct buf file[FILES];
    bool there[FILES];
    char config_dir[PATH_MAX], mail_domain[300], hostname[300], conf_file[PATH_MAX], key_folder[PATH_MAX], group[300];
};

/* --- files --- */

static int read_one(struct gathered *g, int i, const char *folder, const char *name, struct err *e)
{
    char path[2 * PATH_MAX];
    int rc;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    rc = whole_file_read(&g->file[i], path, e);
    g->there[i] = rc == 1;
    if (rc == 0 && i < SPLIT)
        return err_set(e, "%s: there is no such file; --share DIR says where Postern's are", path);
    return rc < 0 ? -1 : 0;
}

static int read_files(struct gathered *g, const struct setup_request *r, struct err *e)
{
    static const char *const names[FILES] = {[DEBIAN] = "update-exim4.conf.conf",
                                             [OWN] = "exim4.conf",
                                             [TEMPLATE] = "exim4.conf.template",
                                             [LOCALMACROS] = "exim4.conf.localmacros"};
    char name[100];

    for (unsigned i = 0; i < SETUP_EXIM_PARTS; i++) {
        (void)snprintf(name, sizeof(name), "exim/%s", setup_exim_part_name(i));
        if (read_one(g, (int)(PART + i), r->share, name, e) != 0)
            return -1;
        (void)snprintf(name, sizeof(name), "conf.d/%s", setup_exim_place(i));
        if (read_one(g, (int)(SPLIT + i), g->config_dir, name, e) != 0)
            return -1;
    }
    for (int i = DEBIAN; i < FILES; i++)
        if (read_one(g, i, g->config_dir, names[i], e) != 0)
            return -1;
    if (!g->there[DEBIAN] && !g->there[OWN])
        return err_set(e,
                       "%s has no update-exim4.conf.conf: this Exim is not configured as Debian does it. doc/exim.md "
                       "says how the files of %s/exim are put in by hand",
                       g->config_dir, r->share);
    if (g->there[OWN] || setup_exim_read_debian(&g->debian, buf_text(&g->file[DEBIAN]), e) == 0)
        return 0;
    return err_prefix(e, "%s/update-exim4.conf.conf", g->config_dir);
}

static void point(struct gathered *g)
{
    struct setup_exim_facts *f = &g->facts;
    const char *text[FILES];

    for (int i = 0; i < FILES; i++)
        text[i] = g->there[i] ? buf_text(&g->file[i]) : NULL;
    memcpy(f->part, text + PART, sizeof(f->part));
    memcpy(f->split, text + SPLIT, sizeof(f->split));
    f->own = text[OWN];
    f->debian = g->there[OWN] ? NULL : &g->debian;
    f->template = text[TEMPLATE];
    f->localmacros = text[LOCALMACROS];
}

/* --- Exim --- */

static int run(struct buf *out, const char *const words[], struct err *e)
{
    return program_output(out, (char *const *)words, e);
}

static int look_at_exim(struct gathered *g, struct err *e)
{
    struct buf out;
    int rc;

    buf_init(&out, OUTPUT_MAX);
    rc = run(&out, (const char *[]){"exim4", "-C", "/dev/null", "-bV", NULL}, e);
    if (rc == 0)
        rc = setup_exim_read_build(&g->facts.build, buf_text(&out), e);
    buf_reset(&out);
    if (rc == 0 && run(&out, (const char *[]){"exim4", "-C", "/dev/null", "-bP", "primary_hostname", NULL}, NULL) == 0)
        (void)sscanf(buf_text(&out), "primary_hostname = %299[^\n]", g->hostname);
    buf_clear(&out);
    return rc;
}

bool setup_exim_is_generated(const char *config_dir)
{
    char folder[] = "/tmp/postern-setup-XXXXXX", path[sizeof(folder) + 16];
    struct buf out, now, made;
    bool same = false;

    if (mkdtemp(folder) == NULL)
        return false;
    (void)snprintf(path, sizeof(path), "%s/config", folder);
    buf_init(&out, OUTPUT_MAX);
    buf_init(&now, SETUP_FILE_MAX);
    buf_init(&made, SETUP_FILE_MAX);
    if (run(&out, (const char *[]){"update-exim4.conf", "-d", config_dir, "-o", path, NULL}, NULL) == 0 &&
        whole_file_read(&made, path, NULL) == 1 && whole_file_read(&now, SETUP_EXIM_GENERATED, NULL) == 1)
        same = setup_exim_same(buf_text(&made), buf_text(&now));
    (void)unlink(path);
    (void)rmdir(folder);
    buf_clear(&out);
    buf_clear(&now);
    buf_clear(&made);
    return same;
}

/* --- the plan --- */

static void find_domain(char out[300])
{
    FILE *in = fopen("/etc/mailname", "re");

    if (in == NULL || fscanf(in, "%299s", out) != 1)
        out[0] = '\0';
    if (in != NULL)
        fclose(in);
}

/* Are the doors of Exim there for systemd to hold, and not both enabled? */
static bool has_doors(void)
{
    return machine_has_unit("postern-policyd-exim.socket") && machine_has_unit("postern-tlsrptd-exim.socket") &&
           !(machine_has_unit("sockets.target.wants/postern-policyd-exim.socket") &&
             machine_has_unit("sockets.target.wants/postern-tlsrptd-exim.socket"));
}

static int gather(struct gathered *g, const struct setup_request *r, struct err *e)
{
    const char *dir = r->ctl->config_dir != NULL ? r->ctl->config_dir : USUAL_DIR;
    struct setup_exim_facts *f = &g->facts;

    if (realpath(dir, g->config_dir) == NULL)
        return err_set(e, "%s: %s; is Exim installed?", dir, strerror(errno));
    if (realpath(r->ctl->conf_file, g->conf_file) == NULL)
        return err_set(e, "%s: %s", r->ctl->conf_file, strerror(errno));
    if (read_files(g, r, e) != 0 || look_at_exim(g, e) != 0)
        return -1;
    point(g);
    find_domain(g->mail_domain);
    machine_keys(&f->keys, g->key_folder, g->group, g->conf_file, r->conf->tlsrptd.user);
    f->config_dir = g->config_dir;
    f->named = r->ctl->config_dir != NULL;
    f->share = r->share;
    f->localmacros_counts = access(USUAL_DIR "/exim4.conf.localmacros", F_OK) == 0 || strcmp(dir, USUAL_DIR) == 0;
    f->generated = f->own != NULL || setup_exim_is_generated(g->config_dir);
    f->hostname = g->hostname;
    f->mail_domain = g->mail_domain;
    f->authorities = access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0;
    f->resolver_is_near = machine_resolver_is_near(&f->resolver_is_trusted);
    f->systemd = machine_has_systemd();
    f->doors = has_doors();
    return 0;
}

int setup_exim_plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    struct gathered *g = calloc(1, sizeof(*g));
    int rc;

    if (g == NULL)
        return err_set(e, "no memory");
    for (int i = 0; i < FILES; i++)
        buf_init(&g->file[i], SETUP_FILE_MAX);
    rc = gather(g, r, e);
    if (rc == 0)
        setup_exim(out, r->conf, &g->facts);
    for (int i = 0; i < FILES; i++)
        buf_clear(&g->file[i]);
    free(g);
    return rc;
}

/* Its daemon; each delivery reads the configuration anew. */
bool setup_exim_running(const struct setup_request *r)
{
    FILE *in = fopen(PID_FILE, "re");
    char line[32] = "";
    long pid;

    (void)r;
    if (in == NULL)
        return false;
    pid = fgets(line, sizeof(line), in) != NULL ? strtol(line, NULL, 10) : 0;
    fclose(in);
    return pid > 0 && kill((pid_t)pid, 0) == 0;
}

/* --- the queue --- */

struct holding {
    struct hold_report *report; /* NULL: they are told already */
    struct address_tag tag;
    char id[HOLD_BATCH][SETUP_EXIM_ID];
    size_t count; /* in this batch */
    int all;
    struct err fault;
};

/* It fails also when one message has just been delivered; whether they are frozen the queue tells. */
static void freeze(struct holding *h)
{
    const char *argv[HOLD_BATCH + 3] = {"exim4", "-Mf", NULL};
    struct buf out;

    for (size_t i = 0; i < h->count; i++)
        argv[i + 2] = h->id[i];
    buf_init(&out, OUTPUT_MAX);
    if (h->count > 0)
        (void)run(&out, argv, &h->fault);
    buf_clear(&out);
    h->count = 0;
}

static void hold_one(struct holding *h, const struct setup_exim_queued *m)
{
    if (!m->flagged || m->held)
        return;
    memcpy(h->id[h->count++], m->id, sizeof(m->id));
    h->all++;
    if (h->report != NULL)
        hold_report_add(h->report, m->id, m->first);
    if (h->count == HOLD_BATCH)
        freeze(h);
}

/* Read the queue and do it. Returns how many messages were not frozen before, or -1 with the reason. */
static int hold_all(struct holding *h, struct err *e)
{
    struct setup_exim_queued message;
    struct buf queue;
    const char *at;
    int rc;

    buf_init(&queue, CTL_OUTPUT_MAX);
    h->all = 0;
    rc = run(&queue, (const char *[]){"exim4", "-bpu", NULL}, e) == 0 ? 1 : -1;
    at = buf_text(&queue);
    while (rc == 1) {
        rc = setup_exim_read_queued(&message, &at, &h->tag, e);
        if (rc == 1)
            hold_one(h, &message);
    }
    freeze(h);
    buf_clear(&queue);
    return rc == 0 ? h->all : -1;
}

/* Exim does not freeze a message that it is delivering, so the queue is looked at until there is none left. */
static int hold(struct holding *h, struct err *e)
{
    int held = hold_all(h, e), left = held;

    h->report = NULL;
    for (int i = 0; i < HOLD_TRIES && left > 0; i++)
        left = hold_all(h, e);
    if (left > 0)
        return err_set(e, "%d messages are not frozen: %.300s", left, h->fault.text);
    return left < 0 ? -1 : held;
}

int setup_exim_hold(struct buf *said, const struct setup_request *r, struct err *e)
{
    struct hold_report report = {.said = said, .state = "frozen"};
    struct holding *h = calloc(1, sizeof(*h));
    int held;

    if (h == NULL)
        return err_set(e, "no memory");
    h->report = &report;
    h->tag = (struct address_tag){*r->conf->milter.delimiter, r->conf->milter.tag};
    held = hold(h, e);
    if (held >= 0)
        hold_report_end(&report, "exim", "exim4 -Mt ID",
                        "; exim4 -Mrm ID throws it away. Exim returns it after a week (timeout_frozen_after)",
                        "Thawed (exim4 -Mt, -M, -qff)");
    free(h);
    return held;
}
