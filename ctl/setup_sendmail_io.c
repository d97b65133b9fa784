/* setup_sendmail_io.c - see setup_sendmail_io.h. */
#include "setup_sendmail_io.h"

#include "program_output_io.h"
#include "setup_machine_io.h"
#include "setup_plan_io.h"
#include "setup_sendmail.h"
#include "setup_sendmail_program_io.h"
#include "whole_file.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX SETUP_FILE_MAX

enum text {
    TEXT_BUILT,
    TEXT_MC,
    TEXT_CF,
    TEXT_MC_BARE,
    TEXT_MC_WANTED,
    TEXT_MADE_NOW,
    TEXT_MADE_BARE,
    TEXT_MADE_WANTED,
    TEXT_OWN,
    TEXT_RELAYED,
    TEXT_VIRTUAL,
    TEXT_MAILERTABLE,
    TEXT_PIDFILE,
    TEXTS
};

/* What facts point to. */
struct gathered {
    struct setup_sendmail_facts facts;
    struct setup_sendmail_lines lines;
    struct sendmail_place place;
    struct buf text[TEXTS];
    struct err why[3], wrong;
    const char *reload[8];
};

/* --- files --- */

static int read_file(struct gathered *g, enum text which, const char *name, const char **text, struct err *e)
{
    char path[PATH_MAX + 32];
    int rc;

    (void)snprintf(path, sizeof(path), "%s/%s", g->place.folder, name);
    rc = whole_file_read(&g->text[which], path, e);
    if (rc == 1)
        *text = buf_text(&g->text[which]);
    return rc < 0 ? -1 : 0;
}

/* m4's words in one shell: the text goes to it by its standard input, so that nothing is written anywhere. */
static void run_m4(struct gathered *g, struct setup_sendmail_made *out, enum text made, enum text mc, struct err *why)
{
    static const char script[] = "cd \"$1\" || exit; text=$2; shift 2; printf \"%s\" \"$text\" | m4 \"$@\"";
    const char *text = buf_text(&g->text[mc]), *argv[12] = {"sh", "-c", script, "sh", g->place.folder, text};

    setup_sendmail_m4(argv + 6, text, "-");
    if (g->text[mc].len > SETUP_SENDMAIL_MC_MAX)
        (void)err_set(why, "sendmail.mc is longer than %d octets", SETUP_SENDMAIL_MC_MAX);
    else if (program_output(&g->text[made], (char *const *)argv, why) == 0)
        out->text = buf_text(&g->text[made]);
    out->why = why->text;
}

static void make_all(struct gathered *g)
{
    struct setup_sendmail_facts *f = &g->facts;

    if (setup_sendmail_mc(&g->text[TEXT_MC_BARE], f->mc, NULL) != 0 ||
        setup_sendmail_mc(&g->text[TEXT_MC_WANTED], f->mc, &g->lines) != 0) {
        f->wanted.why = "one of the marks is missing";
        return;
    }
    run_m4(g, &f->now, TEXT_MADE_NOW, TEXT_MC, &g->why[0]);
    run_m4(g, &f->wanted, TEXT_MADE_WANTED, TEXT_MC_WANTED, &g->why[1]);
    f->bare = f->now;
    if (strcmp(buf_text(&g->text[TEXT_MC_BARE]), f->mc) != 0)
        run_m4(g, &f->bare, TEXT_MADE_BARE, TEXT_MC_BARE, &g->why[2]);
}

static bool has_authorities(const char *cf)
{
    struct buf path;
    bool there;

    buf_init(&path, PATH_MAX);
    there = setup_sendmail_option(&path, cf, "CACertFile") && access(buf_text(&path), R_OK) == 0;
    buf_clear(&path);
    return there;
}

/* --- the machine --- */

static const char *find_other(const struct setup_request *r)
{
    static const char *const others[] = {"postfix", "exim"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        (void)snprintf(path, sizeof(path), "%.4000s/%s/manifest", r->conf->posternctl.setup_folder, others[i]);
        if (access(path, F_OK) == 0)
            return others[i];
    }
    return "";
}

/* A daemon whose sendmail.cf is elsewhere is no unit of Debian's. */
static void find_reload(struct gathered *g, const struct setup_request *r)
{
    static const char hup[] = "kill -HUP \"$(head -n 1 \"$1\")\"";
    const char **w = g->reload;

    if (r->ctl->config_dir == NULL && machine_has_unit("sendmail.service")) {
        *w++ = "systemctl";
        *w++ = "reload";
        *w++ = "sendmail";
    } else if (g->facts.cf != NULL && setup_sendmail_option(&g->text[TEXT_PIDFILE], g->facts.cf, "PidFile")) {
        *w++ = "sh";
        *w++ = "-c";
        *w++ = hup;
        *w++ = "sh";
        *w++ = buf_text(&g->text[TEXT_PIDFILE]);
    }
    g->facts.reload = w > g->reload ? g->reload : NULL;
}

