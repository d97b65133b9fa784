/* setup_exim_files.c - what contrib/exim has, in whichever of Debian's two schemes. */
#include "setup_exim_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *split;  /* below conf.d */
    const char *anchor; /* of exim4.conf.template */
    const char *what;
} places[SETUP_EXIM_PARTS] = {
    [SETUP_EXIM_MACROS] = {"main/000_postern", NULL, "where Postern's daemons are, and what the others have in common"},
    [SETUP_EXIM_ROUTERS] = {"router/190_postern", "router/200_exim4-config_primary",
                            "routers: how mail leaves by what Postern says"},
    [SETUP_EXIM_TRANSPORTS] = {"transport/20_postern", "transport/30_exim4-config_address_file",
                               "transports: TLS as each policy wants it"},
    [SETUP_EXIM_RETRY] = {"retry/20_postern", "retry/30_exim4-config", "when it is tried again"},
};

const char *setup_exim_place(enum setup_exim_part part)
{
    return places[part].split;
}

/* --- content --- */

static void add_macro(struct buf *out, const char *name, const char *value, const char *usual)
{
    if (strcmp(value, usual) != 0)
        buf_printf(out, ".ifndef %s\n%s = %s\n.endif\n", name, name, value);
}

/* A part, and before the macros those that postern.conf has otherwise. */
static void add_content(struct buf *out, const struct exim_planning *s, enum setup_exim_part part)
{
    if (part == SETUP_EXIM_MACROS) {
        add_macro(out, "POSTERN_POLICY_SOCKET", s->policy, "inet:127.0.0.1:8464");
        add_macro(out, "POSTERN_TLSRPT_SOCKET", s->told, "inet:127.0.0.1:8465");
        add_macro(out, "POSTERN_RELAYD_ADDRESS", s->relayd, "127.0.0.1");
        add_macro(out, "POSTERN_RELAYD_PORT", s->port, "8689");
    }
    buf_str(out, s->facts->part[part]);
}

/* --- files --- */

static void say_clash(struct exim_planning *s, enum setup_exim_put why, enum setup_exim_part part, const char *path)
{
    const char *name = setup_exim_part_name(part);

    if (why == SETUP_EXIM_BROKEN)
        setup_notef(s->plan, SETUP_CLASH,
                    "%.300s: of the two lines that mark Postern's %s one is missing; put it back, or take the rest out",
                    path, name);
    else if (why == SETUP_EXIM_NO_PLACE)
        setup_notef(s->plan, SETUP_CLASH,
                    "%.300s has no heading \"### %s\" any more, above which Postern's %s must stand; put the heading "
                    "back where that part of Debian's was",
                    path, places[part].anchor, name);
    else
        setup_notef(s->plan, SETUP_CLASH,
                    "%.300s has Postern's %s already, put in by hand and not as %.300s/exim/%s has them: take them out",
                    path, name, s->facts->share, name);
}

static void plan_file(struct exim_planning *s, const char *what, const char *path, const char *now, const char *text)
{
    bool there = now != NULL && strcmp(now, text) == 0;

    s->generate |= !there;
    setup_file(s->plan, there ? SETUP_THERE : SETUP_NEEDED, what, path, 0644, text);
}

/* The text of a file with one more part in it. Returns false when it cannot be. */
static bool put_part(struct buf *out, struct exim_planning *s, enum setup_exim_part part, const char *path,
                     const char *now, const char *anchor)
{
    enum setup_exim_put rc = SETUP_EXIM_PUT;
    struct buf content;

    buf_init(&content, SETUP_FILE_MAX);
    add_content(&content, s, part);
    if (strstr(now, buf_text(&content)) != NULL && !setup_exim_marked(now, part))
        buf_str(out, now); /* put in by hand, and the same */
    else
        rc = setup_exim_put(out, now, part, buf_text(&content), anchor);
    if (rc != SETUP_EXIM_PUT)
        say_clash(s, rc, part, path);
    s->plan->out_of_memory |= !buf_ok(&content) || !buf_ok(out);
    buf_clear(&content);
    return rc == SETUP_EXIM_PUT;
}

/* A file that has one part. */
static void plan_part(struct exim_planning *s, enum setup_exim_part part, const char *path, const char *now)
{
    struct buf text;

    buf_init(&text, SETUP_FILE_MAX);
    if (put_part(&text, s, part, path, now != NULL ? now : "", NULL))
        plan_file(s, places[part].what, path, now, buf_text(&text));
    buf_clear(&text);
}

