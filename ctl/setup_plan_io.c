/* setup_plan_io.c - see setup_plan_io.h. */
#include "setup_plan_io.h"

#include "conf_edit.h"
#include "setup_file_io.h"
#include "setup_local_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void settle_conf(struct setup_step *s, const struct setup_request *r)
{
    struct buf value;
    char *what = NULL;

    buf_init(&value, CONF_FILE_MAX);
    if (conf_edit_get(&value, buf_text(r->conf_text), r->conf_text->len, s->section, s->key) == 1) {
        s->state = strcmp(buf_text(&value), s->value) == 0 ? SETUP_THERE : SETUP_CLASH;
        if (s->state == SETUP_CLASH && asprintf(&what, "postern.conf has %.200s there; take it out, or write this (%s)",
                                                buf_text(&value), s->what) > 0) {
            free(s->what);
            s->what = what;
        }
    }
    buf_clear(&value);
}

int setup_make_plan(struct setup_plan *out, const struct setup_server *server, const struct setup_request *r,
                    struct err *e)
{
    *out = (struct setup_plan){.server = server->name};
    if (server->plan(out, r, e) != 0 || setup_plan_finish(out, e) != 0) {
        setup_plan_clear(out);
        return -1;
    }
    for (size_t i = 0; i < out->count; i++)
        if (out->step[i].kind == SETUP_CONF && out->step[i].state == SETUP_NEEDED)
            settle_conf(&out->step[i], r);
    if (setup_local_look(out, r->ctl) != 0)
        setup_note(out, SETUP_NEEDED,
                   "Redis could not be asked what the list local has; without it nothing can be "
                   "put into that list");
    return 0;
}

bool setup_is_ours(const struct setup_request *r, const char *path)
{
    const struct setup_kept *kept = r->before != NULL ? setup_manifest_file(r->before, path) : NULL;
    struct setup_file now;
    bool ours;

    if (kept == NULL || kept->after[0] == '\0' || setup_file_look(&now, path, NULL) != 0)
        return false;
    ours = strcmp(now.hash, kept->after) == 0;
    setup_file_clear(&now);
    return ours;
}

bool setup_conf_is_set(const struct setup_request *r, const char *section, const char *key)
{
    struct buf value;
    bool set;

    buf_init(&value, CONF_FILE_MAX);
    set = conf_edit_get(&value, buf_text(r->conf_text), r->conf_text->len, section, key) == 1;
    buf_clear(&value);
    return set;
}
