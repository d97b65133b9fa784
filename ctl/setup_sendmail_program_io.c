/* setup_sendmail_program_io.c - see setup_sendmail_program_io.h. */
#include "setup_sendmail_program_io.h"

#include "program_output_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian's first: /usr/sbin/sendmail may be another mail server's. */
static const char *find_program(void)
{
    static const char *const paths[] = {"/usr/libexec/sendmail/sendmail", "/usr/lib/sm.bin/sendmail",
                                        "/usr/sbin/sendmail-mta", "/usr/sbin/sendmail"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return "";
}

int sendmail_find(struct sendmail_place *out, const struct setup_request *r, struct err *e)
{
    const char *folder = r->ctl->config_dir != NULL ? r->ctl->config_dir : "/etc/mail";

    out->program = find_program();
    if (realpath(folder, out->folder) == NULL)
        return err_set(e, "%s: %s", folder, strerror(errno));
    (void)snprintf(out->cf, sizeof(out->cf), "%s/sendmail.cf", out->folder);
    return 0;
}

int sendmail_test(struct buf *out, const struct sendmail_place *place, const char *option, const char *line,
                  struct err *e)
{
    static const char script[] =
        "line=$1; shift; said=$(printf \"%s\\n\" \"$line\" | \"$@\" 2>&1) || { printf \"%s\\n\" \"$said\" | "
        "grep \": line \" | head -n 1 >&2; exit 1; }; printf \"%s\\n\" \"$said\"";
    const char *argv[] = {"sh",      "-c",  script, "sh", line != NULL ? line : "", place->program, "-C",
                          place->cf, "-bt", option, NULL};

    return program_output(out, (char *const *)argv, e);
}
