/* setup_put_back_io.c - an --apply that failed midway; see setup_apply_internal.h. */
#include "setup_apply_internal.h"

#include "setup_command_io.h"
#include "setup_local_io.h"

#include <stdlib.h>

static void take_local_back(struct applying *a, struct buf *faults)
{
    char **domains = calloc(a->plan->count + 1, sizeof(*domains));
    struct err e = {""};
    size_t count = 0;

    for (size_t i = 0; domains != NULL && i < a->plan->count; i++)
        if (a->plan->step[i].kind == SETUP_LOCAL && apply_is_needed(&a->plan->step[i]))
            domains[count++] = a->plan->step[i].domain;
    if (setup_local_take(a->plan->server, domains, a->r->ctl, faults, &e) != 0)
        buf_printf(faults, "%s\n", e.text);
    free(domains);
}

/* What changes no file that is kept */
static void take_commands_back(struct applying *a, struct buf *faults)
{
    for (size_t i = a->made; i > 0; i--) {
        const struct setup_step *s = &a->plan->step[i - 1];
        struct err e = {""};
        struct buf out;

        if (!apply_is_needed(s) || s->kind != SETUP_COMMAND || s->undo == NULL || s->path != NULL)
            continue;
        buf_init(&out, SETUP_OUTPUT_MAX);
        if (setup_run_command(&out, s->undo, &e) != 0)
            buf_printf(faults, "%s\n", e.text);
        buf_clear(&out);
    }
}

/* All as it was before this run. Returns false when not all of it is. */
static bool put_back(struct applying *a, struct buf *faults)
{
    struct err e = {""};

    for (size_t i = a->m.file_count; i > 0; i--)
        if (a->changing[i - 1] && setup_file_restore(a->m.file[i - 1].path, &a->was[i - 1], &e) != 0)
            buf_printf(faults, "%s\n", e.text);
    take_commands_back(a, faults);
    if (a->local)
        take_local_back(a, faults);
    if (a->daemons_told && setup_daemons_reload(a->said, a->news, a->conf, a->r->conf, &e) != 0)
        buf_printf(faults, "%s\n", e.text);
    if (a->server_told && apply_tell_server(a, &e) != 0)
        buf_printf(faults, "%s\n", e.text);
    return faults->len == 0;
}

/* The manifest of before; 0, or -1 with the reason. */
static int put_manifest_back(const struct applying *a, struct err *e)
{
    if (a->r->before != NULL)
        return setup_folder_write(a->folder, a->r->before, e);
    return setup_folder_forget(a->folder, &a->m, true, e);
}

void apply_put_back(struct applying *a, struct err *e)
{
    struct err again = {""};
    struct buf faults;

    buf_init(&faults, SETUP_OUTPUT_MAX);
    if (!put_back(a, &faults)) {
        buf_add(a->said, buf_text(&faults), faults.len);
        err_prefix(e, "not all of it could be put back (\"posternctl %s --undo\" tries again)", a->server->command);
    } else if (put_manifest_back(a, &again) != 0) {
        buf_printf(a->said, "%s\n", again.text);
        err_prefix(e, "all is as it was before, but for what was kept of it in %.80s", a->folder->path);
    } else {
        err_prefix(e, "all is as it was before");
    }
    buf_clear(&faults);
}