/* --- the plan --- */

static int ask(struct gathered *g, struct err *e)
{
    struct setup_sendmail_facts *f = &g->facts;

    f->program = g->place.program;
    if (*f->program == '\0' || f->cf == NULL)
        return 0;
    if (sendmail_test(&g->text[TEXT_BUILT], &g->place, "-d0.13", NULL, &g->wrong) != 0)
        f->cf_wrong = g->wrong.text;
    f->built = buf_text(&g->text[TEXT_BUILT]);
    if (*f->cf_wrong != '\0')
        return 0;
    if (sendmail_test(&g->text[TEXT_OWN], &g->place, NULL, "$=w", e) != 0 ||
        sendmail_test(&g->text[TEXT_RELAYED], &g->place, NULL, "$=R", e) != 0 ||
        sendmail_test(&g->text[TEXT_VIRTUAL], &g->place, NULL, "$={VirtHost}", e) != 0)
        return -1;
    f->own = buf_text(&g->text[TEXT_OWN]);
    f->relayed = buf_text(&g->text[TEXT_RELAYED]);
    f->virtual = buf_text(&g->text[TEXT_VIRTUAL]);
    return 0;
}

static int gather(struct gathered *g, const struct setup_request *r, struct err *e)
{
    struct setup_sendmail_facts *f = &g->facts;
    char include[PATH_MAX];

    *f = (struct setup_sendmail_facts){.program = "",
                                       .built = "",
                                       .cf_wrong = "",
                                       .own = "",
                                       .relayed = "",
                                       .virtual = "",
                                       .mailertable = "",
                                       .config_dir = g->place.folder};
    f->now.why = f->bare.why = f->wanted.why = "";
    (void)snprintf(include, sizeof(include), "%.4000s/sendmail/postern.m4", r->share);
    if (access(include, R_OK) != 0)
        return err_set(e, "%s: %s; --share DIR says where Postern's are", include, strerror(errno));
    if (sendmail_find(&g->place, r, e) != 0 || setup_sendmail_lines(&g->lines, r->conf, include, e) != 0 ||
        read_file(g, TEXT_MC, "sendmail.mc", &f->mc, e) != 0 || read_file(g, TEXT_CF, "sendmail.cf", &f->cf, e) != 0 ||
        read_file(g, TEXT_MAILERTABLE, "mailertable", &f->mailertable, e) != 0 || ask(g, e) != 0)
        return -1;
    if (f->mc != NULL)
        make_all(g);
    f->authorities = f->wanted.text != NULL && has_authorities(f->wanted.text);
    f->cf_is_ours = setup_is_ours(r, g->place.cf);
    f->dane_set = setup_conf_is_set(r, "policyd", "dane");
    f->beside = find_other(r);
    find_reload(g, r);
    return 0;
}

int setup_sendmail_plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    struct gathered *g = calloc(1, sizeof(*g));
    int rc;

    if (g == NULL)
        return err_set(e, "no memory");
    for (size_t i = 0; i < TEXTS; i++)
        buf_init(&g->text[i], TEXT_MAX);
    rc = gather(g, r, e);
    if (rc == 0)
        setup_sendmail(out, r->conf, &g->lines, &g->facts);
    for (size_t i = 0; i < TEXTS; i++)
        buf_clear(&g->text[i]);
    free(g);
    return rc;
}

/* --- the daemon --- */

static long read_pid(const char *path)
{
    FILE *in = fopen(path, "re");
    char line[64] = "";
    long pid = 0;

    if (in != NULL && fgets(line, sizeof(line), in) != NULL)
        pid = strtol(line, NULL, 10);
    if (in != NULL)
        fclose(in);
    return pid;
}

/* Is that process a Sendmail? Its program may have been replaced since. */
static bool is_sendmail(long pid, const char *program)
{
    char link[64], exe[PATH_MAX], real[PATH_MAX];
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/%ld/exe", pid);
    len = pid > 1 ? readlink(link, exe, sizeof(exe) - 1) : -1;
    if (len < 0 || realpath(program, real) == NULL)
        return false;
    exe[len] = '\0';
    return strncmp(exe, real, strlen(real)) == 0;
}

bool setup_sendmail_running(const struct setup_request *r)
{
    struct sendmail_place place;
    struct buf cf, path;
    bool runs;

    buf_init(&cf, TEXT_MAX);
    buf_init(&path, PATH_MAX);
    runs = sendmail_find(&place, r, NULL) == 0 && whole_file_read(&cf, place.cf, NULL) == 1 &&
           setup_sendmail_option(&path, buf_text(&cf), "PidFile") &&
           is_sendmail(read_pid(buf_text(&path)), place.program);
    buf_clear(&cf);
    buf_clear(&path);
    return runs;
}
