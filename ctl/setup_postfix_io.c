/* setup_postfix_io.c - see setup_postfix_io.h. */
#include "setup_postfix_io.h"

#include "postfix_check.h"
#include "postfix_read_io.h"
#include "print.h"
#include "program_output_io.h"
#include "setup_file_io.h"
#include "setup_machine_io.h"
#include "setup_plan_io.h"
#include "setup_postfix.h"
#include "setup_postfix_queue.h"
#include "whole_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLE_MAX  ((size_t)1 << 20)
#define AGAIN_PORT 10026
#define PORTS      10
#define HOLD_BATCH 100
#define NAMED_MAX  50 /* messages on hold that are named */

/* What facts point to. */
struct gathered {
    struct setup_postfix_facts facts;
    struct postfix_conf set;
    char config_dir[PATH_MAX], log[PATH_MAX], mail_domain[300], conf_file[PATH_MAX], key_folder[PATH_MAX], group[300],
        log_group[300];
    struct buf transport, transport_now, generic, generic_now;
};

/* --- commands --- */

/* PROGRAM [-c DIR] WORD... */
static int run_at(struct buf *out, const char *config_dir, const char *program, const char *const words[],
                  struct err *e)
{
    char *argv[16];
    size_t n = 0;

    argv[n++] = (char *)program;
    if (config_dir != NULL) {
        argv[n++] = (char *)"-c";
        argv[n++] = (char *)config_dir;
    }
    while (*words != NULL && n < 15)
        argv[n++] = (char *)*words++;
    argv[n] = NULL;
    return program_output(out, argv, e);
}

static int run(struct buf *out, const struct setup_request *r, const char *program, const char *const words[],
               struct err *e)
{
    return run_at(out, r->ctl->config_dir, program, words, e);
}

int setup_postfix_set(struct postfix_conf *out, const char *config_dir, struct err *e)
{
    struct postfix_printed none = {"", 0};
    struct buf text;
    int rc;

    buf_init(&text, POSTFIX_TEXT_MAX);
    rc = run_at(&text, config_dir, "postconf", (const char *[]){"-n", NULL}, e);
    if (rc == 0)
        rc = postfix_conf_read(out, (struct postfix_printed){buf_text(&text), text.len}, none, none, e);
    buf_clear(&text);
    return rc;
}

static int read_types(struct setup_postfix_facts *f, const struct setup_request *r, struct err *e)
{
    struct buf text;
    char *line, *rest = NULL;
    int rc;

    buf_init(&text, POSTFIX_TEXT_MAX);
    rc = run(&text, r, "postconf", (const char *[]){"-m", NULL}, e);
    for (line = rc == 0 && text.len > 0 ? strtok_r(text.data, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        f->regexp |= strcmp(line, "regexp") == 0;
        f->socketmap |= strcmp(line, "socketmap") == 0;
    }
    buf_clear(&text);
    return rc;
}

/* --- the machine --- */

static void find_log(char out[PATH_MAX], const struct postfix_conf *postfix)
{
    const char *own = postfix_value(postfix, NULL, "maillog_file");

    if (*own == '/')
        (void)snprintf(out, PATH_MAX, "%s", own);
    else if (access("/var/log/mail.log", F_OK) == 0)
        (void)snprintf(out, PATH_MAX, "/var/log/mail.log");
    else
        (void)snprintf(out, PATH_MAX, "%s", access("/run/systemd/journal", F_OK) == 0 ? "journal" : "");
}

/* The first word of myorigin, or of the file that it names. */
static void find_domain(char out[300], const struct postfix_conf *postfix)
{
    const char *origin = postfix_value(postfix, NULL, "myorigin");
    FILE *in = *origin == '/' ? fopen(origin, "re") : NULL;

    out[0] = '\0';
    if (*origin != '/')
        (void)snprintf(out, 300, "%s", origin);
    else if (in == NULL || fscanf(in, "%299s", out) != 1)
        out[0] = '\0';
    if (in != NULL)
        fclose(in);
}

static bool is_free(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    bool free_one;

    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    free_one = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return free_one;
}

static bool in_master(const struct postfix_conf *postfix, unsigned port)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "127.0.0.1:%u", port);
    for (size_t i = 0; i < postfix->service_count; i++)
        if (strcmp(postfix->service[i].name, name) == 0 || strcmp(postfix->service[i].name, name + 10) == 0)
            return true;
    return false;
}

static unsigned find_port(const struct postfix_conf *postfix)
{
    for (unsigned port = AGAIN_PORT; port < AGAIN_PORT + PORTS; port++)
        if (!in_master(postfix, port) && is_free(port))
            return port;
    return 0;
}

