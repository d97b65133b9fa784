/* setup_command_io.c - see setup_command_io.h. */
#include "setup_command_io.h"

#include "program_output_io.h"

#include <string.h>
#include <unistd.h>

int setup_run_command(struct buf *out, char *const argv[], struct err *e)
{
    char self[4096], *own[64] = {self};
    ssize_t len = strcmp(argv[0], "posternctl") == 0 ? readlink("/proc/self/exe", self, sizeof(self) - 1) : -1;

    if (len < 0)
        return program_output(out, argv, e);
    self[len] = '\0';
    for (size_t i = 1; i + 1 < sizeof(own) / sizeof(own[0]) && argv[i] != NULL; i++)
        own[i] = argv[i];
    return program_output(out, own, e);
}

bool setup_is_as_made(const struct setup_done *d)
{
    struct buf out;
    bool same;

    if (d->step.shows == NULL || d->said == NULL)
        return true;
    buf_init(&out, SETUP_OUTPUT_MAX);
    same = setup_run_command(&out, d->step.shows, NULL) == 0 && strcmp(buf_text(&out), d->said) == 0;
    buf_clear(&out);
    return same;
}
