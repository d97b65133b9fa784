/* cert_use_exim.c - what an Exim that is configured as Debian does it lacks so that it serves a certificate of the
 * store; see cert_use.h. */
#include "cert_use.h"
#include "setup_exim.h"

#include <stdio.h>
#include <string.h>

#define BLOCK "certificate"

/* MAIN_TLS_CERTKEY goes before MAIN_TLS_CERTIFICATE and MAIN_TLS_PRIVATEKEY, whoever sets those. */
static void add_macros(struct buf *out, const char *copy)
{
    buf_str(out, ".ifndef MAIN_TLS_ENABLE\nMAIN_TLS_ENABLE = true\n.endif\n");
    buf_printf(out, ".ifdef MAIN_TLS_CERTKEY\nMAIN_TLS_CERTKEY == %s\n.else\nMAIN_TLS_CERTKEY = %s\n.endif\n", copy,
               copy);
}

/* Returns true when the file is changed. */
static bool plan_macros(struct setup_plan *out, const struct cert_use_exim_facts *f)
{
    const char *now = f->macros != NULL ? f->macros : "";
    struct buf macros, text;
    char path[4200];
    bool there;

    (void)snprintf(path, sizeof(path), "%.4000s/%s", f->config_dir,
                   f->split ? CERT_USE_EXIM_SPLIT : "exim4.conf.localmacros");
    buf_init(&macros, 65536);
    buf_init(&text, SETUP_FILE_MAX);
    add_macros(&macros, f->copy);
    if (setup_exim_put_block(&text, now, BLOCK, "cert use", buf_text(&macros)) != SETUP_EXIM_PUT)
        setup_notef(out, SETUP_CLASH,
                    "%.300s: of the two lines that mark Postern's " BLOCK " one is missing; put it back, or take the "
                    "rest out",
                    path);
    there = f->macros != NULL && strcmp(now, buf_text(&text)) == 0;
    out->out_of_memory |= !buf_ok(&macros) || !buf_ok(&text);
    setup_file(out, there ? SETUP_THERE : SETUP_NEEDED, "STARTTLS with that certificate", path, 0644, buf_text(&text));
    buf_clear(&macros);
    buf_clear(&text);
    return !there;
}

bool cert_use_exim_take(struct buf *out, const char *text)
{
    return setup_exim_take_block(out, text, BLOCK);
}

/* Exim reads it as its own user. The copies that are not in use any more are taken away when Exim has been told. */
static void plan_copy(struct setup_plan *out, const struct cert_use *use, const struct cert_use_exim_facts *f)
{
    const char *slash = strrchr(f->copy, '/');
    char folder[4200];
    const char *folder_argv[] = {"install", "-d", "-m", "0750", "-g", f->group, folder, NULL};
    const char *copy_argv[] = {"install", "-m", "0640", "-g", f->group, use->live, f->copy, NULL};
    struct setup_command c = {.what = "a folder for copies that Exim can read", .argv = folder_argv};

    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - f->copy), f->copy);
    setup_command(out, f->folder_there ? SETUP_THERE : SETUP_NEEDED, &c);
    c = (struct setup_command){.what = "a copy of the certificate and its key, for Exim's group", .argv = copy_argv};
    setup_command(out, f->copied ? SETUP_THERE : SETUP_NEEDED, &c);
}

static void plan_generated(struct setup_plan *out, const struct cert_use_exim_facts *f, bool changed)
{
    const char *argv[] = {"update-exim4.conf", NULL, NULL, NULL};
    struct setup_command c = {.what = "Exim's own copy of it all, looked through by Exim before it counts",
                              .path = SETUP_EXIM_GENERATED,
                              .argv = argv,
                              .undo = argv};

    if (f->named) {
        argv[1] = "-d";
        argv[2] = f->config_dir;
    }
    setup_command(out, changed || !f->generated ? SETUP_NEEDED : SETUP_THERE, &c);
}

static void plan_own(struct setup_plan *out, const struct cert_use_exim_facts *f)
{
    bool there = strcmp(f->certificate, f->copy) == 0;

    setup_notef(out, there ? SETUP_THERE : SETUP_CLASH,
                there
                    ? "%.300s/exim4.conf, a configuration of your own, has tls_certificate = %.300s"
                    : "%.300s/exim4.conf is a configuration of your own: write tls_certificate = %.300s there, without "
                      "tls_privatekey, and run this again before Exim is reloaded",
                f->config_dir, f->copy);
}

void cert_use_exim(struct setup_plan *out, const struct cert_use *use, const struct cert_use_exim_facts *f)
{
    const char *by_systemd[] = {"systemctl", "reload", "exim4", NULL};
    const char *by_script[] = {"invoke-rc.d", "exim4", "reload", NULL};

    if (!f->own && !f->split && !f->localmacros_counts)
        setup_notef(out, SETUP_CLASH,
                    "update-exim4.conf does not look at %.300s/exim4.conf.localmacros as long as there is no "
                    "/etc/exim4/exim4.conf.localmacros: make that one, it may be empty",
                    f->config_dir);
    plan_copy(out, use, f);
    if (f->own)
        plan_own(out, f);
    else
        plan_generated(out, f, plan_macros(out, f));
    setup_reload(out, f->systemd ? by_systemd : by_script);
}