static void plan_split(struct exim_planning *s)
{
    char path[4200];

    for (unsigned i = 0; i < SETUP_EXIM_PARTS; i++) {
        (void)snprintf(path, sizeof(path), "%.4000s/conf.d/%s", s->facts->config_dir, places[i].split);
        plan_part(s, i, path, s->facts->split[i]);
    }
}

static void plan_template(struct exim_planning *s)
{
    const char *now = s->facts->template;
    struct buf text[SETUP_EXIM_PARTS];
    char path[4200];
    bool good = true;

    (void)snprintf(path, sizeof(path), "%.4000s/exim4.conf.template", s->facts->config_dir);
    for (unsigned i = 0; i < SETUP_EXIM_PARTS; i++)
        buf_init(&text[i], SETUP_FILE_MAX);
    buf_str(&text[0], now);
    for (unsigned i = 1; i < SETUP_EXIM_PARTS; i++)
        good = put_part(&text[i], s, i, path, buf_text(&text[i - 1]), places[i].anchor) && good;
    if (good)
        plan_file(s, "routers, transports and when it is tried again, each before Debian's", path, now,
                  buf_text(&text[SETUP_EXIM_PARTS - 1]));
    for (unsigned i = 0; i < SETUP_EXIM_PARTS; i++)
        buf_clear(&text[i]);
}

static void plan_unsplit(struct exim_planning *s)
{
    char path[4200];

    (void)snprintf(path, sizeof(path), "%.4000s/exim4.conf.localmacros", s->facts->config_dir);
    if (s->facts->template == NULL) {
        setup_notef(s->plan, SETUP_CLASH, "%.300s/exim4.conf.template is not there", s->facts->config_dir);
        return;
    }
    if (!s->facts->localmacros_counts)
        setup_notef(
            s->plan, SETUP_CLASH,
            "update-exim4.conf does not look at %.300s as long as there is no /etc/exim4/exim4.conf.localmacros: "
            "make that one, it may be empty",
            path);
    plan_part(s, SETUP_EXIM_MACROS, path, s->facts->localmacros);
    plan_template(s);
}

/* --- a configuration of the operator's own --- */

static void plan_own(struct exim_planning *s)
{
    static const char *const where[SETUP_EXIM_PARTS] = {
        [SETUP_EXIM_MACROS] = "at the top",
        [SETUP_EXIM_ROUTERS] = "behind \"begin routers\", before the router by which mail for others leaves",
        [SETUP_EXIM_TRANSPORTS] = "behind \"begin transports\"",
        [SETUP_EXIM_RETRY] = "behind \"begin retry\", before all others"};

    for (unsigned i = 0; i < SETUP_EXIM_PARTS; i++) {
        bool has = setup_exim_has(s->facts->own, i);
        setup_notef(s->plan, has ? SETUP_THERE : SETUP_CLASH,
                    has ? "%.300s/exim4.conf, a configuration of your own, has Postern's %s"
                        : "%.300s/exim4.conf is a configuration of your own, and needs Postern's %s: \".include "
                          "%.300s/exim/%s\" %s",
                    s->facts->config_dir, setup_exim_part_name(i), s->facts->share, setup_exim_part_name(i), where[i]);
    }
    setup_note(s->plan, SETUP_THERE,
               "these files count on Debian's names: +local_domains, +relay_to_domains, +relay_from_hosts");
}

void exim_plan_files(struct exim_planning *s)
{
    const char *argv[] = {"update-exim4.conf", NULL, NULL, NULL};
    struct setup_command c = {.what = "Exim's own copy of it all, looked through by Exim before it counts",
                              .path = SETUP_EXIM_GENERATED,
                              .argv = argv,
                              .undo = argv};

    if (s->facts->own != NULL) {
        plan_own(s);
        return;
    }
    if (s->facts->debian->split)
        plan_split(s);
    else
        plan_unsplit(s);
    if (s->facts->named) {
        argv[1] = "-d";
        argv[2] = s->facts->config_dir;
    }
    setup_command(s->plan, s->generate || !s->facts->generated ? SETUP_NEEDED : SETUP_THERE, &c);
}