static bool in_group(const struct passwd *user, gid_t gid)
{
    gid_t groups[200];
    int count = 200;

    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

/* Which group tlsrptd's user must be in to read the log; "": it reads it as it is; NULL: no group can. */
static const char *find_log_group(char out[300], const char *log, const char *name)
{
    const struct passwd *user = getpwnam(name);
    const struct group *group;
    struct stat st;

    out[0] = '\0';
    if (*log == '\0')
        return out;
    if (strcmp(log, "journal") == 0) {
        group = getgrnam("systemd-journal");
    } else {
        if (stat(log, &st) != 0 || (st.st_mode & S_IROTH) != 0)
            return out;
        group = (st.st_mode & S_IRGRP) != 0 && st.st_gid != 0 ? getgrgid(st.st_gid) : NULL;
    }
    if (user == NULL || group == NULL)
        return NULL;
    (void)snprintf(out, 300, "%s", in_group(user, group->gr_gid) ? "" : group->gr_name);
    return out;
}

/* --- files --- */

static int read_table(struct setup_postfix_table *t, struct buf *template, struct buf *now, const char *name,
                      const struct gathered *g, const struct setup_request *r, struct err *e)
{
    char path[2 * PATH_MAX];
    int rc;

    (void)snprintf(path, sizeof(path), "%s/postfix/%s", r->share, name);
    rc = whole_file_read(template, path, e);
    if (rc == 0)
        return err_set(e, "%s: there is no such file; --share DIR says where Postern's are", path);
    if (rc < 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/%s", g->config_dir, name);
    rc = whole_file_read(now, path, e);
    if (rc < 0)
        return -1;
    t->template = buf_text(template);
    t->now = rc == 1 ? buf_text(now) : NULL;
    t->ours = setup_is_ours(r, path);
    return 0;
}

/* --- the plan --- */

static int gather(struct gathered *g, const struct postfix_conf *postfix, const struct setup_request *r, struct err *e)
{
    static const char authorities[] = "/etc/ssl/certs/ca-certificates.crt";
    struct setup_postfix_facts *f = &g->facts;
    struct setup_keys keys;

    if (realpath(postfix_value(postfix, NULL, "config_directory"), g->config_dir) == NULL ||
        realpath(r->ctl->conf_file, g->conf_file) == NULL)
        return err_set(e, "the folder of main.cf, or postern.conf, cannot be found: %s", strerror(errno));
    find_log(g->log, postfix);
    find_domain(g->mail_domain, postfix);
    machine_keys(&keys, g->key_folder, g->group, g->conf_file, r->conf->tlsrptd.user);
    f->log_group = find_log_group(g->log_group, g->log, r->conf->tlsrptd.user);
    f->config_dir = g->config_dir;
    f->named = r->ctl->config_dir != NULL;
    f->resolver_is_near = machine_resolver_is_near(NULL);
    f->ca_file = access(authorities, R_OK) == 0 ? authorities : "";
    f->log = g->log;
    f->mail_domain = g->mail_domain;
    f->again_port = find_port(postfix);
    f->conf_file = g->conf_file;
    f->key_folder = g->key_folder;
    f->group = g->group;
    f->key_folder_there = keys.key_folder_there;
    memcpy(f->key_there, keys.key_there, sizeof(f->key_there));
    if (read_types(f, r, e) != 0 ||
        read_table(&f->transport, &g->transport, &g->transport_now, "transport_flags.regexp", g, r, e) != 0 ||
        read_table(&f->generic, &g->generic, &g->generic_now, "generic_flags.regexp", g, r, e) != 0 ||
        setup_postfix_set(&g->set, r->ctl->config_dir, e) != 0)
        return -1;
    f->set = &g->set;
    return 0;
}

int setup_postfix_plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    struct gathered *g = calloc(1, sizeof(*g));
    struct postfix_conf postfix;
    int rc;

    if (g == NULL)
        return err_set(e, "no memory");
    buf_init(&g->transport, TABLE_MAX);
    buf_init(&g->transport_now, TABLE_MAX);
    buf_init(&g->generic, TABLE_MAX);
    buf_init(&g->generic_now, TABLE_MAX);
    rc = postfix_read(&postfix, r->ctl->config_dir, e);
    if (rc == 0) {
        rc = gather(g, &postfix, r, e);
        if (rc == 0) {
            setup_postfix(out, &postfix, r->conf, &g->facts);
            postfix_conf_free(&g->set);
        }
        postfix_conf_free(&postfix);
    }
    buf_clear(&g->transport);
    buf_clear(&g->transport_now);
    buf_clear(&g->generic);
    buf_clear(&g->generic_now);
    free(g);
    return rc;
}

bool setup_postfix_running(const struct setup_request *r)
{
    struct buf out;
    bool runs;

    buf_init(&out, 65536);
    runs = run(&out, r, "postfix", (const char *[]){"status", NULL}, NULL) == 0;
    buf_clear(&out);
    return runs;
}

/* --- the queue --- */

struct holding {
    struct buf *said;
    const struct setup_request *r;
    char id[HOLD_BATCH][SETUP_QUEUE_ID];
    size_t count;
    int all;
};

static int hold_batch(struct holding *h, struct err *e)
{
    char *argv[2 * HOLD_BATCH + 4];
    struct buf out;
    size_t n = 0;
    int rc;

    argv[n++] = (char *)"postsuper";
    if (h->r->ctl->config_dir != NULL) {
        argv[n++] = (char *)"-c";
        argv[n++] = (char *)h->r->ctl->config_dir;
    }
    for (size_t i = 0; i < h->count; i++) {
        argv[n++] = (char *)"-h";
        argv[n++] = h->id[i];
    }
    argv[n] = NULL;
    if (h->count == 0)
        return 0;
    buf_init(&out, 1 << 20);
    rc = program_output(&out, argv, e);
    buf_clear(&out);
    h->count = 0;
    return rc;
}

static int hold_one(struct holding *h, const struct setup_queued *m, struct err *e)
{
    if (!m->flagged || m->held)
        return 0;
    memcpy(h->id[h->count++], m->id, sizeof(m->id));
    if (h->all++ < NAMED_MAX) {
        buf_printf(h->said, "on hold: %s to ", m->id);
        print_text(h->said, m->first, strlen(m->first));
        buf_char(h->said, '\n');
    }
    return h->count == HOLD_BATCH ? hold_batch(h, e) : 0;
}

static int hold_lines(struct holding *h, const char *at, struct err *e)
{
    const struct conf_milter *m = &h->r->conf->milter;
    const struct address_tag tags[2] = {{*m->delimiter, m->tag}, {*m->delimiter, m->optional_tag}};
    struct setup_queued message;

    while (*at != '\0') {
        size_t len = strcspn(at, "\n");

        if (len > 0 && (setup_queued_read(&message, at, len, tags, 2, e) != 0 || hold_one(h, &message, e) != 0))
            return -1;
        at += len + (at[len] == '\n');
    }
    return hold_batch(h, e);
}

/* Returns 1; 0: a Postfix that was never started has none yet; -1 with the reason. */
static int has_queue(const struct setup_request *r, struct err *e)
{
    char path[PATH_MAX];
    struct buf out;
    int rc;

    buf_init(&out, PATH_MAX);
    rc = run(&out, r, "postconf", (const char *[]){"-xh", "queue_directory", NULL}, e);
    if (rc == 0) {
        (void)snprintf(path, sizeof(path), "%.*s/incoming", (int)strcspn(buf_text(&out), "\n"), buf_text(&out));
        rc = access(path, F_OK) == 0 ? 1 : 0;
    }
    buf_clear(&out);
    return rc;
}

int setup_postfix_hold(struct buf *said, const struct setup_request *r, struct err *e)
{
    struct holding *h = calloc(1, sizeof(*h));
    struct buf queue;
    int rc;

    if (h == NULL)
        return err_set(e, "no memory");
    h->said = said;
    h->r = r;
    buf_init(&queue, CTL_OUTPUT_MAX);
    rc = has_queue(r, e);
    if (rc == 1)
        rc = run(&queue, r, "postqueue", (const char *[]){"-j", NULL}, e);
    if (rc == 0)
        rc = hold_lines(h, buf_text(&queue), e);
    buf_clear(&queue);
    if (rc == 0 && h->all > NAMED_MAX)
        buf_printf(said, "on hold: and %d more\n", h->all - NAMED_MAX);
    if (rc == 0 && h->all > 0)
        buf_str(said,
                "Flagged mail is on hold, as nothing protects it any more. It goes on, flagged, after \"posternctl "
                "setup postfix --apply\" and \"postsuper -H ID\"; postsuper -d ID throws it away. Released without "
                "Postern it goes out like any other mail, the tag still in the address.\n");
    rc = rc == 0 ? h->all : -1;
    free(h);
    return rc;
}

/* --- afterwards --- */

static void say_findings(struct buf *said, const struct postfix_findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct postfix_finding *g = &f->item[i];

        buf_str(said, "check postfix: ");
        print_text(said, g->where, strlen(g->where));
        buf_str(said, ": ");
        print_text(said, g->what, strlen(g->what));
        buf_printf(said, ": %s; %s\n", postfix_finding_why(g->kind), postfix_finding_remedy(g->kind));
    }
}

void setup_postfix_findings(struct buf *said, const struct setup_request *r)
{
    struct postfix_findings found = {.item = calloc(POSTFIX_FINDINGS_MAX, sizeof(*found.item))};
    struct postfix_conf postfix;
    struct conf *conf = NULL;
    struct err e = {""};

    if (found.item != NULL && conf_read(&conf, r->ctl->conf_file, &e) == 0 &&
        postfix_read(&postfix, r->ctl->config_dir, &e) == 0) {
        if (postfix_check(&found, &postfix, conf, postfix_read_table, NULL, &e) == 0)
            say_findings(said, &found);
        postfix_conf_free(&postfix);
    }
    if (e.text[0] != '\0')
        buf_printf(said, "check postfix: %s\n", e.text);
    conf_free(conf);
    free(found.item);
}
