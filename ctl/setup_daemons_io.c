/* setup_daemons_io.c - see setup_daemons_io.h. */
#include "setup_daemons_io.h"

#include "program_output_io.h"
#include "setup_machine_io.h"

#include <stdio.h>
#include <string.h>

static const char *const daemons[SETUP_DAEMONS] = {"stsd", "policyd", "milter", "relayd", "tlsrptd"};

/* -1: there is none of that name. */
static int find(const char *name)
{
    for (int i = 0; name != NULL && i < SETUP_DAEMONS; i++)
        if (strcmp(daemons[i], name) == 0)
            return i;
    return -1;
}

void setup_daemons_note(enum setup_news news[SETUP_DAEMONS], const struct setup_step *s)
{
    enum setup_news what = s->kind == SETUP_CONF ? SETUP_NEWS_CONF : SETUP_NEWS_MACHINE;
    int i = find(s->kind == SETUP_CONF ? s->section : s->daemon);

    if (i >= 0 && news[i] < what)
        news[i] = what;
}

static void set_true(void *ctx, const char *section, const char *key)
{
    (void)section;
    (void)key;
    *(bool *)ctx = true;
}

static int reload_one(struct buf *said, const char *name, enum setup_news news, bool restart, struct err *e)
{
    char unit[64];
    char *argv[] = {(char *)"systemctl", (char *)(restart ? "restart" : "reload-or-restart"), unit, NULL};
    struct buf out;
    int rc;

    (void)snprintf(unit, sizeof(unit), "postern-%s.service", name);
    if (!machine_has_unit(unit)) {
        buf_printf(said, "by hand: %s postern-%s, as %s\n", restart ? "restart" : "send SIGHUP to", name,
                   news == SETUP_NEWS_CONF ? "postern.conf was changed" : "what its user may do was changed");
        return 0;
    }
    buf_init(&out, 65536);
    rc = program_output(&out, argv, e);
    buf_clear(&out);
    if (rc == 0)
        buf_printf(said, "systemctl %s %s\n", argv[1], unit);
    return rc;
}

int setup_daemons_reload(struct buf *said, const enum setup_news news[SETUP_DAEMONS], const struct conf *before,
                         const struct conf *now, struct err *e)
{
    for (int i = 0; i < SETUP_DAEMONS; i++) {
        bool restart = news[i] == SETUP_NEWS_MACHINE;

        conf_needs_restart(before, now, daemons[i], set_true, &restart);
        if (news[i] != SETUP_NEWS_NONE && reload_one(said, daemons[i], news[i], restart, e) != 0)
            return -1;
    }
    return 0;
}
